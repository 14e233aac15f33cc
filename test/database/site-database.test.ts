import { readdirSync, readFileSync, mkdirSync, writeFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createSiteDatabase, dropDatabaseLater, putCredentials } from "../../src/commands/site-database.ts";
import { ensureAccount } from "../../src/database/accounts.ts";
import { connectDb, PATIENCE, type Db } from "../../src/database/connection.ts";
import { databaseExists } from "../../src/database/databases.ts";
import { ShimError } from "../../src/errors/shim-error.ts";
import type { UndoEntry } from "../../src/task/journal.ts";
import { dropSiteDatabase, undoSiteDatabase } from "../../src/undo-database.ts";
import type { VhostCredentials } from "../../src/web/web-file.ts";
import type { Row } from "../support/mariadb.ts";
import { setDbStage, type DbStage, type TaskAnswer } from "./db-stage.ts";

let stage: DbStage;
let empty: unknown;

beforeAll(async () => {
  stage = await setDbStage();
  empty = await stage.inventory();
});
afterAll(() => stage.strike());
beforeEach(() => stage.saveServer({}));
afterEach(async () => {
  // What one test leaves must not fail the others.
  for (const { name } of await query("SELECT SCHEMA_NAME AS name FROM information_schema.SCHEMATA WHERE SCHEMA_NAME NOT IN ('mysql', 'sys', 'information_schema', 'performance_schema')")) await query(`DROP DATABASE \`${String(name)}\``);
  for (const { User, Host } of await query("SELECT User, Host FROM mysql.user WHERE User NOT IN ('aegir_root', 'mariadb.sys')")) await query(`DROP USER '${String(User).replaceAll("'", "\\'")}'@'${String(Host)}'`);
  rmSync(join(stage.home.path, ".provision-shim/journal"), { recursive: true, force: true });
});

function query(sql: string): Promise<Row[]> {
  return stage.query(sql);
}

async function create(uri: string): Promise<VhostCredentials> {
  const { value, errors } = await tryToCreate(uri);
  if (value === undefined) throw errors[0] ?? new Error("nothing was made");
  return value;
}

async function tryToCreate(uri: string, dbServer?: string): Promise<TaskAnswer<VhostCredentials>> {
  const site = await stage.site(uri, dbServer);
  return stage.task((work, call) => createSiteDatabase(work, call, { site }));
}

/** Drops it as a task does at its end. */
async function drop({ name, user, host = "" }: { readonly name: string; readonly user: string; readonly host?: string }): Promise<TaskAnswer<void>> {
  const site = await stage.site("site.test");
  return stage.task((work, call) => dropDatabaseLater(work, call, { site, database: name, user, host }));
}

async function hostsOf(user: string): Promise<string[]> {
  return (await query(`SELECT Host FROM mysql.user WHERE User = '${user}' ORDER BY Host`)).map(({ Host }) => String(Host));
}

async function grantsOf(user: string, host: string): Promise<string[]> {
  return (await query(`SHOW GRANTS FOR '${user}'@'${host}'`)).flatMap((row) => Object.values(row)).map(String);
}

function connect(credentials: VhostCredentials, host = "127.0.0.1"): Promise<Db> {
  const { user, password, name } = credentials;
  return connectDb({ host, port: stage.mariadb.port, user, password, database: name }, { timeoutMs: 20_000, socket: stage.mariadb.socket });
}

