import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from "node:fs";
import { STDIN_LIMIT } from "./backend-protocol/stdin-options.ts";
import { errnoOf } from "./files/look.ts";
import { milliseconds } from "./task/clock.ts";

/** How long a pipe may stay silent before its first byte: then it is one that nobody writes to. */
const FIRST_PATIENCE_MS = 3000;
/** And between two bytes: then its writer hangs. */
const PATIENCE_MS = 10_000;
const POLL_MS = 2;

/**
 * All bytes of standard input, for a call in backend mode; undefined when it was left alone, as a terminal is. A pipe that is never written to nor
 * closed ends after a few seconds; what is longer than options may be is cut just behind the limit.
 */
export async function readStdin(): Promise<Buffer | undefined> {
  const kind = standardInput();
  // A character device is a terminal or /dev/null: nothing to read on either.
  if (kind === undefined || kind.isCharacterDevice()) return undefined;
  const descriptor = kind.isFIFO() ? reopened() : kind.isFile() ? 0 : undefined;
  if (descriptor === undefined) return readStream();
  try {
    return await readDescriptor(descriptor);
  } finally {
    if (descriptor !== 0) closeSync(descriptor);
  }
}

function standardInput(): Stats | undefined {
  try {
    return fstatSync(0);
  } catch {
    return undefined;
  }
}

/**
 * The pipe once more, without blocking: that is settled per opening, so the caller's end is not touched. Undefined where the system does not allow
 * it. (Node's own stream does the same, but takes 5 ms to load.)
 */
function reopened(): number | undefined {
  try {
    return openSync("/proc/self/fd/0", constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
}

async function readDescriptor(descriptor: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let total = 0;
  for (let heard = milliseconds(); total <= STDIN_LIMIT; ) {
    const chunk = Buffer.allocUnsafe(1 << 16);
    let length;
    try {
      length = readSync(descriptor, chunk, 0, chunk.length, null);
    } catch (thrown) {
      if (errnoOf(thrown) !== "EAGAIN" || milliseconds() - heard > patience(total)) break;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      continue;
    }
    if (length === 0) break;
    chunks.push(chunk.subarray(0, length));
    total += length;
    heard = milliseconds();
  }
  return Buffer.concat(chunks);
}

async function readStream(): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let total = 0;
  const { stdin } = process;
  await new Promise<void>((resolve) => {
    let timer = setTimeout(resolve, patience(0));
    stdin.on("data", (chunk: Buffer) => {
      clearTimeout(timer);
      chunks.push(chunk);
      total += chunk.length;
      if (total > STDIN_LIMIT) resolve();
      else timer = setTimeout(resolve, patience(total));
    });
    stdin.on("end", resolve);
    stdin.on("error", resolve);
  });
  stdin.removeAllListeners().destroy();
  return Buffer.concat(chunks);
}

function patience(total: number): number {
  return total === 0 ? FIRST_PATIENCE_MS : PATIENCE_MS;
}
