import { mkdirSync, unlinkSync } from "node:fs";
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

  /** What was set as a JSON object; an empty one where it is none. What is in it may have any shape. */
  record(name: string): Readonly<Record<string, unknown>> {
    try {
      const value: unknown = JSON.parse(this.get(name) ?? "{}");
      return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
    } catch {
      return {};
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

  /** Removes what has one of these names. */
  forget(names: readonly string[]): void {
    for (const name of names) {
      try {
        unlinkSync(this.#path(name));
      } catch {
        // It was never there, or nothing can be removed: who reads it checks it.
      }
    }
  }

  #path(name: string): string {
    return join(this.#directory, encodeURIComponent(name));
  }
}
