/** What an error may carry beside its message. */
export interface ShimErrorDetails {
  /** What the reader can do about it: one sentence, no full stop needed. */
  readonly hint?: string;
  readonly cause?: unknown;
}

/**
 * The one error that a user may meet. `code` is Provision's or drush's own where they have one (they are what Hosting
 * reads), else one of ours; all are listed in docs/error-codes.md.
 */
export class ShimError extends Error {
  override readonly name = "ShimError";
  readonly hint: string | undefined;

  constructor(
    readonly code: string,
    message: string,
    details: ShimErrorDetails = {},
  ) {
    super(message, details.cause === undefined ? {} : { cause: details.cause });
    this.hint = details.hint;
  }

  /** Message and hint as one text, for readers that have a single line. */
  get fullText(): string {
    return this.hint === undefined ? this.message : `${this.message} (${this.hint})`;
  }
}

/** Any thrown thing as a ShimError; programmer errors become DRUSH_EXECUTION_EXCEPTION, as drush names an exception in a hook. */
export function asShimError(thrown: unknown): ShimError {
  if (thrown instanceof ShimError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new ShimError("DRUSH_EXECUTION_EXCEPTION", message, { cause: thrown });
}
