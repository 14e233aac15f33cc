import { readdirSync } from "node:fs";
import { lookBehind, unlessAbsent } from "./look.ts";
import type { Remembered } from "./remembered.ts";
import { isSettled, stampFrom } from "./stamp.ts";

export interface FolderEntry {
  readonly name: string;
  readonly kind: "folder" | "link" | "file";
}

interface Known {
  readonly stamp: string;
  readonly entries: readonly FolderEntry[];
}

/**
 * What is in folders that are searched at each call, by their entries that matter. It is remembered by the folders' times, so that an unchanged folder costs only a look at it;
 * within one search each folder is looked at once.
 */
export class KnownFolders {
  readonly #remembered: Remembered;
  readonly #interest: { readonly name: string; readonly files: RegExp };
  readonly #seen = new Map<string, Known | undefined>();
  #before: Record<string, Known> | undefined;
  #isNew = false;

  /** @param interest the files that matter, and the name by which those are remembered */
  constructor(remembered: Remembered, interest: { readonly name: string; readonly files: RegExp }) {
    this.#remembered = remembered;
    this.#interest = interest;
  }

  /**
   * Folders, links and the files that matter, without hidden ones and without an order; undefined when there is no such folder.
   *
   * @throws the system's error when it cannot be read
   */
  entries(folder: string): readonly FolderEntry[] | undefined {
    if (this.#seen.has(folder)) return this.#seen.get(folder)?.entries;
    const known = this.#look(folder);
    this.#seen.set(folder, known);
    return known?.entries;
  }

  /** From here on every folder is looked at anew. */
  forget(): void {
    this.#seen.clear();
  }

  /** Remembers what was seen, for the next search of the same folders. */
  keep(): void {
    const now = Object.fromEntries([...this.#seen].filter(([, known]) => known !== undefined && known.stamp !== ""));
    if (this.#isNew || Object.keys(this.#recall()).length !== Object.keys(now).length) this.#remembered.set(this.#interest.name, JSON.stringify(now));
  }

  #look(folder: string): Known | undefined {
    const stats = lookBehind(folder);
    if (stats?.isDirectory() !== true) return undefined;
    const stamp = stampFrom(stats);
    const before = this.#recall()[folder];
    if (before?.stamp === stamp && Array.isArray(before.entries)) return before;
    const entries = this.#read(folder);
    if (entries === undefined) return undefined;
    // Where only the folder's time is another (each alias file written changes it), that is not worth a write.
    if (before !== undefined && JSON.stringify(before.entries) === JSON.stringify(entries)) return { stamp: before.stamp, entries };
    const counts = isSettled(stats);
    this.#isNew ||= counts;
    return { stamp: counts ? stamp : "", entries };
  }

  #read(folder: string): FolderEntry[] | undefined {
    const all = unlessAbsent(() => readdirSync(folder, { withFileTypes: true }));
    return all?.flatMap((entry) => {
      const { name } = entry;
      const kind = entry.isDirectory() ? "folder" : entry.isSymbolicLink() ? "link" : "file";
      return name.startsWith(".") || (kind === "file" && !this.#interest.files.test(name)) ? [] : [{ name, kind }];
    });
  }

  #recall(): Record<string, Known> {
    return (this.#before ??= this.#remembered.record(this.#interest.name) as Record<string, Known>);
  }
}
