import type { ServerContext } from "../contexts/context.ts";
import { connectDb, dbReason, type Db } from "../database/connection.ts";
import { parseMasterDb } from "../database/master-url.ts";
import { checkCreate, checkGrant, supportsUtf8mb4 } from "../database/server-checks.ts";
import { ShimError } from "../errors/shim-error.ts";
import type { CommandCall, Surroundings } from "./command.ts";
import { textOption } from "./native-reach.ts";

/** Connects to the server as its administrator; who calls closes the connection. */
export function connectAsAdministrator(server: ServerContext, call: { readonly surroundings: Pick<Surroundings, "mysqlSocket" | "databaseTimeoutMs" | "signal"> }): Promise<Db> {
  const { mysqlSocket, databaseTimeoutMs, signal } = call.surroundings;
  const account = { ...parseMasterDb(server.db?.masterDb), port: dbPort(server) };
  return connectDb(account, { socket: mysqlSocket, timeoutMs: databaseTimeoutMs, signal });
}

/** The port of everything that goes to the server: its `db_port`, whatever a URL or a site says. */
export function dbPort(server: ServerContext): number {
  return Number(server.db?.port ?? 3306);
}

/** Option `aegir_db_prefix`: what the names of probes begin with. */
export function probePrefix(call: CommandCall): string {
  return textOption(call, "aegir_db_prefix", "site_");
}

export interface DbVerdict {
  /** Why databases or accounts cannot be made; empty when all is well. */
  readonly errors: readonly ShimError[];
  readonly utf8mb4: boolean;
}

/** What Provision needs of a database server: create databases, grant privileges, and whether four-byte characters can be stored. */
export async function checkDbServer(db: Db, prefix: string): Promise<DbVerdict> {
  const errors: ShimError[] = [];
  const probe = async (code: string, message: string, run: () => Promise<void>): Promise<void> => {
    try {
      await run();
    } catch (cause) {
      errors.push(new ShimError(code, `${message} (${dbReason(cause)})`, { hint: "master_db must be an account with all privileges and GRANT OPTION", cause }));
    }
  };
  await probe("PROVISION_CREATE_DB_FAILED", "Unable to create new databases.", () => checkCreate(db, prefix));
  await probe("PROVISION_GRANT_DB_USER_FAILED", "Unable to grant privileges to database users.", () => checkGrant(db, prefix));
  return { errors, utf8mb4: errors.length === 0 && (await supportsUtf8mb4(db, prefix)) };
}

/** The two codes that a server whose database does not answer has (both are in Provision's contract). */
export function connectFailures(thrown: unknown, server: ServerContext): ShimError[] {
  const first = thrown instanceof ShimError ? thrown : new ShimError("PROVISION_DB_CONNECT_FAIL", dbReason(thrown), { cause: thrown });
  return [first, new ShimError("PROVISION_CONNECT_DB_FAILED", `Unable to connect to the database server of @${server.name}.`, { cause: thrown })];
}

/** True when the server can store four-byte characters; false also when it refuses the probe. */
export async function probeUtf8mb4(server: ServerContext, call: CommandCall): Promise<boolean> {
  const db = await connectAsAdministrator(server, call);
  try {
    return await supportsUtf8mb4(db, probePrefix(call));
  } catch {
    return false;
  } finally {
    await db.close();
  }
}
