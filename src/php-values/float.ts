/**
 * A float as PHP writes it with `serialize_precision` -1 (shortest form that reads back the same): exponent form from
 * 1e17 up and below 1e-4, then always with a fraction.
 *
 * @param exponent the letter of the writer: json_encode uses `e`, var_export `E`
 */
export function formatFloat(value: number, exponent: "e" | "E"): string {
  return format(value, exponent, 17);
}

/** A float as PHP's `(string)` cast writes it with the default `precision` 14. */
export function castFloat(value: number): string {
  return format(Number.isFinite(value) ? Number(value.toPrecision(14)) : value, "E", 14);
}

/** The layout rule of PHP's zend_gcvt(): exponent form when the decimal point falls outside `precision` digits. */
function format(value: number, exponent: "e" | "E", precision: number): string {
  if (Number.isNaN(value)) return "NAN";
  if (!Number.isFinite(value)) return value > 0 ? "INF" : "-INF";
  if (value === 0) return Object.is(value, -0) ? "-0" : "0";
  // In this range JavaScript writes the same digits in the same layout.
  if (precision === 17 && Math.abs(value) >= 1e-4 && Math.abs(value) < 1e17) return String(value);
  const sign = value < 0 ? "-" : "";
  const [mantissa = "0", power = "0"] = Math.abs(value).toExponential().split("e");
  const digits = mantissa.replace(".", "");
  const point = Number(power);
  if (point < -4 || point >= precision) {
    const fraction = digits.length > 1 ? digits.slice(1) : "0";
    return `${sign}${digits[0] ?? "0"}.${fraction}${exponent}${point < 0 ? "-" : "+"}${Math.abs(point)}`;
  }
  if (point < 0) return `${sign}0.${"0".repeat(-point - 1)}${digits}`;
  if (digits.length <= point + 1) return sign + digits + "0".repeat(point + 1 - digits.length);
  return `${sign}${digits.slice(0, point + 1)}.${digits.slice(point + 1)}`;
}