describe("a new site's database", () => {
  it("db 12, 14, 18, 20, 26: has an account for each host, with all rights on it and no others, and takes all texts", async () => {
    stage.saveServer({ remote_host: "localhost" });
    const made = await create("www.new-site.test");
    expect(made).toEqual({ type: "mysql", host: "localhost", port: String(stage.mariadb.port), name: "newsitetest", user: "newsitetest", password: expect.stringMatching(/^[A-Za-z0-9._-]{20,}$/) as string });
    expect(await hostsOf("newsitetest")).toEqual(["127.0.0.1", "localhost"]);
    for (const host of ["127.0.0.1", "localhost"]) {
      const grants = await grantsOf("newsitetest", host);
      expect(grants).toHaveLength(2);
      expect(grants[0]).toMatch(/^GRANT USAGE ON \*\.\* TO /);
      expect(grants[1]).toMatch(/^GRANT ALL PRIVILEGES ON `newsitetest`\.\* TO [^ ]+$/);
      const db = await connect(made, host);
      await db.run("CREATE TABLE t (s TEXT)");
      await db.run("INSERT INTO t VALUES ('😀')");
      await db.run("DROP TABLE t");
      expect((await db.rows("SHOW DATABASES")).map((row) => row["Database"]).sort()).toEqual(["information_schema", "newsitetest"]);
      await db.close();
    }
    expect(await query("SELECT DEFAULT_CHARACTER_SET_NAME AS c, DEFAULT_COLLATION_NAME AS k FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = 'newsitetest'")).toEqual([{ c: "utf8mb4", k: "utf8mb4_general_ci" }]);
    await drop(made);
    expect(await stage.inventory()).toEqual(empty);
  });

  it("says what the original says, and its credentials come in the original's order", async () => {
    const site = await stage.site("said.test");
    const { value, events, options } = await stage.task(async (work, call) => {
      const made = await createSiteDatabase(work, call, { site });
      putCredentials(call.options, made);
      return made;
    });
    expect([...options.set("site").keys()]).toEqual(["db_type", "db_host", "db_port", "db_passwd", "db_name", "db_user"]);
    expect(events.flatMap((event) => (event.type === "log" ? [`${event.level}: ${event.message}`] : []))).toEqual([
      "notice: Granting privileges to saidtest@127.0.0.1 on saidtest",
      "success: Granted privileges to saidtest@127.0.0.1 on saidtest",
      // 127.0.0.1 has a name here.
      "notice: Granting privileges to saidtest@localhost on saidtest",
      "success: Granted privileges to saidtest@localhost on saidtest",
      "success: Created saidtest database",
    ]);
    expect(JSON.stringify(events)).not.toContain(value!.password);
    await drop(value!);
  });

  it("db 13: has another password each time", async () => {
    const [one, two] = [await create("one.test"), await create("two.test")];
    expect(one.password).not.toBe(two.password);
    await drop(one);
    await drop(two);
  });

  it("db 15: is for every host when the server is known for that", async () => {
    stage.saveServer({ db_grant_all_hosts: true });
    const made = await create("all.test");
    expect(await hostsOf(made.user)).toEqual(["%", "127.0.0.1"]);
    await drop(made);
    expect(await stage.inventory()).toEqual(empty);
  });

  it("db 8, 10: takes neither the name of a database nor that of an account, whose password stays", async () => {
    await query("CREATE DATABASE takentest; CREATE USER 'takentest_0'@'elsewhere' IDENTIFIED BY 'x'");
    const before = await stage.inventory();
    const made = await create("taken.test");
    expect(made.name).toBe("takentest_1");
    await drop(made);
    expect(await stage.inventory()).toEqual(before);
    await query("DROP DATABASE takentest; DROP USER 'takentest_0'@'elsewhere'");
  });

  it("db 9: is an error when all names are taken, and nothing is made", async () => {
    const names = ["fulltest", ...Array.from({ length: 100 }, (_, index) => `fulltest_${index}`)];
    await query(names.map((name) => `CREATE DATABASE ${name}`).join("; "));
    const before = await stage.inventory();
    const { errors } = await tryToCreate("full.test");
    expect(errors.map(({ code }) => code)).toEqual(["PROVISION_CREATE_DB_FAILED"]);
    expect(await stage.inventory()).toEqual(before);
    await query(names.map((name) => `DROP DATABASE ${name}`).join("; "));
  });

  it.each(["root", "mysql", "sys", "aegir_root"])("db 11: of a site called %s touches nothing of the server's", async (uri) => {
    const made = await create(uri);
    expect(made.name).toBe(`${uri}_0`);
    await drop(made);
    expect(await stage.inventory()).toEqual(empty);
  });

  it("db 16: with an anonymous account there is refused, and nothing is made", async () => {
    await query("CREATE USER ''@'127.0.0.1'; CREATE USER ''@'localhost'");
    const before = await stage.inventory();
    const { errors } = await tryToCreate("anonymous.test");
    expect(errors.map(({ code, message }) => [code, message])).toEqual([["PROVISION_DB_CONNECT_FAIL", expect.stringMatching(/^Dummy connection failed to fail\./)]]);
    expect(await stage.inventory()).toEqual(before);
    await query("DROP USER ''@'127.0.0.1'; DROP USER ''@'localhost'");
  });

  it.each([
    ["that nobody resolves", { remote_host: "no-such-host.invalid" }, /^Cannot resolve database server hostname \(no-such-host\.invalid\)/],
    ["that refuses", { remote_host: "127.0.0.2" }, /^Connection to database server failed/],
  ])("db 17: of a server with a host %s is refused, and nothing is made", async (_, server, message) => {
    stage.saveServer(server, "server_db");
    const { errors } = await tryToCreate("away.test", "server_db");
    expect(errors.map((error) => [error.code, error.message])).toEqual([["PROVISION_DB_CONNECT_FAIL", expect.stringMatching(message)]]);
    expect(await stage.inventory()).toEqual(empty);
  });

  it("db 52: may come from an administrator with an odd password, on a server where backslashes escape nothing", async () => {
    const password = "'; DROP DATABASE mysql; -- \\";
    await query(`CREATE USER odd@'127.0.0.1' IDENTIFIED BY '${password.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'; GRANT ALL PRIVILEGES ON *.* TO odd@'127.0.0.1' WITH GRANT OPTION; SET GLOBAL sql_mode = 'NO_BACKSLASH_ESCAPES,ANSI_QUOTES'`);
    stage.saveServer({ master_db: `mysql://odd:${encodeURIComponent(password)}@127.0.0.1` });
    const made = await create("odd.test");
    await drop(made);
    await query("DROP USER odd@'127.0.0.1'; SET GLOBAL sql_mode = DEFAULT");
    expect(await stage.inventory()).toEqual(empty);
  });

  it.each([
    ["db 25: create databases", "SELECT, CREATE USER ON *.* TO ACCOUNT WITH GRANT OPTION", "PROVISION_CREATE_DB_FAILED"],
    ["db 22, 25: grant", "ALL PRIVILEGES ON *.* TO ACCOUNT", "PROVISION_CREATE_DB_FAILED"],
    ["see accounts", "CREATE ON *.* TO ACCOUNT WITH GRANT OPTION", "PROVISION_CREATE_DB_FAILED"],
  ])("%s: without the right to, everything is taken back", async (_, grants, code) => {
    await query(`CREATE USER weak@'127.0.0.1' IDENTIFIED BY 'weak-pass'; GRANT ${grants.replace("ACCOUNT", "weak@'127.0.0.1'")}`);
    const before = await stage.inventory();
    stage.saveServer({ master_db: "mysql://weak:weak-pass@127.0.0.1", remote_host: "localhost" });
    const { errors } = await tryToCreate("weak.test");
    expect(errors.map((error) => error.code)).toEqual([code]);
    expect(await stage.inventory()).toEqual(before);
    await query("DROP USER weak@'127.0.0.1'");
  });

  it("db 22: whose second account cannot be made leaves neither account nor database", async () => {
    await query("CREATE DATABASE rights");
    stage.saveServer({ remote_host: "localhost" });
    const site = await stage.site("second.test");
    const { errors } = await stage.task(async (work, call) => {
      // Somebody makes one of its accounts in the same moment.
      const act = work.act.bind(work);
      const meddling: typeof work.act = async (description, action, undo) => act(description, async () => {
        if (description.startsWith("create the database")) throw new ShimError("PROVISION_CREATE_DB_FAILED", "injected");
        return action();
      }, undo);
      return createSiteDatabase({ ...work, act: meddling }, call, { site });
    });
    expect(errors.map(({ message }) => message)).toEqual(["injected"]);
    expect([await hostsOf("secondtest"), await query("SHOW DATABASES LIKE 'second%'")]).toEqual([[], []]);
    await query("DROP DATABASE rights");
    expect(await stage.inventory()).toEqual(empty);
  });

  it("statements that may take their time, such as a drop, have a longer limit than the connection", async () => {
    const account = { ...stage.mariadb.admin, host: "127.0.0.1", port: stage.mariadb.port };
    const patient = await connectDb(account, { timeoutMs: 2000, patience: PATIENCE });
    await patient.run("DO SLEEP(2.5)");
    await patient.close();
    const usual = await connectDb(account, { timeoutMs: 2000 });
    await expect(usual.run("DO SLEEP(60)")).rejects.toMatchObject({ code: "PROVISION_DB_CONNECT_FAIL" });
    await usual.close();
  });

  it("db 21: an account that is there gets the new password for all its hosts", async () => {
    const admin = await connectDb({ ...stage.mariadb.admin, host: "127.0.0.1", port: stage.mariadb.port }, { timeoutMs: 20_000 });
    for (const password of ["first-Pass1", "second-Pass2"]) for (const host of ["127.0.0.1", "localhost"]) await ensureAccount(admin, { user: "again", host, password, database: "again" });
    const credentials = { type: "mysql", host: "", port: "", name: "information_schema", user: "again", password: "second-Pass2" };
    for (const host of ["127.0.0.1", "localhost"]) await (await connect(credentials, host)).close();
    await expect(connect({ ...credentials, password: "first-Pass1" })).rejects.toMatchObject({ code: "PROVISION_DB_CONNECT_FAIL" });
    await expect(ensureAccount(admin, { user: "again", host: "", password: "x", database: "again" })).rejects.toThrow(/needs a name and a host/);
    await admin.close();
    await query("DROP USER again@'127.0.0.1', again@localhost");
  });

  it("db 53: leaves no connection", async () => {
    const threads = (): Promise<Row[]> => query("SELECT COUNT(*) AS threads FROM information_schema.PROCESSLIST WHERE User NOT IN ('system user', 'event_scheduler')");
    const before = await threads();
    await drop(await create("threads.test"));
    expect(await threads()).toEqual(before);
  });
});

