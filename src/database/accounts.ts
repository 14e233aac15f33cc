import { createHash } from "node:crypto";
import { quoteIdentifier, type Db } from "./connection.ts";
import { errorNumber } from "./databases.ts";

export interface Account {
  readonly user: string;
  /** As the server sees the client: a name, an address, or `%`. */
  readonly host: string;
}

export interface Grant extends Account {
  readonly database: string;
}

export interface NewAccount extends Grant {
  readonly password: string;
  /**
   * Writes `_` in the grant so that it is no wildcard. Provision does not, and its own delete would then leave the account behind, so this is only for hosts that
   * never go back.
   */
  readonly escaped?: boolean;
}

/** Numbers of errors that say: there is no such account, or no such grant. */
const ABSENT = new Set([1141, 1147, 1133, 1396, 3162]);

/** PHP may come over TCP although the probe saw `localhost`: Provision gives 127.0.0.1 the same account (7.x-3.x). */
export function accountHosts(hosts: readonly string[]): string[] {
  return [...new Set(["127.0.0.1", ...hosts])];
}

/** Creates the account, which must not be there, and grants it all on the database, which need not be there yet. */
export async function createAccount(db: Db, account: NewAccount): Promise<void> {
  await db.run("CREATE USER ?@? IDENTIFIED BY ?", [...identity(account), account.password]);
  await grantAll(db, account);
}

/** The same for an account that may be there already: it gets this password. */
export async function ensureAccount(db: Db, account: NewAccount): Promise<void> {
  await db.run("CREATE USER IF NOT EXISTS ?@? IDENTIFIED BY ?", [...identity(account), account.password]);
  await db.run("ALTER USER ?@? IDENTIFIED BY ?", [...identity(account), account.password]);
  await grantAll(db, account);
}

async function grantAll(db: Db, { database, escaped, ...account }: NewAccount): Promise<void> {
  await db.run(`GRANT ALL PRIVILEGES ON ${quoteIdentifier(escaped === true ? escapeWildcards(database) : database)}.* TO ?@?`, identity(account));
}

/**
 * Takes the rights on the database from the account, in whichever spelling they were given, and drops the account when it has no others. What is not there is fine.
 */
export async function revokeAccount(db: Db, { database, ...account }: Grant): Promise<void> {
  for (const name of new Set([database, escapeWildcards(database)])) {
    await unlessAbsent(() => db.run(`REVOKE ALL PRIVILEGES ON ${quoteIdentifier(name)}.* FROM ?@?`, identity(account)));
  }
  const grants = await grantsOf(db, account);
  if (grants?.every((grant) => grant.startsWith("GRANT USAGE ON ")) === true) await dropAccount(db, account);
}

/** Drops every account of that user, from whichever host, whose rights concern this database only. Returns the hosts of those. */
export async function dropAccountsOf(db: Db, user: string, database: string): Promise<string[]> {
  const dropped: string[] = [];
  for (const { Host: host } of await db.rows("SELECT Host FROM mysql.user WHERE User = ?", [user])) {
    // Roles have no host.
    if (host === null || host === undefined || host === "") continue;
    const grants = await grantsOf(db, { user, host });
    if (grants?.every((grant) => grant.startsWith("GRANT USAGE ON *.* ") || concerns(grant, database)) !== true) continue;
    await dropAccount(db, { user, host });
    dropped.push(host);
  }
  return dropped;
}

export async function dropAccount(db: Db, account: Account): Promise<void> {
  await db.run("DROP USER IF EXISTS ?@?", identity(account));
}

/** A text that changes when somebody gives the account another password, and from which no password can be found; empty when there is no such account. */
export async function accountProof(db: Db, account: Account): Promise<string> {
  const rows = await unlessAbsent(() => db.rows("SHOW CREATE USER ?@?", identity(account)));
  return rows === undefined ? "" : createHash("sha256").update(Object.values(rows[0] ?? {}).join("\n")).digest("hex");
}

async function grantsOf(db: Db, account: Account): Promise<string[] | undefined> {
  const rows = await unlessAbsent(() => db.rows("SHOW GRANTS FOR ?@?", identity(account)));
  return rows?.flatMap((row) => Object.values(row)).flatMap((text) => text ?? []);
}

/** True for a grant on the database, or on something in it. */
function concerns(grant: string, database: string): boolean {
  return [database, escapeWildcards(database)].some((name) => / ON (?:PROCEDURE |FUNCTION |PACKAGE |PACKAGE BODY )?(`(?:[^`]|``)+`)\./.exec(grant)?.[1] === quoteIdentifier(name));
}

function escapeWildcards(database: string): string {
  return database.replace(/[_%\\]/g, "\\$&");
}

/** An account without a host would be one for every host, and one without a name would be everybody. */
function identity({ user, host }: Account): [user: string, host: string] {
  if (user === "" || host === "") throw new TypeError("An account needs a name and a host.");
  return [user, host];
}

async function unlessAbsent<T>(run: () => Promise<T>): Promise<T | undefined> {
  try {
    return await run();
  } catch (thrown) {
    if (ABSENT.has(errorNumber(thrown) ?? 0)) return undefined;
    throw thrown;
  }
}
