import { jsonEncode } from "../../src/php-values/json-encode.ts";
import { BackendReader, type StreamEvent } from "../../src/backend-protocol/read-stream.ts";
import type { StreamOutcome } from "../../src/backend-protocol/outcome.ts";
import type { Packet } from "../../src/backend-protocol/read-packet.ts";
import type { ReferenceResult } from "./reference-reader.ts";

export interface ReadAll {
  readonly events: readonly StreamEvent[];
  readonly outcome: StreamOutcome;
}

/** Reads a whole stream, cut at the given places. */
export function readAll(stream: Buffer, cuts: readonly number[] = [], exitStatus: number | null = 0): ReadAll {
  const reader = new BackendReader();
  const events: StreamEvent[] = [];
  let from = 0;
  for (const to of [...cuts, stream.length]) {
    events.push(...reader.push(stream.subarray(from, to)));
    from = to;
  }
  const end = reader.end(exitStatus);
  return { events: [...events, ...end.events], outcome: end.outcome };
}

/** Reads a whole stream in chunks of one size. */
export function readInChunks(stream: Buffer, size: number): ReadAll {
  return readAll(stream, Array.from({ length: Math.floor(stream.length / size) }, (_, index) => (index + 1) * size));
}

export function packets(all: ReadAll): Packet[] {
  return all.events.flatMap((event) => (event.kind === "packet" ? [event.packet] : []));
}

export function text(all: Pick<ReadAll, "events">): string {
  return Buffer.concat(all.events.flatMap((event) => (event.kind === "text" ? [event.bytes] : []))).toString("latin1");
}

/** The same form as the reference reader's. */
export function described({ events, outcome }: ReadAll): ReferenceResult {
  const lines: string[] = [];
  let text = "";
  for (const event of [...events, undefined]) {
    if (event?.kind === "text") text += event.bytes.toString("latin1");
    else {
      if (text !== "") lines.push(`text:${text}`);
      text = "";
      if (event !== undefined) lines.push(describedPacket(event.packet));
    }
  }
  return { events: lines, outcome: describedOutcome(outcome) };
}

function describedPacket(packet: Packet): string {
  switch (packet.kind) {
    case "log":
      return `log:${JSON.stringify([packet.type, packet.message, packet.timestamp, packet.memory, packet.error])}`;
    case "set_error":
      return `set_error:${JSON.stringify([packet.error, packet.message])}`;
    case "unknown":
      return `unknown:${packet.name}`;
    case "malformed":
      return `malformed:${packet.reason}:${packet.bytes.toString("latin1")}`;
  }
}

function describedOutcome(outcome: StreamOutcome): string {
  if (outcome.kind === "unparsable") return `unparsable:${outcome.reason}`;
  return outcome.kind === "frame" ? `frame:${JSON.stringify(JSON.parse(jsonEncode(outcome.frame.toArray())))}` : outcome.kind;
}
