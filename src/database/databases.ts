import { dbReason, quoteIdentifier, type Db } from "./connection.ts";

/** Error number of the server: there is no such database. */
const UNKNOWN_DATABASE = 1049;

/** The server's number of the error; undefined when it is none of its. */
export function errorNumber(thrown: unknown): number | undefined {
  const number = (thrown as { errno?: unknown } | null)?.errno;
  return typeof number === "number" ? number : undefined;
}

/**
 * Whether the database is there. One that may not be used is an error, not absent; and the empty name, which connects well, is never there.
 *
 * @throws the server's error
 */
export async function databaseExists(db: Db, name: string): Promise<boolean> {
  if (name === "") return false;
  try {
    await db.run(`USE ${quoteIdentifier(name)}`);
    return true;
  } catch (thrown) {
    if (errorNumber(thrown) === UNKNOWN_DATABASE) return false;
    throw thrown;
  }
}

/** Creates the database for texts of all kinds, whatever the server's default is; one that is there is an error. */
export async function createDatabase(db: Db, name: string): Promise<void> {
  await db.run(`CREATE DATABASE ${quoteIdentifier(name)} CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci`);
}

/** Drops the database. Returns why it is still there, or undefined. */
export async function dropDatabase(db: Db, name: string): Promise<string | undefined> {
  let reason = "the server says nothing";
  try {
    await db.run(`DROP DATABASE IF EXISTS ${quoteIdentifier(name)}`);
  } catch (thrown) {
    reason = dbReason(thrown);
  }
  return (await databaseExists(db, name)) ? reason : undefined;
}

/** Our quoting of texts relies on backslashes; whatever the server's default is, they escape. */
export async function useBackslashes(db: Db): Promise<void> {
  await db.run("SET SESSION sql_mode = REPLACE(@@SESSION.sql_mode, 'NO_BACKSLASH_ESCAPES', '')");
}
