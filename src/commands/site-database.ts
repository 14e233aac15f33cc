import { join } from "node:path";
import type { SiteContext } from "../contexts/context.ts";
import { contextName } from "../contexts/names.ts";
import { accountHosts, accountProof, createAccount } from "../database/accounts.ts";
import { dbReason, type Db } from "../database/connection.ts";
import { createDatabase, databaseExists, useBackslashes } from "../database/databases.ts";
import { parseMasterDb } from "../database/master-url.ts";
import { newPassword } from "../database/passwords.ts";
import { checkedName, chooseDatabaseName } from "../database/site-names.ts";
import { ShimError } from "../errors/shim-error.ts";
import { leftJournals, type UndoEntry } from "../task/journal.ts";
import type { Work } from "../task/plan.ts";
import type { VhostCredentials } from "../web/web-file.ts";
import { isLocalHost } from "./local-host.ts";
import type { CommandCall, Options } from "./command.ts";
import { connectAsAdministrator } from "./database-work.ts";
import { grantHostsOf } from "./grant-hosts-of.ts";
import { switchOption } from "./native-reach.ts";

/** Kind of the journal's entries for a database that a task makes; see undo-database.ts. */
const MADE = "site-database";
const DROP_FAILED = "PROVISION_DROP_DB_FAILED";

/**
 * Makes a new database for the site, with an account of the same name for each host that its web servers are seen from (create_site_database of Provision 7.x-3.x). When
 * the task fails both are dropped again. In a dry run the credentials are those that it might get.
 *
 * @throws ShimError PROVISION_DB_CONNECT_FAIL, PROVISION_CREATE_DB_FAILED
 */
export async function createSiteDatabase(work: Work, call: CommandCall, { site }: { readonly site: SiteContext }): Promise<VhostCredentials> {
  const server = site.dbServer;
  if (server.db === undefined) throw new ShimError("PROVISION_CREATE_DB_FAILED", `@${server.name}, the database server of @${site.name}, has no database service.`, { hint: "save it with --db_service_type=mysql" });
  // Its name must still be free when it is made.
  return work.exclusively(`databases @${server.name}`, async () => {
    const db = await connectAsAdministrator(server, call);
    try {
      await useBackslashes(db);
      const hosts = await grantHostsOf(site, call);
      const name = await freeName(db, site, call);
      const credentials = { type: "mysql", name, user: name, password: newPassword(), host: server.remoteHost, port: server.db?.port ?? "3306" };
      await create({ work, call, db, site, hosts: accountHosts(hosts) }, credentials);
      return credentials;
    } finally {
      await db.close();
    }
  });
}

/** Notes the credentials in the option set `site`, in the order of the original. */
export function putCredentials(options: Options, { type, host, port, password, name, user }: VhostCredentials): void {
  const values = { db_type: type, db_host: host, db_port: port, db_passwd: password, db_name: name, db_user: user };
  for (const [key, value] of Object.entries(values)) options.put("site", key, value);
}

/**
 * Drops a database and its accounts when the task is beyond its point of no return (destroy_site_database of Provision 7.x-3.x). A site without a database name has
 * none to drop, and one whose drushrc.php names another host than its database server has its database elsewhere: a warning. (The original drops what has the same name on
 * the server.)
 *
 * @throws ShimError PROVISION_DROP_DB_FAILED for names that are none of a site's
 */
export async function dropDatabaseLater(work: Work, call: CommandCall, what: FormerDatabase): Promise<void> {
  const { site, database, user, host } = what;
  if (database === "") {
    work.log("warning", `No database name is known for @${site.name}: no database is dropped`);
    return;
  }
  const { dbServer } = site;
  if (host !== "" && !(await isSameHost(host, dbServer.remoteHost))) {
    work.log("warning", `The database ${database} is left alone: @${site.name} has it on ${host}, and its database server is @${dbServer.name} on ${dbServer.remoteHost}`);
    return;
  }
  // What would be refused then is refused as long as everything can still be taken back.
  checkedName(database, "database", DROP_FAILED);
  if (user !== "") checkedName(user, "account", DROP_FAILED);
  work.afterwards(`drop the database ${database} of @${dbServer.name} and its accounts`, { kind: "drop-database", server: dbServer.name, database, user, ...place(call) });
}

export interface FormerDatabase {
  readonly site: SiteContext;
  readonly database: string;
  readonly user: string;
  /** The host that the site's drushrc.php names. */
  readonly host: string;
}

/** Whether both names mean one machine, as far as is known here: this one has several. */
async function isSameHost(one: string, other: string): Promise<boolean> {
  return one.toLowerCase() === other.toLowerCase() || ((await isLocalHost(one)) && (await isLocalHost(other)));
}

function place({ surroundings }: CommandCall): { readonly home: string; readonly launcher: string } {
  return { home: surroundings.home, launcher: surroundings.launcher };
}

interface Creation {
  readonly work: Work;
  readonly call: CommandCall;
  readonly db: Db;
  readonly site: SiteContext;
  readonly hosts: readonly string[];
}

async function create({ work, call, db, site, hosts }: Creation, { name, user, password }: VhostCredentials): Promise<void> {
  const entry = { kind: MADE, server: site.dbServer.name, database: name, user, hosts: hosts.join(","), ...place(call) };
  const escaped = switchOption(call, "provision_db_escape_grants", false);
  await work.act(`create the account ${user} for ${hosts.join(", ")}`, async () => {
    for (const host of hosts) {
      work.log("notice", `Granting privileges to ${user}@${host} on ${name}`);
      try {
        await createAccount(db, { user, host, password, database: name, escaped });
      } catch (cause) {
        throw new ShimError("PROVISION_CREATE_DB_FAILED", `Could not create database user ${user} for ${host}: ${dbReason(cause)}`, { hint: "master_db must be an account with all privileges and GRANT OPTION", cause });
      }
      work.log("success", `Granted privileges to ${user}@${host} on ${name}`);
    }
  }, { ...entry, part: "accounts" } satisfies UndoEntry);
  // Should this task be killed: what shows later that a database of that name is still the one of this account.
  const proof = work.dryRun ? "" : await accountProof(db, { user, host: hosts[0] ?? "" });
  await work.act(`create the database ${name}`, async () => {
    try {
      await createDatabase(db, name);
      if (!(await databaseExists(db, name))) throw new Error("it is not there");
    } catch (cause) {
      throw new ShimError("PROVISION_CREATE_DB_FAILED", `Could not create ${name} database: ${dbReason(cause)}`, { hint: "master_db must be an account with all privileges and GRANT OPTION", cause });
    }
    work.log("success", `Created ${name} database`);
  }, { ...entry, part: "database", proof } satisfies UndoEntry);
}

async function freeName(db: Db, site: SiteContext, call: CommandCall): Promise<string> {
  const { dbServer } = site;
  const noted = new Set<string>();
  for (const { entries, remaining } of leftJournals(join(call.surroundings.home, ".provision-shim/journal"))) {
    for (const entry of [...entries, ...(remaining ?? [])]) if (typeof entry["database"] === "string") noted.add(entry["database"]);
  }
  try {
    return await chooseDatabaseName(db, { uri: site.uri ?? contextName(site.name), administrator: parseMasterDb(dbServer.db?.masterDb).user, noted });
  } catch (cause) {
    if (cause instanceof ShimError) throw cause;
    throw new ShimError("PROVISION_CREATE_DB_FAILED", `It cannot be seen which databases and accounts @${dbServer.name} has: ${dbReason(cause)}`, { hint: "master_db must be an account with all privileges and GRANT OPTION", cause });
  }
}
