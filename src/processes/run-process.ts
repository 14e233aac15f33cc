import type { Readable } from "node:stream";
import { killGroup } from "./process-group.ts";

export interface ProcessRequest {
  /** Program: a path, or a name that is searched in the PATH of `env`. */
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Sent on standard input; without it the child reads an empty input. */
  readonly input?: string | Uint8Array;
  /** Open descriptors that the child gets as 3, 4, … */
  readonly more?: readonly number[];
  readonly timeoutMs: number;
  /** Limit for each of the two outputs. */
  readonly maxOutputBytes: number;
  /** Told what the child prints, on either output, as it comes. */
  readonly onOutput?: (chunk: Buffer) => void;
  /** Ends the child, with its group, when it is aborted. */
  readonly signal?: AbortSignal;
  /** Told the process id, which leads a group of its own, as soon as there is one. */
  readonly onStart?: (pid: number) => void;
}

export interface ProcessResult {
  /** Exit status; undefined when the child was ended by a signal. */
  readonly status: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  readonly timedOut: boolean;
  /** True when an output was longer than the limit; what came first is kept, and the child was killed. */
  readonly outputTooLong: boolean;
}

/** How long outputs may stay open after the child itself has ended. */
const GRACE_MS = 250;

/**
 * Runs a child to its end and collects what it prints. The child leads a process group of its own, so that the time limit also
 * ends what it started.
 *
 * @throws the error of spawn(2), with its `code`, when the program cannot be started; what `onStart` throws
 */
export async function runProcess(request: ProcessRequest): Promise<ProcessResult> {
  const { spawn } = await import("node:child_process");
  return new Promise((resolve, reject) => {
    const child = spawn(request.file, request.args, {
      cwd: request.cwd,
      env: { ...request.env },
      // Each pipe costs; a child without input reads from /dev/null.
      stdio: [request.input === undefined ? "ignore" : "pipe", "pipe", "pipe", ...(request.more ?? [])],
      detached: true,
    });
    const ending = { timedOut: false, outputTooLong: false };
    const kill = (): void => killGroup(child.pid);
    const timer = setTimeout(() => {
      ending.timedOut = true;
      kill();
    }, request.timeoutMs);
    const tooLong = (): void => {
      ending.outputTooLong = true;
      kill();
    };
    const [out, err] = [piped(child.stdout), piped(child.stderr)];
    const stdout = collect(out, request.maxOutputBytes, tooLong);
    const stderr = collect(err, request.maxOutputBytes, tooLong);
    if (request.onOutput !== undefined) {
      out.on("data", request.onOutput);
      err.on("data", request.onOutput);
    }
    let failure: Error | undefined;
    if (child.pid !== undefined) {
      if (request.signal?.aborted === true) kill();
      try {
        request.onStart?.(child.pid);
      } catch (thrown) {
        failure = thrown instanceof Error ? thrown : new Error(String(thrown));
        kill();
      }
    }
    // A child that does not read its input is no failure.
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(request.input);
    request.signal?.addEventListener("abort", kill);
    const over = (): void => {
      clearTimeout(timer);
      request.signal?.removeEventListener("abort", kill);
    };
    child.on("error", (error) => {
      over();
      reject(error);
    });
    const end = (status: number | null, signal: NodeJS.Signals | null): void => {
      over();
      out.destroy();
      err.destroy();
      if (failure !== undefined) reject(failure);
      else resolve({ status: status ?? undefined, signal: signal ?? undefined, stdout: stdout(), stderr: stderr(), ...ending });
    };
    child.on("close", end);
    // A server that the child has started may keep its outputs open for ever.
    child.on("exit", (status, signal) => void setTimeout(end, GRACE_MS, status, signal).unref());
  });
}

function piped(stream: Readable | null): Readable {
  if (stream === null) throw new TypeError("The child was started without a pipe.");
  return stream;
}

function collect(stream: Readable, limit: number, tooLong: () => void): () => Buffer {
  const chunks: Buffer[] = [];
  let length = 0;
  stream.on("data", (chunk: Buffer) => {
    if (length + chunk.length > limit) {
      chunks.push(chunk.subarray(0, limit - length));
      length = limit;
      tooLong();
      return;
    }
    chunks.push(chunk);
    length += chunk.length;
  });
  return () => Buffer.concat(chunks);
}
