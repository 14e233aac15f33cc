import type { FileHandle } from "node:fs/promises";

const PIECE_BYTES = 1024 * 1024;

/** Appends to a file in large pieces: one is on its way to the disk while the next is collected. No more than two of them are held. */
export class Appender {
  readonly #write: (piece: Buffer) => Promise<void>;
  #waiting: Buffer[] = [];
  #length = 0;
  #underWay: Promise<void> = Promise.resolve();

  /** @param write writes a piece as a whole, or says why it cannot */
  constructor(file: FileHandle, write: (file: FileHandle, piece: Buffer) => Promise<void>) {
    this.#write = (piece) => write(file, piece);
  }

  /** @throws what a former piece could not be written for */
  async add(piece: Buffer): Promise<void> {
    this.#waiting.push(piece);
    this.#length += piece.length;
    if (this.#length >= PIECE_BYTES) await this.#send();
  }

  /** Waits until all is written. */
  async end(): Promise<void> {
    await this.#send();
    await this.#underWay;
  }

  async #send(): Promise<void> {
    const [first = Buffer.alloc(0), ...rest] = this.#waiting;
    const piece = rest.length === 0 ? first : Buffer.concat([first, ...rest]);
    this.#waiting = [];
    this.#length = 0;
    await this.#underWay;
    this.#underWay = this.#write(piece);
    // It is waited for with the next one.
    this.#underWay.catch(() => undefined);
  }
}
