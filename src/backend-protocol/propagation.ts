import { isTruthy } from "../php-values/convert.ts";
import { PhpArray } from "../php-values/php-array.ts";
import type { PhpValue } from "../php-values/value.ts";
import { GLOBAL_OPTIONS, type GlobalOption } from "./global-options.ts";
import { effectiveOption, optionIn, type OptionSets } from "./option-sets.ts";

/**
 * The global options that a child inherits from its caller, in the order in which drush 8.4.12 adds them
 * (_drush_backend_get_global_contexts() in includes/backend.inc).
 *
 * @param backend is the caller in backend mode itself? Then `yes` is implied; in drush only from the first bootstrap on
 */
export function inheritedOptions(sets: OptionSets, backend: boolean): PhpArray {
  const result = new PhpArray();
  for (const option of GLOBAL_OPTIONS) {
    const value = option.neverPropagate === true ? undefined : inheritedValue(option, sets, backend);
    if (isTruthy(value) || value === "0") result.set(option.name, value ?? null);
  }
  return result;
}

function inheritedValue({ name, inherit }: GlobalOption, sets: OptionSets, backend: boolean): PhpValue | undefined {
  switch (inherit) {
    case "effective":
      return effectiveOption(sets, name);
    case "cli":
      return optionIn(sets.cli, name);
    case "context":
      return switchValue(name, sets, backend);
    case undefined:
      return undefined;
  }
}

/** The switches as _drush_preflight_global_options() (includes/preflight.inc) derives them. */
function switchValue(name: string, sets: OptionSets, backend: boolean): PhpValue | undefined {
  if (name === "verbose") return isTruthy(effectiveOption(sets, "verbose")) || isTruthy(effectiveOption(sets, "debug"));
  if (name !== "yes") return effectiveOption(sets, name);
  return isTruthy(effectiveOption(sets, "yes", "pipe", "no-interaction")) || (backend && !isTruthy(effectiveOption(sets, "no")));
}
