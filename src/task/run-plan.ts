import { join } from "node:path";
import { NeedsRealDrush } from "../errors/needs-real-drush.ts";
import { asShimError, ShimError } from "../errors/shim-error.ts";
import { uniqueName } from "../files/unique-name.ts";
import { milliseconds } from "./clock.ts";
import type { EventSink } from "./events.ts";
import { FileChanges } from "./file-changes.ts";
import { concerns, eachLeftJournal, Journal, sweepJournals } from "./journal.ts";
import { takeLock, type Lock } from "./lock.ts";
import type { Plan, Step, Work } from "./plan.ts";
import { processIdentity } from "./process-identity.ts";
import { CHILD, recoverForTask } from "./recover.ts";
import { finishEntries, undoEntries, type UndoHandlers } from "./undo.ts";

export interface TaskSettings {
  /** Where locks and journals are, ~/.provision-shim. */
  readonly stateDirectory: string;
  readonly sink: EventSink;
  readonly dryRun: boolean;
  readonly undoHandlers: UndoHandlers;
  readonly signal: AbortSignal;
  /** Token of the outer task when this call came back to us in the middle of one; it passes the locks of that task. */
  readonly token?: string;
  /** How long to wait for a lock, milliseconds. */
  readonly lockWaitMs: number;
  /**
   * Makes the plan again. It is called under the lock when the plan may be out of date: another task was waited for, a killed one was undone, or `isStale` says so.
   *
   * @throws NeedsRealDrush, ShimError as the first time
   */
  readonly replan?: () => Promise<Plan>;
  /** True when what the plan was made from has changed since. */
  readonly isStale?: () => boolean;
}

export interface TaskOutcome {
  readonly errors: readonly ShimError[];
  /** Number of changes made, or in a dry run: that would be made. */
  readonly changes: number;
}

/** A token for a new task. */
export function newToken(): string {
  return uniqueName();
}

/**
 * Runs the plan under the lock of its context. When a step fails the changes so far are undone, newest first; the error that came first
 * is reported first. Never throws for a failing task.
 *
 * @throws NeedsRealDrush when a step that only looks, before anything was changed, finds that the task is not native
 */
export async function runPlan(plan: Plan, settings: TaskSettings): Promise<TaskOutcome> {
  const task = new RunningTask(plan, settings);
  return task.run();
}

class RunningTask {
  #plan: Plan;
  readonly #settings: TaskSettings;
  readonly #errors: ShimError[] = [];
  /** Errors that do not call for an undo. */
  readonly #flaws: ShimError[] = [];
  readonly #journal: Journal;
  #changes = 0;
  readonly #locks: Lock[] = [];
  readonly #token: string;
  #need: NeedsRealDrush | undefined;

  constructor(plan: Plan, settings: TaskSettings) {
    this.#plan = plan;
    this.#settings = settings;
    this.#token = settings.token ?? newToken();
    this.#journal = Journal.begin(join(settings.stateDirectory, "journal"), plan.context, plan.title, plan.alsoLocks);
  }

