/** What an error may carry beside its message. */
export interface ShimErrorDetails {
  /** What the reader can do about it: one sentence, no full stop needed. */
  readonly hint?: string;
  readonly cause?: unknown;
  /** Files that are the reason, where they are known. */
  readonly files?: readonly string[];
}

/**
 * The one error that a user may meet. `code` is Provision's or drush's own where they have one (they are what Hosting
 * reads), else one of ours; all are listed in docs/error-codes.md.
 */
export class ShimError extends Error {
  override readonly name = "ShimError";
  readonly hint: string | undefined;
  readonly files: readonly string[];

  constructor(
    readonly code: string,
    message: string,
    details: ShimErrorDetails = {},
  ) {
    super(message, details.cause === undefined ? {} : { cause: details.cause });
    this.hint = details.hint;
    this.files = details.files ?? [];
  }

  /** Message and hint as one text, for readers that have a single line. */
  get fullText(): string {
    return this.hint === undefined ? this.message : `${this.message} (${this.hint})`;
  }
}

/**
 * Any thrown thing as a ShimError. What the system or the database server refused, where nobody has said it better, has the code of that; programmer errors become
 * DRUSH_EXECUTION_EXCEPTION, as drush names an exception in a hook.
 */
export function asShimError(thrown: unknown): ShimError {
  if (thrown instanceof ShimError) return thrown;
  if (!(thrown instanceof Error)) return new ShimError("DRUSH_EXECUTION_EXCEPTION", String(thrown), { cause: thrown });
  return new ShimError(codeOf(thrown), thrown.message.replace(/IDENTIFIED BY\s+'(?:[^'\\]|\\.)*'/gi, "IDENTIFIED BY '…'"), { cause: thrown });
}

function codeOf(thrown: Error & { readonly syscall?: unknown; readonly code?: unknown; readonly sqlState?: unknown }): string {
  if (thrown.name === "AbortError") return "PROVISION_INTERRUPTED";
  if (typeof thrown.sqlState === "string") return "PROVISION_DB_QUERY_FAILED";
  if (typeof thrown.syscall !== "string") return "DRUSH_EXECUTION_EXCEPTION";
  if (thrown.code === "ENOSPC" || thrown.code === "EDQUOT") return "FILE_NO_SPACE";
  return thrown.syscall.startsWith("spawn") ? "PROVISION_PROCESS_ERROR" : "DRUSH_PERM_ERROR";
}
