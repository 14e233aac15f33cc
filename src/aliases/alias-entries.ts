import { basename } from "node:path";
import { ShimError } from "../errors/shim-error.ts";
import { scalarText } from "../php-values/convert.ts";
import { PhpArray, type PhpKey } from "../php-values/php-array.ts";
import type { PhpValue } from "../php-values/value.ts";
import type { PhpFile } from "./reading/read-as-data.ts";
import { withLongNames } from "./short-names.ts";

/**
 * The record that one alias file has for the name, before it is merged with others; undefined when it has none (drush 8.4.12
 * includes/sitealias.inc).
 *
 * @throws ShimError PHP_FILE_BROKEN when the file sets something that is no record, on which drush dies
 */
export function entryFor(name: string, file: PhpFile): PhpArray | undefined {
  // Names that PHP takes for empty are never looked up.
  if (file.refused || name === "" || name === "0") return undefined;
  const { aliases, options } = namedAliases(file);
  const found = aliases.has(name) ? asRecord(aliases.get(name), name, file) : wildcard(name, aliases);
  if (found === undefined) return undefined;
  const record = withLongNames(options).merge(found).set("#file", file.path);
  if (!record.has("#name")) record.set("#name", name);
  const members = listMembers(record);
  return members === undefined ? record : record.set("site-list", PhpArray.list(members));
}

/** The aliases by name, with what the file's own name adds. */
function namedAliases(file: PhpFile): { aliases: PhpArray; options: PhpArray } {
  const given = file.values.get("aliases") ?? new PhpArray();
  if (!(given instanceof PhpArray)) throw noRecord(file, "$aliases");
  const aliases = given.clone();
  const defaults = file.values.get("options");
  const options = defaults instanceof PhpArray ? defaults.clone() : new PhpArray();
  options.delete("site-aliases");
  const base = basename(file.path);
  if (aliases.size === 0 && options.size > 0) {
    // A file that only sets options defines one alias; its name ends at the first dot.
    return { aliases: PhpArray.of([[base.slice(0, base.indexOf(".")), options]]), options: new PhpArray() };
  }
  const group = groupOf(base);
  if (group !== undefined && aliases.size > 0 && !aliases.has(group)) addGroup(aliases, group, file);
  return { aliases, options };
}

/** What the members of a file are called before their own name; a file for a version of drush makes no group. */
export function groupOf(baseName: string): string | undefined {
  return /^(.+)\.aliases\.drushrc\.php$/s.exec(baseName)?.[1];
}

/** `GROUP.x` for each member, and a list of them under the group's name. */
function addGroup(aliases: PhpArray, group: string, file: PhpFile): void {
  const members: string[] = [];
  for (const [name, value] of [...aliases]) {
    // PHP makes an array of NULL as soon as something is put into it.
    const record = asRecord(value ?? new PhpArray(), name, file);
    const full = record.clone().set("#name", `${group}.${name}`).set("#group", group);
    aliases.set(`${group}.${name}`, full);
    aliases.set(name, full.clone().set("#hidden", true));
    members.push(`@${group}.${name}`);
  }
  aliases.set(group, PhpArray.of([["site-list", members.join(",")], ["#group", group], ["#name", group]]));
}

function asRecord(value: PhpValue | undefined, name: PhpKey, file: PhpFile): PhpArray {
  if (value instanceof PhpArray) return value;
  throw noRecord(file, `$aliases['${name}']`);
}

function noRecord(file: PhpFile, what: string): ShimError {
  return new ShimError("PHP_FILE_BROKEN", `The file ${file.path} is broken: ${what} is not an array`, { hint: "mend or remove the file; drush dies on it" });
}

/** `x.*` stands for every `x.name` that the file does not have; `${env-name}` in it becomes the last part. A name without a dot has no pattern. */
function wildcard(name: string, aliases: PhpArray): PhpArray | undefined {
  const dot = name.lastIndexOf(".");
  const last = name.slice(dot + 1);
  if (dot < 0 || last === "" || last === "0") return undefined;
  const found = aliases.get(`${name.slice(0, dot)}.*`);
  return found instanceof PhpArray ? filled(found, last).set("#name", name) : undefined;
}

function filled(array: PhpArray, last: string): PhpArray {
  const result = new PhpArray();
  for (const [key, value] of array) {
    if (value instanceof PhpArray) result.set(key, filled(value, last));
    else result.set(key, typeof value === "string" ? value.replaceAll("${env-name}", () => last) : value);
  }
  return result;
}

/** The members of a record that stands for several sites; undefined for all others. */
export function listMembers(record: PhpArray): string[] | undefined {
  const list = record.get("site-list");
  if (list instanceof PhpArray) return [...list.values()].flatMap((item) => scalarText(item) ?? []);
  // As PHP's explode().
  return list === undefined ? undefined : (scalarText(list) ?? "").split(",");
}

/** Two records of one alias: arrays are merged, other values are the later one's; keys stay where they came first. */
export function mergedEntries(earlier: PhpArray, later: PhpArray): PhpArray {
  const merged = earlier.clone();
  for (const [key, value] of later) {
    const present = merged.get(key);
    merged.set(key, present instanceof PhpArray && value instanceof PhpArray ? present.merge(value) : value);
  }
  return merged;
}

const NOT_INHERITED = new Set(["#name", "#file", "#hidden"]);
const MERGED = ["command-specific", "site-aliases", "path-aliases"];

/** A record with what its parent adds: the parent's keys come first, the child's values win. */
export function withParent(child: PhpArray, parent: PhpArray): PhpArray {
  const inherited = PhpArray.of([...parent].filter(([key]) => !NOT_INHERITED.has(String(key))));
  const result = inherited.merge(child);
  for (const key of MERGED) {
    const [theirs, own] = [inherited.get(key), child.get(key)];
    if (theirs instanceof PhpArray && own instanceof PhpArray) result.set(key, theirs.merge(own));
  }
  return result;
}
