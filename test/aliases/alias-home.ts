import { chmodSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { searchedFolders, type AliasPlaces } from "../../src/aliases/alias-files.ts";
import { Aliases } from "../../src/aliases/find-alias.ts";
import { DrushrcLoader } from "../../src/aliases/load-drushrc.ts";
import type { PhpSettings } from "../../src/aliases/reading/php-fallback.ts";
import { type PhpFile } from "../../src/aliases/reading/read-as-data.ts";
import { readPhpFile } from "../../src/aliases/reading/read-php-file.ts";
import { Remembered } from "../../src/files/remembered.ts";
import type { PhpArray } from "../../src/php-values/php-array.ts";
import { writeTree } from "./alias-tree.ts";

const REPOSITORY = join(import.meta.dirname, "../..");

export const NO_SUCH_PHP = "/no-such-folder/php";

export function phpSettings(changes: Partial<PhpSettings> = {}): PhpSettings {
  return { program: "php", phpDir: join(REPOSITORY, "php"), env: { PATH: process.env["PATH"], HOME: "/no-such-home" }, cwd: "/", userId: process.geteuid?.(), ...changes };
}

/** A temporary home. Its /etc is its own folder `etc`. */
export class AliasHome {
  readonly path = mkdtempSync(join(tmpdir(), "alias-home-"));

  constructor(files: Readonly<Record<string, string>>) {
    this.write(files);
  }

  write(files: Readonly<Record<string, string>>): void {
    writeTree(this.path, files);
  }

  at(name: string): string {
    return join(this.path, name);
  }

  /** By default without a usable PHP: what is found then was read as data. */
  aliases(places: Partial<AliasPlaces> = {}, php = phpSettings({ program: NO_SUCH_PHP })): Aliases {
    return new Aliases({ home: this.path, etcPrefix: this.path, drushFolder: undefined, aliasPaths: [], skipped: new Set(), depth: Infinity, known: searchedFolders(new Remembered(join(this.path, "cache"))), ...places }, php);
  }

  loader(php = phpSettings({ program: NO_SUCH_PHP })): DrushrcLoader {
    return new DrushrcLoader(php);
  }

  loadBase(loader = this.loader()): ReturnType<DrushrcLoader["loadBase"]> {
    return loader.loadBase({ home: this.path, etcPrefix: this.path, drushFolder: undefined });
  }

  read(name: string, variables: readonly string[] = ["aliases", "options"], php = phpSettings({ program: NO_SUCH_PHP })): Promise<PhpFile> {
    return readPhpFile(this.at(name), { variables, php });
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** For one test file: makes homes and removes them at its end. */
export function temporaryHomes(): (files: Readonly<Record<string, string>>) => AliasHome {
  const homes: AliasHome[] = [];
  afterAll(() => homes.forEach((home) => home.remove()));
  return (files) => {
    const home = new AliasHome(files);
    homes.push(home);
    return home;
  };
}

/** The record of that name; fails when the name leads to anything else. */
export async function recordOf(aliases: Aliases, name: string): Promise<PhpArray> {
  const found = await aliases.find(name);
  if (found.kind !== "record") throw new Error(`@${name} is ${found.kind}`);
  return found.record;
}

/** A single alias file as people write it. */
export function single(name: string, body: string): Record<string, string> {
  return { [`.drush/${name}.alias.drushrc.php`]: `<?php\n$aliases['${name}'] = array(${body});\n` };
}

/** Lets everybody write to the file. */
export function openToAll(path: string): void {
  chmodSync(path, statSync(path).mode | 0o666);
}
