import { formatFloat } from "./float.ts";
import { type PhpArray } from "./php-array.ts";
import { scrubText } from "./text.ts";
import { PhpFloat, PhpObject, type PhpValue } from "./value.ts";

/**
 * JSON as PHP's json_encode() without flags writes it: `\/`, `\u` for all that is not ASCII, lists as `[…]`, every other array
 * as `{…}`, the empty array always `[]`. Where PHP would fail (bytes that are not UTF-8, NAN, INF) the bad part becomes
 * U+FFFD or 0, because a backend result that cannot be encoded is lost as a whole (drush 8.4.12 includes/backend.inc).
 */
export function jsonEncode(value: PhpValue): string {
  const parts: string[] = [];
  write(value, parts);
  return parts.join("");
}

function write(value: PhpValue, parts: string[]): void {
  if (value === null) parts.push("null");
  else if (typeof value === "string") parts.push(jsonString(value));
  else if (typeof value === "boolean" || typeof value === "number" || typeof value === "bigint") parts.push(String(value));
  else if (value instanceof PhpFloat) parts.push(Number.isFinite(value.value) ? formatFloat(value.value, "e") : "0");
  else if (value instanceof PhpObject) writeMap(value.properties, parts);
  else if (value.isList()) writeList(value, parts);
  else writeMap(value, parts);
}

function writeList(array: PhpArray, parts: string[]): void {
  let separator = "[";
  for (const item of array.values()) {
    parts.push(separator);
    write(item, parts);
    separator = ",";
  }
  parts.push(array.size === 0 ? "[]" : "]");
}

function writeMap(array: PhpArray, parts: string[]): void {
  let separator = "{";
  for (const [key, item] of array) {
    parts.push(separator, jsonString(String(key)), ":");
    write(item, parts);
    separator = ",";
  }
  parts.push(array.size === 0 ? "{}" : "}");
}

const SHORT: Readonly<Record<string, string>> = {
  '"': '\\"', "\\": "\\\\", "/": "\\/", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t",
};

/** One JSON string with PHP's escapes. */
export function jsonString(text: string): string {
   
  const escaped = scrubText(text).replace(/["\\/\u0000-\u001f\u0080-\uffff]/g, (char) => SHORT[char] ?? unicode(char));
  return `"${escaped}"`;
}

function unicode(char: string): string {
  return "\\u" + char.charCodeAt(0).toString(16).padStart(4, "0");
}
