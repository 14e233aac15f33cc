import { PhpArray, phpKey, type PhpKey } from "../../php-values/php-array.ts";
import { joinText } from "../../php-values/text.ts";
import { PhpFloat, PhpObject, type PhpValue } from "../../php-values/value.ts";
import { wholeNumber } from "./integers.ts";

/** Thrown, always the same one, where a text leaves the forms that are read here. */
export const OTHER_FORM = new Error("not in generated form");

const NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?(?![0-9A-Za-z_.])/y;
/**
 * An element as var_export() writes nearly all of them, up to the comma or parenthesis behind it, or into an array that is its value: key, text, number,
 * word, array. Cold code takes a regular expression in a fraction of the time of a loop over characters.
 */
const ELEMENT = /[ \n\r\t]*(?:'([^'\\]*)'|(0|[1-9][0-9]{0,14}))[ \n\r\t]*=>[ \n\r\t]*(?:(?:'([^'\\]*)'|(-?(?:0|[1-9][0-9]{0,14}))|(true|false|NULL|null))[ \n\r\t]*(?:,|(?=\)))|(array[ \n\r\t]*\())/y;
const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
const OBJECT_STARTS = ["(object) array(", "stdClass::__set_state(array(", "\\stdClass::__set_state(array("] as const;
const WORDS: ReadonlyMap<string, PhpValue> = new Map<string, PhpValue>([["true", true], ["false", false], ["null", null]]);
/** Deeper nesting goes to the general reader, which bounds its own recursion. */
const MAX_DEPTH = 500;

/**
 * Reads PHP literals as var_export() writes them, and the same values in the compact forms people write. A site's drushrc file can
 * have several megabytes, so it takes no step twice and makes no token objects.
 */
export class LiteralScanner {
  #at: number;
  #depth = 0;
  /** Place of the next backslash at or after #at, so that a string without one is a plain slice. */
  #backslash = -1;

  constructor(
    readonly text: string,
    start = 0,
  ) {
    this.#at = start;
  }

  get at(): number {
    return this.#at;
  }

  /** Passes over what is known. */
  goOnAt(at: number): void {
    this.#at = at;
  }

  get ended(): boolean {
    return this.#at >= this.text.length;
  }

