import type { Stats } from "node:fs";
import type { Remembered } from "../../files/remembered.ts";
import type { LargeArrays } from "./generated-form.ts";

/** A file that was changed so short a while ago may be changed again without its times telling. */
const UNSETTLED_MS = 2000;

/**
 * Where the large arrays in generated files are, remembered by the files' times. A platform's and a site's drushrc.php list all its packages, which most calls only hand on: they
 * are not read then.
 */
export class KnownArrays {
  readonly #remembered: Remembered;

  constructor(remembered: Remembered) {
    this.#remembered = remembered;
  }

  /** Those of the file, and afterwards `keep` for what was learnt of it. */
  of(path: string, stats: Stats): LargeArrays & { readonly keep: () => void } {
    const stamp = [stats.dev, stats.ino, stats.size, stats.mtimeMs, stats.ctimeMs].join(":");
    const name = `arrays-1 ${path}`;
    const learnt: [number, number][] = [];
    return {
      ends: new Map(this.#recall(name, stamp)),
      learn: (start, end) => void learnt.push([start, end]),
      keep: () => {
        if (learnt.length > 0 && Date.now() - Math.max(stats.mtimeMs, stats.ctimeMs) > UNSETTLED_MS) this.#remembered.set(name, JSON.stringify([stamp, ...learnt]));
      },
    };
  }

  #recall(name: string, stamp: string): [number, number][] {
    try {
      const [known, ...ends] = JSON.parse(this.#remembered.get(name) ?? "[]") as [string, ...[number, number][]];
      return known === stamp ? ends : [];
    } catch {
      return [];
    }
  }
}
