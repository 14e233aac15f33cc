import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { aliasFileText } from "../../src/aliases/write-alias.ts";
import type { CommandCall, Options } from "../../src/commands/command.ts";
import type { SiteContext } from "../../src/contexts/context.ts";
import { Contexts } from "../../src/contexts/contexts.ts";
import type { ClientSettings } from "../../src/database/clients.ts";
import type { SiteDbAccount } from "../../src/database/dump.ts";
import { Remembered } from "../../src/files/remembered.ts";
import { phpFrom, type PlainRecord } from "../../src/php-values/convert.ts";
import { PhpArray } from "../../src/php-values/php-array.ts";
import type { ShimError } from "../../src/errors/shim-error.ts";
import type { TaskEvent } from "../../src/task/events.ts";
import { step, type Work } from "../../src/task/plan.ts";
import { runPlan } from "../../src/task/run-plan.ts";
import { undoHandlers } from "../../src/undo-handlers.ts";
import { makeAegirHome, type AegirHome } from "../support/aegir-home.ts";
import { startMariadb, type MariaDb, type Row } from "../support/mariadb.ts";

/** A MariaDB, and a home whose @server_master is its server: enough for everything that has to do with databases. */
export interface DbStage {
  readonly home: AegirHome;
  readonly mariadb: MariaDb;
  readonly query: MariaDb["query"];
  /** How the clients of the database are started. */
  clients(changes?: Partial<ClientSettings>): ClientSettings;
  /** A database with an account of its own, dropped before if it is there. */
  makeDatabase(name: string, password?: string): Promise<SiteDbAccount>;
  /** A new folder for files. */
  folder(): string;
  /** Changes what is known of the server. */
  saveServer(changes: PlainRecord, name?: string): void;
  /** Runs this as a task's only step; what it reported and what it returned. */
  task<T>(run: (work: Work, call: CommandCall) => Promise<T>, options?: { readonly context?: string; readonly undo?: boolean }): Promise<TaskAnswer<T>>;
  site(uri: string, dbServer?: string): Promise<SiteContext>;
  /** All databases and accounts. */
  inventory(): Promise<unknown>;
  strike(): Promise<void>;
}

export interface TaskAnswer<T> {
  readonly value: T | undefined;
  readonly errors: readonly ShimError[];
  readonly events: readonly TaskEvent[];
  readonly options: Options;
}

export async function setDbStage(): Promise<DbStage> {
  const home = makeAegirHome();
  const directory = join(home.beside, "mariadb");
  const mariadb = await startMariadb(home.user, directory).catch((error: unknown) => {
    home.remove();
    throw error;
  });
  const records = new Map<string, PlainRecord>();
  const save = (name: string, record: PlainRecord): void => {
    records.set(name, record);
    mkdirSync(join(home.path, ".drush"), { recursive: true });
    writeFileSync(join(home.path, `.drush/${name}.alias.drushrc.php`), aliasFileText(name, phpFrom(record) as PhpArray), { mode: 0o600 });
  };
  const server = { context_type: "server", remote_host: "127.0.0.1", aegir_root: home.path, http_service_type: "apache", db_service_type: "mysql", db_port: String(mariadb.port), master_db: mariadb.masterDb };
  save("server_master", server);
  save("platform_p", { context_type: "platform", web_server: "@server_master", root: join(home.path, "platforms/p") });
  const contexts = (): Contexts => new Contexts({
    findAlias: (name) => Promise.resolve(records.has(name) ? (phpFrom(records.get(name) ?? null) as PhpArray) : undefined),
    call: { cli: new PhpArray(), stdin: new PhpArray() },
    machine: { home: home.path, user: "aegir", gid: 0, path: [] },
    subdirs: false,
  });
  const stage: DbStage = {
    home,
    mariadb,
    query: mariadb.query,
    clients: (changes = {}) => ({ env: { PATH: process.env["PATH"], ...mariadb.env }, cwd: home.path, signal: new AbortController().signal, socket: mariadb.socket, ...changes }),
    makeDatabase: async (name, password = "Site-Pass_1") => {
      const literal = `'${password.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
      await mariadb.query(`DROP DATABASE IF EXISTS \`${name}\`; CREATE DATABASE \`${name}\` CHARACTER SET utf8mb4; ` + ["localhost", "127.0.0.1"].map((host) => `CREATE OR REPLACE USER '${name}'@'${host}' IDENTIFIED BY ${literal}; GRANT ALL PRIVILEGES ON \`${name}\`.* TO '${name}'@'${host}'`).join("; "));
      return { host: "127.0.0.1", port: mariadb.port, user: name, password, database: name };
    },
    folder: () => mkdtempSync(join(home.beside, "files-")),
    saveServer: (changes, name = "server_master") => save(name, { ...server, ...changes }),
    site: async (uri, dbServer = "server_master") => {
      save(uri, { context_type: "site", platform: "@platform_p", db_server: `@${dbServer}`, uri });
      return (await contexts().get(uri)) as SiteContext;
    },
    task: async (run, { context = "site.test" } = {}) => {
      const events: TaskEvent[] = [];
      const options = plainOptions();
      const known = contexts();
      const call = {
        command: "provision-test", target: undefined, args: [], contexts: known, storedContexts: known, options,
        surroundings: { home: home.path, launcher: join(home.beside, "bin/drush"), cwd: home.path, variables: { PATH: process.env["PATH"], ...mariadb.env }, remembered: new Remembered(join(home.beside, "remembered")), mysqlSocket: mariadb.socket, databaseTimeoutMs: 20_000, signal: new AbortController().signal },
      } as unknown as CommandCall;
      let value: Awaited<ReturnType<typeof run>> | undefined;
      const { errors } = await runPlan({ title: "test", context, steps: [step("do it", async (work) => { value = await run(work, call); })] }, { stateDirectory: join(home.path, ".provision-shim"), sink: (event) => events.push(event), dryRun: false, undoHandlers, signal: new AbortController().signal, lockWaitMs: 30_000 });
      return { value, errors, events, options };
    },
    inventory: async () => [await mariadb.query("SHOW DATABASES"), await mariadb.query("SELECT User, Host, Priv FROM mysql.global_priv ORDER BY User, Host"), await mariadb.query("SELECT * FROM mysql.db ORDER BY Host, Db, User")],
    strike: async () => {
      await mariadb.stop();
      home.remove();
      rmSync(directory, { recursive: true, force: true });
    },
  };
  return stage;
}

