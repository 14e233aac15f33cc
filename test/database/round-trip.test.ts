import { readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { tableGroups } from "../../src/database/dump-groups.ts";
import { dumpDatabase } from "../../src/database/dump.ts";
import type { DatabaseFacts } from "../../src/database/database-facts.ts";
import { loadDatabase } from "../../src/database/load.ts";
import { until } from "../support/until.ts";
import { contentOf, setDbStage, type DbStage } from "./db-stage.ts";

const RUNS = Number(process.env["SHIM_TEST_DATABASES"] ?? 8);
const ALWAYS = { fromBytes: 0, clients: 2 };

let stage: DbStage;

beforeAll(async () => {
  stage = await setDbStage();
});
afterAll(() => stage.strike());

interface Column {
  readonly type: string;
  readonly value: fc.Arbitrary<string>;
}

function text(value: string): string {
  return `CONVERT(x'${Buffer.from(value, "utf8").toString("hex")}' USING utf8mb4)`;
}

const bytes = fc.uint8Array({ maxLength: 60 }).map((array) => `x'${Buffer.from(array).toString("hex")}'`);
const nasty = fc.constantFrom("/*!50013 DEFINER=x/", "/*!50017 DEFINER=`a`@`b`*/", "\n/*!50013 DEFINER=`a`@`b` SQL SECURITY DEFINER */\n", "\nDELIMITER ;;\n", "\n-- Table structure for table `x`\n", "';\n--", "\\", "😀", "\u0000\u001a\r\n", "\\! touch x");
const COLUMNS: readonly Column[] = [
  { type: "LONGBLOB", value: bytes },
  { type: "VARBINARY(80)", value: bytes },
  { type: "LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", value: fc.oneof(nasty, fc.string({ unit: "grapheme", maxLength: 40 })).map(text) },
  { type: "VARCHAR(200) CHARACTER SET latin1", value: fc.string({ maxLength: 40 }).map(text) },
  { type: "TEXT CHARACTER SET utf8mb3", value: fc.string({ maxLength: 40 }).map(text) },
  { type: "DOUBLE", value: fc.integer().map((number) => String(number / 8)) },
  { type: "DECIMAL(30,10)", value: fc.integer().map((number) => `${number}.0000000001`) },
  { type: "BIGINT UNSIGNED", value: fc.bigInt({ min: 0n, max: 18446744073709551615n }).map(String) },
  { type: "BIT(9)", value: fc.integer({ min: 0, max: 511 }).map(String) },
  { type: "ENUM('a','b''c','é')", value: fc.constantFrom("'a'", "'b''c'", "'é'") },
  { type: "DATETIME(6)", value: fc.constantFrom("'2024-02-29 23:59:59.999999'", "'1000-01-01 00:00:00'") },
  { type: "TIMESTAMP NULL", value: fc.constantFrom("'2024-03-31 02:30:00'", "'1999-12-31 23:59:59'") },
];

const column = fc.constantFrom(...COLUMNS).chain(({ type, value }) => fc.record({ type: fc.constant(type), values: fc.array(fc.option(value, { nil: "NULL" }), { minLength: 6, maxLength: 6 }), comment: fc.oneof(fc.constant(""), nasty) }));
const table = fc.record({ columns: fc.array(column, { minLength: 1, maxLength: 5 }), rows: fc.nat(6), generated: fc.boolean(), trigger: fc.boolean(), view: fc.constantFrom("", "", "DEFINER", "INVOKER"), parent: fc.boolean(), partitions: fc.boolean() });

type Table = typeof table extends fc.Arbitrary<infer T> ? T : never;

function statements({ columns, rows, generated, trigger, view, parent, partitions }: Table, index: number): string[] {
  const name = `t${index}`;
  const refers = parent && index > 0;
  const definitions = [
    "id INT NOT NULL",
    ...columns.map(({ type, comment }, at) => `c${at} ${type} NULL COMMENT '${comment.replaceAll("\\", "\\\\").replaceAll("'", "''").replaceAll("\0", "").replaceAll("\u001a", "")}'`),
    ...(generated ? ["g INT AS (id * 3) STORED", "h VARCHAR(30) AS (CONCAT('x', id)) VIRTUAL"] : []),
    "PRIMARY KEY (id)",
    ...(refers ? [`CONSTRAINT k${index} FOREIGN KEY (id) REFERENCES t0 (id)`] : []),
  ];
  const names = ["id", ...columns.map((_, at) => `c${at}`)];
  return [
    `CREATE TABLE ${name} (${definitions.join(", ")}) DEFAULT CHARSET=utf8mb4${partitions && !refers && index > 0 ? " PARTITION BY HASH (id) PARTITIONS 3" : ""}`,
    ...Array.from({ length: index === 0 ? 6 : rows }, (_, row) => `INSERT INTO ${name} (${names.join(", ")}) VALUES (${[String(row), ...columns.map(({ values }) => values[row] ?? "NULL")].join(", ")})`),
    ...(trigger ? [`CREATE TRIGGER tr${index} AFTER INSERT ON ${name} FOR EACH ROW BEGIN\n-- Table structure for table \`x\`\nSET @x = 'a;;b\n/*!50013 DEFINER=\`a\`@\`b\` SQL SECURITY DEFINER */\n';\nEND`] : []),
    ...(view === "" ? [] : [`CREATE SQL SECURITY ${view} VIEW v${index} AS SELECT id, fun(id) AS f FROM ${name}`]),
  ];
}

async function fill(database: string, tables: readonly Table[]): Promise<void> {
  await stage.query(`USE ${database}; CREATE FUNCTION fun(x INT) RETURNS INT DETERMINISTIC RETURN x + 1; CREATE EVENT ev ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01 00:00:00' DO SET @x = 1`);
  for (const statement of tables.flatMap(statements)) await stage.query(statement, { ...stage.mariadb.admin, database });
}

/** The server sees a little later that a killed client is gone. */
function nobodyIsConnected(user: string): Promise<void> {
  return until(`nobody is connected as ${user}`, async () => (await stage.query(`SELECT 1 FROM information_schema.PROCESSLIST WHERE User = '${user}'`)).length === 0);
}

describe("a database that is dumped and loaded", () => {
  it(`is the same again, whatever is in it, by one client and by several (${RUNS} databases)`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(table, { minLength: 2, maxLength: 4 }), async (tables) => {
        const source = await stage.makeDatabase("source");
        await fill("source", tables.map((one, index) => (index === 0 ? { ...one, partitions: false } : one)));
        const before = await contentOf(stage, "source");
        const administrator = { ...stage.mariadb.admin, host: "127.0.0.1", port: stage.mariadb.port };
        for (const [dumping, loading] of [[undefined, undefined], [ALWAYS, undefined], [undefined, ALWAYS], [ALWAYS, ALWAYS]]) {
          const file = join(stage.folder(), "database.sql");
          await dumpDatabase({ account: source, target: file, force: true, timeoutMs: 20_000, administrator, sideBySide: dumping }, stage.clients());
          const copy = await stage.makeDatabase("copy");
          const children = new Set<number>();
          await loadDatabase({ account: copy, file, sideBySide: loading }, stage.clients({ onChild: (pid) => children.add(pid) }));
          expect(children.size).toBe(loading === undefined ? 1 : 4);
          expect(await contentOf(stage, "copy")).toEqual(before);
        }
      }),
      { numRuns: RUNS, endOnFailure: true },
    );
  }, 300_000);
});

