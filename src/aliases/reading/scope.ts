import { PhpArray, phpKey, type PhpKey } from "../../php-values/php-array.ts";
import { PhpFloat, PhpObject, type PhpValue } from "../../php-values/value.ts";
import { NotStatic } from "./not-static.ts";

/** One `[…]` of `$name['a'][…]`; the empty brackets are APPEND. */
export type Step = PhpKey | typeof APPEND;
export const APPEND = Symbol("[]");

/** What differs from process to process; writing to the first two has no effect on what the file says. */
const IGNORED = new Set(["_SERVER", "_ENV"]);
const FOREIGN = new Set([...IGNORED, "GLOBALS", "_GET", "_POST", "_COOKIE", "_FILES", "_REQUEST", "_SESSION", "this"]);

/** The variables of a file while it is evaluated. Arrays in here belong to the scope alone; what is handed out is a copy. */
export class Scope {
  readonly #variables = new Map<string, PhpValue>();

  /** A scope with copies of all variables. */
  clone(): Scope {
    const copy = new Scope();
    for (const [name, value] of this.#variables) copy.#variables.set(name, value instanceof PhpArray ? value.deepClone() : value);
    return copy;
  }

  /** A copy of `$name[step]…`; NULL where there is nothing, as PHP says with a warning. */
  read(name: string, steps: readonly Step[] = []): PhpValue {
    const value = this.find(name, steps) ?? null;
    return value instanceof PhpArray ? value.deepClone() : value;
  }

  /** The value itself, for looking only; undefined where PHP's isset() would be false because nothing is there. */
  find(name: string, steps: readonly Step[] = []): PhpValue | undefined {
    if (FOREIGN.has(name)) throw new NotStatic(`it reads $${name}`);
    return lookInside(this.#variables.get(name), steps);
  }

  assign(name: string, steps: readonly Step[], value: PhpValue): void {
    const [first, ...rest] = steps;
    if (FOREIGN.has(name)) {
      if (IGNORED.has(name) && first !== undefined && first !== APPEND) return;
      throw new NotStatic(`it writes to $${name}`);
    }
    if (first === undefined) {
      this.#variables.set(name, value);
      return;
    }
    let array = writable(this.#variables.get(name));
    this.#variables.set(name, array);
    let step = first;
    for (const next of rest) {
      const inner = writable(step === APPEND ? undefined : array.get(step));
      put(array, step, inner);
      array = inner;
      step = next;
    }
    put(array, step, value);
  }

  unset(name: string, steps: readonly Step[]): void {
    const last = steps.at(-1);
    if (last === undefined && !FOREIGN.has(name)) {
      this.#variables.delete(name);
      return;
    }
    // unset() inside a scalar is an error, where reading is none.
    for (const count of steps.keys()) {
      const outer = this.find(name, steps.slice(0, count)) ?? null;
      if (outer === null) return;
      if (!(outer instanceof PhpArray)) throw new NotStatic("an unset() inside a value that is no array");
    }
    const array = this.find(name, steps.slice(0, -1));
    // PHP 8.3 remembers a negative key that was taken away when it numbers the next element, older ones do not.
    if (!(array instanceof PhpArray) || last === APPEND || last === undefined || isNegative(last)) throw new NotStatic("an unset() that it cannot follow");
    array.delete(last);
  }
}

/** Adds `value` as `[] =` does, where all PHP versions give it the same key. */
export function append(array: PhpArray, value: PhpValue): void {
  let highest: number | bigint | undefined;
  for (const key of array.keys()) {
    if (typeof key !== "string" && (highest === undefined || key > highest)) highest = key;
  }
  if (highest !== undefined && (highest < 0 || typeof highest === "bigint")) throw new NotStatic("an element whose key depends on the PHP version");
  array.push(value);
}

/** The key that PHP makes of a value between brackets. */
export function keyFrom(value: PhpValue): PhpKey {
  if (typeof value === "string" || typeof value === "bigint" || typeof value === "number") return phpKey(value);
  if (typeof value === "boolean") return value ? 1 : 0;
  if (value === null) return "";
  if (value instanceof PhpFloat) return keyFromFloat(value.value);
  throw new NotStatic("an array key that is neither integer nor text");
}

/** A float key is cut to an integer; with a fraction PHP 8.1 and later complain about that. */
export function keyFromFloat(value: number): PhpKey {
  if (!Number.isInteger(value) || value < -(2 ** 63) || value >= 2 ** 63) throw new NotStatic("a float as array key");
  return phpKey(BigInt(value));
}

function lookInside(start: PhpValue | undefined, steps: readonly Step[]): PhpValue | undefined {
  let value = start;
  for (const step of steps) {
    if (step === APPEND) throw new NotStatic("it reads []");
    if (typeof value === "string" || value instanceof PhpObject) throw new NotStatic("it reads a part of a text or object");
    value = value instanceof PhpArray ? value.get(step) : undefined;
  }
  return value;
}

function writable(value: PhpValue | undefined): PhpArray {
  if (value instanceof PhpArray) return value;
  if (value === undefined || value === null) return new PhpArray();
  throw new NotStatic("it writes into a value that is no array");
}

function put(array: PhpArray, step: Step, value: PhpValue): void {
  if (step === APPEND) append(array, value);
  else array.set(step, value);
}

function isNegative(key: PhpKey): boolean {
  return typeof key !== "string" && key < 0;
}
