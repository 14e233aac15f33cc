import { jsonEncode } from "../php-values/json-encode.ts";
import { PhpArray } from "../php-values/php-array.ts";
import { PhpFloat, type PhpValue } from "../php-values/value.ts";
import { PACKET_HEAD, PACKET_TAIL } from "./markers.ts";
import { wireErrorCode, wireText, wireType, type WireOptions } from "./wire-text.ts";

/** One line of a task log. */
export interface LogEntry {
  readonly type: string;
  readonly message: string;
  /** Seconds since 1970, with a fraction. */
  readonly timestamp: number;
  /** Bytes in use; Hosting drops it. */
  readonly memory: number;
  /** The code of an error, else null. Provision's own log entries always have null here. */
  readonly error?: string | null;
}

/**
 * An entry as it stands in the `log` of a final frame: always all five keys, because Hosting's log callback raises PHP warnings, which
 * turn a task yellow, for each one that it misses.
 */
export function logEntryData(entry: LogEntry, options: WireOptions = {}): PhpArray {
  return PhpArray.of([
    ["type", wireType(entry.type)],
    ["message", wireText(entry.message, options)],
    ["timestamp", new PhpFloat(entry.timestamp)],
    ["memory", Math.trunc(entry.memory)],
    ["error", typeof entry.error === "string" ? wireText(entry.error) : null],
  ]);
}

/** The bytes of a `log` packet for {@link logEntryData}. */
export function logPacket(entry: PhpArray): Buffer {
  return packet(entry, "log");
}

/** The bytes of a `set_error` packet: the one thing by which a caller learns that a call failed. */
export function setErrorPacket(code: string, message: string, options: WireOptions = {}): Buffer {
  return packet(PhpArray.of([["error", wireErrorCode(code)], ["message", wireText(message, options)]]), "set_error");
}

/** As drush_backend_packet(), save that `>` is escaped: a reader would take a frame marker inside a packet for the real one. */
function packet(data: PhpArray, name: string): Buffer {
  const members: PhpValue = data.clone().set("packet", name);
  return Buffer.from(PACKET_HEAD + jsonEncode(members).replaceAll(">", "\\u003e") + PACKET_TAIL, "latin1");
}
