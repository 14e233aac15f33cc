import type { Readable, Writable } from "node:stream";
import { killGroup } from "./process-group.ts";

export interface StreamedRequest {
  /** Program: a path, or a name that is searched in the PATH of `env`. */
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Standard input: a pipe to write to, an open descriptor that the child gets, or nothing. */
  readonly stdin: "pipe" | "nothing" | number;
  readonly stdout: "pipe" | "nothing";
  /** Open descriptors that the child gets as 3, 4, … */
  readonly more?: readonly number[];
  /** The child is ended when this is aborted. */
  readonly signal: AbortSignal;
  /** The child is ended when nothing was heard of it for so long, milliseconds; see {@link StreamedProcess.alive}. */
  readonly silenceMs: number;
  /** Told all of what it writes to standard error, as it comes. */
  readonly onComplaint?: (bytes: Buffer) => void;
  /** Told once the child runs. A throw ends the child, and comes out of the start. */
  readonly onStart?: ((pid: number) => void) | undefined;
}

export interface StreamedProcess {
  readonly pid: number | undefined;
  readonly stdin: Writable | null;
  readonly stdout: Readable | null;
  /** How it ended; rejects with the error of spawn(2), with its `code`, when it could not be started. */
  readonly ended: Promise<StreamedEnd>;
  /** Starts the time of silence anew: somebody saw the child work. */
  alive(): void;
  /** Ends the child and what it has started. */
  kill(): void;
}

export interface StreamedEnd {
  /** Exit status; undefined when the child was ended by a signal. */
  readonly status: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
  /** The first and the last of what it wrote to standard error. */
  readonly stderr: string;
  readonly wasSilent: boolean;
}

/** So much is kept of the beginning, and as much of the end, of a child's complaints. */
const KEPT_BYTES = 8192;

/**
 * Starts a child whose data streams through us, or past us. It leads a process group of its own. What it writes to standard error is always read, so that one that
 * complains a lot does not wait for us, and kept within bounds.
 */
export async function streamedProcess(request: StreamedRequest): Promise<StreamedProcess> {
  const { spawn } = await import("node:child_process");
  const child = spawn(request.file, request.args, {
    cwd: request.cwd,
    env: { ...request.env },
    stdio: [request.stdin === "nothing" ? "ignore" : request.stdin, request.stdout === "nothing" ? "ignore" : "pipe", "pipe", ...(request.more ?? [])],
    detached: true,
  });
  const kill = (): void => killGroup(child.pid);
  let wasSilent = false;
  const timer = setTimeout(() => {
    wasSilent = true;
    kill();
  }, request.silenceMs);
  const complaints = new Complaints();
  child.stderr?.on("data", (chunk: Buffer) => {
    complaints.add(chunk);
    request.onComplaint?.(chunk);
    timer.refresh();
  });
  // That it ends early shows in its status.
  child.stdin?.on("error", () => undefined);
  const ended = new Promise<StreamedEnd>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (status, signal) => {
      resolve({ status: status ?? undefined, signal: signal ?? undefined, stderr: complaints.text(), wasSilent });
    });
  }).finally(() => {
    clearTimeout(timer);
    request.signal.removeEventListener("abort", kill);
  });
  // Who waits for it may not have begun to yet.
  ended.catch(() => undefined);
  request.signal.addEventListener("abort", kill);
  if (request.signal.aborted) kill();
  if (child.pid !== undefined) {
    try {
      request.onStart?.(child.pid);
    } catch (thrown) {
      // Nobody would wait for it.
      kill();
      await ended.catch(() => undefined);
      throw thrown;
    }
  }
  return { pid: child.pid, stdin: child.stdin, stdout: child.stdout, ended, alive: () => void timer.refresh(), kill };
}

class Complaints {
  readonly #first: Buffer[] = [];
  #firstLength = 0;
  #last = Buffer.alloc(0);
  #lost = false;

  add(chunk: Buffer): void {
    const room = KEPT_BYTES - this.#firstLength;
    if (room > 0) this.#first.push(chunk.subarray(0, room));
    this.#firstLength += Math.min(Math.max(room, 0), chunk.length);
    const rest = Buffer.concat([this.#last, chunk.subarray(Math.max(room, 0))]);
    this.#lost ||= rest.length > KEPT_BYTES;
    this.#last = rest.subarray(-KEPT_BYTES);
  }

  text(): string {
    return Buffer.concat([...this.#first, ...(this.#lost ? [Buffer.from("\n…\n")] : []), this.#last]).toString("utf8").trim();
  }
}
