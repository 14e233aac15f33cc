import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import type { FrontEnd } from "../front-end.ts";
import { KEPT_DATABASES, siteDatabases } from "../world.ts";

/** A world that can be put back, much quicker than by tasks: files, databases, accounts. */
export interface SavedWorld {
  /** Everything is as it was; the web server has been told. */
  putBack: () => Promise<void>;
}

interface SavedAccount {
  readonly name: string;
  readonly statements: readonly string[];
}

/** Several can be kept at once, under different labels; one of a label that was used takes the place of the former. */
export async function saveWorld(frontEnd: FrontEnd, label: string): Promise<SavedWorld> {
  const { stage, home } = frontEnd;
  const files = join(stage.home.beside, `kept-${label}`);
  rmSync(files, { recursive: true, force: true });
  execFileSync("cp", ["-a", "--reflink=auto", home, files]);
  const prefix = `${KEPT_DATABASES}${label}_`;
  const query = (sql: string) => stage.mariadb.query(sql);
  const tablesOf = async (name: string): Promise<string[]> => (await query(`SHOW TABLES FROM \`${name}\``)).map((row) => String(Object.values(row)[0]));
  const copy = async (from: string, to: string): Promise<void> => {
    const made = (await tablesOf(from)).flatMap((table) => [`CREATE TABLE \`${to}\`.\`${table}\` LIKE \`${from}\`.\`${table}\``, `INSERT INTO \`${to}\`.\`${table}\` SELECT * FROM \`${from}\`.\`${table}\``]);
    await query([`DROP DATABASE IF EXISTS \`${to}\``, `CREATE DATABASE \`${to}\``, ...made].join("; "));
  };
  const saved = await siteDatabases(frontEnd);
  for (const name of saved) await copy(name, `${prefix}${name}`);
  const accounts = await accountsOf(query);
  return {
    putBack: async () => {
      execFileSync("rsync", ["-aHX", "--delete", "--exclude=/.provision-shim", `${files}/`, `${home}/`]);
      for (const part of ["journal", "locks"]) rmSync(join(home, ".provision-shim", part), { recursive: true, force: true });
      for (const name of await siteDatabases(frontEnd)) await query(`DROP DATABASE \`${name}\``);
      for (const name of saved) await copy(`${prefix}${name}`, name);
      const now = await accountsOf(query);
      const statements = [
        ...now.filter(({ name }) => !accounts.some((account) => account.name === name)).map(({ name }) => `DROP USER ${name}`),
        ...accounts.flatMap((account) => (JSON.stringify(now.find(({ name }) => name === account.name)) === JSON.stringify(account) ? [] : [`DROP USER IF EXISTS ${account.name}`, ...account.statements])),
      ];
      if (statements.length > 0) await query(statements.join("; "));
      await stage.apache.graceful();
    },
  };
}

async function accountsOf(query: FrontEnd["stage"]["mariadb"]["query"]): Promise<SavedAccount[]> {
  const accounts: SavedAccount[] = [];
  for (const row of await query("SELECT CONCAT(QUOTE(User), '@', QUOTE(Host)) AS name FROM mysql.user WHERE Host <> '' AND User NOT IN ('mariadb.sys', 'aegir_root') ORDER BY 1")) {
    const name = String(row["name"]);
    const first = async (sql: string): Promise<string[]> => (await query(sql)).map((found) => String(Object.values(found)[0]));
    accounts.push({ name, statements: [...(await first(`SHOW CREATE USER ${name}`)), ...(await first(`SHOW GRANTS FOR ${name}`))] });
  }
  return accounts;
}
