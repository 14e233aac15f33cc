import { asShimError, type ShimError } from "../errors/shim-error.ts";
import type { UndoEntry } from "./journal.ts";

/** Undoes one kind of change. `directory` is the journal's folder, where kept files are. Returns what was done, or undefined when nothing was to do. */
export type UndoHandler = (entry: UndoEntry, directory: string) => string | undefined | Promise<string | undefined>;

export type UndoHandlers = Readonly<Record<string, UndoHandler>>;

export interface UndoOutcome {
  /** What was done, in the order it was done. */
  readonly done: readonly string[];
  /** What could not be undone; the journal must be kept then. */
  readonly failed: readonly ShimError[];
}

/** Does what remains of a task beyond its point of no return, side by side. One that fails does not stop the others. */
export async function finishEntries(entries: readonly UndoEntry[], directory: string, handlers: UndoHandlers, onDone?: (entry: UndoEntry) => void): Promise<UndoOutcome> {
  const outcomes = await Promise.all(entries.map((entry) => undoEntries([entry], directory, handlers, onDone)));
  return { done: outcomes.flatMap(({ done }) => done), failed: outcomes.flatMap(({ failed }) => failed) };
}

/**
 * Undoes the entries, newest first. One that fails does not stop the others. What is inside a directory that the task has made goes with that as a whole.
 *
 * @param onDone told each one that is done: it must not be done again, for what an older one has put back may have the same path
 */
export async function undoEntries(entries: readonly UndoEntry[], directory: string, handlers: UndoHandlers, onDone?: (entry: UndoEntry) => void): Promise<UndoOutcome> {
  const done: string[] = [];
  const failed: ShimError[] = [];
  const trees = new Set<string>();
  const single = entries.filter((entry) => {
    const path = typeof entry["path"] === "string" ? entry["path"] : "";
    if (isInside(path, trees)) {
      onDone?.(entry);
      return false;
    }
    if (entry.kind === NEW_TREE) trees.add(path);
    return true;
  });
  for (const entry of single.reverse()) {
    try {
      const handler = handlers[entry.kind];
      if (handler === undefined) throw new Error(`This version does not know how to undo "${entry.kind}".`);
      const what = await handler(entry, directory);
      if (what !== undefined) done.push(what);
      onDone?.(entry);
    } catch (thrown) {
      failed.push(asShimError(thrown));
    }
  }
  return { done, failed };
}

/** Kind of the entry for a directory that the task has put in its place, see FileChanges.placeTree(). */
const NEW_TREE = "new-tree";

function isInside(path: string, trees: ReadonlySet<string>): boolean {
  for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1)) if (trees.has(path.slice(0, end))) return true;
  return false;
}
