import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { PlainRecord } from "../../src/php-values/convert.ts";
import { good, installSite, openFrontEnd, openPlatform, SERVER, serverOptions, writeAlias, type BackendAnswer, type FrontEnd } from "../support/front-end.ts";
import type { Row } from "../support/mariadb.ts";
import { failedWith, failure, messages } from "../support/system-checks.ts";
import { treeOf } from "../support/tree.ts";

const URI = "site.test";

let frontEnd: FrontEnd;
let root: string;

beforeAll(async () => {
  frontEnd = await openFrontEnd();
  root = await openPlatform(frontEnd);
  await installSite(frontEnd, root, URI);
  await good(frontEnd.task(URI, "verify"));
  // Nothing here asks Apache.
  writeAlias(frontEnd, SERVER, { ...serverOptions(frontEnd), utf8mb4_is_supported: true, http_restart_cmd: "/bin/true" });
}, 300_000);
afterAll(() => frontEnd.strike());

function query(sql: string): Promise<Row[]> {
  return frontEnd.stage.mariadb.query(sql);
}

/** A database server that is nothing else, known by these properties; its verify. */
function verifyServer(properties: PlainRecord, env: NodeJS.ProcessEnv = {}): Promise<BackendAnswer> {
  const { port, masterDb } = frontEnd.stage.mariadb;
  writeAlias(frontEnd, "server_db", { context_type: "server", db_service_type: "mysql", db_port: String(port), master_db: masterDb, ...properties });
  return frontEnd.task("server_db", "verify", { env });
}

/** An administrator with that password and these privileges; the URL to reach him, with the password as it is given. */
async function administrator(name: string, password: string, grants = "ALL PRIVILEGES ON *.* TO ACCOUNT WITH GRANT OPTION"): Promise<(encoded: string) => string> {
  for (const host of ["localhost", "127.0.0.1"]) {
    const account = `'${name}'@'${host}'`;
    await query(`CREATE OR REPLACE USER ${account} IDENTIFIED BY '${password}'; GRANT ${grants.replace("ACCOUNT", account)}`);
  }
  return (encoded) => `mysql://${name}:${encoded}@127.0.0.1`;
}

/** All databases and accounts of the server. */
async function inventory(): Promise<unknown> {
  return [await query("SHOW DATABASES"), await query("SELECT User, Host, Priv FROM mysql.global_priv ORDER BY User, Host")];
}

/** Runs while these options in drushrc.php of the site are other ones. */
async function withCredentials<T>(changed: Readonly<Record<string, string>>, run: () => Promise<T>): Promise<T> {
  const path = join(root, "sites", URI, "drushrc.php");
  const text = readFileSync(path, "utf8");
  const write = (content: string): void => void frontEnd.stage.home.write(path.slice(frontEnd.home.length + 1), content, 0o440);
  const literal = (value: string): string => `'${value.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
  rmSync(path);
  write(Object.entries(changed).reduce((content, [key, value]) => content.replace(new RegExp(`(?<=\\$options\\['${key}'\\] = )'[^']*'`), () => literal(value)), text));
  try {
    return await run();
  } finally {
    rmSync(path);
    write(text);
  }
}

