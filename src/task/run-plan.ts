import { rmSync } from "node:fs";
import { join } from "node:path";
import { NeedsRealDrush } from "../errors/needs-real-drush.ts";
import { asShimError, ShimError } from "../errors/shim-error.ts";
import { uniqueName } from "../files/unique-name.ts";
import { milliseconds } from "./clock.ts";
import type { EventSink } from "./events.ts";
import { FileChanges } from "./file-changes.ts";
import { Journal, leftJournals, sweepJournals } from "./journal.ts";
import { takeLock, type Lock } from "./lock.ts";
import type { Plan, Step, Work } from "./plan.ts";
import { undoEntries, type UndoHandlers } from "./undo.ts";

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
  readonly #plan: Plan;
  readonly #settings: TaskSettings;
  readonly #errors: ShimError[] = [];
  /** Errors that do not call for an undo. */
  readonly #flaws: ShimError[] = [];
  readonly #journal: Journal;
  #changes = 0;
  #need: NeedsRealDrush | undefined;

  constructor(plan: Plan, settings: TaskSettings) {
    this.#plan = plan;
    this.#settings = settings;
    this.#journal = Journal.begin(join(settings.stateDirectory, "journal"), plan.context, plan.title);
  }

  async run(): Promise<TaskOutcome> {
    const began = milliseconds();
    const { sink } = this.#settings;
    sink({ type: "task-started", title: this.#plan.title, context: this.#plan.context, steps: this.#plan.steps.flat().length });
    let lock: Lock | undefined;
    try {
      if (!this.#settings.dryRun) {
        lock = await this.#lock(this.#plan.context, this.#settings.token ?? newToken());
        if (!lock.inherited) await this.#recover();
      }
      await this.#steps();
    } catch (thrown) {
      this.#error(asShimError(thrown));
    }
    if (this.#errors.length > 0) await this.#undo();
    else this.#journal.discard();
    lock?.release();
    await this.#plan.cleanUp?.();
    if (this.#need !== undefined && this.#errors.length === 0) throw this.#need;
    sink({ type: "task-ended", outcome: this.#errors.length + this.#flaws.length > 0 ? "failed" : "done", milliseconds: milliseconds() - began });
    return { errors: [...this.#errors, ...this.#flaws], changes: this.#changes };
  }

  async #steps(): Promise<void> {
    for (const group of this.#plan.steps) {
      if (this.#settings.signal.aborted) throw interrupted();
      await this.#sideBySide("run" in group ? [group] : group);
      if (this.#need !== undefined) return;
      if (this.#errors.length > 0) return;
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
      else this.#error(asShimError(thrown));
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

  #lock(name: string, token: string): Promise<Lock> {
    const { stateDirectory, lockWaitMs, signal, sink } = this.#settings;
    return takeLock({
      directory: join(stateDirectory, "locks"),
      name,
      what: this.#plan.title,
      token,
      waitMs: lockWaitMs,
      signal,
      onWait: (holder) => sink({ type: "log", level: "notice", message: `Waiting for ${name}: "${holder.what}" (process ${holder.pid}) has not ended yet.` }),
    });
  }

  /** Undoes what a task on this context left when it was killed. */
  async #recover(): Promise<void> {
    const journals = join(this.#settings.stateDirectory, "journal");
    sweepJournals(journals);
    for (const left of leftJournals(journals, this.#plan.context)) {
      this.#settings.sink({ type: "log", level: "notice", message: `A task ("${left.head.title}") was killed in the middle; its changes are undone first.` });
      const { done, failed } = await undoEntries(left.entries, left.directory, this.#settings.undoHandlers);
      for (const description of done) this.#settings.sink({ type: "undo", description });
      const [first] = failed;
      if (first !== undefined) {
        throw new ShimError("PROVISION_RECOVERY_FAILED", `The changes of a killed task could not be undone: ${first.message}`, {
          hint: `look at ${left.directory}, mend the cause and run \`provision recover\``,
          cause: first,
        });
      }
      rmSync(left.directory, { recursive: true, force: true });
    }
  }

  async #undo(): Promise<void> {
    if (this.#journal.entries.length === 0) {
      this.#journal.discard();
      return;
    }
    const { done, failed } = await undoEntries(this.#journal.entries, this.#journal.directory, this.#settings.undoHandlers);
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

function interrupted(): ShimError {
  return new ShimError("PROVISION_INTERRUPTED", "The task was told to stop and has undone its changes.");
}
