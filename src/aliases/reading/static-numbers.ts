import { PhpFloat, type PhpValue } from "../../php-values/value.ts";
import { wholeNumber } from "./integers.ts";
import { NotStatic } from "./not-static.ts";

const DIGITS = /^(?:[0-9]+(?:_[0-9]+)*)$/;
const FLOAT = /^(?:[0-9]+(?:_[0-9]+)*)?(?:\.(?:[0-9]+(?:_[0-9]+)*)?)?(?:[eE][+-]?[0-9]+(?:_[0-9]+)*)?$/;

/** A number literal as it stands in the source. Beyond 64 bits it is a float. */
export function numberLiteral(source: string): PhpValue {
  const text = source.replaceAll("_", "");
  if (/^0[xX][0-9A-Fa-f_]+$/.test(source) || /^0[bB][01_]+$/.test(source)) return wholeNumber(BigInt(text.toLowerCase()));
  if (/^0[0-7_]+$/.test(source)) return wholeNumber(BigInt(`0o${text}`));
  if (DIGITS.test(source) && !/^0[0-9]/.test(text)) return wholeNumber(BigInt(text));
  if (FLOAT.test(source) && /[.eE]/.test(source)) return new PhpFloat(Number(text));
  throw new NotStatic(`the number ${source}`);
}
