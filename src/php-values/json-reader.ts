import { PhpArray, phpKey } from "./php-array.ts";
import { PhpFloat, type PhpValue } from "./value.ts";

/** Nesting that PHP's json_decode() allows by default. */
const DEPTH = 512;

/** Why and where a text is not JSON. `truncated` is true when all of it could be the beginning of a JSON text. */
export class JsonSyntaxError extends Error {
  override readonly name = "JsonSyntaxError";
  constructor(
    message: string,
    readonly offset: number,
    readonly truncated: boolean,
  ) {
    super(`${message} at character ${offset}`);
  }
}

const NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;
const WORDS = [["true", true], ["false", false], ["null", null]] as const;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Walks over one JSON text with the rules of PHP's json_decode(): it can read a value, or step over it and only check it. */
export class JsonReader {
  readonly #text: string;
  readonly #keep: boolean;
  #at = 0;

  /** @param keep false: nothing is built, every value comes out as null; three times as fast */
  constructor(text: string, keep = true) {
    this.#text = text;
    this.#keep = keep;
  }

  get at(): number {
    return this.#at;
  }

  /** @throws JsonSyntaxError */
  value(depth: number): PhpValue {
    this.blank();
    const code = this.#text.charCodeAt(this.#at);
    if (code === QUOTE) return this.string();
    if (code === 0x7b) return this.#object(depth);
    if (code === 0x5b) return this.#array(depth);
    if (code === 0x2d || (code >= 0x30 && code <= 0x39)) return this.#number();
    for (const [word, value] of WORDS) {
      if (this.#word(word)) return value;
    }
    throw this.error("unexpected character");
  }

  end(): void {
    this.blank();
    if (this.#at < this.#text.length) throw this.error("text after the end");
  }

  /** Steps over an object; `entry` is called with each key and must step over its value. */
  members(entry: (key: string) => void, keepKeys = this.#keep): void {
    this.#at += 1;
    this.blank();
    if (this.#take(0x7d)) return;
    for (;;) {
      this.blank();
      if (this.#text.charCodeAt(this.#at) !== QUOTE) throw this.error("expected a key");
      const key = this.string(keepKeys);
      this.blank();
      if (!this.#take(0x3a)) throw this.error("expected a colon");
      entry(key);
      this.blank();
      if (this.#take(0x7d)) return;
      if (!this.#take(0x2c)) throw this.error("expected a comma");
    }
  }

  /** Steps over a list; `item` must step over each value. */
  items(item: () => void): void {
    this.#at += 1;
    this.blank();
    if (this.#take(0x5d)) return;
    for (;;) {
      item();
      this.blank();
      if (this.#take(0x5d)) return;
      if (!this.#take(0x2c)) throw this.error("expected a comma");
    }
  }

  string(keep = this.#keep): string {
    const start = this.#at;
    const text = this.#text;
    let escapes = false;
    let at = start + 1;
    for (;;) {
      const code = text.charCodeAt(at);
      if (code === QUOTE) break;
      if (code === BACKSLASH) {
        escapes = true;
        at = this.#escape(at);
      } else if (code >= 0x20) {
        at += 1;
      } else {
        throw this.error(Number.isNaN(code) ? "string without end" : "control character in a string", at);
      }
    }
    this.#at = at + 1;
    if (!keep) return "";
    return escapes ? (JSON.parse(text.slice(start, at + 1)) as string) : text.slice(start + 1, at);
  }

  blank(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.#at += 1;
    }
  }

  error(message: string, at = this.#at): JsonSyntaxError {
    return new JsonSyntaxError(message, at, this.#couldGoOn(at));
  }

  #object(depth: number): PhpValue {
    if (depth > DEPTH) throw this.error("nested too deeply");
    const result = this.#keep ? new PhpArray() : null;
    this.members((key) => {
      const value = this.value(depth + 1);
      result?.set(key, value);
    });
    return result;
  }

  #array(depth: number): PhpValue {
    if (depth > DEPTH) throw this.error("nested too deeply");
    const result = this.#keep ? new PhpArray() : null;
    this.items(() => {
      const value = this.value(depth + 1);
      result?.push(value);
    });
    return result;
  }

  /** Steps over one escape; a surrogate must have its other half, as PHP demands and JSON.parse does not. */
  #escape(at: number): number {
    const text = this.#text;
    const code = text.charCodeAt(at + 1);
    if (code !== 0x75) {
      if ('"\\/bfnrt'.includes(text.charAt(at + 1)) && at + 1 < text.length) return at + 2;
      throw this.error("bad escape in a string", at + 1);
    }
    const unit = this.#hex(at + 2);
    if (unit < 0xd800 || unit > 0xdfff) return at + 6;
    if (unit > 0xdbff) throw this.error("half a character in a string", at);
    for (const [offset, char] of [[6, "\\"], [7, "u"]] as const) {
      if (text.charAt(at + offset) !== char) throw this.error("half a character in a string", at + offset);
    }
    const low = this.#hex(at + 8);
    if (low < 0xdc00 || low > 0xdfff) throw this.error("half a character in a string", at);
    return at + 12;
  }

  #hex(at: number): number {
    let unit = 0;
    for (let i = at; i < at + 4; i++) {
      const digit = Number.parseInt(this.#text.charAt(i), 16);
      if (Number.isNaN(digit)) throw this.error("bad escape in a string", i);
      unit = unit * 16 + digit;
    }
    return unit;
  }

  #number(): PhpValue {
    const text = this.#text;
    // Most numbers are short integers: read without a regular expression.
    let at = this.#at;
    let value = 0;
    let code = text.charCodeAt(at);
    if (code !== 0x30 && code !== 0x2d) {
      while (code >= 0x30 && code <= 0x39 && at - this.#at < 15) {
        value = value * 10 + code - 0x30;
        code = text.charCodeAt(++at);
      }
      if (code === 0x2c || code === 0x5d || code === 0x7d) {
        this.#at = at;
        return value;
      }
    }
    NUMBER.lastIndex = this.#at;
    const match = NUMBER.exec(text);
    if (match === null) throw this.error("bad number");
    this.#at += match[0].length;
    return this.#keep ? numberValue(match[0], match[1] !== undefined || match[2] !== undefined) : null;
  }

  #take(code: number): boolean {
    if (this.#text.charCodeAt(this.#at) !== code) return false;
    this.#at += 1;
    return true;
  }

  #word(word: string): boolean {
    if (!this.#text.startsWith(word, this.#at)) return false;
    this.#at += word.length;
    return true;
  }

  /** Would more text have helped at `at`: is the rest empty, or the beginning of a word, or the open end of a number? */
  #couldGoOn(at: number): boolean {
    const rest = this.#text.slice(at, at + 6);
    if (rest === "" || rest === "-") return true;
    if (/[0-9]/.test(this.#text.charAt(at - 1)) && /^(?:\.|[eE][+-]?)$/.test(rest)) return true;
    return WORDS.some(([word]) => word.startsWith(rest));
  }
}

/** An integer beyond 64 bits becomes a float; `-0` is the integer 0 (PHP 8.2). */
function numberValue(text: string, fraction: boolean): PhpValue {
  const number = Number(text);
  if (fraction) return new PhpFloat(number);
  if (number === 0) return 0;
  if (Number.isSafeInteger(number)) return number;
  const key = phpKey(text);
  return typeof key === "string" ? new PhpFloat(number) : key;
}
