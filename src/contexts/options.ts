import { isTruthy, scalarText } from "../php-values/convert.ts";
import { PhpArray } from "../php-values/php-array.ts";
import type { PhpValue } from "../php-values/value.ts";

/** Options of the call that may set properties: those of stdin and of the command line. */
export interface CallOptions {
  readonly stdin: PhpArray;
  readonly cli: PhpArray;
}

/**
 * The options that a context is made from: its alias record, overlaid by what the call brings. A falsy value of the call is left
 * out, so it never clears a stored one (as Provision_Context 7.x-3.x merges record, stdin and cli).
 */
export function mergedOptions(record: PhpArray | undefined, call: CallOptions): PhpArray {
  let merged = record ?? new PhpArray();
  for (const source of [call.stdin, call.cli]) {
    merged = merged.replace(PhpArray.of([...source].filter(([, value]) => isTruthy(value))));
  }
  return merged;
}

/** Collects the properties of one context in the order in which the alias file lists them. */
export class PropertyBuilder {
  readonly properties = new PhpArray();

  constructor(readonly options: PhpArray) {}

  /** As setProperty() of provision: the option, or the default when it is absent, NULL or the word `null`. */
  set(key: string, fallback: PhpValue | (() => PhpValue)): PhpValue {
    const option = this.options.get(key);
    const isGiven = option !== undefined && option !== null && option !== "null";
    const value = isGiven ? option : typeof fallback === "function" ? fallback() : fallback;
    this.properties.set(key, value);
    return value;
  }

  /** As {@link set} for a list: text is split at commas, blanks and empty items kept. */
  setList(key: string): PhpArray {
    const value = this.set(key, new PhpArray());
    const list = value instanceof PhpArray ? value : PhpArray.list((scalarText(value) ?? "").split(","));
    this.properties.set(key, list);
    return list;
  }

  /** A property that is always computed, whatever the options say. */
  compute(key: string, value: PhpValue): PhpValue {
    this.properties.set(key, value);
    return value;
  }
}
