import type { ShimError } from "../errors/shim-error.ts";

const LEVELS = ["success", "ok", "warning", "error", "notice", "info", "message", "debug", "backup", "install", "p_command", "p_info", "p_ok", "p_error"] as const;

/**
 * Level of a log entry, in drush's words. The level is part of the contract with Hosting: `error` and `failed` make a task red, `warning`
 * yellow; `success` and `ok` are shown, `notice`, `info`, `debug` and the rest are kept.
 */
export type LogLevel = (typeof LEVELS)[number];

/** Whether Hosting knows the level. */
export function isLogLevel(type: string): type is LogLevel {
  return (LEVELS as readonly string[]).includes(type);
}

/** A change that a step makes, or would make in a dry run. */
export interface Change {
  readonly kind: "create" | "replace" | "remove" | "mode" | "group" | "link" | "directory";
  readonly path: string;
  /** What it was and what it becomes, for people: file text, octal mode, group name, link target. */
  readonly before?: string;
  readonly after?: string;
  /** There are passwords in the file; in `before` and `after` they are masked. */
  readonly secret?: boolean;
}

/** What happens while a task runs. Reporters turn events into packets, terminal lines or NDJSON. */
export type TaskEvent =
  | { readonly type: "task-started"; readonly title: string; readonly context: string; readonly steps: number }
  | { readonly type: "step-started"; readonly step: string }
  | { readonly type: "step-ended"; readonly step: string; readonly milliseconds: number; readonly outcome: "done" | "failed" }
  | { readonly type: "log"; readonly level: LogLevel; readonly message: string }
  | { readonly type: "change"; readonly step: string; readonly change: Change }
  | { readonly type: "action"; readonly step: string; readonly description: string }
  | { readonly type: "progress"; readonly step: string; readonly done: number; readonly total: number; readonly unit: string }
  | { readonly type: "error"; readonly error: ShimError }
  | { readonly type: "output"; readonly text: string }
  | { readonly type: "undo"; readonly description: string }
  | { readonly type: "task-ended"; readonly outcome: "done" | "failed"; readonly milliseconds: number };

export type EventSink = (event: TaskEvent) => void;