  async run(): Promise<TaskOutcome> {
    const began = milliseconds();
    const { sink } = this.#settings;
    sink({ type: "task-started", title: this.#plan.title, context: this.#plan.context, steps: this.#plan.steps.flat().length });
    const plans = [this.#plan];
    try {
      if (!this.#settings.dryRun) {
        await this.#enter();
        if (this.#plan !== plans[0]) plans.push(this.#plan);
      }
      if (this.#need === undefined) await this.#groups(this.#plan.steps);
    } catch (thrown) {
      if (!(thrown instanceof StepFailed)) this.#error(asShimError(thrown));
    }
    if (this.#errors.length > 0) await this.#undo();
    else await this.#finish();
    for (const lock of this.#locks.reverse()) lock.release();
    for (const plan of plans) await plan.cleanUp?.();
    if (this.#need !== undefined && this.#errors.length === 0) throw this.#need;
    sink({ type: "task-ended", outcome: this.#errors.length + this.#flaws.length > 0 ? "failed" : "done", milliseconds: milliseconds() - began });
    return { errors: [...this.#errors, ...this.#flaws], changes: this.#changes };
  }

  /** Takes the locks; then the plan is one that holds. */
  async #enter(): Promise<void> {
    const { replan, isStale } = this.#settings;
    const token = this.#token;
    const lock = await this.#lock(this.#plan.context, token);
    this.#locks.push(lock);
    if (lock.inherited) return;
    const recovered = await this.#recover(this.#plan.context);
    if (replan !== undefined && (lock.waited || recovered || isStale?.() === true)) {
      const { context } = this.#plan;
      try {
        this.#plan = await replan();
      } catch (thrown) {
        if (!(thrown instanceof NeedsRealDrush)) throw thrown;
        this.#need = thrown;
        return;
      }
      if (this.#plan.context !== context) throw new ShimError("PROVISION_CONTEXT_CHANGED", `@${context} became @${this.#plan.context} while this task waited for another one.`, { hint: "run the task again" });
    }
    for (const name of this.#plan.alsoLocks ?? []) {
      // Two tasks that want each other's names must not wait for ever.
      this.#locks.push(await this.#lock(name, token, 0));
      await this.#recover(name);
    }
  }

  async #groups(groups: Plan["steps"]): Promise<void> {
    for (const group of groups) {
      // What runs beside this may have failed.
      if (this.#errors.length > 0) return;
      if (this.#settings.signal.aborted) throw interrupted();
      await this.#sideBySide("run" in group ? [group] : group);
      if (this.#need !== undefined) return;
    }
  }

  async #sideBySide(steps: readonly Step[]): Promise<void> {
    const running: Promise<void>[] = [];
    for (const step of steps) {
      // One that waits for a child should have started it before the next one keeps the processor.
      if (running.length > 0) await new Promise((resolve) => setImmediate(resolve));
      running.push(this.#step(step));
    }
    await Promise.all(running);
  }

  async #step(step: Step): Promise<void> {
    const began = milliseconds();
    const before = this.#errors.length;
    this.#settings.sink({ type: "step-started", step: step.name });
    try {
      await step.run(this.#work(step));
    } catch (thrown) {
      if (thrown instanceof NeedsRealDrush && this.#journal.entries.length === 0) this.#need = thrown;
      else if (!(thrown instanceof StepFailed)) this.#error(asShimError(thrown));
    }
    const outcome = this.#errors.length > before ? "failed" : "done";
    this.#settings.sink({ type: "step-ended", step: step.name, milliseconds: milliseconds() - began, outcome });
  }

  #work(step: Step): Work {
    const { sink, dryRun, signal } = this.#settings;
    return {
      dryRun,
      signal,
      files: new FileChanges(this.#journal, dryRun, (change) => {
        this.#changes += 1;
        sink({ type: "change", step: step.name, change });
      }),
      log: (level, message) => sink({ type: "log", level, message }),
      print: (text) => sink({ type: "output", text }),
      error: (error) => this.#error(error),
      flaw: (error) => {
        this.#flaws.push(error);
        sink({ type: "error", error });
      },
      progress: (done, total, unit) => sink({ type: "progress", step: step.name, done, total, unit }),
      act: async (description, action, undo) => {
        sink({ type: "action", step: step.name, description });
        if (dryRun) return undefined;
        if (undo !== undefined) this.#journal.record(undo);
        return action();
      },
      afterwards: (description, entry) => {
        sink({ type: "action", step: step.name, description });
        if (!dryRun) this.#journal.recordLater(entry);
      },
      include: async (plan) => {
        try {
          await this.#groups(plan.steps);
        } finally {
          await plan.cleanUp?.();
        }
        if (this.#errors.length > 0 || this.#need !== undefined) throw new StepFailed();
      },
      child: (pid) => this.#journal.record({ kind: CHILD, ...processIdentity(pid) }),
      exclusively: async (resource, action) => {
        if (dryRun) return action();
        // A token of its own: steps that run side by side in one task exclude each other too.
        const lock = await this.#lock(resource, newToken());
        try {
          return await action();
        } finally {
          lock.release();
        }
      },
    };
  }

  #lock(name: string, token: string, waitMs = this.#settings.lockWaitMs): Promise<Lock> {
    const { stateDirectory, signal, sink } = this.#settings;
    return takeLock({
      directory: join(stateDirectory, "locks"),
      name,
      what: this.#plan.title,
      token,
      waitMs,
      signal,
      onWait: (holder) => sink({ type: "log", level: "notice", message: `Waiting for ${name}: "${holder.what}" (process ${holder.pid}) has not ended yet.` }),
    });
  }

  /** Undoes, or finishes, what a task on this context left when it was killed. Returns whether there was something. */
  async #recover(context: string): Promise<boolean> {
    const journals = join(this.#settings.stateDirectory, "journal");
    sweepJournals(journals);
    let found = false;
    for (const left of eachLeftJournal(journals, (journal) => concerns(journal, context))) {
      found = true;
      // Its own context may be another one.
      const lock = await this.#lock(left.head.context, this.#token);
      try {
        await recoverForTask(left, this.#settings);
      } finally {
        lock.release();
      }
    }
    return found;
  }

  /** Beyond the last step: what cannot be taken back is done now. */
  async #finish(): Promise<void> {
    const { later, directory } = this.#journal;
    if (later.length === 0 || this.#need !== undefined) {
      this.#journal.discard();
      return;
    }
    try {
      this.#journal.commit();
    } catch (thrown) {
      this.#error(asShimError(thrown));
      await this.#undo();
      return;
    }
    const { done, failed } = await finishEntries(later, directory, this.#settings.undoHandlers, (entry) => this.#journal.strike(entry));
    for (const message of done) this.#settings.sink({ type: "log", level: "notice", message });
    // A front end that is told of a failure goes on with what was before, and that is no more.
    for (const error of failed) this.#settings.sink({ type: "log", level: "warning", message: `${error.message} [${error.code}] The task itself is done; \`provision recover\` tries this again.` });
    if (failed.length === 0) this.#journal.discard();
  }

  async #undo(): Promise<void> {
    if (this.#journal.entries.length === 0) {
      this.#journal.discard();
      return;
    }
    const { done, failed } = await undoEntries(this.#journal.entries, this.#journal.directory, this.#settings.undoHandlers, (entry) => this.#journal.strike(entry));
    for (const description of done) this.#settings.sink({ type: "undo", description });
    for (const error of failed) {
      this.#error(new ShimError("PROVISION_UNDO_FAILED", `A change could not be undone: ${error.message}`, { hint: `what is left to undo stands in ${this.#journal.directory}`, cause: error }));
    }
    if (failed.length === 0) this.#journal.discard();
  }

  #error(error: ShimError): void {
    this.#errors.push(error);
    this.#settings.sink({ type: "error", error });
  }
}

/** Leaves a step whose failure is reported already. */
class StepFailed extends Error {}

function interrupted(): ShimError {
  return new ShimError("PROVISION_INTERRUPTED", "The task was told to stop and has undone its changes.");
}
