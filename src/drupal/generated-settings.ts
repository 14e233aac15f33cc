import { createHash } from "node:crypto";
import { bytesFromText } from "../php-values/text.ts";
import { serializedText } from "./variables.ts";

/** What a settings.php that Provision or we have generated says of the database, as far as one-time links depend on it. */
export interface GeneratedSettings {
  /** `$databases['default']['default']` in its order, with what the web server's environment gives it there. */
  readonly database: readonly (readonly [string, string])[];
  /** `$drupal_hash_salt`, empty when it follows from the database. */
  readonly hashSalt: string;
}

/** Assignments that may stand elsewhere and would count more. */
const OTHERS = /\$databases|\$drupal_hash_salt|\$base_url|\$GLOBALS|\beval\b|\binclude\b|\brequire\b|_once\b|\$\$/;

/**
 * Reads a settings.php of Drupal 7 without PHP; undefined when it is not one of the generated form, or a file that it includes may say something else.
 *
 * @param server the entries of `$_SERVER` (`db_name` …) as the web server has them
 * @param included the contents of the files that it includes
 */
export function readGeneratedSettings(text: string, server: Readonly<Record<string, string>>, included: readonly string[]): GeneratedSettings | undefined {
  if (included.some((other) => OTHERS.test(other))) return undefined;
  const code = text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*(?:\/\/|#).*$/gm, "");
  const [block, ...more] = [...code.matchAll(/\$databases\['default'\]\['default'\]\s*=\s*array\(([\s\S]*?)\n\s*\);/g)];
  const [salt, ...moreSalts] = [...code.matchAll(/\$drupal_hash_salt\s*=\s*'([^'\\]*)';/g)];
  const mentions = (name: string): number => code.split(name).length - 1;
  if (block === undefined || salt === undefined || more.length + moreSalts.length > 0) return undefined;
  if (mentions("$databases") !== 1 || mentions("$drupal_hash_salt") !== 1 || mentions("$base_url") !== 0) return undefined;
  const database: [string, string][] = [];
  for (const line of (block[1] ?? "").split("\n")) {
    if (line.trim() === "") continue;
    const entry = /^\s*'(\w+)' => (?:(?:\(string\) )?\$_SERVER\['(\w+)'\]|'([^'\\]*)'|"([^"\\$]*)"),$/.exec(line);
    const value = entry?.[2] === undefined ? (entry?.[3] ?? entry?.[4]) : server[entry[2]];
    if (entry?.[1] === undefined || value === undefined) return undefined;
    database.push([entry[1], value]);
  }
  return { database, hashSalt: salt[1] ?? "" };
}

/** As drupal_get_hash_salt() of Drupal 7: without a salt of its own the site's is a hash of its `$databases`. */
export function effectiveSalt({ database, hashSalt }: GeneratedSettings): string {
  if (hashSalt !== "" && hashSalt !== "0") return hashSalt;
  const entries = database.map(([key, value]) => serializedText(key) + serializedText(value)).join("");
  const inner = `a:${database.length}:{${entries}}`;
  const serialized = `a:1:{s:7:"default";a:1:{s:7:"default";${inner}}}`;
  return createHash("sha256").update(bytesFromText(serialized)).digest("hex");
}
