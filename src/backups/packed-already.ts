export interface Run {
  readonly bytes: Buffer;
  /** A picture, a film, an archive: it cannot be made smaller. */
  readonly isPacked: boolean;
}

const BLOCK = 1 << 15;
const STEP = 8;
const SAMPLES = BLOCK / STEP;
/** Bits of information in a byte, from which on there is nothing to gain: text has 5, programs 6, JPEG 7.9. */
const FULL = 7.75;

/** Divides the bytes into runs of those that can be compressed and those that cannot. */
export function runsOf(bytes: Buffer): Run[] {
  const runs: Run[] = [];
  let start = 0;
  let before: boolean | undefined;
  // What is left of the last block belongs to the one before.
  const blocks = Math.max(1, Math.floor(bytes.length / BLOCK));
  for (let block = 0; block < blocks; block++) {
    const isPacked = bytes.length >= BLOCK && isFull(bytes, block * BLOCK);
    if (before !== undefined && isPacked !== before) {
      runs.push({ bytes: bytes.subarray(start, block * BLOCK), isPacked: before });
      start = block * BLOCK;
    }
    before = isPacked;
  }
  runs.push({ bytes: bytes.subarray(start), isPacked: before === true });
  return runs;
}

const counts = new Uint16Array(256);
let informations: Float64Array | undefined;

/** Whether all 256 values are about as frequent, by every eighth byte of the block. */
function isFull(bytes: Buffer, start: number): boolean {
  informations ??= Float64Array.from({ length: SAMPLES + 1 }, (_, count) => (count === 0 ? 0 : (count / SAMPLES) * Math.log2(SAMPLES / count)));
  counts.fill(0);
  for (let at = start; at < start + BLOCK; at += STEP) {
    const value = bytes[at] ?? 0;
    counts[value] = (counts[value] ?? 0) + 1;
  }
  let bits = 0;
  for (const count of counts) bits += informations[count] ?? 0;
  return bits >= FULL;
}

const LONGEST = 0xffff;

/** The bytes as blocks of a deflate stream that stores them; both ends are at whole bytes. */
export function storedBlocks(bytes: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += LONGEST) {
    const part = bytes.subarray(at, at + LONGEST);
    const head = Buffer.alloc(5);
    head.writeUInt16LE(part.length, 1);
    head.writeUInt16LE(~part.length & 0xffff, 3);
    parts.push(head, part);
  }
  return Buffer.concat(parts);
}