describe("a large database", () => {
  const facts = (tables: DatabaseFacts["tables"]): DatabaseFacts => ({ tables, hiddenRoutines: [], hasPrograms: false, hasTriggers: false });
  const innodb = (name: string, bytes: number) => ({ name, kind: "table", bytes, engine: "innodb" }) as const;

  it("is dumped in groups of about the same size", () => {
    const groups = tableGroups(facts([innodb("a", 500), innodb("b", 300), innodb("c", 250), innodb("d", 10)]), { fromBytes: 1000, clients: 2 });
    expect(groups).toEqual([["a", "d"], ["b", "c"]]);
  });

  it.each([
    ["is small", [innodb("a", 400), innodb("b", 300)]],
    ["is nearly one table", [innodb("a", 100_000), innodb("b", 1)]],
    ["has a table without transactions", [innodb("a", 900), innodb("b", 900), { ...innodb("c", 1), engine: "myisam" }]],
    ["has something else than tables and views", [innodb("a", 900), innodb("b", 900), { ...innodb("c", 1), kind: "other" as const }]],
    ["has a table whose name is an option", [innodb("a", 900), innodb("--help", 900)]],
  ])("is dumped by one client when it %s", (_, tables) => {
    expect(tableGroups(facts(tables), { fromBytes: 1000, clients: 2 })).toBeUndefined();
  });

  it("is seen by all clients at one time, while others write, and nobody has to wait long", async () => {
    const account = await stage.makeDatabase("moving");
    await stage.query("USE moving; CREATE TABLE a (n INT, pad LONGTEXT); CREATE TABLE b (n INT, pad LONGTEXT); INSERT INTO a SELECT 0, REPEAT('a', 30000) FROM seq_1_to_200; INSERT INTO b SELECT 0, REPEAT('b', 30000) FROM seq_1_to_200");
    const stop = new AbortController();
    let writes = 0;
    const writer = (async () => {
      for (let n = 1; !stop.signal.aborted; n++, writes++) await stage.query(`START TRANSACTION; UPDATE moving.a SET n = ${n}; UPDATE moving.b SET n = ${n}; COMMIT`);
    })();
    try {
      await until("it is written to", () => writes > 2);
      for (let round = 0; round < 5; round++) {
        const folder = stage.folder();
        const file = join(folder, "database.sql");
        const began = writes;
        await dumpDatabase({ account, target: file, timeoutMs: 20_000, sideBySide: ALWAYS }, stage.clients());
        expect(readdirSync(folder)).toEqual(["database.sql"]);
        const seen = new Set([...readFileSync(file, "latin1").matchAll(/^(?:INSERT INTO `[ab]` VALUES )?\n?\((\d+),'[ab]/gm)].map(([, n]) => n));
        expect([round, seen.size]).toEqual([round, 1]);
        await until("writing goes on", () => writes > began);
      }
    } finally {
      stop.abort();
      await writer;
    }
  });

  it("of which one group fails has failed, and nothing is left", async () => {
    const account = await stage.makeDatabase("broken");
    await stage.query("USE broken; CREATE TABLE a (n INT); CREATE TABLE b (n INT)");
    const folder = stage.folder();
    const bin = stage.folder();
    writeFileSync(join(bin, "mariadb-dump"), `#!/bin/sh\ncase "$*" in *" b") echo no >&2; exit 2;; esac\nexec /usr/bin/mariadb-dump "$@"\n`, { mode: 0o755 });
    await expect(dumpDatabase({ account, target: join(folder, "x.sql"), force: true, timeoutMs: 20_000, sideBySide: ALWAYS }, stage.clients({ env: { PATH: `${bin}:/usr/bin:/bin` } }))).rejects.toMatchObject({ code: "PROVISION_BACKUP_FAILED", message: expect.stringContaining("(error: no)") as string });
    expect(readdirSync(folder)).toEqual([]);
    await nobodyIsConnected("broken");
  });

  it("whose tables cannot be locked is dumped by one client", async () => {
    const account = await stage.makeDatabase("unlocked");
    await stage.query("USE unlocked; CREATE TABLE a (n INT); CREATE TABLE b (n INT); REVOKE LOCK TABLES ON unlocked.* FROM unlocked@'127.0.0.1'; REVOKE LOCK TABLES ON unlocked.* FROM unlocked@localhost");
    const children: number[] = [];
    await dumpDatabase({ account, target: join(stage.folder(), "x.sql"), force: true, timeoutMs: 20_000, sideBySide: ALWAYS }, stage.clients({ onChild: (pid) => children.push(pid) }));
    expect(children).toHaveLength(1);
  });

  it("is loaded by several clients, the first error of which ends it", async () => {
    const source = await stage.makeDatabase("parts");
    await stage.query("USE parts; CREATE TABLE a (n INT); CREATE TABLE b (n INT); CREATE TABLE c (n INT); INSERT INTO a SELECT seq FROM seq_1_to_1000");
    const file = join(stage.folder(), "x.sql");
    await dumpDatabase({ account: source, target: file, timeoutMs: 20_000 }, stage.clients());
    const broken = join(stage.folder(), "x.sql");
    writeFileSync(broken, readFileSync(file, "latin1").replace("CREATE TABLE `b`", "CREATE NONSENSE `b`"));
    const copy = await stage.makeDatabase("copy");
    await expect(loadDatabase({ account: copy, file: broken, sideBySide: ALWAYS }, stage.clients())).rejects.toMatchObject({ code: "PROVISION_DB_IMPORT_FAILED", message: expect.stringContaining("NONSENSE") as string });
    await nobodyIsConnected("copy");
  });

  it.each([
    ["of many small tables is loaded by two clients", 60, "", 2],
    ["of tables that refer to one another is loaded by two clients", 60, Array.from({ length: 59 }, (_one, index) => `ALTER TABLE t${index + 1} ADD CONSTRAINT k${index} FOREIGN KEY (n) REFERENCES t0 (n), ADD INDEX (n);`).join(" "), 2],
    ["of a few is loaded by one", 2, "", 1],
    ["whose triggers stand apart is loaded by one", 60, "CREATE TRIGGER shot BEFORE INSERT ON t0 FOR EACH ROW SET NEW.n = NEW.n + 1;", 1],
  ])("small dump %s, unless it is told otherwise", async (_, tables, more, clients) => {
    const source = await stage.makeDatabase("many");
    const made = Array.from({ length: tables }, (_one, index) => `CREATE TABLE t${index} (n INT PRIMARY KEY, s VARCHAR(3000)); INSERT INTO t${index} VALUES (0, REPEAT('x', 3000));`);
    await stage.query(`USE many; ${made.join(" ")} ${more}`);
    const file = join(stage.folder(), "x.sql");
    const facts = { tables: [], hiddenRoutines: [], hasPrograms: false, hasTriggers: undefined };
    await dumpDatabase({ account: source, target: file, timeoutMs: 20_000, facts }, stage.clients());
    const copy = await stage.makeDatabase("copy");
    const children: number[] = [];
    await loadDatabase({ account: copy, file }, stage.clients({ onChild: (pid) => children.push(pid) }));
    expect(children).toHaveLength(clients);
    expect(await contentOf(stage, "copy")).toEqual(await contentOf(stage, "many"));
  });

  it("small dump that becomes shorter while two clients load it is an error, not the end of the dump", async () => {
    const source = await stage.makeDatabase("many");
    await stage.query(`USE many; ${Array.from({ length: 60 }, (_one, index) => `CREATE TABLE t${index} (n INT, s VARCHAR(3000)); INSERT INTO t${index} VALUES (0, REPEAT('x', 3000));`).join(" ")}`);
    const file = join(stage.folder(), "x.sql");
    const size = await dumpDatabase({ account: source, target: file, timeoutMs: 20_000 }, stage.clients());
    const copy = await stage.makeDatabase("copy");
    await expect(loadDatabase({ account: copy, file }, stage.clients({ onChild: () => truncateSync(file, size >> 1) }))).rejects.toMatchObject({ code: "PROVISION_DB_IMPORT_FAILED", message: expect.stringContaining("it has become shorter") as string });
    await nobodyIsConnected("copy");
  });

  it.each([
    ["is none of the clients'", (text: string) => text.replace(/^-- MariaDB dump/, "-- phpMyAdmin SQL Dump")],
    ["has no end", (text: string) => text.replace(/-- Dump completed.*\n$/, "")],
    ["has headings that nobody knows", (text: string) => text.replace("-- Dumping data for table `a`", "-- Something for table `a`")],
    ["begins with more than settings", (text: string) => text.replace("-- Table structure for table `a`", "")],
    ["does not give the settings back", (text: string) => text.replace("/*!40103 SET TIME_ZONE=@OLD_TIME_ZONE */;", "")],
  ])("dump that %s is loaded by one client", async (_, change) => {
    const source = await stage.makeDatabase("parts");
    await stage.query("USE parts; CREATE TABLE a (n INT); CREATE TABLE b (n INT); CREATE TABLE c (n INT); INSERT INTO a SELECT seq FROM seq_1_to_1000");
    const file = join(stage.folder(), "x.sql");
    await dumpDatabase({ account: source, target: file, timeoutMs: 20_000 }, stage.clients());
    const original = readFileSync(file, "latin1");
    const changed = change(original);
    expect(changed).not.toBe(original);
    writeFileSync(file, changed);
    const copy = await stage.makeDatabase("copy");
    const children: number[] = [];
    await loadDatabase({ account: copy, file, sideBySide: ALWAYS }, stage.clients({ onChild: (pid) => children.push(pid) }));
    expect(children).toHaveLength(1);
    expect(await contentOf(stage, "copy")).toEqual(await contentOf(stage, "parts"));
  });
});
