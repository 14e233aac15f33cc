import { createReadStream, readSync } from "node:fs";
import { pipeline } from "node:stream/promises";
import { asShimError, ShimError } from "../errors/shim-error.ts";
import { loadEnd, startLoadClient, type Load } from "./load.ts";
import { sideBySideHere, type SideBySide } from "./side-by-side.ts";

const READ_BYTES = 1024 * 1024;

/** In a dump of less than this, most of the time goes into making tables: that is waiting for the disk, which two clients do better than one however few processors there are. */
const FEW_ROWS_BYTES = 16 * 1024 * 1024;
/** Of such a dump, smaller ones are not worth a second client. */
const SMALLEST_BYTES = 128 * 1024;
/** What it takes to make a table, in bytes of rows. */
const TABLE_BYTES = 8192;

function sideBySideFor({ size, request }: Load): SideBySide {
  return request.sideBySide ?? (size < FEW_ROWS_BYTES ? { fromBytes: SMALLEST_BYTES, clients: 2 } : sideBySideHere());
}

/** A stretch of the dump, from its first byte to before its last. */
interface Piece {
  readonly from: number;
  readonly to: number;
}

/** A dump cut where it begins with another table. */
export interface Pieces {
  /** Settings of the session, which every client needs. */
  readonly session: Piece;
  /** What tables may build upon: sequences, routines. */
  readonly first: readonly Piece[];
  /** One table each, with its rows and triggers. */
  readonly tables: readonly Piece[];
  /** What is built upon tables: views, events. */
  readonly last: readonly Piece[];
}

/**
 * Cuts a dump at its own headings. Undefined for one that a single client loads: those for which more are not worth it, those of other programs, and those that are not as the
 * clients write them from the first line to the last.
 */
export function loadPieces(load: Load): Pieces | undefined {
  const { descriptor, size, start } = load;
  const { fromBytes, clients } = sideBySideFor(load);
  if (size < fromBytes || clients < 2 || !isWholeDump(descriptor, { size, start })) return undefined;
  const headings = findHeadings(descriptor, { size, start });
  const [session] = headings;
  if (session === undefined || !isWellFormed(descriptor, headings)) return undefined;
  const of = (...kinds: readonly Heading["kind"][]): Piece[] => headings.filter(({ kind }) => kinds.includes(kind));
  const tables = of("table");
  if (tables.length < clients) return undefined;
  const firstTable = tables[0]?.from ?? 0;
  const routines = of("routines");
  return {
    session,
    first: [...of("sequence"), ...routines.filter(({ from }) => from < firstTable)],
    tables,
    last: headings.filter(({ kind, from }) => kind === "view" || kind === "events" || (kind === "routines" && from > firstTable)),
  };
}

/** The largest table first; each client takes the next one when it is done with one. Where a client would be given many before it has done any, each gets its share beforehand. */
export async function loadSideBySide(load: Load, pieces: Pieces): Promise<void> {
  const { clients } = sideBySideFor(load);
  const stop = new AbortController();
  const stoppable: Load = { ...load, settings: { ...load.settings, signal: AbortSignal.any([load.settings.signal, stop.signal]) } };
  const report = progressOf(load);
  const tables = [...pieces.tables].sort((one, two) => lengthOf(two) - lengthOf(one));
  const shares = load.size < FEW_ROWS_BYTES ? inShares(tables, clients) : Array.from({ length: clients }, () => taking(tables));
  if (pieces.first.length > 0) await runClient(stoppable, [pieces.session, ...pieces.first], report);
  const running = shares.map((share) => runClient(stoppable, startingWith(pieces.session, share), report));
  try {
    await Promise.all(running);
  } catch (thrown) {
    stop.abort();
    await Promise.allSettled(running);
    throw thrown;
  }
  if (pieces.last.length > 0) await runClient(stoppable, [pieces.session, ...pieces.last], report);
}

function lengthOf({ from, to }: Piece): number {
  return to - from;
}

