import { ShimError } from "../errors/shim-error.ts";
import type { Db } from "./connection.ts";

/** The longest user name that every MySQL took once; Provision still keeps to it. */
const LONGEST = 16;
const ATTEMPTS = 100;

/** Names that belong to the server itself, as database or as account. */
const RESERVED = new Set(["mysql", "sys", "information_schema", "performance_schema", "root", "mariadb.sys", "mysql.sys", "mysql.session", "mysql.infoschema", "public", "event_scheduler"]);

/** True for a name that no site may have, and that must never be dropped. */
export function isReservedName(name: string): boolean {
  return RESERVED.has(name.toLowerCase());
}

/**
 * The names that a new site's database may get, the wanted one first (as Provision 7.x-3.x suggests them): of the uri without `www.`, dots and dashes the first 16
 * characters, then with `_0` … `_99` at its end. Only letters, digits and underscores are left in it.
 */
export function databaseNames(uri: string): string[] {
  const wanted = uri.toLowerCase().replace(/^www\./, "").replace(/[^a-z0-9_]/g, "").slice(0, LONGEST);
  const base = wanted === "" ? "site" : wanted;
  return [base, ...Array.from({ length: ATTEMPTS }, (_, index) => `${base.slice(0, LONGEST - 1 - String(index).length)}_${index}`)];
}

export interface NameChoice {
  readonly uri: string;
  /** The administrator's own account. */
  readonly administrator: string;
  /** Names that killed tasks may still have: they are free again when those are undone. */
  readonly noted: ReadonlySet<string>;
}

/**
 * The first of {@link databaseNames} that neither a database nor any account has. (Provision looks at databases only, and takes over an account of that name with its
 * password.)
 *
 * @throws ShimError PROVISION_CREATE_DB_FAILED when all are taken; the server's error when it does not let us look
 */
export async function chooseDatabaseName(db: Db, { uri, administrator, noted }: NameChoice): Promise<string> {
  const names = databaseNames(uri);
  const taken = new Set([...noted, administrator.toLowerCase()].map((name) => name.toLowerCase()));
  const marks = names.map(() => "?").join(", ");
  const rows = await db.rows(
    `SELECT LOWER(SCHEMA_NAME) AS name FROM information_schema.SCHEMATA WHERE LOWER(SCHEMA_NAME) IN (${marks}) UNION SELECT LOWER(User) FROM mysql.user WHERE LOWER(User) IN (${marks})`,
    [...names, ...names],
  );
  for (const { name } of rows) if (name !== null && name !== undefined) taken.add(name);
  const free = names.find((name) => !taken.has(name) && !isReservedName(name));
  if (free !== undefined) return free;
  throw new ShimError("PROVISION_CREATE_DB_FAILED", `Could not find a free database names after ${ATTEMPTS} attempts`, { hint: `databases or accounts from ${names[0] ?? ""} to ${names.at(-1) ?? ""} are all there; remove those that no site uses` });
}

/**
 * The name, when it can be a site's: it is used in statements and as an argument of the clients.
 *
 * @throws ShimError with the code for a name with other characters than letters, digits, `_`, `-` and `$`, and for the server's own
 */
export function checkedName(name: string, what: "database" | "account", code: string): string {
  if (/^[A-Za-z0-9_$][A-Za-z0-9_$-]{0,79}$/.test(name) && !isReservedName(name)) return name;
  throw new ShimError(code, `${JSON.stringify(name.slice(0, 80))} is no name for the ${what} of a site, so it is not touched.`, { hint: "look at db_name and db_user in the site's drushrc.php" });
}
