import type { ShimError } from "../errors/shim-error.ts";
import type { LogLevel } from "./events.ts";
import type { FileChanges } from "./file-changes.ts";
import type { UndoEntry } from "./journal.ts";

/** What a step works with. A step changes the world only through this, so that all it does is journaled, told and left out of a dry run. */
export interface Work {
  readonly dryRun: boolean;
  /** Aborted when the task is told to stop. */
  readonly signal: AbortSignal;
  readonly files: FileChanges;
  log(level: LogLevel, message: string): void;
  /** What the command itself prints, as it is. */
  print(text: string): void;
  /** Reports an error without leaving the step; the task fails after it. (As a provision hook that sets an error and goes on.) */
  error(error: ShimError): void;
  /** Reports an error that fails the task but takes back nothing: what was written is right, something beside it is not. */
  flaw(error: ShimError): void;
  progress(done: number, total: number, unit: string): void;
  /**
   * Something done outside the file system (a reload, a statement). In a dry run it is only told. With `undo`, the entry is journaled
   * first.
   */
  act<T>(description: string, action: () => T | Promise<T>, undo?: UndoEntry): Promise<T | undefined>;
  /**
   * Notes what is to be done once all steps have succeeded and nothing can be taken back any more (a database dropped, a tree removed). It is data, run
   * by the handler of its kind here or, after a kill, by `provision recover`; what is noted in one task runs side by side.
   */
  afterwards(description: string, entry: UndoEntry): void;
  /** Runs the steps of another plan as part of this one: one journal, one undo. Leaves the step when one of them fails. */
  include(plan: Pick<Plan, "steps" | "cleanUp">): Promise<void>;
  /** Notes a child that does not end with us, so that after a kill -9 recovery ends it before it takes anything back. */
  child(pid: number): void;
  /** Holds a short lock on something that several contexts share (a platform's sites.php, a server's web configuration). */
  exclusively<T>(resource: string, action: () => T | Promise<T>): Promise<T>;
}

export interface Step {
  /** What it does, for people, in the imperative: "write the virtual host". */
  readonly name: string;
  readonly run: (work: Work) => void | Promise<void>;
}

/** Steps in order; those of an inner list run side by side. */
export interface Plan {
  readonly title: string;
  /** Name of the context, without `@`, whose lock is held meanwhile. */
  readonly context: string;
  /** More contexts that nobody else may work on meanwhile: the name that a site is to get. */
  readonly alsoLocks?: readonly string[];
  readonly steps: readonly (Step | readonly Step[])[];
  /** Run at the end, however the task ended: gives back what `prepare` opened. */
  readonly cleanUp?: () => void | Promise<void>;
}

export function step(name: string, run: Step["run"]): Step {
  return { name, run };
}