function* taking(waiting: Piece[]): Generator<Piece> {
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) yield next;
}

function* startingWith(session: Piece, pieces: Iterable<Piece>): Generator<Piece> {
  yield session;
  yield* pieces;
}

function inShares(tables: readonly Piece[], clients: number): Piece[][] {
  const shares = Array.from({ length: clients }, () => ({ pieces: [] as Piece[], work: 0 }));
  for (const piece of tables) {
    const least = shares.reduce((one, other) => (other.work < one.work ? other : one));
    least.pieces.push(piece);
    least.work += lengthOf(piece) + TABLE_BYTES;
  }
  return shares.map(({ pieces }) => pieces);
}

async function runClient(load: Load, pieces: Iterable<Piece>, report: (bytes: number) => void): Promise<void> {
  const child = await startLoadClient(load, "pipe");
  const { stdin } = child;
  if (stdin === null) throw new TypeError("The client was started without a pipe.");
  let unread: unknown;
  const source = async function* (): AsyncGenerator<Buffer> {
    try {
      for (const { from, to } of pieces) {
        if (to <= from) continue;
        if (to - from <= READ_BYTES) {
          const bytes = Buffer.allocUnsafe(to - from);
          if (readSync(load.descriptor, bytes, 0, bytes.length, from) !== bytes.length) throw new Error("it has become shorter");
          yield bytes;
          child.alive();
          report(bytes.length);
          continue;
        }
        for await (const chunk of createReadStream("", { fd: load.descriptor, autoClose: false, start: from, end: to - 1, highWaterMark: READ_BYTES })) {
          yield chunk as Buffer;
          child.alive();
          report((chunk as Buffer).length);
        }
      }
    } catch (thrown) {
      // To the client it would be the end of the dump.
      unread = thrown;
      child.kill();
      throw thrown;
    }
  };
  // That the client went away shows in how it ended.
  const sent = pipeline(source, stdin).catch(() => undefined);
  try {
    await loadEnd(load, child);
  } catch (thrown) {
    if (unread === undefined) throw thrown;
  }
  await sent;
  if (unread !== undefined) throw new ShimError("PROVISION_DB_IMPORT_FAILED", `Database import failed: the dump ${load.request.file} could not be read: ${asShimError(unread).message}`, { cause: unread });
}

function progressOf({ request, size }: Load): (bytes: number) => void {
  let done = 0;
  return (bytes) => {
    done += bytes;
    request.onProgress?.(Math.min(done, size), size);
  };
}

interface Heading extends Piece {
  readonly kind: "session" | "sequence" | "table" | "view" | "routines" | "events" | "end" | "unknown";
}

const BREAK_COMMENT = Buffer.from("\n-- ");
const BREAK_DELIMITER = Buffer.from("\nDELIMITER ");
/** With this line the session gets its former settings back, which a client that goes on must not do. */
const BREAK_END = Buffer.from("\n/*!40103 SET TIME_ZONE=@OLD_TIME_ZONE */");
const LONGEST_LINE = 1024;

