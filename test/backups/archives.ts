import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeBackup, type BackupRequest, type MadeBackup } from "../../src/backups/make-backup.ts";
import { packingFor } from "../../src/backups/packing.ts";
import { verifyBackup } from "../../src/backups/examine.ts";
import type { CheckOptions } from "../../src/backups/check-archive.ts";
import { unpackSite, type UnpackedSite, type UnpackRequest } from "../../src/backups/unpack.ts";

/** A folder for one test file. */
export interface Bench {
  readonly folder: string;
  /** What was logged, as `level: message`. */
  readonly logs: string[];
  at: (...path: string[]) => string;
  /** Backs up `folder/site` to `folder/NAME`. */
  make: (name: string, options?: Partial<BackupRequest>) => Promise<MadeBackup>;
  verify: (name: string, options?: Partial<CheckOptions>) => ReturnType<typeof verifyBackup>;
  unpack: (name: string, target: string, options?: Partial<UnpackRequest>) => Promise<UnpackedSite>;
  remove: () => void;
}

export const env = { PATH: process.env["PATH"] };

export function openBench(): Bench {
  const folder = mkdtempSync(join(tmpdir(), "shim-backups-"));
  const at = (...path: string[]): string => join(folder, ...path);
  const logs: string[] = [];
  const { signal } = new AbortController();
  return {
    folder,
    logs,
    at,
    make: (name, options = {}) =>
      makeBackup({
        directory: at("site"),
        target: at(name),
        packing: packingFor(name),
        facts: { site: "site.test", uri: "site.test", made: "2026-11-29T17:00:00.000Z", by: "test", profile: "standard", database: null },
        replaced: new Map(),
        dump: () => Promise.resolve(undefined),
        steadiness: { force: false },
        env,
        signal,
        log: (level, message) => void logs.push(`${level}: ${message}`),
        ...options,
      }),
    verify: (name, options = {}) => verifyBackup(at(name), { env, signal, ...options }),
    unpack: (name, target, options = {}) => unpackSite({ archive: at(name), target: at(target), work: { signal, progress: () => undefined, child: () => undefined }, env, ...options }),
    remove: () => {
      if (process.env["SHIM_TEST_KEEP"] !== undefined || !existsSync(folder)) return;
      execFileSync("chmod", ["-R", "u+rwX", folder]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A name with a byte that is not UTF-8. */
export function odd(folder: string, name: string): Buffer {
  return Buffer.concat([Buffer.from(`${folder}/${name}`), Buffer.from([0xff, 0xe9])]);
}

/** A site's directory with all kinds of things that a file system can hold, but those that no backup keeps. */
export function makeOddTree(folder: string): void {
  mkdirSync(join(folder, "files/deep/er"), { recursive: true });
  mkdirSync(join(folder, "empty"));
  chmodSync(folder, 0o755);
  writeFileSync(join(folder, "settings.php"), "<?php # cloaked\n", { mode: 0o440 });
  writeFileSync(join(folder, "files/empty"), "");
  writeFileSync(join(folder, "files/block"), "b".repeat(512));
  writeFileSync(join(folder, "files/large"), Buffer.alloc(3_000_001, "0123456789abcdef\n"));
  writeFileSync(join(folder, "files/private"), "nobody\n", { mode: 0o600 });
  writeFileSync(join(folder, "files", "new\nline : and \"quote\" \\ back 'single' $x"), "odd");
  writeFileSync(join(folder, "files", "ümläut – 漢字 😀"), "unicode");
  writeFileSync(odd(join(folder, "files"), "latin-"), "not utf-8");
  writeFileSync(join(folder, "files/deep", `${"long-".repeat(40)}name.txt`), "long name");
  const long = join(folder, "files/deep", "d".repeat(120), "e".repeat(120));
  mkdirSync(long, { recursive: true });
  writeFileSync(join(long, "f".repeat(200)), "long path");
  linkSync(join(folder, "files/block"), join(folder, "files/deep/hard"));
  symlinkSync("../block", join(folder, "files/deep/soft"));
  symlinkSync("deep/er", join(folder, "files/to-folder"));
  symlinkSync("nowhere", join(folder, "files/dangling"));
  symlinkSync(`${"x/".repeat(90)}../${"l".repeat(30)}`, join(folder, "files/long-link"));
  execFileSync("truncate", ["-s", "40M", join(folder, "files/sparse")]);
  execFileSync("sh", ["-c", `for at in 1 5 9 13 17 21; do printf 'data %s' $at | dd of="$0" bs=1M seek=$at conv=notrunc status=none; done`, join(folder, "files/sparse")]);
  chmodSync(join(folder, "files"), 0o2770);
  chmodSync(join(folder, "empty"), 0o555);
}
