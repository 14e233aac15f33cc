import { PhpArray } from "../php-values/php-array.ts";
import type { PhpValue } from "../php-values/value.ts";

/** Drush's options that have a short name, in the order in which drush puts in the long ones (8.4.12 includes/drush.inc). */
const LONG_NAMES: readonly (readonly [string, string])[] = [
  ["r", "root"], ["l", "uri"], ["v", "verbose"], ["d", "debug"], ["y", "yes"], ["n", "no"], ["s", "simulate"], ["p", "pipe"], ["h", "help"], ["ia", "interactive"], ["q", "quiet"],
  ["i", "include"], ["c", "config"], ["u", "user"], ["b", "backend"],
];

/** Of these both forms count when a file gives both. */
const PATH_LISTS: ReadonlySet<string> = new Set(["include", "config"]);

/** The options of a file under their long names: a short one replaces its long one, at the place of that or at the end. */
export function withLongNames(options: PhpArray): PhpArray {
  const result = options.clone();
  for (const [short, long] of LONG_NAMES) {
    const value = options.get(short);
    if (value === undefined) continue;
    const given = result.get(long);
    result.delete(short);
    result.set(long, given !== undefined && PATH_LISTS.has(long) ? listOf(given).merge(listOf(value)) : value);
  }
  return result;
}

/** As PHP's `(array) $value`. */
function listOf(value: PhpValue): PhpArray {
  if (value instanceof PhpArray) return value;
  return PhpArray.list(value === null ? [] : [value]);
}
