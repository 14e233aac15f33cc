import { formatFloat } from "./float.ts";
import { PhpArray, type PhpKey } from "./php-array.ts";
import { PhpFloat, PhpObject, type PhpValue } from "./value.ts";

/** The text that PHP's var_export() gives for the value (PHP ≥ 7.3), byte for byte. */
export function varExport(value: PhpValue): string {
  return exported(value, 0);
}

function exported(value: PhpValue, indent: number): string {
  if (typeof value === "string") return exportString(value);
  if (value instanceof PhpArray) {
    const before = " ".repeat(indent + 2);
    let text = "array (\n";
    for (const [key, item] of value) text += entry(before, exportKey(key), item, indent + 2);
    return `${text}${" ".repeat(indent)})`;
  }
  if (value instanceof PhpObject) {
    // PHP indents the properties of an object by one blank more than the elements of an array.
    const before = " ".repeat(indent + 3);
    let text = "(object) array(\n";
    for (const [key, item] of value.properties) text += entry(before, exportString(String(key)), item, indent + 2);
    return `${text}${" ".repeat(indent)})`;
  }
  return scalar(value);
}

function entry(before: string, key: string, item: PhpValue, nested: number): string {
  const isNested = item instanceof PhpArray || item instanceof PhpObject;
  return `${before}${key} => ${isNested ? `\n${" ".repeat(nested)}` : ""}${exported(item, nested)},\n`;
}

function exportKey(key: PhpKey): string {
  // PHP writes its minimum integer as a key in a form that it cannot read back; so do we.
  return typeof key === "string" ? exportString(key) : String(key);
}

function scalar(value: Exclude<PhpValue, PhpArray | PhpObject | string>): string {
  if (value === null) return "NULL";
  if (typeof value === "boolean") return value ? "true" : "false";
  if (value instanceof PhpFloat) return exportFloat(value.value);
  return integer(value);
}

function integer(value: number | bigint): string {
  // PHP cannot read its own minimum integer as one literal.
  return BigInt(value) === -9223372036854775808n ? "-9223372036854775807-1" : String(value);
}

function exportFloat(value: number): string {
  const text = formatFloat(value, "E");
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}

/** What cannot stand as it is between two quotes. */
const SPECIAL = /[\\'\0]/;

function exportString(text: string): string {
  if (!SPECIAL.test(text)) return `'${text}'`;
  return `'${text.replace(/[\\']/g, "\\$&").replace(/\0/g, "' . \"\\0\" . '")}'`;
}