function plainOptions(): Options {
  const sets = { process: new PhpArray(), site: new PhpArray(), drupal: new PhpArray() };
  return {
    get: (name) => sets.site.get(name),
    set: (name) => sets[name],
    loadRoot: () => Promise.resolve(),
    loadSite: () => Promise.resolve(),
    isSiteAsRead: () => false,
    putObject: () => undefined,
    put: (set, name, value) => void sets[set].set(name, value),
  };
}

/** A checksum of the rows of each table, and the text of everything else, without definers. */
export async function contentOf({ query, mariadb }: Pick<DbStage, "query" | "mariadb">, database: string): Promise<Record<string, unknown>> {
  const content: Record<string, unknown> = {};
  const plain = (row: Row | undefined): string => Object.values(row ?? {}).map((value) => (value instanceof Date ? "TIME" : String(value))).join("\n").replace(/DEFINER=`[^`]*`@`[^`]*` ?/g, "").replaceAll(`\`${database}\`.`, "").replace(/ AUTO_INCREMENT=\d+/, "").replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, "TIME");
  for (const { name, kind } of await query(`SELECT TABLE_NAME AS name, TABLE_TYPE AS kind FROM information_schema.TABLES WHERE TABLE_SCHEMA = '${database}' ORDER BY 1`)) {
    const table = `\`${database}\`.\`${String(name).replaceAll("`", "``")}\``;
    content[`${String(kind)} ${String(name)}`] = plain((await query(`SHOW CREATE ${kind === "VIEW" ? "VIEW" : "TABLE"} ${table}`))[0]);
    if (kind === "BASE TABLE") content[`rows of ${String(name)}`] = await rowsOf({ query }, { database, name: String(name), table });
  }
  // Its own list of triggers (information_schema) sometimes kills MariaDB 10.11 when there are generated columns; each has a file.
  const triggers = readdirSync(join(mariadb.data, database)).filter((name) => name.endsWith(".TRN")).map((name) => name.slice(0, -4));
  const listed = async (list: string): Promise<string[]> => (await query(list)).map(({ name }) => String(name));
  const parts: readonly (readonly [what: string, names: readonly string[]])[] = [
    ["TRIGGER", triggers],
    ["EVENT", await listed(`SELECT EVENT_NAME AS name FROM information_schema.EVENTS WHERE EVENT_SCHEMA = '${database}'`)],
    ["PROCEDURE", await listed(`SELECT name FROM mysql.proc WHERE db = '${database}' AND type = 'PROCEDURE'`)],
    ["FUNCTION", await listed(`SELECT name FROM mysql.proc WHERE db = '${database}' AND type = 'FUNCTION'`)],
  ];
  for (const [what, names] of parts) {
    for (const name of names) content[`${what} ${name}`] = plain((await query(`SHOW CREATE ${what} \`${database}\`.\`${name}\``))[0]);
  }
  return content;
}

/** All rows, as text. (CHECKSUM TABLE of MariaDB 10.11 takes chance values of virtual columns, and sometimes dies of them.) */
async function rowsOf({ query }: Pick<DbStage, "query">, { database, name, table }: { readonly database: string; readonly name: string; readonly table: string }): Promise<string> {
  const columns = await query(`SELECT COLUMN_NAME AS name FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = '${database}' AND TABLE_NAME = '${name.replaceAll("'", "''")}' ORDER BY ORDINAL_POSITION`);
  const values = columns.map((column) => `COALESCE(HEX(CAST(\`${String(column["name"]).replaceAll("`", "``")}\` AS BINARY)), 'NULL')`);
  const rows = await query(`SELECT CONCAT_WS(',', ${values.join(", ")}) AS line FROM ${table}`);
  return createHash("sha256").update(rows.map(({ line }) => String(line)).sort().join("\n")).digest("hex");
}
