import { statfsSync } from "node:fs";
import { ShimError } from "../errors/shim-error.ts";
import type { DatabaseFacts } from "./database-facts.ts";

/** What the description of a table and the frame around its rows take. */
const TABLE_BYTES = 2048;

/** So large a dump of the database will be at least, bytes: the tables' data without indexes, as text. */
export function dumpEstimate(facts: DatabaseFacts): number {
  return facts.tables.reduce((sum, { bytes }) => sum + bytes + TABLE_BYTES, 0);
}

/**
 * @param directory where something of that size is to be written
 * @throws ShimError FILE_NO_SPACE when it cannot fit
 */
export function requireSpace(directory: string, bytes: number, what: string): void {
  const { bavail, bsize } = statfsSync(directory);
  const free = bavail * bsize;
  if (free >= bytes) return;
  throw new ShimError("FILE_NO_SPACE", `${what} needs about ${megabytes(bytes)} MB, but only ${megabytes(free)} MB are free in ${directory}.`, { hint: "free space on that file system and run the task again" });
}

function megabytes(bytes: number): number {
  return Math.ceil(bytes / 1_000_000);
}
