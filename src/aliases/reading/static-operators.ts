import { isTruthy, scalarText } from "../../php-values/convert.ts";
import { PhpArray } from "../../php-values/php-array.ts";
import { joinText } from "../../php-values/text.ts";
import { PhpFloat, PhpObject, type PhpValue } from "../../php-values/value.ts";
import { wholeNumber } from "./integers.ts";
import { NotStatic } from "./not-static.ts";

/** `left OPERATOR right` for the operators that evaluate both sides. */
export function binary(operator: string, left: PhpValue, right: PhpValue): PhpValue {
  if (operator === ".") return joinText(plainText(left), plainText(right));
  if (operator === "===" || operator === "!==") return identical(left, right) === (operator === "===");
  if (operator === "+" && left instanceof PhpArray && right instanceof PhpArray) return left.union(right);
  if (operator === "+" || operator === "-" || operator === "*" || operator === "/" || operator === "%") return arithmetic(operator, left, right);
  throw new NotStatic(`the operator ${operator}`);
}

/** `-x`, `+x`, `!x`. */
export function unary(operator: string, value: PhpValue): PhpValue {
  if (operator === "!") return !isTruthy(value);
  if (operator === "+" && isNumber(value)) return value;
  if (operator === "-" && value instanceof PhpFloat) return new PhpFloat(-value.value);
  if (operator === "-" && isInteger(value)) return wholeNumber(-BigInt(value));
  throw new NotStatic(`the operator ${operator} on a value that is no number`);
}

/** `(type) value`. */
export function cast(type: string, value: PhpValue): PhpValue {
  switch (type) {
    case "string": return plainText(value);
    case "bool": return isTruthy(value);
    case "int": return toInteger(value);
    case "array": return toArray(value);
    case "object": return toObject(value);
    default: throw new NotStatic(`the cast (${type})`);
  }
}

/** A value as text, where every PHP with every setting gives the same. */
export function plainText(value: PhpValue): string {
  const text = value instanceof PhpFloat ? undefined : scalarText(value);
  if (text === undefined) throw new NotStatic("a float, array or object used as text");
  return text;
}

function arithmetic(operator: "+" | "-" | "*" | "/" | "%", left: PhpValue, right: PhpValue): PhpValue {
  if (isInteger(left) && isInteger(right)) return wholeArithmetic(operator, BigInt(left), BigInt(right));
  if (!isNumber(left) || !isNumber(right) || operator === "%") throw new NotStatic(`the operator ${operator} on a value that is no number`);
  const [a, b] = [toNumber(left), toNumber(right)];
  if (operator === "/" && b === 0) throw new NotStatic("a division by zero");
  return new PhpFloat(operator === "+" ? a + b : operator === "-" ? a - b : operator === "*" ? a * b : a / b);
}

function wholeArithmetic(operator: "+" | "-" | "*" | "/" | "%", left: bigint, right: bigint): PhpValue {
  if (operator === "+") return exactOrFloat(left + right, Number(left) + Number(right));
  if (operator === "-") return exactOrFloat(left - right, Number(left) - Number(right));
  if (operator === "*") return exactOrFloat(left * right, Number(left) * Number(right));
  if (right === 0n) throw new NotStatic("a division by zero");
  if (operator === "%") return wholeNumber(left % right);
  return left % right === 0n ? wholeNumber(left / right) : new PhpFloat(Number(left) / Number(right));
}

function exactOrFloat(exact: bigint, rounded: number): PhpValue {
  const value = wholeNumber(exact);
  // PHP computes an overflowing result with floats, which may round twice.
  return value instanceof PhpFloat ? new PhpFloat(rounded) : value;
}

function identical(left: PhpValue, right: PhpValue): boolean {
  if (typeof left === "object" && left !== null) throw new NotStatic("a comparison of floats, arrays or objects");
  return typeof right === "object" && right !== null ? binary("===", right, left) === true : left === right;
}

function toInteger(value: PhpValue): PhpValue {
  if (isInteger(value)) return value;
  if (value === null || typeof value === "boolean") return value === true ? 1 : 0;
  if (value instanceof PhpFloat && Number.isSafeInteger(Math.trunc(value.value))) return Math.trunc(value.value) + 0;
  if (typeof value === "string" && /^-?[0-9]{1,15}$/.test(value)) return Number(value) + 0;
  throw new NotStatic("a cast to integer");
}

function toArray(value: PhpValue): PhpArray {
  if (value instanceof PhpArray) return value;
  if (value instanceof PhpObject) return PhpArray.of(value.properties);
  return value === null ? new PhpArray() : PhpArray.list([value]);
}

function toObject(value: PhpValue): PhpObject {
  if (value instanceof PhpObject) return value;
  if (value instanceof PhpArray) return objectWith(value);
  return new PhpObject(value === null ? new PhpArray() : PhpArray.of([["scalar", value]]));
}

/** An object with these properties. A name that begins with a NUL says in PHP that the property is not public. */
export function objectWith(properties: PhpArray): PhpObject {
  if ([...properties.keys()].some((key) => typeof key === "string" && key.startsWith("\0"))) throw new NotStatic("an object with properties that are not public");
  return new PhpObject(properties);
}

function isInteger(value: PhpValue): value is number | bigint {
  return typeof value === "number" || typeof value === "bigint";
}

function isNumber(value: PhpValue): value is number | bigint | PhpFloat {
  return isInteger(value) || value instanceof PhpFloat;
}

function toNumber(value: number | bigint | PhpFloat): number {
  return value instanceof PhpFloat ? value.value : Number(value);
}
