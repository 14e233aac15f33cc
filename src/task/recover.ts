import { rmSync } from "node:fs";
import type { LeftJournal } from "./journal.ts";
import { finishEntries, undoEntries, type UndoHandlers, type UndoOutcome } from "./undo.ts";

/**
 * Brings what a killed task has left to "before", or to "after" when it was beyond its point of no return. The journal is gone then; it stays when something
 * failed. Who calls holds the lock of its context.
 */
export async function recoverJournal(left: LeftJournal, handlers: UndoHandlers): Promise<UndoOutcome> {
  const children = left.entries.filter(({ kind }) => kind === CHILD);
  const first = await undoEntries(children, left.directory, handlers);
  const rest = left.remaining === undefined ? await undoEntries(left.entries.filter(({ kind }) => kind !== CHILD), left.directory, handlers) : await finishEntries(left.remaining, left.directory, handlers);
  const outcome = { done: [...first.done, ...rest.done], failed: [...first.failed, ...rest.failed] };
  if (outcome.failed.length === 0) rmSync(left.directory, { recursive: true, force: true });
  return outcome;
}

/** Kind of a journal entry that names a child process. */
export const CHILD = "child";
