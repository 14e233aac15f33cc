import { isUtf8 } from "node:buffer";
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
    super(`${message} at byte ${offset}`);
  }
}

/**
 * Reads JSON as PHP's json_decode($text, TRUE) does: objects become ordered maps, `1.0` stays a float, integers beyond
 * 64 bits become floats, at most 512 levels.
 *
 * @throws JsonSyntaxError
 */
export function jsonDecode(bytes: Uint8Array): PhpValue {
  const reader = new Reader(bytes);
  const value = reader.value(1);
  reader.end();
  return value;
}

const NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(bytes: Uint8Array) {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    // A character cut in two at the end is a truncated text, not a wrong one.
    const whole = isUtf8(buffer) || [1, 2, 3].some((cut) => isUtf8(buffer.subarray(0, buffer.length - cut)));
    if (!whole) throw new JsonSyntaxError("not UTF-8", 0, false);
    this.#text = buffer.toString("utf8");
  }

  value(depth: number): PhpValue {
    this.#blank();
    const char = this.#text[this.#at];
    if (char === "{") return this.#object(depth);
    if (char === "[") return this.#array(depth);
    if (char === '"') return this.#string();
    if (char !== undefined && (char === "-" || (char >= "0" && char <= "9"))) return this.#number();
    for (const [word, value] of [["true", true], ["false", false], ["null", null]] as const) {
      if (this.#word(word)) return value;
    }
    throw this.#error("unexpected character");
  }

  end(): void {
    this.#blank();
    if (this.#at < this.#text.length) throw this.#error("text after the end");
  }

  #object(depth: number): PhpArray {
    if (depth > DEPTH) throw this.#error("nested too deeply");
    const result = new PhpArray();
    this.#at += 1;
    this.#blank();
    if (this.#take("}")) return result;
    for (;;) {
      this.#blank();
      if (this.#text[this.#at] !== '"') throw this.#error("expected a key");
      const key = this.#string();
      this.#blank();
      if (!this.#take(":")) throw this.#error("expected a colon");
      result.set(phpKey(key), this.value(depth + 1));
      this.#blank();
      if (this.#take("}")) return result;
      if (!this.#take(",")) throw this.#error("expected a comma");
    }
  }

  #array(depth: number): PhpArray {
    if (depth > DEPTH) throw this.#error("nested too deeply");
    const result = new PhpArray();
    this.#at += 1;
    this.#blank();
    if (this.#take("]")) return result;
    for (;;) {
      result.push(this.value(depth + 1));
      this.#blank();
      if (this.#take("]")) return result;
      if (!this.#take(",")) throw this.#error("expected a comma");
    }
  }

  #string(): string {
    const start = this.#at;
    let at = start + 1;
    for (;;) {
      const code = this.#text.charCodeAt(at);
      if (Number.isNaN(code)) throw this.#error("string without end", this.#text.length);
      if (code === 0x22) break;
      if (code < 0x20) throw this.#error("control character in a string", at);
      at += code === 0x5c ? 2 : 1;
    }
    this.#at = at + 1;
    const raw = this.#text.slice(start, at + 1);
    if (!raw.includes("\\")) return raw.slice(1, -1);
    try {
      const decoded = JSON.parse(raw) as string;
      if (!decoded.isWellFormed()) throw new SyntaxError();
      return decoded;
    } catch {
      throw this.#error("bad escape in a string", start);
    }
  }

  #number(): PhpValue {
    NUMBER.lastIndex = this.#at;
    const match = NUMBER.exec(this.#text);
    if (match === null) throw this.#error("bad number");
    this.#at += match[0].length;
    if (match[1] !== undefined || match[2] !== undefined || match[0] === "-0") return new PhpFloat(Number(match[0]));
    const number = Number(match[0]);
    if (Number.isSafeInteger(number)) return number;
    const key = phpKey(match[0]);
    return typeof key === "string" ? new PhpFloat(number) : key;
  }

  #blank(): void {
    for (;;) {
      const char = this.#text[this.#at];
      if (char !== " " && char !== "\n" && char !== "\r" && char !== "\t") return;
      this.#at += 1;
    }
  }

  #take(char: string): boolean {
    if (this.#text[this.#at] !== char) return false;
    this.#at += 1;
    return true;
  }

  #word(word: string): boolean {
    // PHP accepts these words in any case.
    if (this.#text.slice(this.#at, this.#at + word.length).toLowerCase() !== word) return false;
    this.#at += word.length;
    return true;
  }

  #error(message: string, at = this.#at): JsonSyntaxError {
    const rest = this.#text.slice(at);
    const truncated = rest === "" || ["true", "false", "null"].some((word) => word.startsWith(rest.toLowerCase())) || rest === "-";
    return new JsonSyntaxError(message, at, truncated);
  }
}
