import type { Readable } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import { killGroup } from "./process-group.ts";

export interface ChannelRequest {
  /** Program: a path, or a name that is searched in the PATH of `env`. */
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Sent on standard input, which nobody else can read. */
  readonly input: string;
  readonly timeoutMs: number;
  /** Ends the child, with its group, when it is aborted. */
  readonly signal: AbortSignal;
  /** Told the process id, which leads a group of its own, as soon as there is one. */
  readonly onStart: (pid: number) => void;
  /** Told each line that the child writes to descriptor 3. A throw ends the child. */
  readonly onLine: (line: string) => void;
}

export interface ChannelResult {
  /** Exit status; undefined when the child was ended by a signal. */
  readonly status: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
  /** The end of what it printed on its two outputs, in the order of arrival, as text. */
  readonly printed: string;
  readonly timedOut: boolean;
}

const PRINTED_BYTES = 8 * 1024;
const LINE_CHARACTERS = 4 * 1024 * 1024;
/** How long its outputs may stay open after the child itself has ended. */
const GRACE_MS = 250;

/**
 * Runs a child that talks to us on a descriptor of its own (3), so that nothing that it prints can be mistaken for its words.
 *
 * @throws the error of spawn(2), with its `code`, when the program cannot be started; what `onLine` throws
 */
export async function runWithChannel(request: ChannelRequest): Promise<ChannelResult> {
  const { spawn } = await import("node:child_process");
  return new Promise((resolve, reject) => {
    const child = spawn(request.file, request.args, { cwd: request.cwd, env: { ...request.env }, stdio: ["pipe", "pipe", "pipe", "pipe"], detached: true });
    const kill = (): void => killGroup(child.pid);
    let timedOut = false;
    let failure: Error | undefined;
    const timer = setTimeout(() => {
      timedOut = true;
      kill();
    }, request.timeoutMs);
    const fail = (thrown: unknown): void => {
      failure ??= thrown instanceof Error ? thrown : new Error(String(thrown));
      kill();
    };
    const streams = [child.stdout, child.stderr, child.stdio[3]] as (Readable | null)[];
    const [out, err, channel] = streams.map(piped) as [Readable, Readable, Readable];
    const printed = collectEnd([out, err]);
    splitLines(channel, request.onLine, fail);
    child.on("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
    if (child.pid !== undefined) {
      request.signal.addEventListener("abort", kill, { once: true });
      if (request.signal.aborted) kill();
      try {
        request.onStart(child.pid);
      } catch (thrown) {
        fail(thrown);
      }
    }
    // Only now: a child that nobody knows of yet has nothing to do. One that does not read its input says why on its outputs.
    child.stdin.on("error", () => undefined);
    child.stdin.end(failure === undefined ? request.input : "");
    const end = (status: number | null, signal: NodeJS.Signals | null): void => {
      clearTimeout(timer);
      request.signal.removeEventListener("abort", kill);
      for (const stream of [out, err, channel]) stream.destroy();
      if (failure !== undefined) reject(failure);
      else resolve({ status: status ?? undefined, signal: signal ?? undefined, printed: printed(), timedOut });
    };
    child.on("close", end);
    // What it has started in the background may keep its outputs open for ever.
    child.on("exit", (status, signal) => void setTimeout(end, GRACE_MS, status, signal).unref());
  });
}

function piped(stream: Readable | null): Readable {
  if (stream === null) throw new TypeError("The child was started without a pipe.");
  stream.on("error", () => undefined);
  return stream;
}

/** Keeps the last bytes of both streams together. */
function collectEnd(streams: readonly Readable[]): () => string {
  let kept: Buffer = Buffer.alloc(0);
  for (const stream of streams) {
    stream.on("data", (chunk: Buffer) => {
      kept = Buffer.concat([kept, chunk.subarray(-PRINTED_BYTES)]).subarray(-PRINTED_BYTES);
    });
  }
  return () => kept.toString("utf8");
}

function splitLines(stream: Readable, onLine: (line: string) => void, fail: (thrown: unknown) => void): void {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  stream.on("data", (chunk: Buffer) => {
    const lines = (rest + decoder.write(chunk)).split("\n");
    rest = lines.pop() ?? "";
    try {
      if (rest.length > LINE_CHARACTERS) throw new Error("it sent a line without end");
      for (const line of lines) onLine(line);
    } catch (thrown) {
      rest = "";
      fail(thrown);
    }
  });
}
