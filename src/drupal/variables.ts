import { unserialize } from "php-serialize";
import type { Db } from "../database/connection.ts";
import { bytesFromText, textFromBytes } from "../php-values/text.ts";

/** A text or number variable of a Drupal 7 site from its table `variable`; undefined when it is not set or is something else. */
export async function siteVariable(db: Db, name: string): Promise<string | undefined> {
  const [row] = await db.rows("SELECT value FROM variable WHERE name = ?", [name]);
  const serialized = row?.["value"];
  return typeof serialized === "string" ? scalarOf(serialized) : undefined;
}

function scalarOf(serialized: string): string | undefined {
  try {
    // Lengths in the serialized form count bytes.
    const value: unknown = unserialize(bytesFromText(serialized).toString("latin1"), {}, { encoding: "binary" });
    if (typeof value === "string") return textFromBytes(Buffer.from(value, "latin1"));
    return typeof value === "number" ? String(value) : undefined;
  } catch {
    // A damaged value is no value, as for Drupal.
    return undefined;
  }
}

/** True when the variable of a Drupal 7 site holds what PHP takes for true. */
export async function isVariableOn(db: Db, name: string): Promise<boolean> {
  const [row] = await db.rows("SELECT value FROM variable WHERE name = ?", [name]);
  return /^(?:b:1;|i:-?[1-9]\d*;|s:(?!0:"";|1:"0";))/.test(row?.["value"] ?? "");
}

/** PHP-serialized text for a variable. */
export function serializedText(text: string): string {
  return `s:${bytesFromText(text).length}:"${text}";`;
}
