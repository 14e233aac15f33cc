import { isUtf8 } from "node:buffer";
import type { LogEntry } from "./write-packet.ts";

/** A log entry of a child. A time that it did not send is 0, for which Hosting puts in its own. */
export interface LogPacket extends LogEntry {
  readonly kind: "log";
}

/** A failure of a child. */
export interface SetErrorPacket {
  readonly kind: "set_error";
  readonly error: string;
  readonly message: string;
}

/** A packet of a name that drush does not know; its receivers log a notice. */
export interface UnknownPacket {
  readonly kind: "unknown";
  readonly name: string;
}

/** Something between packet marks that is no packet; drush's receivers log an error, which reddens a task. */
export interface MalformedPacket {
  readonly kind: "malformed";
  readonly reason: "not UTF-8" | "not JSON" | "no name" | "cut off" | "too large";
  /** The bytes between the marks; none when it was too large. */
  readonly bytes: Buffer;
}

export type Packet = LogPacket | SetErrorPacket | UnknownPacket | MalformedPacket;

/** Decodes the bytes between the marks of a packet, as drush_backend_parse_packets() does. */
export function readPacket(bytes: Buffer): Packet {
  if (!isUtf8(bytes)) return malformed("not UTF-8", bytes);
  let data: unknown;
  try {
    data = JSON.parse(bytes.toString("utf8"));
  } catch {
    return malformed("not JSON", bytes);
  }
  const called = isObject(data) ? data["packet"] : undefined;
  if (!isObject(data) || called === undefined || called === null) return malformed("no name", bytes);
  const name = text(called);
  if (name === "log") return logPacket(data);
  if (name === "set_error") return { kind: "set_error", error: text(data["error"]), message: text(data["message"]) };
  return { kind: "unknown", name };
}

export function malformed(reason: MalformedPacket["reason"], bytes: Buffer): MalformedPacket {
  return { kind: "malformed", reason, bytes };
}

function logPacket(data: Readonly<Record<string, unknown>>): LogPacket {
  const { type, message, timestamp, memory, error } = data;
  return {
    kind: "log",
    type: text(type),
    message: text(message),
    timestamp: number(timestamp),
    memory: number(memory),
    error: error === undefined || error === null ? null : text(error),
  };
}

function isObject(data: unknown): data is Readonly<Record<string, unknown>> {
  return typeof data === "object" && data !== null && !Array.isArray(data);
}

/** As PHP makes text of a value; a message may also be a list of lines. */
function text(value: unknown): string {
  if (typeof value === "string") return value.toWellFormed();
  if (typeof value === "number") return String(value);
  if (typeof value === "object" && value !== null) return Object.values(value).map(text).join("\n");
  return value === true ? "1" : "";
}

function number(value: unknown): number {
  const result = typeof value === "number" ? value : Number.parseFloat(text(value));
  return Number.isFinite(result) ? result : 0;
}
