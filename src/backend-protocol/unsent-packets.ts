import { scalarText } from "../php-values/convert.ts";
import { PhpArray } from "../php-values/php-array.ts";
import { PhpFloat, type PhpValue } from "../php-values/value.ts";
import type { StreamOutcome } from "./outcome.ts";
import type { LogPacket, SetErrorPacket } from "./read-packet.ts";

/**
 * What a child that sends no packets (drush 4, or one that died early) has to say: the log of its frame, with an error for each entry that has
 * a code. Nothing when there were packets, because then the log repeats them (_drush_backend_integrate() in drush 8.4.12 includes/backend.inc;
 * there a packet of any earlier child counts too).
 */
export function unsentPackets(outcome: StreamOutcome): (LogPacket | SetErrorPacket)[] {
  const log = outcome.kind === "frame" && outcome.packets === 0 ? outcome.frame.get("log") : undefined;
  return log instanceof PhpArray ? Array.from(log.values()).flatMap((entry) => (entry instanceof PhpArray ? [packetOf(entry)] : [])) : [];
}

function packetOf(entry: PhpArray): LogPacket | SetErrorPacket {
  const message = lines(entry.get("message"));
  const error = entry.get("error") ?? null;
  if (error !== null) return { kind: "set_error", error: lines(error), message };
  const [type, timestamp, memory] = [lines(entry.get("type")), number(entry.get("timestamp")), number(entry.get("memory"))];
  return { kind: "log", type, message, timestamp, memory, error: null };
}

function lines(value: PhpValue | undefined): string {
  return value instanceof PhpArray ? Array.from(value.values(), lines).join("\n") : (scalarText(value) ?? "");
}

function number(value: PhpValue | undefined): number {
  return value instanceof PhpFloat ? value.value : Number(scalarText(value) ?? 0);
}
