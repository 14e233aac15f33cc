import type { Stats } from "node:fs";
import type { Remembered } from "../../files/remembered.ts";
import { isSettled, stampFrom } from "../../files/stamp.ts";
import type { LargeArrays } from "./generated-form.ts";

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
    const stamp = stampFrom(stats);
    const name = arraysMemory(path);
    const learnt: [number, number][] = [];
    return {
      ends: new Map(this.#recall(name, stamp)),
      learn: (start, end) => void learnt.push([start, end]),
      keep: () => {
        if (learnt.length > 0 && isSettled(stats)) this.#remembered.set(name, JSON.stringify([stamp, ...learnt]));
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

/** The name under which it is remembered where they are in this file. */
export function arraysMemory(path: string): string {
  return `arrays-1 ${path}`;
}
