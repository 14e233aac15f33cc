import type { PhpValue } from "./value.ts";

/** An integer key is a number, or a bigint beyond 2^53; any other key is text. */
export type PhpKey = string | number | bigint;

const INTEGER_KEY = /^(?:0|-?[1-9][0-9]{0,18})$/;
const INT64_MAX = 9223372036854775807n;
const INT64_MIN = -9223372036854775808n;

/** The key that PHP really uses for `key`: decimal integers within 64 bits become integers, all else stays text. */
export function phpKey(key: PhpKey): PhpKey {
  if (typeof key === "string") {
    // Nearly all keys are words: one look at the first character spares them the regular expression.
    if (key.charCodeAt(0) > 0x39 || !INTEGER_KEY.test(key)) return key;
    const number = Number(key);
    if (Number.isSafeInteger(number)) return number;
    const big = BigInt(key);
    return big >= INT64_MIN && big <= INT64_MAX ? big : key;
  }
  if (typeof key === "bigint") {
    const number = Number(key);
    return Number.isSafeInteger(number) ? number : key;
  }
  return key;
}

/** A PHP array: an ordered map whose keys are integers or strings. Re-assigning a key keeps its place. */
export class PhpArray {
  /** The values while the keys are 0, 1, 2 … in this order: a Map with integer keys is slow and takes ten times the room. */
  #list: PhpValue[] | undefined = [];
  /** All entries, from the first key on that does not continue a list. */
  #map: Map<PhpKey, PhpValue> | undefined;
  /** The key of the next push(); counts only beside `#map`. */
  #next: number | bigint = 0;
  /** Makes what this array is, when somebody looks. */
  #pending: (() => PhpArray) | undefined;

  /** A list with the keys 0, 1, 2 … */
  static list(values: Iterable<PhpValue>): PhpArray {
    const array = new PhpArray();
    array.#list = Array.from(values);
    return array;
  }

  /** An array that is made when it is first looked into: large ones are often only handed on. */
  static later(make: () => PhpArray): PhpArray {
    const array = new PhpArray();
    array.#pending = make;
    return array;
  }

  static of(entries: Iterable<readonly [PhpKey, PhpValue]>): PhpArray {
    const array = new PhpArray();
    for (const [key, value] of entries) array.set(key, value);
    return array;
  }

  get size(): number {
    this.#settle();
    return this.#list === undefined ? this.#entries().size : this.#list.length;
  }

  get(key: PhpKey): PhpValue | undefined {
    this.#settle();
    const real = phpKey(key);
    if (this.#list === undefined) return this.#entries().get(real);
    return typeof real === "number" ? this.#list[real] : undefined;
  }

  has(key: PhpKey): boolean {
    this.#settle();
    const real = phpKey(key);
    if (this.#list === undefined) return this.#entries().has(real);
    return typeof real === "number" && real >= 0 && real < this.#list.length;
  }

  set(key: PhpKey, value: PhpValue): this {
    this.#settle();
    const real = phpKey(key);
    const list = this.#list;
    if (list !== undefined && typeof real === "number" && real >= 0 && real <= list.length) {
      list[real] = value;
    } else {
      this.#entries().set(real, value);
      if (typeof real !== "string" && real >= this.#next) this.#next = after(real);
    }
    return this;
  }

  delete(key: PhpKey): boolean {
    return this.has(key) && this.#entries().delete(phpKey(key));
  }

  /** Appends as `$a[] = …`: the key is the highest integer key so far plus one, 0 if there was none. */
  push(value: PhpValue): this {
    this.#settle();
    if (this.#list === undefined) return this.set(this.#next, value);
    this.#list.push(value);
    return this;
  }

  keys(): IterableIterator<PhpKey> {
    this.#settle();
    return (this.#list ?? this.#entries()).keys();
  }

  values(): IterableIterator<PhpValue> {
    this.#settle();
    return (this.#list ?? this.#entries()).values();
  }

  entries(): IterableIterator<[PhpKey, PhpValue]> {
    this.#settle();
    return (this.#list ?? this.#entries()).entries();
  }

  [Symbol.iterator](): IterableIterator<[PhpKey, PhpValue]> {
    return this.entries();
  }

  /** True when the keys are 0, 1, 2 … in this order, as PHP's array_is_list(); also for the empty array. */
  isList(): boolean {
    this.#settle();
    if (this.#list !== undefined) return true;
    let expected = 0;
    for (const key of this.#entries().keys()) {
      if (key !== expected) return false;
      expected += 1;
    }
    return true;
  }

  /** A copy of this level; the values are shared, as they are in PHP until written to. */
  clone(): PhpArray {
    this.#settle();
    const copy = new PhpArray();
    copy.#list = this.#list?.slice();
    copy.#map = this.#map && new Map(this.#map);
    copy.#next = this.#next;
    return copy;
  }

  /** A copy of all levels. */
  deepClone(): PhpArray {
    const copy = this.clone();
    for (const [key, value] of this) if (value instanceof PhpArray) copy.set(key, value.deepClone());
    return copy;
  }

  /** As PHP's `$this + $other`: keys already here win. */
  union(other: PhpArray): PhpArray {
    const result = this.clone();
    for (const [key, value] of other) if (!result.has(key)) result.set(key, value);
    return result;
  }

  /** As array_merge($this, $other): string keys are replaced in place, integer keys renumbered. */
  merge(other: PhpArray): PhpArray {
    const result = new PhpArray();
    for (const source of [this, other]) {
      for (const [key, value] of source) {
        if (typeof key === "string") result.set(key, value);
        else result.push(value);
      }
    }
    return result;
  }

  /** As array_replace($this, $other): every key of `other` is set here, integer keys included. */
  replace(other: PhpArray): PhpArray {
    const result = this.clone();
    for (const [key, value] of other) result.set(key, value);
    return result;
  }

  /** Becomes what it is to be. */
  #settle(): void {
    if (this.#pending === undefined) return;
    const made = this.#pending();
    this.#pending = undefined;
    this.#list = made.#list;
    this.#map = made.#map;
    this.#next = made.#next;
  }

  /** The entries as a Map, which this array is from now on. */
  #entries(): Map<PhpKey, PhpValue> {
    if (this.#map === undefined) {
      this.#map = new Map(this.#list?.entries());
      this.#next = this.#map.size;
      this.#list = undefined;
    }
    return this.#map;
  }
}

function after(key: number | bigint): number | bigint {
  return typeof key === "number" && key < Number.MAX_SAFE_INTEGER ? key + 1 : (phpKey(BigInt(key) + 1n) as number | bigint);
}
