import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { readIfThere } from "./look.ts";
import { writeWhole } from "./write-whole.ts";

/** Facts that cost time to find out and are checked before use, kept between calls. Losing one costs time, never correctness. */
export class Remembered {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  get(name: string): string | undefined {
    try {
      const text = readIfThere(this.#path(name))?.toString("utf8");
      return text === "" ? undefined : text;
    } catch {
      return undefined;
    }
  }

  set(name: string, text: string): void {
    try {
      mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
      writeWhole(this.#path(name), Buffer.from(text), { mode: 0o600, fleeting: true });
    } catch {
      // A home that cannot be written to shows where it matters.
    }
  }

  #path(name: string): string {
    return join(this.#directory, encodeURIComponent(name));
  }
}
