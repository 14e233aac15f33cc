import { writeSync } from "node:fs";
import { errnoOf } from "../files/look.ts";

/**
 * Writes bytes to a descriptor in order and completely. Descriptor 1 and 2 of a backend call are one pipe, so nothing may be buffered on one
 * of them. A reader that is gone does not stop the task: what comes after is dropped (PHP's command line ignores SIGPIPE too).
 */
export class Descriptor {
  readonly #number: number;
  #gone = false;

  constructor(number: number) {
    this.#number = number;
  }

  /** True when nobody reads any more. */
  get gone(): boolean {
    return this.#gone;
  }

  write(data: string | Uint8Array): void {
    const bytes = typeof data === "string" ? Buffer.from(data) : data;
    for (let written = 0; written < bytes.length && !this.#gone; ) {
      try {
        written += writeSync(this.#number, bytes, written);
      } catch (thrown) {
        this.#failed(thrown);
      }
    }
  }

  #failed(thrown: unknown): void {
    const errno = errnoOf(thrown);
    // A pipe that another process made non-blocking is full: give its reader a moment.
    if (errno === "EAGAIN") Atomics.wait(PAUSE, 0, 0, 2);
    else if (errno !== "EINTR") this.#gone = true;
  }
}

const PAUSE = new Int32Array(new SharedArrayBuffer(4));
