import { createHash } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { FrontEnd } from "./front-end.ts";
import { treeOf } from "./tree.ts";

/** All that a task may change, in a form that can be compared: files with mode, owner and content, databases by their rows, accounts with their rights. */
export interface World {
  readonly files: Readonly<Record<string, string>>;
  readonly databases: Readonly<Record<string, string>>;
  readonly accounts: readonly string[];
}

export interface WorldOptions {
  /** Paths below the home that are left out, with what is below them. */
  readonly without?: RegExp;
}

const OWN = new Set(["information_schema", "mysql", "performance_schema", "sys"]);

/** What the names of databases begin with that a test keeps for itself. */
export const KEPT_DATABASES = "zz_kept_";

/** All databases but the server's own and those that a test keeps. */
export async function siteDatabases({ stage }: FrontEnd): Promise<string[]> {
  const names = (await stage.mariadb.query("SHOW DATABASES")).map((row) => String(Object.values(row)[0]));
  return names.filter((name) => !OWN.has(name) && !name.startsWith(KEPT_DATABASES));
}

/** Tables that a page view may fill. */
export const FLEETING_TABLES = /^(?:cache|watchdog|sessions|semaphore|stand_in_hits$)/;

export async function worldOf(frontEnd: FrontEnd, { without }: WorldOptions = {}): Promise<World> {
  const files = treeOf(frontEnd.home);
  const { query } = frontEnd.stage.mariadb;
  const names = await siteDatabases(frontEnd);
  const databases: [string, string][] = [];
  for (const name of names) databases.push([name, await databaseState(frontEnd, name)]);
  const accounts = await query("SELECT CONCAT(User, '@', Host, ' ', authentication_string) AS account FROM mysql.user ORDER BY 1");
  const grants = await query("SELECT CONCAT(User, '@', Host, ' on ', Db) AS grant_ FROM mysql.db ORDER BY 1");
  return {
    files: Object.fromEntries(Object.entries(files).filter(([path]) => without?.test(path) !== true)),
    databases: Object.fromEntries(databases),
    accounts: [...accounts, ...grants].map((row) => String(Object.values(row)[0])),
  };
}

/** Tables with their checksums, but for those that a page view may fill. */
async function databaseState({ stage }: FrontEnd, name: string): Promise<string> {
  const tables = (await stage.mariadb.query(`SHOW FULL TABLES FROM \`${name}\``)).map((row) => Object.values(row).map(String)) as [string, string][];
  const kept = tables.filter(([table]) => !FLEETING_TABLES.test(table));
  const sums = kept.filter(([, type]) => type === "BASE TABLE").length === 0 ? [] : await stage.mariadb.query(`CHECKSUM TABLE ${kept.filter(([, type]) => type === "BASE TABLE").map(([table]) => `\`${name}\`.\`${table}\``).join(", ")}`);
  const text = JSON.stringify([kept, sums.map((row) => Object.values(row).map(String).slice(1))]);
  return `${kept.length} tables ${createHash("sha256").update(text).digest("hex").slice(0, 16)}`;
}

/** Journals, locks and half-made files of ours that should not be there when no task runs. */
export function leftovers({ home }: FrontEnd): string[] {
  const state = ["journal", "locks"].flatMap((folder) => (existsSync(join(home, ".provision-shim", folder)) ? readdirSync(join(home, ".provision-shim", folder)).map((name) => `${folder}/${name}`) : []));
  const scratch = Object.keys(treeOf(home)).filter((path) => /(?:^|\/)\.[^/]*\.(?:former|removed|undo|partial)$|\/database\.sql$|(?:^|\/)\.test-|(?:^|\/)sites\/\.[^/]+$/.test(path));
  return [...state, ...scratch];
}
