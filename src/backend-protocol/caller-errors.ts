import { scalarText } from "../php-values/convert.ts";
import { EXIT_STATUS } from "./exit-status.ts";
import type { StreamOutcome } from "./outcome.ts";

/** An error that a caller sets on account of a child. */
export interface CallerError {
  readonly code: string;
  readonly message: string;
}

/**
 * The errors that drush 8.4.12 sets for an outcome when it called with `integrate`, besides those that came as packets or as `unsentPackets`
 * (_drush_backend_invoke() and _drush_backend_integrate() in includes/backend.inc). The codes are drush's, the messages ours. That a
 * silent child gives no error is drush's view, not advice.
 */
export function callerErrors(outcome: StreamOutcome): CallerError[] {
  const status = outcome.exitStatus === null ? "ended by a signal" : `exit status ${outcome.exitStatus}`;
  const errors: CallerError[] = [];
  if (outcome.exitStatus === EXIT_STATUS.applicationError) {
    errors.push({ code: APPLICATION, message: `The called program reports an internal failure (${status}).` });
  }
  if (outcome.kind === "frame") {
    const output = outcome.text ? "" : (scalarText(outcome.frame.get("output")) ?? "");
    if (errors.length > 0 && output !== "") errors.push({ code: APPLICATION, message: `The output of the called program: ${output}` });
  } else if (outcome.kind !== "silent") {
    const problem = outcome.kind === "text-only" ? "only text" : `a result that cannot be read: ${outcome.reason}`;
    errors.push({ code: "DRUSH_FRAMEWORK_ERROR", message: `The called program gave ${problem} (${status}).` });
  }
  return errors;
}

const APPLICATION = "DRUSH_APPLICATION_ERROR";
