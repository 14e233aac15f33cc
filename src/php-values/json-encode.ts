import { formatFloat } from "./float.ts";
import { type PhpArray } from "./php-array.ts";
import { scrubText } from "./text.ts";
import { PhpFloat, PhpObject, type PhpValue } from "./value.ts";

/**
 * JSON as PHP's json_encode() without flags writes it: `\/`, `\u` for all that is not ASCII, lists as `[…]`, every other array
 * as `{…}`, the empty array always `[]`. Where PHP would fail (bytes that are not UTF-8, NAN, INF) the bad part becomes
 * U+FFFD or 0, because a backend result that cannot be encoded is lost as a whole (drush 8.4.12 includes/backend.inc).
 *
 * @param known arrays whose JSON was made before; they must not have changed since
 */
export function jsonEncode(value: PhpValue, known?: EncodedArrays): string {
  if (value === null) return "null";
  if (typeof value === "string") return jsonString(value);
  if (typeof value === "boolean" || typeof value === "number" || typeof value === "bigint") return String(value);
  if (value instanceof PhpFloat) return Number.isFinite(value.value) ? formatFloat(value.value, "e") : "0";
  if (value instanceof PhpObject) return encodeMap(value.properties);
  return known?.get(value) ?? (value.isList() ? encodeList(value, known) : encodeMap(value, known));
}

/** The JSON of arrays by the array itself. */
export type EncodedArrays = ReadonlyMap<PhpArray, string>;

function encodeList(array: PhpArray, known?: EncodedArrays): string {
  let json = "[";
  for (const item of array.values()) json += (json === "[" ? "" : ",") + jsonEncode(item, known);
  return json + "]";
}

function encodeMap(array: PhpArray, known?: EncodedArrays): string {
  let json = "";
  for (const [key, item] of array) json += (json === "" ? "{" : ",") + jsonString(String(key)) + ":" + jsonEncode(item, known);
  return json === "" ? "{}" : json + "}";
}

/** One JSON string with PHP's escapes: those of JSON.stringify, and `/` and all that is not ASCII. */
export function jsonString(text: string): string {
  if (!SPECIAL.test(text)) return `"${text}"`;
  const escaped = JSON.stringify(scrubText(text)).split("/").join("\\/");
  return NOT_ASCII.test(escaped) ? escaped.replace(ALL_NOT_ASCII, unicode) : escaped;
}

const SPECIAL = /["\\/\u0000-\u001f\u0080-\uffff]/;
const NOT_ASCII = /[\u0080-\uffff]/;
const ALL_NOT_ASCII = /[\u0080-\uffff]/g;

function unicode(char: string): string {
  return "\\u" + char.charCodeAt(0).toString(16).padStart(4, "0");
}
