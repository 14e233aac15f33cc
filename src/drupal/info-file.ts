import { readIfThere } from "../files/look.ts";
import { PhpArray } from "../php-values/php-array.ts";
import { textFromBytes } from "../php-values/text.ts";
import type { PhpValue } from "../php-values/value.ts";
import type { DrupalCore } from "./core.ts";

/** The .info file of a Drupal 6 or 7 extension as a PHP array, empty when there is no such file. */
export function readInfoFile(path: string, core: DrupalCore): PhpArray {
  const bytes = readIfThere(path);
  return bytes === undefined ? new PhpArray() : parseInfo(textFromBytes(bytes), core.constants);
}

/** As {@link readInfoFile} with the keys that Drupal adds at the end when they are missing. */
export function readInfoWithDefaults(path: string, core: DrupalCore): PhpArray {
  const defaults = PhpArray.of([
    ["dependencies", new PhpArray()],
    ["description", ""],
    ["version", null],
    ["php", core.constants.get("DRUPAL_MINIMUM_PHP") ?? "5.2.4"],
  ]);
  return readInfoFile(path, core).union(defaults);
}

/**
 * Parses the .info format as Drupal 7's drupal_parse_info_format(), whose statements are not bound to lines: a key is what stands between a line
 * start and the first `=`, also over line breaks, so a `#` line above `name = x` becomes part of that key; an empty value takes the
 * next line. A `;` or a stray bracket ends the attempt, and the next line start is tried. Values may stand in quotes and over several lines
 * then; `a[b][] = x` nests; a value that is the name of a PHP constant stands for the constant.
 */
export function parseInfo(text: string, constants: ReadonlyMap<string, string>): PhpArray {
  const info = new PhpArray();
  // An attempt that failed tells of all line starts before its end, but for those in its brackets.
  let failed: FailedKey = { stoppedAt: 0, brackets: [] };
  for (let at = 0; at < text.length; ) {
    const start = at < failed.stoppedAt ? openStart(text, at, failed) : at;
    if (start >= text.length) break;
    const key = readKey(text, start);
    const value = "key" in key ? readValue(text, key.end) : undefined;
    if ("key" in key && value !== undefined) insert(info, key.key, constantOr(value.value, constants));
    if (!("key" in key) && key.stoppedAt > failed.stoppedAt) failed = key;
    // An empty line before the end is a line start of its own.
    at = value !== undefined && text[value.end - 1] === "\n" ? value.end : lineAfter(text, value?.end ?? start);
  }
  return info;
}

interface FailedKey {
  /** Where the attempt ended: at a character that no key has, or behind the text. */
  readonly stoppedAt: number;
  /** The brackets over several lines that it passed. */
  readonly brackets: readonly { readonly open: number; readonly close: number }[];
}

/** The first line start from `at` on that the failed attempt does not tell of. */
function openStart(text: string, at: number, { stoppedAt, brackets }: FailedKey): number {
  const bracket = brackets.find(({ close }) => close > at);
  if (bracket === undefined) return lineAfter(text, stoppedAt);
  return bracket.open < at ? at : lineAfter(text, bracket.open);
}

function lineAfter(text: string, at: number): number {
  const end = text.indexOf("\n", at);
  return end < 0 ? text.length : end + 1;
}

const SPACE = /[ \t\n\v\f\r]*/y;

function skipSpace(text: string, at: number): number {
  SPACE.lastIndex = at;
  SPACE.exec(text);
  return SPACE.lastIndex;
}

/** The key from `start`; `end` is just behind the equal sign. */
function readKey(text: string, start: number): { key: string; end: number } | FailedKey {
  const from = skipSpace(text, start);
  const brackets: { open: number; close: number }[] = [];
  for (let at = from; at < text.length; at++) {
    const char = text[at];
    if (char === "=") {
      const key = text.slice(from, at).replace(/[ \t\n\v\f\r]+$/, "");
      if (key !== "") return { key, end: at + 1 };
      // Nothing but white space: its last character is the key.
      return at > start ? { key: text[at - 1] ?? "", end: at + 1 } : { stoppedAt: at, brackets };
    }
    if (char === ";" || char === "]") return { stoppedAt: at, brackets };
    if (char === "[") {
      const close = closingBracket(text, at);
      if (close === undefined) return { stoppedAt: at, brackets };
      if (text.slice(at, close).includes("\n")) brackets.push({ open: at, close });
      at = close;
    }
  }
  return { stoppedAt: text.length, brackets };
}

function closingBracket(text: string, open: number): number | undefined {
  const bracket = /[[\]]/g;
  bracket.lastIndex = open + 1;
  const next = bracket.exec(text);
  return next?.[0] === "]" ? next.index : undefined;
}

/** The value behind an equal sign; `end` is at the end of its line and of the empty lines after it. Undefined when a lone carriage return stands in its way. */
function readValue(text: string, start: number): { value: string; end: number } | undefined {
  const from = skipSpace(text, start);
  const quoted = readQuoted(text, from);
  if (quoted !== undefined) return quoted;
  const line = /[^\r\n]*/y;
  line.lastIndex = from;
  const value = line.exec(text)?.[0] ?? "";
  const end = lineEnd(text, line.lastIndex);
  if (end !== undefined) return { value: value.replace(/[ \t\v\f]+$/, ""), end };
  // The white space behind the equal sign may as well be the end of an empty value's line.
  const emptyEnd = text.lastIndexOf("\n", from - 1);
  return emptyEnd >= start ? { value: "", end: emptyEnd } : undefined;
}

function readQuoted(text: string, from: number): { value: string; end: number } | undefined {
  const quote = text[from];
  if (quote !== '"' && quote !== "'") return undefined;
  // It ends with its line: at the first quote without a backslash, or else at the last one with a backslash where a line ends.
  const closing: number[] = [];
  for (let at = text.indexOf(quote, from + 1); at >= 0; at = text.indexOf(quote, at + 1)) {
    closing.unshift(at);
    if (text[at - 1] !== "\\") break;
  }
  for (const at of closing) {
    const end = lineEnd(text, at + 1);
    if (end !== undefined) return { value: text.slice(from + 1, at).replace(/\\(.?)/gs, (_, char: string) => (char === "0" ? "\0" : char)), end };
  }
  return undefined;
}

/** The last line end that only white space separates from `at`, or the end of the text; undefined when something else comes first. */
function lineEnd(text: string, at: number): number | undefined {
  const end = skipSpace(text, at);
  if (end === text.length) return end;
  const last = text.lastIndexOf("\n", end - 1);
  return last >= at ? last : undefined;
}

function constantOr(value: string, constants: ReadonlyMap<string, string>): PhpValue {
  // These three are found in any case, all others as they are written.
  const name = value.toUpperCase();
  if (name === "TRUE" || name === "FALSE") return name === "TRUE";
  if (name === "NULL") return null;
  // Bytes that are not UTF-8 would make the whole package list unreadable for the front end.
  return constants.get(value) ?? value.replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, "?");
}

function insert(info: PhpArray, name: string, value: PhpValue): void {
  const keys = name.replace(/\]+$/, "").split(/\]?\[/);
  const last = keys.pop() ?? "";
  let parent = info;
  for (const key of keys) {
    const real = key === "" ? parent.size : key;
    let next = parent.get(real);
    if (!(next instanceof PhpArray)) {
      next = new PhpArray();
      parent.set(real, next);
    }
    parent = next;
  }
  parent.set(last === "" ? parent.size : last, value);
}