describe("grants for names with an underscore", () => {
  async function named(escaped: boolean): Promise<VhostCredentials> {
    await query("CREATE DATABASE undertest; CREATE DATABASE undertestx0; CREATE TABLE undertestx0.t (id INT)");
    const site = await stage.site("under.test");
    const { value } = await stage.task(async (work, call) => {
      if (escaped) call.options.put("site", "provision_db_escape_grants", true);
      return createSiteDatabase(work, call, { site });
    });
    expect(value?.name).toBe("undertest_0");
    return value!;
  }

  it("db 19: are spelled as the original's, which its own delete finds", async () => {
    const made = await named(false);
    expect((await grantsOf(made.user, "127.0.0.1"))[1]).toContain("ON `undertest_0`.*");
    // The original's statement.
    await query(`REVOKE ALL PRIVILEGES ON undertest_0.* FROM '${made.user}'@'127.0.0.1'`);
    await drop(made);
    await query("DROP DATABASE undertest; DROP DATABASE undertestx0");
    expect(await stage.inventory()).toEqual(empty);
  });

  it("db 19, 33: with the option open no other database, and are found again in either spelling", async () => {
    const made = await named(true);
    const db = await connect(made);
    expect((await db.rows("SHOW DATABASES")).map((row) => row["Database"])).not.toContain("undertestx0");
    await db.close();
    await drop(made);
    await query("DROP DATABASE undertest; DROP DATABASE undertestx0");
    expect(await stage.inventory()).toEqual(empty);
  });
});

