import { basename } from "node:path";
import { PhpArray } from "../php-values/php-array.ts";
import type { PhpValue } from "../php-values/value.ts";
import type { PhpFile } from "./reading/read-as-data.ts";

/** The record that one alias file has for the name, before it is merged with others; undefined when it has none (drush 8.4.12 includes/sitealias.inc). */
export function entryFor(name: string, file: PhpFile): PhpArray | undefined {
  if (file.refused) return undefined;
  const { aliases, options } = namedAliases(file);
  const found = aliases.get(name) ?? wildcard(name, aliases);
  if (!(found instanceof PhpArray)) return undefined;
  const record = options.replace(found).set("#file", file.path);
  return record.has("#name") ? record : record.set("#name", name);
}

/** The aliases by name, with what the file's own name adds. */
function namedAliases(file: PhpFile): { aliases: PhpArray; options: PhpArray } {
  const aliases = arrayOf(file.values.get("aliases"));
  const options = arrayOf(file.values.get("options"));
  options.delete("site-aliases");
  const base = basename(file.path);
  if (aliases.size === 0 && options.size > 0) {
    // A file that only sets options defines one alias; its name ends at the first dot.
    return { aliases: PhpArray.of([[base.slice(0, base.indexOf(".")), options]]), options: new PhpArray() };
  }
  const group = /^(.+)\.aliases\.drushrc\.php$/.exec(base)?.[1];
  if (group !== undefined && !aliases.has(group)) addGroup(aliases, group);
  return { aliases, options };
}

/** `GROUP.x` for each member, and a list of them under the group's name. */
function addGroup(aliases: PhpArray, group: string): void {
  const members: string[] = [];
  for (const [name, value] of [...aliases]) {
    if (!(value instanceof PhpArray)) continue;
    const full = value.clone().set("#name", `${group}.${name}`).set("#group", group);
    aliases.set(`${group}.${name}`, full);
    aliases.set(name, full.clone().set("#hidden", true));
    members.push(`@${group}.${name}`);
  }
  aliases.set(group, PhpArray.of([["site-list", members.join(",")], ["#group", group], ["#name", group]]));
}

/** `x.*` stands for every `x.name`; `${env-name}` in it becomes the last part. */
function wildcard(name: string, aliases: PhpArray): PhpValue | undefined {
  const last = name.split(".").at(-1) ?? "";
  const pattern = name.slice(0, name.length - last.length) + "*";
  const found = aliases.get(pattern);
  return found instanceof PhpArray ? filled(found, last).set("#name", name) : undefined;
}

function filled(array: PhpArray, last: string): PhpArray {
  const result = new PhpArray();
  for (const [key, value] of array) {
    if (value instanceof PhpArray) result.set(key, filled(value, last));
    else result.set(key, typeof value === "string" ? value.replaceAll("${env-name}", last) : value);
  }
  return result;
}

function arrayOf(value: PhpValue | undefined): PhpArray {
  return value instanceof PhpArray ? value.clone() : new PhpArray();
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
