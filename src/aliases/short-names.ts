import type { PhpArray } from "../php-values/php-array.ts";

/** Drush's options that have a short name, in the order in which drush puts in the long ones (8.4.12 includes/drush.inc). */
const LONG_NAMES: readonly (readonly [string, string])[] = [
  ["r", "root"], ["l", "uri"], ["v", "verbose"], ["d", "debug"], ["y", "yes"], ["n", "no"], ["s", "simulate"], ["p", "pipe"], ["h", "help"], ["ia", "interactive"], ["q", "quiet"],
  ["i", "include"], ["c", "config"], ["u", "user"], ["b", "backend"],
];

/** The options of a group file under their long names; those that were short stand last. */
export function withLongNames(options: PhpArray): PhpArray {
  const result = options.clone();
  for (const [short, long] of LONG_NAMES) {
    const value = options.get(short);
    if (value === undefined) continue;
    result.delete(short);
    result.set(long, value);
  }
  return result;
}
