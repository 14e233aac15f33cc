import type { Hash } from "node:crypto";
import { damaged } from "./damaged.ts";
import type { TarMember } from "./tar-header.ts";

/** The last member of an archive of ours: what the others are, with a checksum of each. */
export const MANIFEST = "./.provision-backup.json";

/** What a backup says of itself. */
export interface BackupFacts {
  /** Context name of the site, without `@`. */
  readonly site: string;
  readonly uri: string;
  /** When it was begun, ISO 8601. */
  readonly made: string;
  /** Program and version that made it. */
  readonly by: string;
  readonly profile: string | null;
  /** Name of the database that the dump is of; null without one. */
  readonly database: string | null;
}

export interface BackupEnd {
  /** How many members the manifest lists; it is not among them. */
  readonly members: number;
  /** Members that changed each time they were read, or could not be read, and were put up with. */
  readonly unsteady: readonly string[];
}

const FORMAT = 1;
const ROWS = '"members":[\n';
const LAST_ROW = "null\n],\n";

/** One row of the manifest. `content` is the SHA-256 of a file's data, and where a link leads; a sparse file's data is what the archive holds: the map of its pieces, and these. */
export function manifestRow(member: TarMember, digest: string): Buffer {
  return Buffer.from(`${JSON.stringify([member.type, member.path, member.mode, member.size, member.type === "file" ? digest : member.target])},\n`);
}

/** The text of a manifest without its rows, in the two parts before and behind them; the checksum over all of it goes to the very end. */
export function manifestHead(facts: BackupFacts): Buffer {
  return Buffer.from(`${JSON.stringify({ "provision-shim backup": FORMAT, ...facts }).slice(0, -1)},\n"columns":["type","path","mode","size","content"],\n${ROWS}`);
}

export function manifestTail(end: BackupEnd): Buffer {
  return Buffer.from(`${LAST_ROW}${JSON.stringify({ count: end.members, unsteady: end.unsteady }).slice(1, -1)},\n`);
}

export function manifestSeal(digest: string): Buffer {
  return Buffer.from(`"sha256":"${digest}"}\n`);
}

/** Bytes of {@link manifestSeal}. */
const SEAL_LENGTH = manifestSeal("0".repeat(64)).length;

export interface FileRow {
  readonly size: number;
  readonly digest: string;
}

/** The rows of a manifest, one after the other, for 100,000 members in 15 MB. */
export class Rows {
  readonly #slabs: Buffer[] = [];
  #used = 0;
  #length = 0;
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** Bytes of all rows. */
  get length(): number {
    return this.#length;
  }

