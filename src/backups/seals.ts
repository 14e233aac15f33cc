/**
 * What stands behind the compressed data of an archive of ours: the SHA-256 of all bytes before it, in streams that hold nothing, so that every
 * decompressor passes over it. Both compressions leave bits of a file unchecked: in headers, between blocks, in tables of codes that are not used.
 */
export interface Seal {
  /** Bytes. */
  readonly length: number;
  make(digest: Buffer): Buffer;
  /** True when the bytes are such a seal, whatever checksum it has. */
  is(bytes: Buffer): boolean;
}

const DIGEST = 32;

/** Gzip's header with an extra field `PS` of 32 bytes. */
const GZIP_HEAD = Buffer.from([0x1f, 0x8b, 0x08, 0x04, 0, 0, 0, 0, 0x00, 0x03, DIGEST + 4, 0, 0x50, 0x53, DIGEST, 0]);
/** An empty last block, and the checksum and length of nothing. */
const GZIP_END = Buffer.from([0x03, 0x00, 0, 0, 0, 0, 0, 0, 0, 0]);

export const gzipSeal: Seal = {
  length: GZIP_HEAD.length + DIGEST + GZIP_END.length,
  make: (digest) => Buffer.concat([GZIP_HEAD, digest, GZIP_END]),
  is: (bytes) => bytes.equals(gzipSeal.make(bytes.subarray(GZIP_HEAD.length, GZIP_HEAD.length + DIGEST))),
};

/** Bzip2 has no room for anything in its headers but the size of blocks, a digit from 1 to 9: three bits in each of so many empty streams. */
const STREAMS = Math.ceil((DIGEST * 8) / 3);
const BZIP2_EMPTY = Buffer.from([0x42, 0x5a, 0x68, 0x31, 0x17, 0x72, 0x45, 0x38, 0x50, 0x90, 0, 0, 0, 0]);
const DIGIT = 3;

export const bzip2Seal: Seal = {
  length: STREAMS * BZIP2_EMPTY.length,
  make: (digest) => {
    let bits = BigInt(`0x${digest.toString("hex")}`);
    return Buffer.concat(
      Array.from({ length: STREAMS }, () => {
        const stream = Buffer.from(BZIP2_EMPTY);
        stream[DIGIT] = 0x31 + Number(bits & 7n);
        bits >>= 3n;
        return stream;
      }),
    );
  },
  is: (bytes) => {
    if (bytes.length !== bzip2Seal.length) return false;
    for (let at = 0; at < bytes.length; at++) {
      const place = at % BZIP2_EMPTY.length;
      const byte = bytes[at] ?? 0;
      if (place === DIGIT ? byte < 0x31 || byte > 0x38 : byte !== BZIP2_EMPTY[place]) return false;
    }
    return true;
  },
};