describe("the administrator's URL", () => {
  it.each([
    ["db 1: is form-decoded", "p@ss w/d", "p%40ss+w%2Fd"],
    ["db 1: may have bytes that are not ASCII", "pä€ß", "p%C3%A4%E2%82%AC%C3%9F"],
    ["db 3: may have a colon in the password", "a:b", "a:b"],
    ["db 52: may have a password that is a statement", "; DROP DATABASE sitetest; -- ", "%3B+DROP+DATABASE+sitetest%3B+--+"],
  ])("%s", async (_, password, encoded) => {
    const url = await administrator("other", password);
    expect(messages(await good(verifyServer({ master_db: url(encoded) })), "success")).toContain("Provision can create new databases.");
  });

  it("db 2: its port does not count, db_port does", async () => {
    const { port, masterDb } = frontEnd.stage.mariadb;
    await good(verifyServer({ master_db: masterDb.replace(/:\d+$/, ":1") }));
    expect(failure(await verifyServer({ master_db: masterDb.replace(/:\d+$/, `:${port}`), db_port: "1" })).errors).toEqual(["PROVISION_DB_CONNECT_FAIL", "PROVISION_CONNECT_DB_FAILED"]);
  });

  it.each(["a#b", "a?b", "a/b"])("db 3: the raw password %s is refused with words that do not repeat it", async (raw) => {
    const url = await administrator("other", raw);
    const verified = await verifyServer({ master_db: url(raw) });
    expect(failure(verified)).toEqual(failedWith("PROVISION_DB_CONNECT_FAIL", "PROVISION_CONNECT_DB_FAILED"));
    expect(verified.messages["PROVISION_DB_CONNECT_FAIL"]).toMatch(/master_db is no usable URL/);
    expect(JSON.stringify([verified.logs, verified.messages])).not.toContain(raw);
  });

  it("db 4: the host localhost is the Unix socket, whatever the port", async () => {
    const { masterDb } = frontEnd.stage.mariadb;
    await good(verifyServer({ master_db: masterDb.replace(/127\.0\.0\.1:\d+$/, "localhost"), db_port: "1" }));
    await withCredentials({ db_host: "localhost", db_port: "1" }, () => good(frontEnd.task(URI, "verify")));
  });

  it("db 5: a wrong password is two codes at verify, one at save, and no password in the words", async () => {
    const url = await administrator("other", "right");
    const verified = await verifyServer({ master_db: url("wr0ng-Word") });
    expect(failure(verified)).toEqual(failedWith("PROVISION_DB_CONNECT_FAIL", "PROVISION_CONNECT_DB_FAILED"));
    expect(verified.messages["PROVISION_DB_CONNECT_FAIL"]).toContain("Access denied for user 'other'");
    expect(JSON.stringify([verified.logs, verified.messages])).not.toContain("wr0ng-Word");
    expect(failure(await frontEnd.task("server_db", "save"))).toEqual(failedWith("PROVISION_DB_CONNECT_FAIL"));
  });

  it("a server that is away is reported at once, and nothing of the verify is left", async () => {
    rmSync(join(frontEnd.home, "config/server_db"), { recursive: true, force: true });
    const verified = await verifyServer({ db_port: "1" });
    expect(failure(verified)).toEqual(failedWith("PROVISION_DB_CONNECT_FAIL", "PROVISION_CONNECT_DB_FAILED"));
    expect(verified.messages["PROVISION_DB_CONNECT_FAIL"]).toMatch(/127\.0\.0\.1:1 .*ECONNREFUSED/);
    expect(existsSync(join(frontEnd.home, "config/server_db"))).toBe(false);
  });
});

describe("what a server's verify finds out", () => {
  it("db 23: three good things, and leaves no database or account", async () => {
    const before = await inventory();
    const verified = await good(verifyServer({}));
    expect(messages(verified, "success").filter((message) => message.startsWith("Provision can"))).toHaveLength(3);
    expect(await inventory()).toEqual(before);
  });

  it("db 24: a database of the name of the original's probe is left alone", async () => {
    await query("CREATE DATABASE site_test; CREATE TABLE site_test.precious (id INT); CREATE DATABASE `site_`; CREATE USER 'site__user'@'site__host' IDENTIFIED BY 'x'");
    const before = await inventory();
    await good(verifyServer({}));
    await good(frontEnd.task(URI, "verify"));
    expect(await inventory()).toEqual(before);
    expect(await query("SELECT COUNT(*) AS rows_there FROM site_test.precious")).toEqual([{ rows_there: 0 }]);
    await query("DROP DATABASE site_test; DROP DATABASE `site_`; DROP USER 'site__user'@'site__host'");
  });

  it.each([
    ["commands 12; db 25: who may not create databases", "SELECT, CREATE USER ON *.* TO ACCOUNT WITH GRANT OPTION", ["PROVISION_CREATE_DB_FAILED", "PROVISION_GRANT_DB_USER_FAILED"], /^Unable to create new databases\./],
    ["commands 12; db 25: who may not grant", "ALL PRIVILEGES ON *.* TO ACCOUNT", ["PROVISION_GRANT_DB_USER_FAILED"], /^Unable to grant privileges to database users\./],
    ["commands 12; db 25: who may not create accounts", "CREATE, DROP, SELECT ON *.* TO ACCOUNT WITH GRANT OPTION", ["PROVISION_GRANT_DB_USER_FAILED"], /^Unable to grant privileges to database users\./],
  ])("%s is an error with the help text, and nothing of the probes is left", async (_, grants, errors, text) => {
    const url = await administrator("weak", "weak-pass", grants);
    const before = await inventory();
    const verified = await verifyServer({ master_db: url("weak-pass") });
    expect(failure(verified)).toEqual(failedWith(...errors));
    expect(verified.messages[errors[0]!]).toMatch(text);
    expect(await inventory()).toEqual(before);
  });

  it("db 27: the save stores that four-byte characters are possible, or that they are not", async () => {
    const alias = (): string => readFileSync(join(frontEnd.home, ".drush/server_db.alias.drushrc.php"), "utf8");
    await good(verifyServer({}));
    const before = await inventory();
    await good(frontEnd.task("server_db", "save"));
    expect(alias()).toContain("'utf8mb4_is_supported' => true,");
    expect(await inventory()).toEqual(before);
    const url = await administrator("weak", "weak-pass", "SELECT ON *.* TO ACCOUNT");
    await good(frontEnd.save("server_db", { master_db: url("weak-pass") }));
    expect(alias()).toContain("'utf8mb4_is_supported' => false,");
  });
});

