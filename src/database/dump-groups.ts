import { unlinkSync } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { uniqueName } from "../files/unique-name.ts";
import { connectDb, quoteIdentifier, type Db, type DbAccount } from "./connection.ts";
import type { DatabaseFacts } from "./database-facts.ts";
import { dumpPart, writeAll, type DumpPart, type DumpRun } from "./dump-client.ts";
import { sideBySideHere, type SideBySide } from "./side-by-side.ts";

/** How long the site may have to wait while the clients begin, seconds; the tables are not locked when others keep them so long. */
const LOCK_SECONDS = 5;
const COPY_BYTES = 1024 * 1024;

/** Names that are no options and need no quoting as an argument of a client. */
const PLAIN = /^[A-Za-z0-9_$][A-Za-z0-9_$-]*$/;

/**
 * The tables in groups of about the same size, one for each client; undefined for a database that one client dumps: small ones, and those with tables that have no
 * transactions, as only one client alone could see them all at one time.
 */
export function tableGroups(facts: DatabaseFacts, wanted: SideBySide | undefined): string[][] | undefined {
  const { fromBytes, clients } = wanted ?? sideBySideHere();
  const tables = facts.tables.filter(({ kind }) => kind === "table");
  const isSafe = facts.tables.every(({ name, kind, engine }) => PLAIN.test(name) && (kind === "view" || (kind === "table" && engine === "innodb")));
  const total = tables.reduce((sum, { bytes }) => sum + bytes, 0);
  const largest = Math.max(0, ...tables.map(({ bytes }) => bytes));
  // One table that is nearly everything would leave the others' clients nothing to do.
  if (!isSafe || clients < 2 || tables.length < clients || total < fromBytes || largest > total * 0.9) return undefined;
  const groups = Array.from({ length: clients }, () => ({ names: [] as string[], bytes: 0 }));
  for (const { name, bytes } of [...tables].sort((one, two) => two.bytes - one.bytes)) {
    const smallest = groups.reduce((least, group) => (group.bytes < least.bytes ? group : least));
    smallest.names.push(name);
    smallest.bytes += bytes + 1;
  }
  return groups.map(({ names }) => names);
}

interface Groups {
  readonly account: DbAccount & { readonly database: string };
  /** Time limit of the statements, milliseconds. */
  readonly timeoutMs: number;
  readonly groups: readonly (readonly string[])[];
  readonly views: readonly string[];
  readonly programs: readonly string[];
  readonly hasTriggers: boolean | undefined;
}

/**
 * Dumps the groups by one client each, all of which see the database at the same time: they begin while nobody can write to its tables. Then the files of the others are
 * appended to the first one's, and what is built upon tables comes last.
 *
 * @returns false when the tables could not be locked; nothing is written then
 */
export async function dumpSideBySide(file: FileHandle, run: DumpRun, { account, timeoutMs, groups, views, programs, hasTriggers }: Groups): Promise<boolean> {
  const { socket, signal } = run.settings;
  const db = await connectDb(account, { socket, timeoutMs, signal });
  const files: FileHandle[] = [file];
  try {
    if (!(await lock(db, groups.flat()))) return false;
    for (let index = 1; index < groups.length; index++) files.push(await nameless(run.target));
    const stop = new AbortController();
    const parts = groups.map((names, index) => startGroup(files[index] ?? file, { ...run, settings: { ...run.settings, signal: AbortSignal.any([signal, stop.signal]) } }, { account, args: [...(hasTriggers === false ? ["--skip-triggers"] : []), account.database, "--tables", ...names] }));
    const all = Promise.all(parts.map(({ done }) => done)).catch((thrown: unknown) => {
      stop.abort();
      throw thrown;
    });
    all.catch(() => undefined);
    await Promise.race([all, Promise.all(parts.map(({ begun }) => begun))]);
    await db.run("UNLOCK TABLES");
    try {
      await all;
    } finally {
      await Promise.allSettled(parts.map(({ done }) => done));
    }
    for (const other of files.slice(1)) await append(other, file, run.target);
    for (const args of lastParts({ views, programs, database: account.database })) await dumpPart(file, run, { account, args });
    return true;
  } finally {
    await db.close();
    for (const other of files.slice(1)) await other.close().catch(() => undefined);
  }
}

function startGroup(file: FileHandle, run: DumpRun, group: DumpPart): { readonly begun: Promise<void>; readonly done: Promise<void> } {
  let begin: () => void = () => undefined;
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  return { begun, done: dumpPart(file, run, { ...group, onFirstTable: () => begin() }).finally(() => begin()) };
}

/** Routines come before the views, which may use them. */
function lastParts({ views, programs, database }: { readonly views: readonly string[]; readonly programs: readonly string[]; readonly database: string }): string[][] {
  return [
    ...(programs.length > 0 ? [["--no-create-info", "--no-data", "--skip-triggers", ...programs, database]] : []),
    ...(views.length > 0 ? [[database, "--tables", ...views]] : []),
  ];
}

/** Only this database's tables: nobody else on the server has to wait. */
async function lock(db: Db, names: readonly string[]): Promise<boolean> {
  try {
    await db.run(`SET SESSION lock_wait_timeout = ${LOCK_SECONDS}`);
    await db.run(`LOCK TABLES ${names.map((name) => `${quoteIdentifier(name)} READ`).join(", ")}`);
    return true;
  } catch {
    return false;
  }
}

/** A file beside the target, for the same disk, that nobody else can open and that is gone when we are. */
async function nameless(target: string): Promise<FileHandle> {
  const path = `${target}.${uniqueName()}`;
  const file = await open(path, "wx+", 0o600);
  unlinkSync(path);
  return file;
}

async function append(from: FileHandle, to: FileHandle, name: string): Promise<void> {
  const buffer = Buffer.allocUnsafe(COPY_BYTES);
  for (let position = 0; ; ) {
    const { bytesRead } = await from.read(buffer, 0, buffer.length, position);
    if (bytesRead === 0) return;
    await writeAll(to, buffer.subarray(0, bytesRead), name);
    position += bytesRead;
  }
}
