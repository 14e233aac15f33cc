import { withJsonText } from "./json-decode.ts";
import { JsonReader } from "./json-reader.ts";
import { PhpArray, phpKey, type PhpKey } from "./php-array.ts";
import type { PhpValue } from "./value.ts";

/**
 * A JSON object or list that was checked as a whole, but whose values are built only when they are asked for. For a large result of
 * which one member counts.
 */
export class JsonMembers {
  readonly #text: string;
  readonly #ranges: ReadonlyMap<PhpKey, readonly [from: number, to: number]>;

  private constructor(text: string, ranges: ReadonlyMap<PhpKey, readonly [number, number]>) {
    this.#text = text;
    this.#ranges = ranges;
  }

  /**
   * @returns undefined for a scalar
   * @throws JsonSyntaxError by the rules of `jsonDecode`
   */
  static read(bytes: Uint8Array): JsonMembers | undefined {
    return withJsonText(bytes, (text) => {
      const ranges = new Map<PhpKey, readonly [number, number]>();
      const reader = new JsonReader(text, false);
      const entry = (key: string | number): void => {
        const from = reader.at;
        reader.value(2);
        ranges.set(phpKey(key), [from, reader.at]);
      };
      reader.blank();
      const first = text.charAt(reader.at);
      if (first === "{") reader.members(entry, true);
      else if (first === "[") reader.items(() => entry(ranges.size));
      else reader.value(1);
      reader.end();
      return first === "{" || first === "[" ? new JsonMembers(text, ranges) : undefined;
    });
  }

  keys(): IterableIterator<PhpKey> {
    return this.#ranges.keys();
  }

  has(key: PhpKey): boolean {
    return this.#ranges.has(phpKey(key));
  }

  /** The value of a member, built anew by each call. */
  get(key: PhpKey): PhpValue | undefined {
    const range = this.#ranges.get(phpKey(key));
    return range && new JsonReader(this.#text.slice(range[0], range[1])).value(2);
  }

  toArray(): PhpArray {
    const array = new PhpArray();
    for (const key of this.keys()) array.set(key, this.get(key) ?? null);
    return array;
  }
}
