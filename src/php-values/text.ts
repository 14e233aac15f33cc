import { isUtf8 } from "node:buffer";

/**
 * PHP strings are bytes. Inside this program they are JavaScript text: valid UTF-8 as itself, and each byte that is not part of
 * valid UTF-8 as a lone surrogate U+DC80…U+DCFF (Python calls this "surrogateescape"). So ordinary code sees ordinary
 * text, and any byte sequence survives reading and writing unchanged.
 */

/** Decodes bytes into text; never fails and loses nothing. */
export function textFromBytes(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (isUtf8(buffer)) return buffer.toString("utf8");
  let text = "";
  let start = 0;
  let at = 0;
  while (at < buffer.length) {
    const length = sequenceLength(buffer, at);
    if (length > 0) {
      at += length;
      continue;
    }
    text += buffer.toString("utf8", start, at) + String.fromCharCode(0xdc00 + (buffer[at] ?? 0));
    at += 1;
    start = at;
  }
  return text + buffer.toString("utf8", start, at);
}

/** The bytes that {@link textFromBytes} made the text from. Other lone surrogates become U+FFFD. */
export function bytesFromText(text: string): Buffer {
  if (!hasEscapedByte(text)) return Buffer.from(text, "utf8");
  const parts: Buffer[] = [];
  let start = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code >= 0xd800 && code <= 0xdbff && isLowSurrogate(text.charCodeAt(at + 1))) {
      at += 1;
    } else if (code >= 0xdc80 && code <= 0xdcff) {
      parts.push(Buffer.from(text.slice(start, at), "utf8"), Buffer.of(code - 0xdc00));
      start = at + 1;
    }
  }
  parts.push(Buffer.from(text.slice(start), "utf8"));
  return Buffer.concat(parts);
}

/**
 * Joins two strings as PHP's `.` does on bytes: halves of one UTF-8 character on both sides become that character.
 */
export function joinText(left: string, right: string): string {
  const joined = left + right;
  return hasEscapedByte(left) && hasEscapedByte(right) ? textFromBytes(bytesFromText(joined)) : joined;
}

/** Replaces every byte that is not UTF-8 by U+FFFD, so that the text may go on a wire that demands UTF-8. */
export function scrubText(text: string): string {
  return text.isWellFormed() ? text : text.toWellFormed();
}

function hasEscapedByte(text: string): boolean {
  return !text.isWellFormed();
}

function isLowSurrogate(code: number): boolean {
  return code >= 0xdc00 && code <= 0xdfff;
}

/** Length of the valid UTF-8 sequence at `at`, or 0. Follows Unicode table 3-7 (no overlong forms, no surrogates). */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at] ?? 0;
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4) return 0;
  const second = bytes[at + 1] ?? 0;
  const low = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const high = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  if (second < low || second > high) return 0;
  const length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  for (let i = 2; i < length; i++) {
    const next = bytes[at + i] ?? 0;
    if (next < 0x80 || next > 0xbf) return 0;
  }
  return length;
}
