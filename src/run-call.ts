import { join } from "node:path";
import { contextName } from "./contexts/names.ts";
import { fileIdentity, namesIn } from "./files/look.ts";
import type { Invocation } from "./invocation.ts";
import { examineCall, type NativeCall } from "./native-call.ts";
import type { PhpArray } from "./php-values/php-array.ts";
import type { EventSink } from "./task/events.ts";
import { concerns, eachLeftJournal, sweepJournals } from "./task/journal.ts";
import { takeLock } from "./task/lock.ts";
import { recoverForTask } from "./task/recover.ts";
import { newToken, runPlan, type TaskOutcome } from "./task/run-plan.ts";
import { undoHandlers } from "./undo-handlers.ts";

export interface CallRun {
  /** The options that came on standard input. */
  readonly stdin: PhpArray;
  readonly sink: EventSink;
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
  /** The task's own token, where several run in this process; else they are taken for parts of one task. */
  readonly token?: string;
  /** Told when the call had to be examined anew: from then on this one counts. */
  readonly onCall: (call: NativeCall) => void;
  /** Told when the plan is made and its steps are about to run. */
  readonly onPlan?: () => void;
}

/**
 * Plans an examined call and runs the plan. What was examined before the lock was ours may be out of date, as when a migrate was waited for: then the
 * call is examined and planned again.
 *
 * @throws NeedsRealDrush, ShimError before anything was changed
 */
export async function runCall(call: NativeCall, invocation: Invocation, run: CallRun): Promise<TaskOutcome> {
  const seen = aliasIdentity(invocation);
  const plan = await call.prepare(run.stdin, run.signal);
  run.onPlan?.();
  return runPlan(plan, {
    stateDirectory: invocation.stateDirectory,
    sink: run.sink,
    dryRun: run.dryRun,
    undoHandlers,
    signal: run.signal,
    token: run.token ?? (process.env["PROVISION_SHIM_TOKEN"] ??= newToken()),
    lockWaitMs: lockWaitMs(invocation),
    isStale: () => aliasIdentity(invocation) !== seen,
    replan: async () => {
      const again = await examineCall(invocation);
      const plan = await again.prepare(run.stdin, run.signal);
      run.onCall(again);
      return plan;
    },
  });
}

/**
 * Undoes or finishes what killed tasks of ours have left of the contexts that the call names, before anything is examined: half of a task is no state to plan from, and the real
 * drush knows nothing of it.
 *
 * @throws ShimError PROVISION_RECOVERY_FAILED
 */
export async function recoverFirst(invocation: Invocation, sink: EventSink, signal: AbortSignal): Promise<void> {
  const { line, stateDirectory } = invocation;
  const journals = join(stateDirectory, "journal");
  // Root is refused next; what he writes the backend could not remove.
  if (namesIn(journals).length === 0 || process.geteuid?.() === 0) return;
  sweepJournals(journals);
  const names = [...(line.target === undefined ? [] : [line.target]), ...line.args].map(contextName);
  for (const journal of eachLeftJournal(journals, (left) => names.some((name) => concerns(left, name)))) {
    const lock = await takeLock({ directory: join(stateDirectory, "locks"), name: journal.head.context, what: "recover", token: process.env["PROVISION_SHIM_TOKEN"] ?? newToken(), waitMs: lockWaitMs(invocation), signal });
    try {
      await recoverForTask(journal, { sink, undoHandlers });
    } finally {
      lock.release();
    }
  }
}

/** How long a task waits for another one on the same context, milliseconds. */
export function lockWaitMs({ config }: Pick<Invocation, "config">): number {
  return (config.lockWaitSeconds ?? 3600) * 1000;
}

/** Which alias file the target's context was read from: a task that changes the context makes a new one. */
function aliasIdentity({ line, home }: Invocation): string | undefined {
  return line.target === undefined ? undefined : fileIdentity(join(home, ".drush", `${contextName(line.target)}.alias.drushrc.php`));
}
