import { NeedsRealDrush } from "../errors/needs-real-drush.ts";
import { ShimError } from "../errors/shim-error.ts";

/** Errors that say: this file is right, but means something inside drush only. */
const ONLY_DRUSH: ReadonlySet<string> = new Set(["PHP_FILE_NEEDS_DRUSH", "PHP_FILE_UNSUPPORTED"]);

/** The thrown thing itself, or the decision for the real drush when only that can use the file. */
export function orNeedsRealDrush(thrown: unknown, file: string): unknown {
  return thrown instanceof ShimError && ONLY_DRUSH.has(thrown.code) ? new NeedsRealDrush(`the file ${file}, which only drush can read`) : thrown;
}
