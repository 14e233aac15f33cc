import { textFromBytes } from "../../php-values/text.ts";
import { NotStatic } from "./not-static.ts";

/** A `'…'` or `"…"` literal without variables, as it stands in a source that was read as Latin-1. */
export function decodeQuoted(raw: string): string {
  const literal = /^[bB]/.test(raw) ? raw.slice(1) : raw;
  const inner = literal.slice(1, -1);
  if (literal.startsWith("'")) return fromLatin1(inner.replace(/\\([\\'])/g, "$1"));
  if (literal.startsWith('"')) return decodeEscapes(inner, '"');
  throw new NotStatic("a text in a form that it does not know");
}

const SIMPLE: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", v: "\v", e: "\x1b", f: "\f", "\\": "\\", $: "$" };
const VARIABLE = /\$[A-Za-z_\x80-\xff{]|\{\$/;
const ESCAPE = /\\(?:([ntrvef\\$"])|([0-7]{1,3})|x([0-9A-Fa-f]{1,2})|(u)\{([^}]*)(\}?))/g;

/**
 * The inside of a double-quoted text or heredoc: the escapes of PHP; a backslash before anything else stays.
 *
 * @param quote `"`, which may be escaped, or nothing inside a heredoc
 */
export function decodeEscapes(raw: string, quote: '"' | ""): string {
  // Behind two backslashes php-parser does not always see the variable that PHP sees.
  if (VARIABLE.test(raw.replace(/\\[^]/g, "  "))) throw new NotStatic("a text that it does not split as PHP does");
  const bytes = raw.replace(ESCAPE, (whole, simple?: string, octal?: string, hex?: string, unicode?: string, point?: string, end?: string) => {
    if (simple === '"') return quote === '"' ? '"' : whole;
    if (simple !== undefined) return SIMPLE[simple] ?? whole;
    if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8) & 0xff);
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
    return unicode === undefined || point === undefined ? whole : codePoint(end === "" ? "" : point);
  });
  return fromLatin1(bytes);
}

export function fromLatin1(bytes: string): string {
  return textFromBytes(Buffer.from(bytes, "latin1"));
}

/** The bytes, as Latin-1, of `\u{hex}`; also of a lone surrogate, which PHP writes as it stands. */
function codePoint(hex: string): string {
  const code = Number.parseInt(hex, 16);
  if (!/^[0-9A-Fa-f]+$/.test(hex) || code > 0x10ffff) throw new NotStatic("a bad \\u{} escape");
  if (code >= 0xd800 && code <= 0xdfff) {
    return String.fromCharCode(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f));
  }
  return Buffer.from(String.fromCodePoint(code), "utf8").toString("latin1");
}
