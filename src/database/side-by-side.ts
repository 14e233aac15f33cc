import { availableParallelism } from "node:os";

/** From so many bytes on a database is dumped, or loaded, by so many clients. */
export interface SideBySide {
  readonly fromBytes: number;
  readonly clients: number;
}

/** With fewer rows than this a second client costs more than it saves, as far as rows go. */
const FROM_BYTES = 256 * 1024 * 1024;
const MOST_CLIENTS = 4;

/** What is worth it here for rows. The server works as hard as its client does: with two processors one client is the quickest. */
export function sideBySideHere(): SideBySide {
  return { fromBytes: FROM_BYTES, clients: Math.min(MOST_CLIENTS, Math.floor(availableParallelism() / 2)) };
}
