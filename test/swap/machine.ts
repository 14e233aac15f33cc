import { chmodSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { SwapSettings } from "../../src/swap/swap.ts";
import { repositoryRoot } from "../support/repository.ts";

/** A pretended machine: a home, a drush 8 in PATH, a crontab, and a folder in the place of the file system's root. */
export class Machine {
  readonly root = mkdtempSync(join(tmpdir(), "shim-swap-"));
  readonly home = join(this.root, "home");
  readonly launcher = join(repositoryRoot, "bin/drush");
  /** The real drush: a shell program and the drush.php beside it. */
  readonly drush: string;
  readonly script: string;
  /** What a shell finds. */
  readonly program = join(this.root, "path/drush");

  constructor() {
    this.drush = this.write("opt/drush/drush", '#!/bin/sh\nexec php "$(dirname "$(readlink -f "$0")")/drush.php" "$@"\n', 0o755);
    this.script = this.write("opt/drush/drush.php", drushSaying("8.4.12"), 0o755);
    this.write("path/crontab", CRONTAB, 0o755);
    mkdirSync(join(this.home, ".drush"), { recursive: true });
    symlinkSync(this.drush, this.program);
  }

  get settings(): SwapSettings {
    return {
      home: this.home,
      forUser: undefined,
      lib: join(repositoryRoot, "lib"),
      variables: { PATH: `${join(this.root, "path")}:${process.env["PATH"] ?? ""}`, HOME: this.home, CRONTAB_FILE: this.crontabFile },
      drush: undefined,
      stateFolder: join(this.home, ".provision-shim"),
      configFile: join(this.home, ".provision-shim/config.json"),
      systemRoot: this.root,
    };
  }

  get crontabFile(): string {
    return join(this.root, "crontab-of-user");
  }

  write(path: string, text: string, mode = 0o644): string {
    const file = join(this.root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    chmodSync(file, mode);
    return file;
  }

  read(path: string): string {
    return readFileSync(path.startsWith("/") ? path : join(this.root, path), "utf8");
  }

  /** Every file and link with its mode and content. */
  everything(): string[] {
    const look = (folder: string): string[] =>
      readdirSync(folder).sort().flatMap((name) => {
        const path = join(folder, name);
        const stats = lstatSync(path);
        const head = `${path.slice(this.root.length)} ${(stats.mode & 0o7777).toString(8)} ${stats.uid}:${stats.gid}`;
        if (stats.isSymbolicLink()) return [`${head} → ${readlinkSync(path)}`];
        return stats.isDirectory() ? [head, ...look(path)] : [`${head} ${readFileSync(path, "utf8")}`];
      });
    return look(this.root);
  }

  remove(): void {
    rmSync(this.root, { recursive: true });
  }
}

export function drushSaying(version: string): string {
  return `<?php echo in_array("--pipe", $argv) ? "${version}\\n" : " Drush Version   :  ${version}\\n\\n";\n`;
}

const CRONTAB = `#!/bin/sh
case $1 in
  -l) [ -f "$CRONTAB_FILE" ] || { echo "no crontab" >&2; exit 1; }; cat "$CRONTAB_FILE" ;;
  -r) rm "$CRONTAB_FILE" ;;
  -) cat >"$CRONTAB_FILE" ;;
  *) exit 2 ;;
esac
`;
