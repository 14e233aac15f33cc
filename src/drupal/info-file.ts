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
 * Parses Drupal's .info format: `key = value` lines, `;` comments, nested keys `a[b][] = x`, values plain or in quotes (which may
 * hold line breaks and backslash escapes), and a value that is the name of a PHP constant stands for the constant.
 */
export function parseInfo(text: string, constants: ReadonlyMap<string, string>): PhpArray {
  const info = new PhpArray();
  const lines = text.split(/\r\n|\r|\n/);
  for (let at = 0; at < lines.length; at++) {
    const entry = /^\s*((?:[^=;[\]]|\[[^[\]]*\])+?)\s*=\s*(.*)$/.exec(lines[at] ?? "");
    if (entry === null) continue;
    let raw = entry[2] ?? "";
    const quote = raw[0];
    if (quote === '"' || quote === "'") {
      const end = closingLine(lines, at, raw, quote);
      if (end !== undefined) {
        raw = end.raw;
        at = end.at;
      }
    }
    insert(info, entry[1] ?? "", constantOr(unquote(raw.trimEnd()), constants));
  }
  return info;
}

/** The whole quoted text, which may end some lines below; undefined when no line ends with the quote. */
function closingLine(lines: readonly string[], from: number, start: string, quote: string): { raw: string; at: number } | undefined {
  let raw = start;
  for (let at = from; ; ) {
    const trimmed = raw.trimEnd();
    if (trimmed.length > 1 && trimmed.endsWith(quote) && !trimmed.endsWith(`\\${quote}`)) return { raw: trimmed, at };
    at += 1;
    if (at >= lines.length) return undefined;
    raw += "\n" + (lines[at] ?? "");
  }
}

function unquote(raw: string): string {
  const quote = raw[0];
  if (raw.length < 2 || (quote !== '"' && quote !== "'") || !raw.endsWith(quote)) return raw;
  return raw.slice(1, -1).replace(/\\(.?)/gs, (_, char: string) => (char === "0" ? "\0" : char));
}

function constantOr(value: string, constants: ReadonlyMap<string, string>): PhpValue {
  if (value === "TRUE") return true;
  if (value === "FALSE") return false;
  if (value === "NULL") return null;
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
