import { PhpArray } from "../../php-values/php-array.ts";
import { bytesFromText, textFromBytes } from "../../php-values/text.ts";
import type { PhpValue } from "../../php-values/value.ts";
import { NotStatic } from "./not-static.ts";
import { plainText } from "./static-operators.ts";

type PureFunction = (args: readonly PhpValue[]) => PhpValue;

/**
 * Calls one of PHP's functions that depends on nothing but its arguments. Only the uses that all PHP versions answer alike are
 * answered here.
 */
export function callPure(name: string, args: readonly PhpValue[]): PhpValue {
  const pure = FUNCTIONS[name.toLowerCase()];
  if (pure === undefined) throw new NotStatic(`it calls ${name}()`);
  return pure(args);
}

const FUNCTIONS: Readonly<Partial<Record<string, PureFunction>>> = {
  dirname: ([path, levels = 1, ...more]) => {
    if (typeof path !== "string" || typeof levels !== "number" || levels < 1 || levels > 100 || more.length > 0) throw unusual("dirname");
    let result = path;
    for (let level = 0; level < levels; level++) result = parentOf(result);
    return result;
  },
  basename: ([path, ...more]) => {
    if (typeof path !== "string" || more.length > 0) throw unusual("basename");
    return path.replace(/\/+$/, "").replace(/^.*\//s, "");
  },
  array_merge: (args) => arrays("array_merge", args).reduce((left, right) => left.merge(right), new PhpArray()),
  array_replace: (args) => {
    const [first, ...others] = arrays("array_replace", args);
    if (first === undefined) throw unusual("array_replace");
    return others.reduce((left, right) => left.replace(right), first);
  },
  array_values: (args) => PhpArray.list(onlyArray("array_values", args).values()),
  array_keys: (args) => PhpArray.list(onlyArray("array_keys", args).keys()),
  array_unique: (args) => unique(onlyArray("array_unique", args)),
  implode,
  join: implode,
  sprintf: ([format, ...args]) => {
    if (typeof format !== "string" || /%(?![s%])/.test(format)) throw unusual("sprintf");
    const values = args.map(plainText);
    return rebuilt(format.replace(/%([s%])/g, (_, kind) => (kind === "%" ? "%" : (values.shift() ?? refuse("sprintf")))));
  },
  str_replace: ([search, replacement, subject, ...more]) => {
    if (typeof search !== "string" || typeof replacement !== "string" || typeof subject !== "string" || more.length > 0) throw unusual("str_replace");
    // Parts of a character can be searched for: that is a matter of bytes.
    if (!(search + replacement + subject).isWellFormed()) throw unusual("str_replace");
    return search === "" ? subject : subject.replaceAll(search, () => replacement);
  },
  trim: ([text, ...more]) => {
    if (typeof text !== "string" || more.length > 0) throw unusual("trim");
    // The characters that PHP's trim() takes away.
    return text.replace(/^[ \t\n\r\v\0]+/, "").replace(/[ \t\n\r\v\0]+$/, "");
  },
  strtolower: ([text, ...more]) => {
    // Before PHP 8.2 bytes beyond ASCII follow the locale.
    if (typeof text !== "string" || more.length > 0 || !isAscii(text)) throw unusual("strtolower");
    return text.toLowerCase();
  },
};

function implode([first, second, ...more]: readonly PhpValue[]): PhpValue {
  const [glue, pieces] = first instanceof PhpArray && second === undefined ? ["", first] : [first, second];
  if (typeof glue !== "string" || !(pieces instanceof PhpArray) || more.length > 0) throw unusual("implode");
  return rebuilt([...pieces.values()].map(plainText).join(glue));
}

/** Parts that were put together may hold halves of one character. */
function rebuilt(text: string): string {
  return text.isWellFormed() ? text : textFromBytes(bytesFromText(text));
}

function parentOf(path: string): string {
  const trimmed = path.replace(/\/+$/, "");
  if (trimmed === "") return path === "" ? "" : "/";
  const slash = trimmed.lastIndexOf("/");
  if (slash < 0) return ".";
  return trimmed.slice(0, slash).replace(/\/+$/, "") || "/";
}

/** As array_unique(): compares as text, keeps the first with its key. */
function unique(array: PhpArray): PhpArray {
  const seen = new Set<string>();
  const result = array.clone();
  for (const [key, value] of array) {
    const text = plainText(value);
    if (seen.has(text)) result.delete(key);
    seen.add(text);
  }
  return result;
}

function arrays(name: string, args: readonly PhpValue[]): PhpArray[] {
  if (args.length === 0) throw unusual(name);
  return args.map((arg) => (arg instanceof PhpArray ? arg : refuse(name)));
}

function onlyArray(name: string, args: readonly PhpValue[]): PhpArray {
  const [array, ...more] = arrays(name, args);
  return array === undefined || more.length > 0 ? refuse(name) : array;
}

function isAscii(text: string): boolean {
  return Buffer.byteLength(text) === text.length;
}

function unusual(name: string): NotStatic {
  return new NotStatic(`a use of ${name}() that it does not know`);
}

function refuse(name: string): never {
  throw unusual(name);
}
