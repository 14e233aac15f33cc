import type { Runner } from "./runner.ts";

/** One line of the table: the same work by us and by what it is compared with. */
export interface Line {
  readonly what: string;
  readonly ours: Command;
  readonly theirs: Command;
  /** Upper limit: a ratio, or milliseconds more than theirs. */
  readonly limit?: { readonly ratio: number } | { readonly moreMs: number };
  /** What must be done before each of the two calls, not timed. */
  readonly before?: { readonly ours: Command; readonly theirs: Command };
  /** What is done when all calls are made. */
  readonly after?: readonly Command[];
  /** Long calls are made less often: at most so many times. */
  readonly atMost?: number;
}

export interface Command {
  readonly words: readonly string[];
  readonly stdin?: string;
}

/** Where the calls are made: as which user, and on which contexts. */
export interface Place {
  readonly run: Runner;
  /** Our launcher and the human command in a copy that the user may read. */
  readonly drush: string;
  readonly provision: string;
  readonly server: string;
  readonly platform: string;
  readonly site: string;
  readonly uri: string;
  /** Another platform of the same kind; "" where there is none. */
  readonly other: string;
  /** Where backups are. */
  readonly backups: string;
  /** Directory of the site. */
  readonly directory: string;
  readonly realDrush: string | undefined;
  giveToUser: (folder: string) => void;
  close: () => Promise<void>;
}

export type Side = "ours" | "theirs";

/** A call in backend mode. */
export function command(drush: string, words: readonly string[], stdin?: string): Command {
  return { words: [drush, "--backend=2", ...words], ...(stdin === undefined ? {} : { stdin }) };
}

/** The word for a shell. */
export function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
