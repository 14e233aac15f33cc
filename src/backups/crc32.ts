import * as zlib from "node:zlib";

/** The CRC-32 of gzip, continued from that of the bytes before. */
export function crc32Of(bytes: Buffer, before: number): number {
  // Node has had its own since 20.15.
  const own = (zlib as { crc32?: (data: Buffer, value: number) => number }).crc32;
  return own === undefined ? crc32InScript(bytes, before) : own(bytes, before);
}

let tables: Uint32Array[] | undefined;

/** The same in JavaScript, eight bytes at a time. */
export function crc32InScript(bytes: Buffer, before: number): number {
  const t = (tables ??= makeTables());
  const [t0, t1, t2, t3, t4, t5, t6, t7] = t as [Uint32Array, Uint32Array, Uint32Array, Uint32Array, Uint32Array, Uint32Array, Uint32Array, Uint32Array];
  const at = (table: Uint32Array, index: number): number => table[index & 0xff] ?? 0;
  let crc = ~before;
  let i = 0;
  for (; i + 8 <= bytes.length; i += 8) {
    const low = bytes.readUInt32LE(i) ^ crc;
    const high = bytes.readUInt32LE(i + 4);
    crc = at(t7, low) ^ at(t6, low >>> 8) ^ at(t5, low >>> 16) ^ at(t4, low >>> 24) ^ at(t3, high) ^ at(t2, high >>> 8) ^ at(t1, high >>> 16) ^ at(t0, high >>> 24);
  }
  for (; i < bytes.length; i++) crc = at(t0, crc ^ (bytes[i] ?? 0)) ^ (crc >>> 8);
  return ~crc >>> 0;
}

function makeTables(): Uint32Array[] {
  const first = Uint32Array.from({ length: 256 }, (_, byte) => {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
    return value >>> 0;
  });
  const made = [first];
  for (let n = 1; n < 8; n++) {
    const previous = made[n - 1] ?? first;
    made.push(previous.map((value) => (first[value & 0xff] ?? 0) ^ (value >>> 8)));
  }
  return made;
}
