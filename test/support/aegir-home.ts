import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { execFileSync } from "node:child_process";
import { takeTestUser, type TestUser } from "./test-user.ts";

/** A temporary home of Aegir as its Debian package leaves it before the first `provision-verify`, and its user. */
export interface AegirHome {
  readonly path: string;
  readonly user: TestUser;
  /** A directory beside the home for servers and for what tests must not find in it. */
  readonly beside: string;
  /** Makes a directory below the home, with its parents, for the user. */
  makeDirectory: (path: string, mode?: number) => string;
  /** Writes a file below the home, with its directories, for the user. */
  write: (path: string, content: string | Uint8Array, mode?: number) => string;
  /** Removes everything; with SHIM_TEST_KEEP set leaves it for a person to look at. */
  remove: () => void;
}

export function makeAegirHome(userName?: string): AegirHome {
  const beside = mkdtempSync(join(tmpdir(), "shim-test-"));
  const path = join(beside, "aegir");
  const user = takeTestUser(path, userName);
  // Everybody may pass through: the web server reads what lies below.
  chmodSync(beside, 0o755);
  mkdirSync(path);
  chmodSync(path, 0o755);
  user.own(beside);
  const makeDirectory = (below: string, mode = 0o755): string => {
    const directory = join(path, below);
    const firstMade = mkdirSync(directory, { recursive: true });
    chmodSync(directory, mode);
    if (firstMade !== undefined) user.own(firstMade);
    return directory;
  };
  makeDirectory(".drush");
  makeDirectory("platforms");
  return {
    path,
    user,
    beside,
    makeDirectory,
    write: (below, content, mode = 0o644) => {
      const file = join(path, below);
      const firstMade = mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, content, { mode });
      chmodSync(file, mode);
      user.own(firstMade ?? file);
      return file;
    },
    remove: () => {
      if (process.env["SHIM_TEST_KEEP"] !== undefined || !existsSync(beside)) return;
      // Not root, one cannot empty directories that Provision made read-only.
      execFileSync("chmod", ["-R", "u+rwX", beside]);
      rmSync(beside, { recursive: true, force: true });
    },
  };
}
