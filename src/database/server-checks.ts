import { randomBytes } from "node:crypto";
import { quoteIdentifier, type Db } from "./connection.ts";

/** Names of probes begin with Provision's option `aegir_db_prefix` and are used by nobody else. */
function probeName(prefix: string): string {
  return `${prefix}test_${randomBytes(6).toString("hex")}`;
}

/** Creates and drops a database of its own; throws the server's error when it may not. */
export async function checkCreate(db: Db, prefix: string): Promise<void> {
  const name = quoteIdentifier(probeName(prefix));
  await db.run(`CREATE DATABASE ${name}`);
  await db.run(`DROP DATABASE IF EXISTS ${name}`);
}

/** Creates an account of its own and grants it all on a database that does not exist; throws the server's error when it may not. */
export async function checkGrant(db: Db, prefix: string): Promise<void> {
  const name = probeName(prefix);
  // MySQL 5.7 and 8 limit user names to 32 characters.
  const account = `'${name.slice(-32).replaceAll("'", "")}'@'localhost'`;
  await db.run(`CREATE USER ${account} IDENTIFIED BY ?`, [`Probe-${randomBytes(12).toString("hex")}`]);
  try {
    await db.run(`GRANT ALL PRIVILEGES ON ${quoteIdentifier(name)}.* TO ${account}`);
  } finally {
    await db.run(`DROP USER ${account}`);
  }
}

/**
 * Whether Drupal tables can hold four-byte characters here: a key over 255 of them must be possible (as Provision's probe of
 * utf8mb4_is_supported). The probe's database is dropped in any case.
 */
export async function supportsUtf8mb4(db: Db, prefix: string): Promise<boolean> {
  const name = quoteIdentifier(probeName(prefix));
  await db.run(`CREATE DATABASE ${name}`);
  try {
    await db.run(`CREATE TABLE ${name}.probe (id VARCHAR(255), PRIMARY KEY (id(255))) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci ROW_FORMAT=DYNAMIC ENGINE=INNODB`);
    return true;
  } catch {
    return false;
  } finally {
    await db.run(`DROP DATABASE IF EXISTS ${name}`);
  }
}
