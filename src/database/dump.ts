import { open, unlink, type FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import { asShimError, ShimError } from "../errors/shim-error.ts";
import { errnoOf } from "../files/look.ts";
import { writeError } from "../files/write-whole.ts";
import { findClient, type ClientSettings } from "./clients.ts";
import { connectDb, type Db, type DbAccount } from "./connection.ts";
import { lookAtDatabase, type DatabaseFacts } from "./database-facts.ts";
import { dumpPart, FAILED, failure, type DumpRun } from "./dump-client.ts";
import { dumpSideBySide, tableGroups } from "./dump-groups.ts";
import type { SideBySide } from "./side-by-side.ts";
import { checkedName } from "./site-names.ts";
import { dumpEstimate, requireSpace } from "./space.ts";
import { askForTriggers } from "./triggers.ts";

/** The account, and the database that it uses. */
export type SiteDbAccount = DbAccount & { readonly database: string };

export interface DumpRequest {
  readonly account: SiteDbAccount;
  /** File to make; something there is an error, and left alone. */
  readonly target: string;
  /** A connection of the account, when there is one; else one is made. */
  readonly db?: Db | undefined;
  /** What {@link lookAtDatabase} found, when it was looked at. */
  readonly facts?: DatabaseFacts | undefined;
  /** Whose rights dump the routines that the account may not see; unset: they are left out, with a warning. */
  readonly administrator?: DbAccount | undefined;
  /** A dump of less than 1024 bytes, which cannot be a site's, is fine. */
  readonly force?: boolean;
  /** Time limit of the connection and its statements, milliseconds. */
  readonly timeoutMs: number;
  /** Told how many bytes are written, of how many there will about be. */
  readonly onProgress?: (done: number, total: number) => void;
  readonly onWarning?: (message: string) => void;
  /** When a database is dumped by several clients; unset: when that is worth it here. */
  readonly sideBySide?: SideBySide | undefined;
}

/** A dump shorter than this holds no site (Provision 7.x-3.x). */
const SHORTEST = 1024;

/**
 * Dumps the database into a file that nobody else can read (0600 from the beginning), as the clients of MySQL and MariaDB and Provision's own import read it: tables,
 * views, triggers, routines and events, without their definers. Nothing is left of a dump that fails. A caller whose task can be killed has noted the file before.
 *
 * @returns the size in bytes
 * @throws ShimError PROVISION_BACKUP_FAILED, FILE_NO_SPACE, PROVISION_INTERRUPTED
 */
export async function dumpDatabase(request: DumpRequest, settings: ClientSettings): Promise<number> {
  checkedName(request.account.database, "database", FAILED);
  const client = await findClient("dump", settings, FAILED);
  const file = await create(request.target);
  try {
    const facts = request.facts ?? (await look(request, settings));
    requireSpace(dirname(request.target), dumpEstimate(facts), `The dump of ${request.account.database}`);
    const total = dumpEstimate(facts);
    let written = 0;
    const onBytes = (count: number): void => {
      written += count;
      request.onProgress?.(written, Math.max(total, written));
    };
    await dumpInto(file, { client, settings, target: request.target, onBytes }, { request, facts });
    const { size } = await file.stat();
    if (size < SHORTEST && request.force !== true) throw failure(`Could not generate database backup from mysqldump. (error: the dump has only ${size} bytes)`);
    await file.close();
    return size;
  } catch (thrown) {
    await file.close().catch(() => undefined);
    await unlink(request.target).catch(() => undefined);
    throw settings.signal.aborted ? new ShimError("PROVISION_INTERRUPTED", "The dump was told to stop.") : asShimError(thrown);
  }
}

async function dumpInto(file: FileHandle, run: DumpRun, { request, facts }: { readonly request: DumpRequest; readonly facts: DatabaseFacts }): Promise<void> {
  const { account, administrator, timeoutMs } = request;
  const hidden = facts.hiddenRoutines;
  if (hidden.length > 0) {
    // First, because views may use them.
    if (administrator === undefined) request.onWarning?.(`The routines ${hidden.slice(0, 5).join(", ")} of the database ${account.database} belong to another account and are not in the dump`);
    else await dumpPart(file, run, { account: administrator, args: ["--no-create-info", "--no-data", "--skip-triggers", "--routines", account.database] });
  }
  const programs = hidden.length > 0 ? ["--events"] : facts.hasPrograms ? ["--routines", "--events"] : [];
  const groups = tableGroups(facts, request.sideBySide);
  if (groups !== undefined && (await dumpSideBySide(file, run, { account, timeoutMs, groups, programs, hasTriggers: facts.hasTriggers, views: facts.tables.filter(({ kind }) => kind === "view").map(({ name }) => name) }))) return;
  await dumpWhole(file, run, { account, programs, hasTriggers: facts.hasTriggers });
}

/** One client asks for the triggers of each table; another one is quicker to find out that there are none at all. */
async function dumpWhole(file: FileHandle, run: DumpRun, { account, programs, hasTriggers }: { readonly account: SiteDbAccount; readonly programs: readonly string[]; readonly hasTriggers: boolean | undefined }): Promise<void> {
  const { database } = account;
  if (hasTriggers === true) return dumpPart(file, run, { account, args: [...programs, database] });
  const dumping = dumpPart(file, run, { account, args: ["--skip-triggers", ...programs, database] });
  const [dumped, hasSome] = await Promise.allSettled([dumping, hasTriggers ?? askForTriggers(account, run.settings)]);
  if (dumped.status === "rejected") throw dumped.reason;
  if (hasSome.status === "rejected" || hasSome.value) await dumpPart(file, run, { account, args: ["--no-create-info", "--no-data", "--triggers", database] });
}

async function look({ account, db, timeoutMs }: DumpRequest, { socket, signal }: ClientSettings): Promise<DatabaseFacts> {
  const own = db === undefined;
  let connection: Db | undefined = db;
  try {
    connection ??= await connectDb(account, { socket, timeoutMs, signal });
    return await lookAtDatabase(connection, account.database);
  } catch (cause) {
    throw failure(`Could not write database backup file mysqldump (error: ${asShimError(cause).message})`, cause);
  } finally {
    if (own) await connection?.close();
  }
}

async function create(target: string): Promise<FileHandle> {
  try {
    const file = await open(target, "wx", 0o600);
    // Whatever the umask and the directory's defaults are.
    await file.chmod(0o600);
    return file;
  } catch (thrown) {
    if (errnoOf(thrown) === "ENOSPC" || errnoOf(thrown) === "EDQUOT") throw writeError(target, thrown);
    const reason = errnoOf(thrown) === "EEXIST" ? "there is a file of that name already" : thrown instanceof Error ? thrown.message : String(thrown);
    throw failure(`Could not write database backup file mysqldump (${target}: ${reason})`, thrown);
  }
}

