import type { Hash } from "node:crypto";
import { once } from "node:events";
import { ShimError } from "../errors/shim-error.ts";
import { streamedProcess, type StreamedProcess } from "../processes/streamed-process.ts";
import { GzipWriter, type ByteSink } from "./gzip-writer.ts";
import { bzip2Seal } from "./seals.ts";
import { SILENCE_MS, type Children, type Packing } from "./packing.ts";

/** What compresses an archive on its way to `to`. */
export async function packingWriter(packing: Packing, to: (bytes: Buffer) => Promise<void>, tools: { readonly newHash: () => Hash; readonly children: Children }): Promise<ByteSink & { stop(): void }> {
  if (packing === "bzip2") return Bzip2Writer.start(to, tools);
  if (packing === "none") return Object.assign(new PlainWriter(to), { stop: () => undefined });
  const { deflateRaw, deflateRawSync } = await import("node:zlib");
  return Object.assign(new GzipWriter({ deflateRaw, deflateRawSync, newHash: tools.newHash }, to), { stop: () => undefined });
}

const PIECE = 1 << 18;

/** Joins small pieces to large ones. */
class PlainWriter implements ByteSink {
  readonly #to: (bytes: Buffer) => Promise<void>;
  #piece = Buffer.allocUnsafe(PIECE);
  #filled = 0;

  constructor(to: (bytes: Buffer) => Promise<void>) {
    this.#to = to;
  }

  async write(bytes: Buffer): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      const copied = bytes.copy(this.#piece, this.#filled, at);
      this.#filled += copied;
      at += copied;
      if (this.#filled === PIECE) await this.end();
    }
  }

  async pause(): Promise<void> {
    // It has nothing to do ahead.
  }

  async end(): Promise<void> {
    const piece = this.#piece.subarray(0, this.#filled);
    this.#piece = Buffer.allocUnsafe(PIECE);
    this.#filled = 0;
    if (piece.length > 0) await this.#to(piece);
  }
}

class Bzip2Writer implements ByteSink {
  readonly #child: StreamedProcess;
  readonly #plain: PlainWriter;
  readonly #passing: Promise<void>;

  private constructor(child: StreamedProcess, passing: Promise<void>) {
    this.#child = child;
    this.#passing = passing;
    passing.catch(() => child.kill());
    this.#plain = new PlainWriter(async (bytes) => {
      const { stdin } = child;
      if (stdin === null || stdin.destroyed) await this.#failed();
      else if (!stdin.write(bytes)) await Promise.race([once(stdin, "drain"), this.#passing]);
    });
  }

  static async start(to: (bytes: Buffer) => Promise<void>, { newHash, children }: { readonly newHash: () => Hash; readonly children: Children }): Promise<Bzip2Writer> {
    const { env, signal, onStart } = children;
    const child = await streamedProcess({ file: "bzip2", args: ["-9", "-c"], cwd: "/", env: { ...env, BZIP: undefined, BZIP2: undefined }, stdin: "pipe", stdout: "pipe", signal, silenceMs: SILENCE_MS, onStart });
    const passOn = async (): Promise<void> => {
      if (child.stdout === null) throw new TypeError("bzip2 was started without pipes.");
      const hash = newHash();
      for await (const bytes of child.stdout) {
        child.alive();
        hash.update(bytes as Buffer);
        await to(bytes as Buffer);
      }
      await to(bzip2Seal.make(hash.digest()));
    };
    return new Bzip2Writer(child, passOn());
  }

  write(bytes: Buffer): Promise<void> {
    return this.#plain.write(bytes);
  }

  async pause(): Promise<void> {
    await this.#plain.end();
  }

  async end(): Promise<void> {
    await this.#plain.end();
    this.#child.stdin?.end();
    await this.#passing;
    await this.#failed();
  }

  stop(): void {
    this.#child.kill();
  }

  /** Returns only when it ended well. */
  async #failed(): Promise<void> {
    let reason: string;
    let cause: unknown;
    try {
      const { status, stderr } = await this.#child.ended;
      if (status === 0) return;
      reason = stderr === "" ? "it was ended" : stderr;
    } catch (thrown) {
      reason = "it could not be started";
      cause = thrown;
    }
    throw new ShimError("PROVISION_BACKUP_FAILED", `Could not back up sites directory for drupal: bzip2: ${reason}`, { hint: "install bzip2, or choose another suffix", cause });
  }
}
