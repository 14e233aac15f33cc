import { isUtf8 } from "node:buffer";
import { JsonReader, JsonSyntaxError } from "./json-reader.ts";
import type { PhpValue } from "./value.ts";

export { JsonSyntaxError } from "./json-reader.ts";

/**
 * Reads JSON as PHP's json_decode($text, TRUE) does: objects become ordered maps, `1.0` stays a float, integers beyond
 * 64 bits become floats, at most 512 levels.
 *
 * @throws JsonSyntaxError
 */
export function jsonDecode(bytes: Uint8Array): PhpValue {
  return withJsonText(bytes, (text) => {
    const reader = new JsonReader(text);
    const value = reader.value(1);
    reader.end();
    return value;
  });
}

/**
 * Calls `read` with the bytes as text. A character cut in two at the end of the bytes makes a truncated text, not a wrong one.
 *
 * @throws JsonSyntaxError when the bytes are not UTF-8, or from `read`
 */
export function withJsonText<T>(bytes: Uint8Array, read: (text: string) => T): T {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (isUtf8(buffer)) return read(buffer.toString("utf8"));
  const whole = buffer.subarray(0, buffer.length - cutCharacter(buffer));
  if (whole.length === buffer.length || !isUtf8(whole)) throw new JsonSyntaxError("not UTF-8", 0, false);
  read(whole.toString("utf8"));
  throw new JsonSyntaxError("text after the end", whole.length, false);
}

/** How many bytes at the end are the beginning of a UTF-8 character that could go on. */
function cutCharacter(bytes: Buffer): number {
  for (let length = 1; length <= Math.min(3, bytes.length); length++) {
    const first = bytes[bytes.length - length] ?? 0;
    if (first < 0x80) return 0;
    if (first < 0xc0) continue;
    const missing = (first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4) - length;
    if (missing <= 0) return 0;
    // The second byte of E0, ED, F0 and F4 is restricted; alone, these are always a possible beginning.
    const completed = Buffer.concat([bytes.subarray(bytes.length - length), Buffer.alloc(missing, 0x80)]);
    const possible = length === 1 ? first >= 0xc2 && first <= 0xf4 : isUtf8(completed);
    return possible ? length : 0;
  }
  return 0;
}
