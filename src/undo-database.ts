import { join } from "node:path";
import { searchedFolders } from "./aliases/alias-files.ts";
import { Aliases } from "./aliases/find-alias.ts";
import { Contexts } from "./contexts/contexts.ts";
import { accountProof, dropAccount, dropAccountsOf, revokeAccount } from "./database/accounts.ts";
import { connectDb, dbReason, PATIENCE, type Db } from "./database/connection.ts";
import { databaseExists, dropDatabase, useBackslashes } from "./database/databases.ts";
import { parseMasterDb } from "./database/master-url.ts";
import { checkedName } from "./database/site-names.ts";
import { ShimError } from "./errors/shim-error.ts";
import { currentUser } from "./files/groups.ts";
import { Remembered } from "./files/remembered.ts";
import { PhpArray } from "./php-values/php-array.ts";
import { databaseTimeoutMs, readConfig } from "./real-drush/config.ts";
import type { UndoEntry } from "./task/journal.ts";
import { phpForUndo } from "./undo-php.ts";

/**
 * Undo handler `site-database`: drops the database, or the accounts, that a task has made. Both may be there or not. What another has made of that name since is left
 * alone: such an account has another password, and accounts are only dropped where there is no database of their name.
 */
export async function undoSiteDatabase(entry: UndoEntry): Promise<string | undefined> {
  const { database, user } = namesIn(entry);
  const hosts = text(entry, "hosts").split(",").filter((host) => host !== "");
  return asAdministrator(entry, async (db) => {
    const isThere = await databaseExists(db, database);
    if (entry["part"] === "accounts") {
      if (isThere) return `left the account ${user} alone: there is a database of its name`;
      for (const host of hosts) await dropAccount(db, { user, host });
      return `dropped the account ${user}`;
    }
    if (!isThere) return undefined;
    const proof = await accountProof(db, { user, host: hosts[0] ?? "" });
    if (proof === "" || proof !== entry["proof"]) return `left the database ${database} alone: its account was changed by something else since`;
    await drop(db, database);
    return `dropped the database ${database}`;
  });
}

/**
 * Handler `drop-database`, for after the point of no return: drops a database, takes the rights on it from its user for whichever hosts he has accounts, and drops those accounts
 * that have no other rights (destroy_site_database of Provision 7.x-3.x, which leaves accounts of former web servers behind).
 *
 * @throws ShimError PROVISION_DROP_DB_FAILED when it is still there; then its accounts are, too
 */
export async function dropSiteDatabase(entry: UndoEntry): Promise<string> {
  const { database, user } = namesIn(entry);
  return asAdministrator(entry, async (db, administrator) => {
    const wasThere = await databaseExists(db, database);
    await drop(db, database);
    const what = wasThere ? `dropped the database ${database}` : `the database ${database} was gone already`;
    if (user === "" || user === administrator) return what;
    try {
      for (const { Host: host } of await db.rows("SELECT Host FROM mysql.user WHERE User = ?", [user])) {
        if (host !== null && host !== undefined && host !== "") await revokeAccount(db, { database, user, host });
      }
      await dropAccountsOf(db, user, database);
      return `${what}, and the accounts of ${user} that had no other rights`;
    } catch (thrown) {
      if (isLost(thrown)) throw thrown;
      // As in the original a warning: nobody can do harm with rights on a database that is gone.
      return `${what}, but its accounts could not be dropped (Failed to revoke user privileges: ${dbReason(thrown)})`;
    }
  });
}

async function drop(db: Db, database: string): Promise<void> {
  const reason = await dropDatabase(db, database);
  if (reason !== undefined) throw new ShimError(FAILED, `Unable to drop the database ${database}: ${reason}`);
}

const FAILED = "PROVISION_DROP_DB_FAILED";

function namesIn(entry: UndoEntry): { readonly database: string; readonly user: string } {
  const user = text(entry, "user");
  return { database: checkedName(text(entry, "database"), "database", FAILED), user: user === "" ? "" : checkedName(user, "account", FAILED) };
}

function text(entry: UndoEntry, key: string): string {
  const value = entry[key];
  return typeof value === "string" ? value : "";
}

/** Each of these can be done again from its beginning, so a connection that breaks, or is not had at once, is no end. */
async function asAdministrator<T>(entry: UndoEntry, run: (db: Db, administrator: string) => Promise<T>): Promise<T> {
  try {
    return await connected(entry, run);
  } catch (thrown) {
    if (!isLost(thrown)) throw thrown;
    return connected(entry, run);
  }
}

/** True when it was the connection, and not what it was asked for. */
function isLost(thrown: unknown): boolean {
  return thrown instanceof ShimError && thrown.code === "PROVISION_DB_CONNECT_FAIL";
}

/** The administrator's login stands in the server's alias file, and nowhere else. */
async function connected<T>(entry: UndoEntry, run: (db: Db, administrator: string) => Promise<T>): Promise<T> {
  const home = text(entry, "home");
  const server = await storedServer(entry, home);
  const login = parseMasterDb(server.db?.masterDb);
  const config = await readConfig(home, process.env);
  const db = await connectDb({ ...login, port: Number(server.db?.port ?? 3306) }, { socket: config.mysqlSocket, timeoutMs: databaseTimeoutMs(config), patience: PATIENCE });
  try {
    await useBackslashes(db);
    return await run(db, login.user);
  } finally {
    await db.close();
  }
}

async function storedServer(entry: UndoEntry, home: string) {
  const php = phpForUndo(entry);
  const aliases = new Aliases({ home, etcPrefix: process.env["ETC_PREFIX"] ?? "", drushFolder: undefined, aliasPaths: [], skipped: new Set(), depth: Infinity, known: searchedFolders(new Remembered(join(home, ".provision-shim/cache"))) }, php);
  const { name, gid } = currentUser();
  const contexts = new Contexts({
    findAlias: async (alias) => {
      const found = await aliases.find(alias);
      return found.kind === "record" ? found.record : undefined;
    },
    call: { cli: new PhpArray(), stdin: new PhpArray() },
    machine: { home, user: name, gid, path: [] },
    subdirs: false,
  });
  const context = await contexts.existing(text(entry, "server"));
  if (context.type !== "server") throw new ShimError("PROVISION_MISSING_CONTEXT", `@${context.name} is a ${context.type}, but a server is needed here.`);
  return context;
}
