import { scalarText } from "../php-values/convert.ts";
import { jsonEncode } from "../php-values/json-encode.ts";
import { PhpArray } from "../php-values/php-array.ts";
import type { PhpValue } from "../php-values/value.ts";
import { globalOption } from "./global-options.ts";
import { isNumeric } from "./wire-text.ts";

/** A call of drush by its backend protocol. */
export interface DrushCall {
  readonly command: string;
  readonly args?: readonly string[];
  /** Options of the command; global ones among them are put where they belong. */
  readonly options?: PhpArray;
  /** What the caller hands down (`inheritedOptions`); the options of the call win. */
  readonly inherited?: PhpArray;
  /** The alias that the child looks up itself, with its `@`. */
  readonly target?: string;
  /** Without a target: the record whose global options (`root`, `uri`, …) stand on the command line. */
  readonly record?: PhpArray;
  /** POST sends nearly all options as JSON, GET all that are not arrays as words (default). */
  readonly method?: "GET" | "POST";
  /** False: a plain run without packets and final frame, for which nothing is posted. */
  readonly backend?: boolean;
}

/** What to start: the words after the program, and the bytes of its standard input. */
export interface DrushProcess {
  readonly argv: readonly string[];
  /** Empty when there is nothing to post. Above 64 KiB drush loses a pipe's input: give it a file as descriptor 0. */
  readonly stdin: Buffer;
}

/**
 * The words and the input that drush 8.4.12 gives to a child for such a call (drush_backend_invoke_concurrent() and
 * _drush_backend_classify_options() in includes/backend.inc). There is no shell in between, so nothing is quoted, and empty or
 * multi-line words arrive whole.
 */
export function drushCall(call: DrushCall): DrushProcess {
  const before: string[] = call.backend === false ? [] : ["--backend=2"];
  const after: string[] = [];
  const extra: string[] = [];
  const posted = new PhpArray();
  for (const [key, value] of collectedOptions(call)) {
    const option = typeof key === "string" ? globalOption(key) : undefined;
    if (option?.neverPropagate === true) continue;
    const sent = option?.pathList === true && value instanceof PhpArray ? Array.from(value.values(), scalarText).join(":") : value;
    if (call.method === "POST" && option?.neverPost !== true) posted.set(key, sent);
    else if (option !== undefined) before.push(...optionWords(String(key), sent));
    else if (isNumeric(String(key))) extra.push(...valueWords(sent));
    else after.push(...optionWords(String(key), sent));
  }
  const argv = [...before, ...(call.target === undefined ? [] : [call.target]), call.command, ...(call.args ?? []), ...extra, ...after];
  const json = posted.size === 0 || call.backend === false ? "" : jsonEncode(posted);
  return { argv: argv.map(withoutNul), stdin: Buffer.from(json, "latin1") };
}

/** Keys of a record that say how to reach the child, not what it should do (drush_sitealias_site_selection_keys()). */
const SELECTION_KEYS: ReadonlySet<string> = new Set(["remote-host", "remote-user", "ssh-options", "#name", "os"]);

function collectedOptions({ options = new PhpArray(), inherited = new PhpArray(), target, record = new PhpArray() }: DrushCall): PhpArray {
  const result = options.union(inherited);
  if (target !== undefined) return result;
  for (const [key, value] of record) {
    const name = String(key);
    // A NULL among the options counts as not set.
    if (!SELECTION_KEYS.has(name) && globalOption(name) !== undefined && (result.get(key) ?? null) === null) result.set(key, value);
  }
  return result;
}

/** TRUE is a bare `--key`, FALSE and "" are `--key=`. NULL and arrays cannot be words, and keys with `#` are for the caller's own use. */
function optionWords(key: string, value: PhpValue): string[] {
  if (key.startsWith("#")) return [];
  return value === true ? [`--${key}`] : valueWords(value).map((text) => `--${key}=${text}`);
}

function valueWords(value: PhpValue): string[] {
  const text = value === null ? undefined : scalarText(value);
  return text === undefined ? [] : [text];
}

/** No word can hold a NUL. */
function withoutNul(word: string): string {
  return word.replaceAll("\0", " ");
}
