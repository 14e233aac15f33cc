/** Two numbers of 32 bits, mixed with the same text from different starts. */
const STARTS = [0x9e3779b9, 0x85ebca6b] as const;

/**
 * A short text that stands for a long one, to see whether something has changed. It withstands chance, not an opponent; node's own digests cost 5 ms of start-up.
 */
export function fingerprint(text: string): string {
  return STARTS.map((start) => mixed(text, start).toString(36)).join("-");
}

/** An integer of 53 bits. */
function mixed(text: string, start: number): number {
  let high = 0xdeadbeef ^ start;
  let low = 0x41c6ce57 ^ start;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    high = Math.imul(high ^ unit, 2654435761);
    low = Math.imul(low ^ unit, 1597334677);
  }
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909);
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909);
  return 4294967296 * (2097151 & low) + (high >>> 0);
}
