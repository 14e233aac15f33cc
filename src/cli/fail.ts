import type { ShimError } from "../errors/shim-error.ts";
import { Descriptor } from "../reporters/descriptor.ts";
import { EXIT } from "./cli-call.ts";

/** Tells a person, or a program, what went wrong before or beside a task; returns the exit status. */
export function fail(error: ShimError, json: boolean): number {
  const text = json
    ? JSON.stringify({ type: "error", code: error.code, message: error.message, ...(error.hint === undefined ? {} : { hint: error.hint }) })
    : `error ${error.message} [${error.code}]${error.hint === undefined ? "" : `\n      ${error.hint}`}`;
  new Descriptor(json ? 1 : 2).write(text + "\n");
  return EXIT.error;
}
