import type { CliArguments } from "./arguments.ts";

/** One call of `provision`. */
export interface CliCall {
  readonly arguments: CliArguments;
  /** Our folder lib/. */
  readonly lib: string;
  readonly signal: AbortSignal;
}

/** Exit statuses of `provision`: `changes` is what a dry run gives when there is something to do. */
export const EXIT = { ok: 0, error: 1, changes: 2 } as const;
