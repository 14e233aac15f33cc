import { PhpFloat, type PhpValue } from "../../php-values/value.ts";

const MAX = 9223372036854775807n;
const MIN = -9223372036854775808n;

/** An exact whole number as PHP holds it: an integer within 64 bits, beyond that a float. */
export function wholeNumber(exact: bigint): PhpValue {
  if (exact < MIN || exact > MAX) return new PhpFloat(Number(exact));
  const number = Number(exact);
  return Number.isSafeInteger(number) ? number : exact;
}
