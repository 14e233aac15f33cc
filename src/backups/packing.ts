import type { Hash } from "node:crypto";
import { errnoOf } from "../files/look.ts";
import { streamedProcess } from "../processes/streamed-process.ts";
import type { ArchiveSource } from "./archive-source.ts";
import { damaged } from "./damaged.ts";
import { bzip2Seal, gzipSeal, type Seal } from "./seals.ts";

/** How an archive is compressed. */
export type Packing = "gzip" | "bzip2" | "none";

/** As the original decides by the name: `gz`, `bz2`, else plain. */
export function packingFor(name: string): Packing {
  return name.endsWith("gz") ? "gzip" : name.endsWith("bz2") ? "bzip2" : "none";
}

export interface Children {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  readonly onStart?: ((pid: number) => void) | undefined;
}

/** An archive's members as one stream, and what its packing says when all of it was read. */
export interface Unpacked {
  readonly packing: Packing;
  readonly bytes: AsyncGenerator<Buffer>;
  /** Asked at the end: why this is not the packing that we write, if so. */
  readonly oddity: () => string | undefined;
}

/**
 * Unpacks an archive by what it begins with, whatever its name.
 *
 * @throws ShimError PROVISION_BACKUP_DAMAGED, there and while the bytes are read
 */
export async function unpacked(source: ArchiveSource, newHash: () => Hash, children: Children): Promise<Unpacked> {
  const pieces = source[Symbol.asyncIterator]();
  const first = await firstBytes(pieces);
  const all = rest(first, pieces);
  if (first.length === 0) throw damaged("it is empty");
  if (first.length >= 2 && first.readUInt16BE(0) === 0x1f8b) {
    const { bytes, oddity } = sealed(all, gzipSeal, newHash());
    return { packing: "gzip", bytes: gunzip(bytes), oddity };
  }
  if (first.toString("latin1", 0, 3) === "BZh") {
    const { bytes, oddity } = sealed(all, bzip2Seal, newHash());
    let complaint: string | undefined;
    const bunzipped = bunzip2(bytes, children, (text) => {
      complaint = text;
    });
    return { packing: "bzip2", bytes: bunzipped, oddity: () => complaint ?? oddity() };
  }
  return { packing: "none", bytes: all, oddity: () => undefined };
}

/** Passes the bytes on; `oddity` says at the end whether the seal behind them is right. */
function sealed(all: AsyncGenerator<Buffer>, seal: Seal, hash: Hash): { readonly bytes: AsyncGenerator<Buffer>; readonly oddity: () => string | undefined } {
  let oddity: string | undefined;
  const bytes = watchEnd(all, seal.length, (before) => hash.update(before), (last) => {
    if (!seal.is(last)) oddity = "the checksum of the whole file is missing at its end";
    else if (!last.equals(seal.make(hash.digest()))) oddity = "the checksum of the whole file is wrong";
  });
  return { bytes, oddity: () => oddity };
}

async function* gunzip(source: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  const [{ createGunzip }, { pipeline }] = await Promise.all([import("node:zlib"), import("node:stream/promises")]);
  const stream = createGunzip({ chunkSize: 1 << 18 });
  const feeding = pipeline(source, stream);
  feeding.catch(() => undefined);
  try {
    for await (const bytes of stream) yield bytes as Buffer;
    await feeding;
  } catch (thrown) {
    const { code } = thrown as { code?: string };
    if (code === "Z_BUF_ERROR") throw damaged("it is cut off: its compressed data ends too early", thrown);
    // It closes when something that is not gzip's follows.
    if (code === "ABORT_ERR" || code === "ERR_STREAM_PREMATURE_CLOSE") throw damaged("something follows the end of its compressed data", thrown);
    if (code?.startsWith("Z_") === true) throw damaged(`its compressed data is broken (${(thrown as Error).message})`, thrown);
    throw thrown;
  }
}

async function* bunzip2(source: AsyncGenerator<Buffer>, children: Children, complain: (text: string) => void): AsyncGenerator<Buffer> {
  const { pipeline } = await import("node:stream/promises");
  const child = await streamedProcess({ file: "bzip2", args: ["-dc"], cwd: "/", env: children.env, stdin: "pipe", stdout: "pipe", signal: children.signal, silenceMs: SILENCE_MS, onStart: children.onStart });
  if (child.stdin === null || child.stdout === null) throw new TypeError("bzip2 was started without pipes.");
  const feeding = pipeline(source, child.stdin);
  let failure: Error | undefined;
  feeding.catch((thrown: unknown) => {
    failure = thrown instanceof Error ? thrown : new Error(String(thrown));
    child.kill();
  });
  try {
    for await (const bytes of child.stdout) {
      child.alive();
      yield bytes as Buffer;
    }
    const { status, stderr } = await child.ended;
    children.signal.throwIfAborted();
    if (failure !== undefined && errnoOf(failure) !== "EPIPE") throw failure;
    if (status !== 0) throw damaged(`its compressed data is broken (${stderr.split("\n").find((line) => line.trim() !== "") ?? "bzip2 was ended"})`);
    if (stderr !== "") complain(stderr);
  } finally {
    child.kill();
  }
}

/** A bzip2 that hears nothing for so long is stuck; on a slow disk a block may take seconds. */
export const SILENCE_MS = 3_600_000;

/** Passes all bytes on, and tells of all but the last `length`, then of those. */
async function* watchEnd(source: AsyncGenerator<Buffer>, length: number, before: (bytes: Buffer) => void, end: (last: Buffer) => void): AsyncGenerator<Buffer> {
  let held = Buffer.alloc(0);
  for await (const bytes of source) {
    if (bytes.length >= length) {
      before(held);
      before(bytes.subarray(0, bytes.length - length));
      held = Buffer.from(bytes.subarray(bytes.length - length));
    } else {
      const joined = Buffer.concat([held, bytes]);
      before(joined.subarray(0, Math.max(0, joined.length - length)));
      held = Buffer.from(joined.subarray(Math.max(0, joined.length - length)));
    }
    yield bytes;
  }
  end(held);
}

async function firstBytes(pieces: AsyncIterator<Buffer>): Promise<Buffer> {
  let first = Buffer.alloc(0);
  while (first.length < 4) {
    const next = await pieces.next();
    if (next.done === true) break;
    first = first.length === 0 ? Buffer.from(next.value) : Buffer.concat([first, next.value]);
  }
  return first;
}

async function* rest(first: Buffer, pieces: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield first;
    for (let next = await pieces.next(); next.done !== true; next = await pieces.next()) yield next.value;
  } finally {
    await pieces.return?.();
  }
}