const HEADINGS: readonly (readonly [RegExp, Heading["kind"]])[] = [
  [/^-- (?:MariaDB|MySQL) dump \d/, "session"],
  [/^-- Sequence structure for /, "sequence"],
  [/^-- Table structure for table /, "table"],
  [/^-- Temporary (?:table|view) structure for view /, "view"],
  [/^-- Final view structure for view /, "view"],
  [/^-- Dumping routines for database /, "routines"],
  [/^-- Dumping events for database /, "events"],
  [/^\/\*!40103 SET TIME_ZONE=@OLD_TIME_ZONE \*\//, "end"],
];

/** Lines that begin with a comment but are no headings. */
const REMARK = /^-- (?:Dumping data for table |Host: |-{10}|Server version|Dump completed|Current Database|$)/;

/** Where each part begins, in order; data never begins a line like that, and bodies of triggers and routines are passed over. */
function findHeadings(descriptor: number, { size, start }: { readonly size: number; readonly start: number }): Heading[] {
  const found: { from: number; kind: Heading["kind"] }[] = [];
  let inBody = false;
  scanLines(descriptor, { from: start, size }, (line, at) => {
    if (line.startsWith("DELIMITER ")) inBody = !/^DELIMITER ;\s*$/.test(line);
    else if (!inBody) {
      const kind = HEADINGS.find(([pattern]) => pattern.test(line))?.[1] ?? (REMARK.test(line) ? undefined : "unknown");
      if (kind !== undefined) found.push({ from: at, kind });
    }
  });
  return found.map(({ from, kind }, index) => ({ from, kind, to: found[index + 1]?.from ?? size }));
}

/** Tells of each line that begins with a comment or a DELIMITER, and where. */
function scanLines(descriptor: number, range: { readonly from: number; readonly size: number }, tell: (line: string, at: number) => void): void {
  const buffer = Buffer.allocUnsafe(4 * READ_BYTES);
  // The first line has no break before it.
  const head = buffer.toString("latin1", 0, readSync(descriptor, buffer, 0, LONGEST_LINE, range.from));
  if (head.startsWith("-- ")) tell(firstLine(head), range.from);
  for (let position = range.from; position < range.size; ) {
    const length = readSync(descriptor, buffer, 0, buffer.length, position);
    if (length === 0) return;
    const data = buffer.subarray(0, length);
    const isLast = position + length >= range.size;
    // Lines near the end of the buffer are looked at with the next one.
    const limit = isLast ? length : length - LONGEST_LINE;
    for (const at of [BREAK_COMMENT, BREAK_DELIMITER, BREAK_END].flatMap((text) => places(data, text, limit)).sort((one, two) => one - two)) {
      tell(firstLine(data.toString("latin1", at + 1, Math.min(at + 1 + LONGEST_LINE, length))), position + at + 1);
    }
    if (isLast) return;
    position += limit;
  }
}

function places(data: Buffer, text: Buffer, limit: number): number[] {
  const found: number[] = [];
  for (let at = data.indexOf(text); at >= 0 && at < limit; at = data.indexOf(text, at + 1)) found.push(at);
  return found;
}

function firstLine(text: string): string {
  return /^[^\n]*/.exec(text)?.[0] ?? "";
}

/** A dump by several clients has several beginnings, all with the same settings, and an end before each. */
function isWellFormed(descriptor: number, headings: readonly Heading[]): boolean {
  return headings.every((heading, index) => {
    const next = headings[index + 1]?.kind;
    if (heading.kind === "unknown" || (index === 0 && heading.kind !== "session")) return false;
    if (heading.kind === "end") return next === undefined || next === "session";
    return next !== undefined && next !== "session" && (heading.kind !== "session" || isSession(descriptor, heading));
  });
}

/** From a client's own first line to its own last one. */
function isWholeDump(descriptor: number, { size, start }: { readonly size: number; readonly start: number }): boolean {
  const part = Buffer.alloc(512);
  const head = part.toString("latin1", 0, readSync(descriptor, part, 0, part.length, start));
  const tail = part.toString("latin1", 0, readSync(descriptor, part, 0, part.length, Math.max(start, size - part.length)));
  return /^-- (?:MariaDB|MySQL) dump \d/.test(head) && /\n-- Dump completed[^\n]*\n?$/.test(tail);
}

/** True when nothing but settings of the session stands there, which each client may make. */
function isSession(descriptor: number, { from, to }: Piece): boolean {
  if (to - from > 65_536) return false;
  const bytes = Buffer.alloc(to - from);
  readSync(descriptor, bytes, 0, bytes.length, from);
  return bytes.toString("latin1").split("\n").every((line) => /^(?:--.*|\/\*!\d{5} SET [^;]*\*\/ ?;|SET [^;]*;|\s*)$/.test(line));
}
