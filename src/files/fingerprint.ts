/**
 * A short text that stands for a long one, to see whether something has changed. It withstands chance, not an opponent; node's own digests cost 5 ms of start-up. It takes
 * four bytes at a time (the steps are those of MurmurHash3), because this code mostly runs before V8 has compiled it.
 */
export function fingerprint(text: string): string {
  const bytes = Buffer.from(text);
  const padded = Buffer.alloc(bytes.length + 8 - (bytes.length % 4));
  bytes.copy(padded);
  const words = new Uint32Array(padded.buffer, padded.byteOffset, padded.length / 4);
  words[words.length - 1] = bytes.length;
  let [high, low] = [0x9e3779b9, 0x85ebca6b];
  for (const word of words) {
    const first = Math.imul(word, 0xcc9e2d51);
    const second = Math.imul(word, 0x239b961b);
    high ^= Math.imul((first << 15) | (first >>> 17), 0x1b873593);
    low ^= Math.imul((second << 16) | (second >>> 16), 0xab0e9789);
    high = Math.imul((high << 13) | (high >>> 19), 5) + 0xe6546b64;
    low = Math.imul((low << 15) | (low >>> 17), 5) + 0x561ccd1b;
  }
  return `${mixed(high, low).toString(36)}-${mixed(low, high).toString(36)}`;
}

/** Every bit of the answer depends on every bit of both. */
function mixed(number: number, other: number): number {
  let mix = number ^ Math.imul(other, 0x9e3779b1);
  mix = Math.imul(mix ^ (mix >>> 16), 0x85ebca6b);
  mix = Math.imul(mix ^ (mix >>> 13), 0xc2b2ae35);
  return (mix ^ (mix >>> 16)) >>> 0;
}
