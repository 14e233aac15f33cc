import { createHash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import type { FrontEnd } from "../front-end.ts";
import { FLEETING_TABLES, siteDatabases, worldOf } from "../world.ts";

/**
 * What two good runs of one task have in common: files with mode, owner and text, databases by their rows, accounts and rights; but for what is random or a time: passwords, keys, times,
 * names of backups and what is in them. One thing by line, so that a difference can be read.
 */
export async function likenessOf(frontEnd: FrontEnd): Promise<string[]> {
  const { accounts } = await worldOf(frontEnd);
  const lines: string[] = [];
  const walk = (below: string): void => {
    const path = join(frontEnd.home, below);
    const { mode, uid, gid } = lstatSync(path);
    const kind = mode & 0o170000;
    lines.push(`${timeless(below)} ${(mode & 0o7777).toString(8)} ${uid}:${gid} ${kind === 0o040000 ? "folder" : kind === 0o120000 ? `-> ${timeless(readlinkSync(path))}` : contentOf(path, below)}`);
    if (kind === 0o040000) for (const name of readdirSync(path).filter((entry) => entry !== ".provision-shim")) walk(join(below, name));
  };
  walk("");
  for (const name of await siteDatabases(frontEnd)) lines.push(...(await tablesOf(frontEnd, name)));
  return [...lines.sort(), ...accounts.map((account) => `account ${account.replace(/ \*[0-9A-F]{40}$/, "")}`)];
}

function contentOf(path: string, below: string): string {
  if (below.startsWith("backups/")) return "a backup";
  const bytes = readFileSync(path);
  return hash(/^platforms\/[^/]+\/(?!sites\/)/.test(below) ? bytes : timeless(bytes.toString("latin1")));
}

export function timeless(text: string): string {
  return text
    .replace(/(db_passwd'\]? ?=>? ?'|SetEnv db_passwd\s+)[^'\n]*/g, "$1…")
    .replace(/-\d{8}\.\d{6}(?:[-_]\d+)?\.tar\.gz/g, "-TIME.tar.gz");
}

async function tablesOf({ stage }: FrontEnd, database: string): Promise<string[]> {
  const tables = (await stage.mariadb.query(`SHOW TABLES FROM \`${database}\``)).map((row) => String(Object.values(row)[0])).filter((table) => !FLEETING_TABLES.test(table));
  const results = (tables.length === 0 ? [] : await stage.mariadb.query(tables.map((table) => `SELECT * FROM \`${database}\`.\`${table}\``).join("; "))) as unknown as Record<string, unknown>[][];
  return [`database ${database}`, ...tables.map((table, at) => `table ${database}.${table}: ${hash((results[at] ?? []).filter((row) => !MOMENTARY.has(String(row["name"]))).map(rowText).sort().join("\n"))}`)];
}

/** Variables of Drupal that depend on when, or on chance. */
const MOMENTARY = new Set(["css_js_query_string", "cron_last", "cron_key", "drupal_private_key", "install_time", "menu_rebuild_needed"]);

function rowText(row: Record<string, unknown>): string {
  // Times, and hashes of passwords.
  return JSON.stringify(row, (_key, value: unknown) => (Buffer.isBuffer(value) ? value.toString("latin1") : value)).replace(/\b1[6-9]\d{8}\b|\b[2-9]\d{9}\b/g, "TIME").replace(/\$S\$[-./\w]+/g, "PASS");
}

function hash(text: string | Buffer): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}
