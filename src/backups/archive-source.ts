import type { FileHandle } from "node:fs/promises";

/** Where the bytes of an archive come from, in order, in pieces that nobody writes to again. */
export type ArchiveSource = AsyncIterable<Buffer>;

const PIECE = 1 << 18;

/** The bytes of an open file, from its beginning to its end. */
export async function* bytesOf(handle: FileHandle, signal: AbortSignal): AsyncGenerator<Buffer> {
  for (let at = 0; ; ) {
    signal.throwIfAborted();
    const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(PIECE), 0, PIECE, at);
    if (bytesRead === 0) return;
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

/** A file that is still being written: who reads it waits for the writer, and gets to the end when the writer says that it is one. */
export class GrowingFile {
  readonly #handle: FileHandle;
  #length = 0;
  #ended = false;
  #failure: Error | undefined;
  #wake: () => void = () => undefined;

  /** @param handle opened for reading */
  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  /** So many bytes more are in the file. */
  grew(bytes: number): void {
    this.#length += bytes;
    this.#wake();
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  fail(reason: Error): void {
    this.#failure = reason;
    this.#wake();
  }

  async *bytes(): AsyncGenerator<Buffer> {
    for (let at = 0; ; ) {
      if (this.#failure !== undefined) throw this.#failure;
      if (at === this.#length) {
        if (this.#ended) return;
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        continue;
      }
      const wanted = Math.min(PIECE, this.#length - at);
      const { bytesRead, buffer } = await this.#handle.read(Buffer.allocUnsafe(wanted), 0, wanted, at);
      if (bytesRead === 0) throw new Error("the file is shorter than what was written to it");
      at += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  }
}