  value(): PhpValue {
    const code = this.text.charCodeAt(this.#at);
    if (code === 0x27 || code === 0x22) return this.string();
    if (code === 0x2d || (code >= 0x30 && code <= 0x39)) return this.#number();
    if (code === 0x5b) return this.#elements("[", "]");
    const object = OBJECT_STARTS.find((start) => this.take(start));
    if (object !== undefined) return this.#object(object);
    return this.#word();
  }

  /** A string, also in the form `'a' . "\0" . 'b'` that var_export() gives to a NUL. */
  string(): string {
    let text = this.#piece();
    for (;;) {
      const before = this.#at;
      this.blank();
      if (!this.take(".")) {
        this.#at = before;
        return text;
      }
      this.blank();
      text = joinText(text, this.#piece());
    }
  }

  name(): string {
    NAME.lastIndex = this.#at;
    const name = NAME.exec(this.text)?.[0];
    if (name === undefined) throw OTHER_FORM;
    this.#at += name.length;
    return name;
  }

  key(): PhpKey {
    return keyOf(this.value());
  }

  /** Skips white space and comments. */
  blank(): void {
    for (;;) {
      const code = this.text.charCodeAt(this.#at);
      if (code === 0x20 || code === 0x0a || code === 0x09 || code === 0x0d) this.#at += 1;
      else if (code === 0x23 || code === 0x2f) this.#comment(code);
      else return;
    }
  }

  take(expected: string): boolean {
    if (!this.text.startsWith(expected, this.#at)) return false;
    this.#at += expected.length;
    return true;
  }

  expect(expected: string): void {
    this.blank();
    if (!this.take(expected)) throw OTHER_FORM;
  }

  #comment(first: number): void {
    if (this.text.startsWith("/*", this.#at)) {
      const end = this.text.indexOf("*/", this.#at + 2);
      if (end < 0) throw OTHER_FORM;
      this.#at = end + 2;
      return;
    }
    const second = this.text[this.#at + 1];
    // `#[` begins an attribute in PHP 8.
    if (first === 0x23 ? second === "[" : second !== "/") throw OTHER_FORM;
    let end = this.#at;
    while (end < this.text.length && this.text[end] !== "\n" && this.text[end] !== "\r") end += 1;
    // A closing tag inside the comment ends it, and PHP mode.
    if (this.text.slice(this.#at, end).includes("?>")) throw OTHER_FORM;
    this.#at = end;
  }

  #piece(): string {
    const quote = this.text[this.#at];
    if (quote === '"') return this.#doubleQuoted();
    if (quote !== "'") throw OTHER_FORM;
    const start = this.#at + 1;
    let end = this.text.indexOf("'", start);
    const escaped = this.#nextBackslash(start) < end;
    while (end > 0 && this.#isEscaped(end)) end = this.text.indexOf("'", end + 1);
    if (end < 0) throw OTHER_FORM;
    this.#at = end + 1;
    const raw = this.text.slice(start, end);
    return escaped ? raw.replace(/\\([\\'])/g, "$1") : raw;
  }

  /** True when an odd number of backslashes stands before the quote. */
  #isEscaped(quote: number): boolean {
    let first = quote;
    while (this.text.charCodeAt(first - 1) === 0x5c) first -= 1;
    return (quote - first) % 2 === 1;
  }

  #nextBackslash(from: number): number {
    if (this.#backslash < from) {
      const found = this.text.indexOf("\\", from);
      this.#backslash = found < 0 ? Infinity : found;
    }
    return this.#backslash;
  }

  #doubleQuoted(): string {
    if (this.take('"\\0"')) return "\0";
    const end = this.text.indexOf('"', this.#at + 1);
    const raw = this.text.slice(this.#at + 1, end);
    if (end < 0 || /[\\$]/.test(raw)) throw OTHER_FORM;
    this.#at = end + 1;
    return raw;
  }

  #number(): PhpValue {
    NUMBER.lastIndex = this.#at;
    const match = NUMBER.exec(this.text);
    if (match === null && this.take("-INF")) return new PhpFloat(-Infinity);
    if (match === null) throw OTHER_FORM;
    this.#at += match[0].length;
    if (match[1] !== undefined || match[2] !== undefined) return new PhpFloat(Number(match[0]));
    if (match[0] === "-9223372036854775807" && this.take("-1")) return -9223372036854775808n;
    // A minus is applied after the digits were read: the digits of the smallest integer are a float by then.
    if (match[0] === "-9223372036854775808") return new PhpFloat(-9223372036854775808);
    return match[0].length < 16 ? Number(match[0]) + 0 : wholeNumber(BigInt(match[0]));
  }

  #word(): PhpValue {
    const name = this.name();
    const word = name.toLowerCase();
    const value = WORDS.get(word);
    if (value !== undefined) return value;
    if (word === "array") {
      this.blank();
      return this.#elements("(", ")");
    }
    if (name === "INF" || name === "NAN") return new PhpFloat(name === "INF" ? Infinity : NaN);
    throw OTHER_FORM;
  }

  #object(start: (typeof OBJECT_STARTS)[number]): PhpObject {
    this.#at -= 1;
    const properties = this.#elements("(", ")");
    if (start !== "(object) array(") this.expect(")");
    // That is how PHP marks a property that is not public.
    if ([...properties.keys()].some((key) => typeof key === "string" && key.startsWith("\0"))) throw OTHER_FORM;
    return new PhpObject(properties);
  }

  #elements(open: string, close: string): PhpArray {
    if (!this.take(open)) throw OTHER_FORM;
    return this.#elementsUntil(close);
  }

  #elementsUntil(close: string): PhpArray {
    if ((this.#depth += 1) > MAX_DEPTH) throw OTHER_FORM;
    const array = new PhpArray();
    let negative = false;
    for (;;) {
      while (close === ")" && this.#plainElement(array));
      this.blank();
      if (this.take(close)) break;
      const value = this.value();
      this.blank();
      if (this.take("=>")) {
        const key = keyOf(value);
        this.blank();
        negative ||= typeof key !== "string" && (key < 0 || typeof key === "bigint");
        array.set(key, this.value());
        this.blank();
      } else {
        // What key follows a negative one depends on the PHP version.
        if (negative) throw OTHER_FORM;
        array.push(value);
      }
      if (this.take(",")) continue;
      this.expect(close);
      break;
    }
    this.#depth -= 1;
    return array;
  }

  /** Takes an element in the usual form; false, and nothing is taken, when it has another. */
  #plainElement(array: PhpArray): boolean {
    ELEMENT.lastIndex = this.#at;
    const match = ELEMENT.exec(this.text);
    if (match === null) return false;
    const [whole, textKey, numberKey, text, number, word, opened] = match;
    this.#at += whole.length;
    const key = textKey === undefined ? Number(numberKey) : phpKey(textKey);
    // A text that is a negative number changes what the next key is.
    if (typeof key !== "string" && (key < 0 || typeof key === "bigint")) {
      this.#at -= whole.length;
      return false;
    }
    if (opened !== undefined) {
      array.set(key, this.#elementsUntil(")"));
      this.blank();
      if (!this.take(",") && this.text[this.#at] !== ")") throw OTHER_FORM;
    } else {
      array.set(key, text ?? (number === undefined ? (WORDS.get(word?.toLowerCase() ?? "") ?? null) : Number(number) + 0));
    }
    return true;
  }
}

function keyOf(value: PhpValue): PhpKey {
  if (typeof value === "string" || typeof value === "number" || typeof value === "bigint") return phpKey(value);
  // var_export() writes the smallest integer as a key in this form, which PHP reads as a float first.
  if (value instanceof PhpFloat && value.value === -9223372036854775808) return -9223372036854775808n;
  throw OTHER_FORM;
}
