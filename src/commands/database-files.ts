import type { ServerContext } from "../contexts/context.ts";
import type { ClientSettings } from "../database/clients.ts";
import { connectDb, type Db } from "../database/connection.ts";
import type { DatabaseFacts } from "../database/database-facts.ts";
import { dumpDatabase, type SiteDbAccount } from "../database/dump.ts";
import { loadDatabase } from "../database/load.ts";
import { parseMasterDb } from "../database/master-url.ts";
import type { Work } from "../task/plan.ts";
import type { VhostCredentials } from "../web/web-file.ts";
import type { CommandCall } from "./command.ts";
import { dbPort } from "./database-work.ts";

/** A site's database, with the account that the site itself uses. */
export interface DatabaseOfSite {
  readonly credentials: VhostCredentials;
  /** Its port counts, not the one of the credentials (as in Provision 7.x-3.x). */
  readonly server: ServerContext;
}

export interface DumpOptions extends DatabaseOfSite {
  /** The dump, which must not be there; the caller notes it for the case of a kill, and removes it. */
  readonly file: string;
  /** A dump that is too small for a site's is fine. */
  readonly force: boolean;
  /** A connection of the site's account, when there is one. */
  readonly db?: Db | undefined;
  /** What is known of the database already. */
  readonly facts?: DatabaseFacts | undefined;
}

/**
 * Dumps the site's database (P11 of Provision 7.x-3.x).
 *
 * @returns its size in bytes
 * @throws ShimError PROVISION_BACKUP_FAILED, FILE_NO_SPACE, PROVISION_INTERRUPTED
 */
export async function dumpSiteDatabase(work: Work, call: CommandCall, { credentials, server, file, force, db, facts }: DumpOptions): Promise<number> {
  return dumpDatabase({
    account: accountOf(credentials, server),
    target: file,
    db,
    facts,
    administrator: server.db?.masterDb === undefined ? undefined : { ...parseMasterDb(server.db.masterDb), port: dbPort(server) },
    force,
    timeoutMs: call.surroundings.databaseTimeoutMs,
    onProgress: (done, total) => work.progress(done, total, "bytes"),
    onWarning: (message) => work.log("warning", message),
  }, clientSettings(work, call));
}

/**
 * Loads a dump into the site's database, as the site's own account (P12 of Provision 7.x-3.x).
 *
 * @throws ShimError PROVISION_DB_DUMP_NOT_FOUND, PROVISION_DB_DUMP_NOT_READABLE, PROVISION_DB_IMPORT_FAILED, PROVISION_INTERRUPTED
 */
export async function loadSiteDatabase(work: Work, call: CommandCall, { credentials, server, file }: DatabaseOfSite & { readonly file: string }): Promise<void> {
  work.log("notice", `Importing the database ${credentials.name} from ${file}`);
  await loadDatabase({ account: accountOf(credentials, server), file, onProgress: (done, total) => work.progress(done, total, "bytes") }, clientSettings(work, call));
}

/**
 * A connection of the account that dumps and loads.
 *
 * @throws ShimError PROVISION_DB_CONNECT_FAIL, PROVISION_INTERRUPTED
 */
export function connectToDatabase({ credentials, server }: DatabaseOfSite, { surroundings: { mysqlSocket, databaseTimeoutMs } }: CommandCall, signal: AbortSignal): Promise<Db> {
  return connectDb(accountOf(credentials, server), { socket: mysqlSocket, timeoutMs: databaseTimeoutMs, signal });
}

function accountOf({ name, user, password, host }: VhostCredentials, server: ServerContext): SiteDbAccount {
  return { host, port: dbPort(server), user, password, database: name };
}

function clientSettings(work: Work, { surroundings }: CommandCall): ClientSettings {
  const { variables, cwd, mysqlSocket, remembered } = surroundings;
  // What the administrator has set for his own use of the clients is not for ours.
  const env = { ...variables, MYSQL_PWD: undefined, MYSQL_HOST: undefined, MYSQL_TEST_LOGIN_FILE: undefined };
  return { env, cwd, socket: mysqlSocket, signal: work.signal, remembered, onChild: (pid) => work.child(pid) };
}