describe("dropping a database", () => {
  it("db 28: takes its accounts, for former hosts too", async () => {
    const made = await create("gone.test");
    await query("CREATE USER gonetest@'192.0.2.9' IDENTIFIED BY 'x'; GRANT ALL PRIVILEGES ON gonetest.* TO gonetest@'192.0.2.9'; CREATE USER gonetest@'%' IDENTIFIED BY 'x'; GRANT SELECT ON gonetest.* TO gonetest@'%'");
    const { errors, events } = await drop(made);
    expect(errors).toEqual([]);
    expect(events).toContainEqual({ type: "log", level: "notice", message: "dropped the database gonetest, and the accounts of gonetest that had no other rights" });
    expect(await stage.inventory()).toEqual(empty);
  });

  it("db 29: keeps an account that has rights on another one, and only those", async () => {
    const made = await create("kept.test");
    await query("CREATE DATABASE other; GRANT SELECT ON other.* TO kepttest@'127.0.0.1'");
    await drop(made);
    expect(await hostsOf("kepttest")).toEqual(["127.0.0.1"]);
    expect((await grantsOf("kepttest", "127.0.0.1")).slice(1)).toEqual([expect.stringMatching(/^GRANT SELECT ON `other`/)]);
    await query("DROP DATABASE other; DROP USER kepttest@'127.0.0.1'");
    expect(await stage.inventory()).toEqual(empty);
  });

  it("db 30: that is gone, with its accounts, is fine", async () => {
    expect((await drop({ name: "nevertest", user: "nevertest" })).errors).toEqual([]);
    expect(await stage.inventory()).toEqual(empty);
  });

  it("is left alone when the site has it on another host than its database server", async () => {
    const made = await create("elsewhere.test");
    const { errors, events } = await drop({ ...made, host: "db.elsewhere.invalid" });
    expect([errors, JSON.stringify(events)]).toEqual([[], expect.stringContaining("is left alone: @site.test has it on db.elsewhere.invalid")]);
    expect(await hostsOf(made.user)).not.toEqual([]);
    await drop(made);
    expect(await hostsOf(made.user)).toEqual([]);
  });

  it("db 31: of a site that knows no name touches nothing, and warns", async () => {
    const { errors, events } = await drop({ name: "", user: "" });
    expect(errors).toEqual([]);
    expect(events).toContainEqual({ type: "log", level: "warning", message: "No database name is known for @site.test: no database is dropped" });
    expect(await stage.inventory()).toEqual(empty);
  });

  it("db 32: that cannot be dropped is told with its code, and its accounts stay", async () => {
    const made = await create("stays.test");
    await query("CREATE USER weak@'127.0.0.1' IDENTIFIED BY 'weak-pass'; GRANT SELECT, CREATE USER ON *.* TO weak@'127.0.0.1' WITH GRANT OPTION");
    stage.saveServer({ master_db: "mysql://weak:weak-pass@127.0.0.1" });
    const { errors, events } = await drop(made);
    expect(errors).toEqual([]);
    expect(events.filter((event) => event.type === "log" && event.level === "warning" && event.message.includes("[PROVISION_DROP_DB_FAILED]"))).toHaveLength(1);
    expect(await hostsOf("staystest")).toEqual(["127.0.0.1", "localhost"]);
    // What the task has left is done when the cause is mended.
    stage.saveServer({});
    await stage.task(() => Promise.resolve());
    await query("DROP USER weak@'127.0.0.1'");
    await drop(made);
    rmSync(join(stage.home.path, ".provision-shim/journal"), { recursive: true, force: true });
    expect(await stage.inventory()).toEqual(empty);
  });

  it.each([["mysql", "x"], ["a`b", "x"], ["fine", "root"], ["fine", "a'b"]])("db 51: called %s of %s is refused", async (name, user) => {
    await query("CREATE DATABASE fine");
    const before = await stage.inventory();
    expect((await drop({ name, user })).errors.map(({ code }) => code)).toEqual(["PROVISION_DROP_DB_FAILED"]);
    expect(await stage.inventory()).toEqual(before);
    await query("DROP DATABASE fine");
    rmSync(join(stage.home.path, ".provision-shim/journal"), { recursive: true, force: true });
  });

  it("never drops the administrator's own account", async () => {
    await query("CREATE DATABASE fine");
    expect((await drop({ name: "fine", user: "aegir_root" })).errors).toEqual([]);
    expect(await stage.inventory()).toEqual(empty);
  });
});

