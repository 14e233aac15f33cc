import { ShimError } from "../errors/shim-error.ts";
import { jsonDecode, JsonSyntaxError } from "../php-values/json-decode.ts";
import { PhpArray } from "../php-values/php-array.ts";
import type { PhpValue } from "../php-values/value.ts";

/** More bytes than this on standard input are not options. Hosting sends a few hundred bytes. */
export const STDIN_LIMIT = 32 * 1024 * 1024;

export interface StdinOptions {
  /** The `stdin` option set; empty when nothing usable was sent. */
  readonly options: PhpArray;
  /** Why nothing was used; drush is silent about it, so this is for the debug log. Never quotes the input: it may hold passwords. */
  readonly ignored?: string;
}

/**
 * The options that a caller posted as JSON. What is not an object or list is ignored, as drush 8.4.12 does
 * (_drush_backend_get_stdin() in includes/backend.inc). Options that were cut off on the way are an error: drush would run the command
 * without any of them.
 *
 * @throws ShimError PROVISION_OPTIONS_TRUNCATED, PROVISION_OPTIONS_TOO_LARGE
 */
export function parseStdinOptions(bytes: Uint8Array): StdinOptions {
  if (bytes.length > STDIN_LIMIT) {
    throw new ShimError("PROVISION_OPTIONS_TOO_LARGE", `The options on standard input are larger than ${STDIN_LIMIT} bytes.`);
  }
  const start = bytes.findIndex((byte) => !BLANK.has(byte));
  if (start < 0) return none("blank");
  try {
    const value = jsonDecode(bytes);
    return value instanceof PhpArray ? { options: value } : none(`a ${scalarName(value)}, not an object`);
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    if (error.truncated && OPENING.has(bytes[start] ?? 0)) {
      throw new ShimError("PROVISION_OPTIONS_TRUNCATED", `The options on standard input are cut off after ${bytes.length} bytes.`, {
        hint: "the caller ended while it was writing; nothing was done, the call can be repeated",
        cause: error,
      });
    }
    return none(`not JSON: ${error.message}`);
  }
}

/** What PHP's trim() removes. */
const BLANK: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d, 0x00, 0x0b]);
const OPENING: ReadonlySet<number> = new Set([0x7b, 0x5b]);

function none(ignored: string): StdinOptions {
  return { options: new PhpArray(), ignored };
}

function scalarName(value: PhpValue): string {
  if (value === null) return "null";
  return typeof value === "string" || typeof value === "boolean" ? typeof value : "number";
}