describe("statements", () => {
  /** What the server was asked meanwhile. */
  async function asked(run: () => Promise<unknown>): Promise<string[]> {
    await query("SET GLOBAL log_output = 'TABLE'; TRUNCATE mysql.general_log; SET GLOBAL general_log = 1");
    try {
      await run();
    } finally {
      await query("SET GLOBAL general_log = 0");
    }
    return (await query("SELECT CONVERT(argument USING utf8mb4) AS statement FROM mysql.general_log WHERE command_type = 'Query'")).map(({ statement }) => String(statement)).filter((statement) => !statement.startsWith("SET GLOBAL"));
  }

  it("db 34: of a site's verify create, change and grant nothing", async () => {
    const statements = await asked(() => good(frontEnd.task(URI, "verify")));
    expect(statements.some((statement) => /FROM `?system`?/.test(statement))).toBe(true);
    expect(statements.filter((statement) => /^\s*(?:CREATE|ALTER|GRANT|REVOKE|DROP|SET PASSWORD)\b/i.test(statement))).toEqual([]);
  });

  it("db 52: come one by one", async () => {
    const statements = await asked(() => good(verifyServer({})));
    expect(statements.length).toBeGreaterThan(6);
    expect(statements.filter((statement) => statement.includes(";"))).toEqual([]);
  });

  it.each(["x'; DROP DATABASE sitetest; -- ", "a`b", "back\\", "dot.and %"])("db 51, 52: a probe prefix that would be one is only a name: %s", async (prefix) => {
    const before = await inventory();
    const verified = await frontEnd.task("server_db", "verify", { args: [`--aegir_db_prefix=${prefix}`, `--master_db=${frontEnd.stage.mariadb.masterDb}`] });
    expect([verified.kind, ...verified.errors.filter((code) => !/^PROVISION_(?:CREATE_DB|GRANT_DB_USER)_FAILED$/.test(code))]).toEqual(["frame"]);
    expect(await inventory()).toEqual(before);
  });

  it.each(["a`b", "a'b", 'a"b', "a.b %", "../sitetest; DROP DATABASE sitetest"])("db 51: a site's database name %j reaches no statement and no shell", async (name) => {
    const before = [await inventory(), treeOf(join(frontEnd.home, "config"))];
    await withCredentials({ db_name: name }, async () => {
      const statements = await asked(async () => {
        expect(failure(await frontEnd.task(URI, "verify"))).toEqual(failedWith("PROVISION_DB_CONNECT_FAIL"));
      });
      expect(statements).toEqual([]);
    });
    expect([await inventory(), treeOf(join(frontEnd.home, "config"))]).toEqual(before);
  });

  it("db 52: a password that is one is just a password", async () => {
    const password = "'; DROP DATABASE sitetest; -- \\";
    for (const host of ["localhost", "127.0.0.1"]) await query(`ALTER USER sitetest@'${host}' IDENTIFIED BY '${password.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`);
    await withCredentials({ db_passwd: password }, () => good(frontEnd.task(URI, "verify")));
    expect(await query("SHOW DATABASES LIKE 'sitetest'")).toHaveLength(1);
    for (const host of ["localhost", "127.0.0.1"]) await query(`ALTER USER sitetest@'${host}' IDENTIFIED BY 'Site-Pass_1'`);
    await good(frontEnd.task(URI, "verify"));
  });

  it("db 53: no connection is left when a call has ended, well or not", async () => {
    const threads = async (): Promise<number> => Number((await query("SELECT COUNT(*) AS threads FROM information_schema.PROCESSLIST WHERE User NOT IN ('system user', 'event_scheduler')"))[0]!["threads"]);
    const before = await threads();
    await good(verifyServer({}));
    await good(frontEnd.task(SERVER, "save"));
    await good(frontEnd.task(URI, "verify"));
    await query("CREATE VIEW sitetest.cache_shim AS SELECT DISTINCT 1 AS cid");
    expect(failure(await frontEnd.task(URI, "verify"))).toEqual(failedWith("PROVISION_DB_QUERY_FAILED"));
    await query("DROP VIEW sitetest.cache_shim");
    expect(await threads()).toBe(before);
  });
});
