import { PhpArray } from "./php-array.ts";
import { castFloat } from "./float.ts";
import { PhpFloat, PhpObject, type PhpValue } from "./value.ts";

/** As PHP's `(bool) $value`: null, false, 0, 0.0, "", "0" and the empty array are false. */
export function isTruthy(value: PhpValue | undefined): boolean {
  if (value === undefined || value === null || value === false) return false;
  if (value instanceof PhpFloat) return value.value !== 0;
  if (value instanceof PhpArray) return value.size > 0;
  return value !== 0 && value !== 0n && value !== "" && value !== "0";
}

/** As PHP's `(string) $value` for scalars; an array or object has no text and gives undefined. */
export function scalarText(value: PhpValue | undefined): string | undefined {
  if (value === undefined || value === null || value === false) return "";
  if (value === true) return "1";
  if (value instanceof PhpFloat) return castFloat(value.value);
  if (value instanceof PhpArray || value instanceof PhpObject) return undefined;
  return String(value);
}

/** Text of a scalar that is not empty, else undefined. The usual way to read a property that names something. */
export function textOrUndefined(value: PhpValue | undefined): string | undefined {
  const text = scalarText(value);
  return text === undefined || text === "" ? undefined : text;
}

/** Plain JavaScript data as a PHP value: arrays become lists, objects maps; a number with a fraction becomes a float. */
export type PlainData = PhpValue | readonly PlainData[] | PlainRecord;

/** A JavaScript object as data; undefined members count as absent. */
export interface PlainRecord {
  readonly [key: string]: PlainData | undefined;
}

/** Converts plain JavaScript data; undefined members are left out. */
export function phpFrom(data: PlainData): PhpValue {
  if (data === null || typeof data === "boolean" || typeof data === "string" || typeof data === "bigint") return data;
  if (typeof data === "number") return Number.isSafeInteger(data) ? data : new PhpFloat(data);
  if (data instanceof PhpArray || data instanceof PhpFloat || data instanceof PhpObject) return data;
  if (Array.isArray(data)) return PhpArray.list((data as readonly PlainData[]).map(phpFrom));
  const array = new PhpArray();
  for (const [key, value] of Object.entries(data as Readonly<Record<string, PlainData | undefined>>)) {
    if (value !== undefined) array.set(key, phpFrom(value));
  }
  return array;
}