  add(row: Buffer): void {
    this.#count += 1;
    this.#length += row.length;
    for (let at = 0; at < row.length; ) {
      const slab = this.#slabs.at(-1);
      if (slab === undefined || this.#used === slab.length) {
        this.#slabs.push(Buffer.allocUnsafe(SLAB));
        this.#used = 0;
        continue;
      }
      const copied = row.copy(slab, this.#used, at);
      this.#used += copied;
      at += copied;
    }
  }

  /** The bytes in large pieces. */
  *pieces(): Generator<Buffer> {
    for (const [index, slab] of this.#slabs.entries()) yield index === this.#slabs.length - 1 ? slab.subarray(0, this.#used) : slab;
  }

  /** Finds size and checksum in the last row of a file; undefined when it has none. For many files at a time: it copies all rows once. */
  finder(): (path: string) => FileRow | undefined {
    const all = Buffer.concat([Buffer.from("\n"), this.slice(0, this.#length)]);
    return (path) => {
      const start = all.lastIndexOf(Buffer.from(`\n["file",${JSON.stringify(path)},`));
      if (start < 0) return undefined;
      const row = JSON.parse(all.toString("utf8", start + 1, all.indexOf(0x0a, start + 1) - 1)) as [string, string, number, number, string];
      return { size: row[3], digest: row[4] };
    };
  }

  /** The bytes from `start` to `end`. */
  slice(start: number, end: number): Buffer {
    const parts: Buffer[] = [];
    for (let at = start; at < end; ) {
      const slab = this.#slabs[Math.floor(at / SLAB)];
      if (slab === undefined) break;
      const part = slab.subarray(at % SLAB, Math.min((at % SLAB) + end - at, SLAB));
      parts.push(part);
      at += part.length;
    }
    return Buffer.concat(parts);
  }
}

const SLAB = 1 << 18;

/** What a manifest said, once it has been compared with the archive. */
export interface ReadManifest {
  readonly facts: BackupFacts;
  readonly end: BackupEnd;
  /** The checksum that it ends with. */
  readonly seal: string;
}

/**
 * Reads the manifest's own bytes as they come and compares its rows with those that the archive's members have given. It never holds more than one piece
 * and the ends.
 */
export class ManifestReader {
  readonly #rows: Rows;
  readonly #hash: Hash;
  readonly #size: number;
  #head: Buffer[] = [];
  #facts: BackupFacts | undefined;
  #compared = 0;
  #seen = 0;
  #tail: Buffer[] = [];

  /** @param size bytes of the manifest */
  constructor(rows: Rows, hash: Hash, size: number) {
    this.#rows = rows;
    this.#hash = hash;
    this.#size = size;
  }

  /** @throws ShimError PROVISION_BACKUP_DAMAGED when it lists something else than the archive holds */
  push(bytes: Buffer): void {
    const sealed = this.#size - SEAL_LENGTH - this.#seen;
    if (sealed > 0) this.#hash.update(bytes.subarray(0, sealed));
    this.#seen += bytes.length;
    this.#read(bytes);
  }

  #read(bytes: Buffer): void {
    if (this.#facts === undefined) {
      this.#head.push(Buffer.from(bytes));
      const head = Buffer.concat(this.#head);
      const end = head.indexOf(ROWS);
      if (end < 0) {
        if (head.length > LONGEST_HEAD) throw damaged("its manifest has no list of members");
        return;
      }
      this.#facts = factsIn(head.subarray(0, end));
      this.#head = [];
      this.#read(head.subarray(end + ROWS.length));
      return;
    }
    const rows = bytes.subarray(0, this.#rows.length - this.#compared);
    const own = this.#rows.slice(this.#compared, this.#compared + rows.length);
    if (!rows.equals(own)) throw this.#difference(rows, own);
    this.#compared += rows.length;
    if (rows.length < bytes.length) this.#tail.push(Buffer.from(bytes.subarray(rows.length)));
  }

  /** @throws ShimError PROVISION_BACKUP_DAMAGED */
  end(): ReadManifest {
    const tail = Buffer.concat(this.#tail);
    const seal = this.#hash.digest("hex");
    if (this.#facts === undefined || this.#compared < this.#rows.length) throw damaged("its manifest ends too early");
    if (!tail.subarray(-SEAL_LENGTH).equals(manifestSeal(seal))) throw damaged("its manifest is not as it was written: the checksum is wrong");
    const text = tail.subarray(0, -SEAL_LENGTH).toString("utf8");
    if (!text.startsWith(LAST_ROW)) throw damaged(`members are missing that its manifest lists, from ${firstPath(text)} on`);
    const end = endIn(text.slice(LAST_ROW.length));
    if (end.members !== this.#rows.count) throw damaged(`its manifest lists ${end.members} members, but ${this.#rows.count} are there`);
    return { facts: this.#facts, end, seal };
  }

  /** Names the first member that is not as the manifest says. */
  #difference(rows: Buffer, own: Buffer): Error {
    let at = 0;
    while (at < rows.length && rows[at] === own[at]) at += 1;
    const start = Math.max(0, this.#compared + at - LONGEST_ROW);
    const before = this.#rows.slice(start, this.#compared + at);
    const row = start + before.lastIndexOf(0x0a) + 1;
    const path = firstPath(this.#rows.slice(row, this.#compared + own.length).toString("utf8"));
    const listed = firstPath(Buffer.concat([this.#rows.slice(row, this.#compared + at), rows.subarray(at)]).toString("utf8"));
    return path === listed || listed === "(cut off)" ? damaged(`${path} is not as its manifest says: the checksum is wrong`) : damaged(`${path} is there where its manifest lists ${listed}`);
  }
}

const LONGEST_HEAD = 1 << 20;
const LONGEST_ROW = 1 << 16;

/** The path in the row that the text begins with. */
function firstPath(text: string): string {
  return /^\["[a-z ]+",("(?:[^"\\]|\\.)*")/.exec(text)?.[1] ?? "(cut off)";
}

function factsIn(head: Buffer): BackupFacts {
  let facts: unknown;
  try {
    facts = JSON.parse(`${head.toString("utf8").replace(/,\n*$/, "")}}`);
  } catch (cause) {
    throw damaged("its manifest cannot be read", cause);
  }
  const { "provision-shim backup": format, site, uri, made, by, profile, database } = facts as Record<string, unknown>;
  const text = (value: unknown): string => (typeof value === "string" ? value : "");
  if (typeof format !== "number" || format > FORMAT) throw damaged("its manifest is of a newer version than this program knows");
  return { site: text(site), uri: text(uri), made: text(made), by: text(by), profile: typeof profile === "string" ? profile : null, database: typeof database === "string" ? database : null };
}

function endIn(text: string): BackupEnd {
  try {
    const { count, unsteady } = JSON.parse(`{${text.replace(/,\n$/, "")}}`) as Record<string, unknown>;
    if (typeof count === "number" && Array.isArray(unsteady)) return { members: count, unsteady: unsteady.map(String) };
  } catch {
    // Told below.
  }
  throw damaged("its manifest cannot be read");
}