describe("the undo of a killed task", () => {
  /** Entries of a task that has made the database, from its journal. */
  async function interrupted(uri: string): Promise<{ readonly entries: UndoEntry[]; readonly made: VhostCredentials }> {
    const site = await stage.site(uri);
    let entries: UndoEntry[] = [];
    const { value } = await stage.task(async (work, call) => {
      const made = await createSiteDatabase(work, call, { site });
      const folder = join(stage.home.path, ".provision-shim/journal");
      const lines = readdirSync(folder).map((name) => readFileSync(join(folder, name, "journal.ndjson"), "utf8")).join("");
      expect(lines).not.toContain(made.password);
      expect(lines).not.toContain(stage.mariadb.admin.password);
      entries = lines.trim().split("\n").slice(1).map((line) => JSON.parse(line) as UndoEntry);
      return made;
    });
    return { entries, made: value! };
  }

  async function undo(entries: readonly UndoEntry[]): Promise<(string | undefined)[]> {
    const said: (string | undefined)[] = [];
    for (const entry of [...entries].reverse()) said.push(await undoSiteDatabase(entry));
    return said;
  }

  it("db 35: takes away what it made, as often as it is asked, and no password is written down", async () => {
    const { entries } = await interrupted("killed.test");
    expect(await undo(entries)).toEqual(["dropped the database killedtest", "dropped the account killedtest"]);
    expect(await undo(entries)).toEqual([undefined, "dropped the account killedtest"]);
    expect(await stage.inventory()).toEqual(empty);
  });

  it("leaves a database of that name that somebody else has made since, with its account", async () => {
    const { entries, made } = await interrupted("reused.test");
    await drop(made);
    await query("CREATE USER reusedtest@'127.0.0.1' IDENTIFIED BY 'their-own'; CREATE DATABASE reusedtest; GRANT ALL PRIVILEGES ON reusedtest.* TO reusedtest@'127.0.0.1'");
    const before = await stage.inventory();
    expect(await undo(entries)).toEqual(["left the database reusedtest alone: its account was changed by something else since", "left the account reusedtest alone: there is a database of its name"]);
    expect(await stage.inventory()).toEqual(before);
    await drop(made);
    expect(await stage.inventory()).toEqual(empty);
  });

  it("leaves a database that was there when the task was killed before it made its own", async () => {
    const { entries, made } = await interrupted("early.test");
    await query("DROP USER earlytest@'127.0.0.1'");
    const before = await stage.inventory();
    expect(await undo(entries)).toEqual(["left the database earlytest alone: its account was changed by something else since", "left the account earlytest alone: there is a database of its name"]);
    expect(await stage.inventory()).toEqual(before);
    await drop(made);
  });

  it("keeps what is to undo when the server does not answer", async () => {
    const { entries, made } = await interrupted("down.test");
    stage.saveServer({ db_port: "1" });
    await expect(undo(entries)).rejects.toMatchObject({ code: "PROVISION_DB_CONNECT_FAIL" });
    await expect(dropSiteDatabase({ ...entries[0]!, kind: "drop-database" })).rejects.toMatchObject({ code: "PROVISION_DB_CONNECT_FAIL" });
    stage.saveServer({});
    await drop(made);
  });

  it("has its names for itself until then", async () => {
    const journal = join(stage.home.path, ".provision-shim/journal/1-left");
    mkdirSync(journal, { recursive: true });
    const head = { host: (await import("node:os")).hostname(), pid: 999_999_9, started: 1, context: "other.test", title: "install", since: 1 };
    writeFileSync(join(journal, "journal.ndjson"), [head, { kind: "site-database", part: "accounts", server: "server_master", database: "notedtest", user: "notedtest", hosts: "127.0.0.1", home: stage.home.path, launcher: "" }].map((line) => JSON.stringify(line)).join("\n") + "\n");
    const made = await create("noted.test");
    expect(made.name).toBe("notedtest_0");
    await drop(made);
    rmSync(journal, { recursive: true });
  });

  it("two tasks at once get two names", async () => {
    const made = await Promise.all(Array.from({ length: 4 }, () => create("same.test")));
    expect(made.map(({ name }) => name).sort()).toEqual(["sametest", "sametest_0", "sametest_1", "sametest_2"]);
    for (const one of made) await drop(one);
    expect(await stage.inventory()).toEqual(empty);
  });
});

it("a database that is not to be used is not absent", async () => {
  await query("CREATE DATABASE hidden; CREATE USER nobody@'127.0.0.1' IDENTIFIED BY 'x'");
  const db = await connectDb({ host: "127.0.0.1", port: stage.mariadb.port, user: "nobody", password: "x" }, { timeoutMs: 20_000 });
  await expect(databaseExists(db, "hidden")).rejects.toThrow(/Access denied/);
  expect(await databaseExists(db, "")).toBe(false);
  await db.close();
  await query("DROP DATABASE hidden; DROP USER nobody@'127.0.0.1'");
});
