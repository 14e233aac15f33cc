import { join } from "node:path";
import { contextName } from "./contexts/names.ts";
import { ShimError } from "./errors/shim-error.ts";
import { fileIdentity } from "./files/look.ts";
import type { Invocation } from "./invocation.ts";
import { examineCall, type NativeCall } from "./native-call.ts";
import type { PhpArray } from "./php-values/php-array.ts";
import type { EventSink } from "./task/events.ts";
import { leftJournals } from "./task/journal.ts";
import { takeLock } from "./task/lock.ts";
import { recoverJournal } from "./task/recover.ts";
import { newToken, runPlan, type TaskOutcome } from "./task/run-plan.ts";
import { undoHandlers } from "./undo-handlers.ts";

export interface CallRun {
  /** The options that came on standard input. */
  readonly stdin: PhpArray;
  readonly sink: EventSink;
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
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
    token: (process.env["PROVISION_SHIM_TOKEN"] ??= newToken()),
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

/** Undoes or finishes what a killed task of ours has left of the context before the real drush, which knows nothing of it, takes it. */
export async function recoverForDrush(invocation: Invocation, sink: EventSink, signal: AbortSignal): Promise<void> {
  const { line, stateDirectory } = invocation;
  const context = line.target === undefined ? undefined : contextName(line.target);
  const journals = join(stateDirectory, "journal");
  if (context === undefined || leftJournals(journals, context).length === 0) return;
  const lock = await takeLock({ directory: join(stateDirectory, "locks"), name: context, what: "recover", token: process.env["PROVISION_SHIM_TOKEN"] ?? newToken(), waitMs: lockWaitMs(invocation), signal });
  try {
    for (const left of leftJournals(journals, context)) {
      const { done, failed } = await recoverJournal(left, undoHandlers);
      for (const description of done) sink({ type: "undo", description });
      const [first] = failed;
      if (first !== undefined) throw new ShimError("PROVISION_RECOVERY_FAILED", `The changes of a killed task could not be undone: ${first.message}`, { hint: `look at ${left.directory}, mend the cause and run \`provision recover\``, cause: first });
    }
  } finally {
    lock.release();
  }
}

function lockWaitMs({ config }: Invocation): number {
  return (config.lockWaitSeconds ?? 3600) * 1000;
}

/** Which alias file the target's context was read from: a task that changes the context makes a new one. */
function aliasIdentity({ line, home }: Invocation): string | undefined {
  return line.target === undefined ? undefined : fileIdentity(join(home, ".drush", `${contextName(line.target)}.alias.drushrc.php`));
}
