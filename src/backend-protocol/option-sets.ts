import { isTruthy } from "../php-values/convert.ts";
import { PhpArray } from "../php-values/php-array.ts";
import type { PhpValue } from "../php-values/value.ts";

/** Where options come from, the strongest first (drush_context_names() of drush 8.4.12). */
export const OPTION_SET_NAMES = [
  "process", "cli", "stdin", "specific", "alias", "custom", "site", "drupal", "user", "home.drush", "system", "drush", "default",
] as const;

export type OptionSetName = (typeof OPTION_SET_NAMES)[number];

export type OptionSets = Readonly<Partial<Record<OptionSetName, PhpArray>>>;

/**
 * The value of an option over all sets, as drush_get_option() finds it: NULL never hides a weaker set, while FALSE, "" and 0 do, and a key
 * `no-NAME` makes NAME FALSE from its set's rank down. Several names are looked up together in each set.
 */
export function effectiveOption(sets: OptionSets, ...names: readonly string[]): PhpValue | undefined {
  for (const set of OPTION_SET_NAMES) {
    for (const name of names) {
      const value = optionIn(sets[set], name);
      if (value !== undefined) return value;
    }
  }
  return undefined;
}

/** The value of an option in one set; NULL counts as not there. */
export function optionIn(set: PhpArray | undefined, name: string): PhpValue | undefined {
  if (set?.has(`no-${name}`) === true) return false;
  return set?.get(name) ?? undefined;
}

/**
 * All options as the `context` of a final frame shows them: from the weakest set to the strongest, integer keys renumbered, NULLs and
 * `no-NAME` keys as they are (drush_get_merged_options()).
 */
export function mergedOptions(sets: OptionSets): PhpArray {
  return OPTION_SET_NAMES.toReversed().reduce((merged, name) => merged.merge(sets[name] ?? new PhpArray()), new PhpArray());
}

/** Is this a call that wants packets and a final frame? `--backend=0` and `--backend=` are not. */
export function isBackendMode(sets: OptionSets): boolean {
  return isTruthy(effectiveOption(sets, "backend"));
}
