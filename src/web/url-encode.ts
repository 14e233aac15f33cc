import { bytesFromText } from "../php-values/text.ts";

/** As PHP's urlencode(): letters, digits, `-`, `_` and `.` stay, a blank becomes `+`, every other byte `%HH`. */
export function urlEncode(text: string): string {
  let encoded = "";
  for (const byte of bytesFromText(text)) {
    const char = String.fromCharCode(byte);
    encoded += /[A-Za-z0-9._-]/.test(char) ? char : char === " " ? "+" : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return encoded;
}
