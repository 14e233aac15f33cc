import { rmSync } from "node:fs";
import { join } from "node:path";
import { ShimError } from "../errors/shim-error.ts";
import type { EventSink } from "./events.ts";
import { readJournal, type LeftJournal, type UndoEntry } from "./journal.ts";
import { breakLeasesOf } from "./lock.ts";
import { finishEntries, undoEntries, type UndoHandlers, type UndoOutcome } from "./undo.ts";

/**
 * Brings what a killed task has left to "before", or to "after" when it was beyond its point of no return. The journal is gone then; it stays when something
 * failed. Who calls holds the lock of its context.
 */
export async function recoverJournal({ directory }: LeftJournal, handlers: UndoHandlers): Promise<UndoOutcome> {
  // Who had the lock before may have recovered it, and made anew what would be taken away here.
  const left = readJournal(directory);
  if (left === undefined) return { done: [], failed: [] };
  const strike = (entry: UndoEntry): void => left.strike(entry);
  const children = left.entries.filter(({ kind }) => kind === CHILD);
  const first = await undoEntries(children, left.directory, handlers, strike);
  const rest = left.remaining === undefined ? await undoEntries(left.entries.filter(({ kind }) => kind !== CHILD), left.directory, handlers, strike) : await finishEntries(left.remaining, left.directory, handlers, strike);
  const outcome = { done: [...first.done, ...rest.done], failed: [...first.failed, ...rest.failed] };
  if (outcome.failed.length === 0) {
    breakLeasesOf(join(left.directory, "../../locks"), left.head);
    rmSync(left.directory, { recursive: true, force: true });
  }
  return outcome;
}

/**
 * The same in front of another task, which is told of it. What could not be removed beyond the point of no return is in nobody's way and stays for the next time.
 *
 * @throws ShimError PROVISION_RECOVERY_FAILED when the changes of the killed task are still there
 */
export async function recoverForTask(left: LeftJournal, { sink, undoHandlers }: { readonly sink: EventSink; readonly undoHandlers: UndoHandlers }): Promise<void> {
  // Who had the lease before may have done it.
  if (readJournal(left.directory) === undefined) return;
  const finishes = left.remaining !== undefined;
  sink({ type: "log", level: "notice", message: `A task ("${left.head.title}") was killed in the middle; ${finishes ? "it is finished" : "its changes are undone"} first.` });
  const { done, failed } = await recoverJournal(left, undoHandlers);
  for (const description of done) sink({ type: "undo", description });
  const [first] = failed;
  if (first === undefined) return;
  if (finishes) {
    sink({ type: "log", level: "warning", message: `What a former task left over could not be removed: ${first.message}` });
    return;
  }
  throw new ShimError("PROVISION_RECOVERY_FAILED", `The changes of a killed task could not be undone: ${first.message}`, {
    hint: `look at ${left.directory}, mend the cause and run \`provision recover\``,
    cause: first,
  });
}

/** Kind of a journal entry that names a child process. */
export const CHILD = "child";
