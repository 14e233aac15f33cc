import { formatFloat } from "./float.ts";
import { PhpArray, type PhpKey } from "./php-array.ts";
import { PhpFloat, PhpObject, type PhpValue } from "./value.ts";

/** The text that PHP's var_export() gives for the value (PHP ≥ 7.3), byte for byte. */
export function varExport(value: PhpValue): string {
  const parts: string[] = [];
  write(value, 0, parts);
  return parts.join("");
}

function write(value: PhpValue, indent: number, parts: string[]): void {
  if (value instanceof PhpArray) {
    parts.push("array (\n");
    for (const [key, item] of value) writeEntry(exportKey(key), item, indent + 2, indent + 2, parts);
    parts.push(" ".repeat(indent), ")");
  } else if (value instanceof PhpObject) {
    // PHP indents the properties of an object by one blank more than the elements of an array.
    parts.push("(object) array(\n");
    for (const [key, item] of value.properties) writeEntry(exportString(String(key)), item, indent + 3, indent + 2, parts);
    parts.push(" ".repeat(indent), ")");
  } else {
    parts.push(scalar(value));
  }
}

function writeEntry(key: string, item: PhpValue, indent: number, nested: number, parts: string[]): void {
  parts.push(" ".repeat(indent), key, " => ");
  if (item instanceof PhpArray || item instanceof PhpObject) parts.push("\n", " ".repeat(nested));
  write(item, nested, parts);
  parts.push(",\n");
}

function exportKey(key: PhpKey): string {
  // PHP writes its minimum integer as a key in a form that it cannot read back; so do we.
  return typeof key === "string" ? exportString(key) : String(key);
}

function scalar(value: Exclude<PhpValue, PhpArray | PhpObject>): string {
  if (value === null) return "NULL";
  if (typeof value === "boolean") return value ? "true" : "false";
  if (typeof value === "string") return exportString(value);
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

function exportString(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&").replace(/\u0000/g, "' . \"\\0\" . '")}'`;
}
