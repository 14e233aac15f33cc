import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findClient, hasSandbox, type ClientSettings } from "../../src/database/clients.ts";
import { connectDb } from "../../src/database/connection.ts";
import { lookAtDatabase } from "../../src/database/database-facts.ts";
import { dumpDatabase, type DumpRequest, type SiteDbAccount } from "../../src/database/dump.ts";
import { loadDatabase } from "../../src/database/load.ts";
import { dumpEstimate, requireSpace } from "../../src/database/space.ts";
import { Remembered } from "../../src/files/remembered.ts";
import { until } from "../support/until.ts";
import { contentOf, setDbStage, type DbStage } from "./db-stage.ts";

let stage: DbStage;

beforeAll(async () => {
  stage = await setDbStage();
});
afterAll(() => stage.strike());

interface Options extends Partial<DumpRequest> {
  readonly clients?: Partial<ClientSettings>;
}

/** Dumps into a new file and answers its name. */
async function dump(account: SiteDbAccount, { clients, ...options }: Options = {}): Promise<string> {
  const target = options.target ?? join(stage.folder(), "database.sql");
  await dumpDatabase({ account, target, force: true, timeoutMs: 20_000, ...options }, stage.clients(clients));
  return target;
}

function load(account: SiteDbAccount, file: string, clients: Partial<ClientSettings> = {}): Promise<void> {
  return loadDatabase({ account, file }, stage.clients(clients));
}

/** A folder with programs of these names, in front of nothing else. */
function programs(scripts: Readonly<Record<string, string>>): string {
  const folder = stage.folder();
  for (const [name, script] of Object.entries(scripts)) writeFileSync(join(folder, name), script, { mode: 0o755 });
  return folder;
}

const DRUPALISH = `
  CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, b LONGBLOB, s LONGTEXT, n INT, twice INT AS (n * 2) STORED, v INT AS (n + 1) VIRTUAL) DEFAULT CHARSET=utf8mb4;
  CREATE TABLE latin (c VARCHAR(40)) DEFAULT CHARSET=latin1;
  CREATE TABLE my (id INT) ENGINE=MyISAM;
  INSERT INTO t (b, s, n) VALUES (x'00FF0A0D1A27225C', '😀 ''"\\\\\\n\\r\\0\\Z', 1), (NULL, '/*!50013 DEFINER=x/', 2), ('', '/*!50017 DEFINER=\`a\`@\`b\` */', NULL), (x'2F2A', '\\n/*!50013 DEFINER=\`a\`@\`b\` SQL SECURITY DEFINER */\\n', 4);
  INSERT INTO latin VALUES ('äöü€');
  INSERT INTO my VALUES (1), (2);
  CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW SET NEW.n = COALESCE(NEW.n, 7);
  CREATE FUNCTION f(x INT) RETURNS INT DETERMINISTIC RETURN x + 1;
  CREATE PROCEDURE p() SELECT 'a;b' AS x;
  CREATE VIEW w AS SELECT id, f(id) AS next FROM t;
  CREATE SQL SECURITY INVOKER VIEW i AS SELECT id FROM t;
  CREATE EVENT e ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01 00:00:00' DO DELETE FROM my WHERE id = 99;
`;

describe("a dump", () => {
  let account: SiteDbAccount;
  beforeAll(async () => {
    account = await stage.makeDatabase("source");
    // Made by the administrator, who is their definer.
    await stage.query(`USE source; ${DRUPALISH}`);
  });

  it("db 40, 41, 42: comes back as it was, by the account of another site, without definers", async () => {
    const file = await dump(account, { administrator: { ...stage.mariadb.admin, host: "127.0.0.1", port: stage.mariadb.port } });
    expect(readFileSync(file, "latin1")).not.toMatch(/^(?:CREATE|\/\*!\d+ CREATE\*\/|\/\*!50013) ?\/?\*?!?\d* ?DEFINER/m);
    const other = await stage.makeDatabase("copy");
    await load(other, file);
    expect(await contentOf(stage, "copy")).toEqual(await contentOf(stage, "source"));
    const definers = await stage.query("SELECT DEFINER AS d FROM information_schema.VIEWS WHERE TABLE_SCHEMA = 'copy' UNION SELECT DEFINER FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = 'copy' UNION SELECT DEFINER FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = 'copy'");
    expect(definers.map(({ d }) => String(d).replace(/@.*/, ""))).toEqual(["copy"]);
    expect(await stage.query("SELECT SECURITY_TYPE AS kind FROM information_schema.VIEWS WHERE TABLE_SCHEMA = 'copy' ORDER BY TABLE_NAME")).toEqual([{ kind: "INVOKER" }, { kind: "DEFINER" }]);
  });

  it("of routines that the account may not see leaves those out, and says so", async () => {
    const warnings: string[] = [];
    const file = await dump(account, { onWarning: (message) => warnings.push(message) });
    expect(warnings).toEqual([expect.stringMatching(/^The routines f, p of the database source belong to another account/)]);
    expect(readFileSync(file, "utf8")).toContain("Final view structure for view `w`");
  });

  it("is what Provision's own import and older clients read: no line for MariaDB's alone", async () => {
    expect(readFileSync(await dump(account), "utf8")).toMatch(/^-- MariaDB dump /);
  });

  it("db 37: is readable by its owner only from the beginning, whatever the umask", async () => {
    const folder = stage.folder();
    const target = join(folder, "database.sql");
    const modes = new Set<number>();
    const old = process.umask(0);
    try {
      await dump(account, { target, onProgress: () => modes.add(statSync(target).mode & 0o7777) });
    } finally {
      process.umask(old);
    }
    expect([...modes, statSync(target).mode & 0o7777].every((mode) => mode === 0o600)).toBe(true);
    expect(readdirSync(folder)).toEqual(["database.sql"]);
  });

  it("db 37: does not touch a file, or a link, that is there", async () => {
    const folder = stage.folder();
    writeFileSync(join(folder, "database.sql"), "precious", { mode: 0o644 });
    symlinkSync(join(folder, "elsewhere"), join(folder, "link.sql"));
    for (const name of ["database.sql", "link.sql"]) {
      await expect(dump(account, { target: join(folder, name) })).rejects.toMatchObject({ code: "PROVISION_BACKUP_FAILED", message: expect.stringMatching(/^Could not write database backup file mysqldump/) as string });
    }
    expect([readFileSync(join(folder, "database.sql"), "utf8"), existsSync(join(folder, "elsewhere"))]).toEqual(["precious", false]);
  });

  it("db 43: of an empty database is refused without force, and nothing is left", async () => {
    const empty = await stage.makeDatabase("empty");
    const target = join(stage.folder(), "database.sql");
    const tiny = programs({ "mariadb-dump": "#!/bin/sh\n[ \"$1\" = --version ] || echo '-- Dump completed'\n" });
    await expect(dump(empty, { target, force: false, clients: { env: { PATH: `${tiny}:/usr/bin:/bin` } } })).rejects.toMatchObject({ code: "PROVISION_BACKUP_FAILED", message: expect.stringContaining("Could not generate database backup from mysqldump.") as string });
    expect(existsSync(target)).toBe(false);
    await load(empty, await dump(empty, { target }));
    expect(await contentOf(stage, "empty")).toEqual({});
  });

  it("db 44: with a wrong password fails without the password in its words", async () => {
    const target = join(stage.folder(), "database.sql");
    const wrong = { ...account, password: "wr0ng-Word" };
    const facts = { tables: [], hiddenRoutines: [], hasPrograms: false, hasTriggers: false };
    for (const options of [{}, { facts }]) {
      const error = (await dump(wrong, { target, ...options }).catch((thrown: unknown) => thrown)) as Error;
      expect(error).toMatchObject({ code: "PROVISION_BACKUP_FAILED", message: expect.stringContaining("Access denied for user 'source'") as string });
      expect(`${error.message} ${error.stack ?? ""}`).not.toContain("wr0ng-Word");
      expect(existsSync(target)).toBe(false);
    }
  });

  it.each([" ", "#", ";", "'", '"', "\\", "+", "%41", "a\"b'c\\d#e;f g", "\\n", "ä€😀", "; DROP DATABASE source; --"])("db 39: and a load work with %j in the password", async (odd) => {
    const odds = await stage.makeDatabase("odd", `pw${odd}x`);
    await stage.query("CREATE TABLE odd.t (id INT); INSERT INTO odd.t VALUES (1)");
    const file = await dump(odds);
    await stage.query("DROP TABLE odd.t");
    await load(odds, file);
    expect(await stage.query("SELECT * FROM odd.t")).toEqual([{ id: 1 }]);
  });

  it.each(["a\nb", "a\0b"])("with %j in the password says that clients cannot take it", async (password) => {
    const facts = { tables: [], hiddenRoutines: [], hasPrograms: false, hasTriggers: false };
    await expect(dump({ ...account, password }, { facts })).rejects.toMatchObject({ code: "PROVISION_DB_CONNECT_FAIL" });
  });

  it("db 42: holds a row of five megabytes", async () => {
    const big = await stage.makeDatabase("big");
    await stage.query("CREATE TABLE big.t (id INT PRIMARY KEY, b LONGBLOB); SET GLOBAL max_allowed_packet = 67108864");
    await stage.query("INSERT INTO big.t SELECT 1, REPEAT(x'00FF275C', 1310720)");
    const file = await dump(big);
    const before = await contentOf(stage, "big");
    await stage.query("DROP TABLE big.t");
    await load(big, file);
    expect(await contentOf(stage, "big")).toEqual(before);
  });

  it("is refused before it begins when the disk has no room for it", async () => {
    const db = await connectDb(account, { timeoutMs: 20_000 });
    const facts = await lookAtDatabase(db, "source");
    await db.close();
    expect(facts.tables.map(({ name, kind }) => `${kind} ${name}`).sort()).toEqual(["table latin", "table my", "table t", "view i", "view w"]);
    expect(dumpEstimate(facts)).toBeGreaterThan(5000);
    expect(() => requireSpace(stage.home.path, 1e18, "The dump")).toThrow(expect.objectContaining({ code: "FILE_NO_SPACE" }) as Error);
    const target = join(stage.folder(), "database.sql");
    const tables = [{ name: "t", kind: "table" as const, bytes: 1e18, engine: "myisam" }];
    await expect(dump(account, { target, facts: { ...facts, tables } })).rejects.toMatchObject({ code: "FILE_NO_SPACE" });
    expect(existsSync(target)).toBe(false);
  });

  it.each(["a.b", "a`b", "-x", "a b", "mysql"])("db 51: of a database called %j starts no client", async (database) => {
    const target = join(stage.folder(), "database.sql");
    await expect(dump({ ...account, database }, { target })).rejects.toMatchObject({ code: "PROVISION_BACKUP_FAILED" });
    await expect(load({ ...account, database }, target)).rejects.toMatchObject({ code: "PROVISION_DB_IMPORT_FAILED" });
    expect(existsSync(target)).toBe(false);
  });
});

describe("a load", () => {
  let account: SiteDbAccount;
  beforeAll(async () => {
    account = await stage.makeDatabase("target");
  });

  function file(text: string): string {
    const path = join(stage.folder(), "database.sql");
    writeFileSync(path, text);
    return path;
  }

  it("db 46: of no file, of one that cannot be read, and of a wrong statement are three errors", async () => {
    await expect(load(account, "/no/such/file")).rejects.toMatchObject({ code: "PROVISION_DB_DUMP_NOT_FOUND" });
    await expect(load(account, stage.folder())).rejects.toMatchObject({ code: "PROVISION_DB_DUMP_NOT_READABLE" });
    const wrong = file("CREATE TABLE one (id INT);\nNONSENSE;\nCREATE TABLE two (id INT);\n");
    await expect(load(account, wrong)).rejects.toMatchObject({ code: "PROVISION_DB_IMPORT_FAILED", message: expect.stringMatching(/^Database import failed: .*NONSENSE/) as string });
    // The first error ends it.
    expect(await stage.query("SHOW TABLES FROM target")).toEqual([{ Tables_in_target: "one" }]);
  });

  it("db 45: of a dump with the line for MariaDB's clients works with a client that does not know it", async () => {
    const log = join(stage.folder(), "log");
    const old = programs({ mysql: `#!/bin/sh\nif [ "$1" = --version ]; then echo 'mysql  Ver 8.0.36 for Linux on x86_64 (MySQL Community Server - GPL)'; exit; fi\necho "$@" > ${log}\n/bin/cat > ${log}.in\n` });
    for (const line of ["/*M!999999\\- enable the sandbox mode */ \n", "/*!999999\\- enable the sandbox mode */\n"]) {
      await load(account, file(`${line}CREATE TABLE s (id INT);\n`), { env: { PATH: old } });
      expect(readFileSync(`${log}.in`, "utf8")).toBe("CREATE TABLE s (id INT);\n");
    }
    expect(readFileSync(log, "utf8")).toBe("--defaults-file=/dev/fd/3 --batch --comments --loose-system-command=OFF target\n");
    await load(account, file("/*M!999999\\- enable the sandbox mode */ \nCREATE TABLE s (id INT);\n"));
  });

  it("starts no program that a dump names", async () => {
    const made = join(stage.folder(), "made");
    await expect(load(account, file(`\\! touch ${made}\nCREATE TABLE z (id INT);\n`))).rejects.toMatchObject({ code: "PROVISION_DB_IMPORT_FAILED" });
    expect(existsSync(made)).toBe(false);
  });

  it("tells how far it is", async () => {
    const told: [number, number][] = [];
    const path = file("CREATE TABLE IF NOT EXISTS far (id INT);\n");
    await loadDatabase({ account, file: path, onProgress: (done, total) => told.push([done, total]) }, stage.clients());
    expect(told.at(-1)).toEqual([statSync(path).size, statSync(path).size]);
  });

  it("ends, and its client too, when it is told to stop", async () => {
    const abort = new AbortController();
    const loading = load(account, file("SELECT SLEEP(600);\n"), { signal: abort.signal, onChild: (pid) => void until("the client sleeps", async () => (await stage.query("SELECT 1 FROM information_schema.PROCESSLIST WHERE Info LIKE 'SELECT SLEEP%'")).length > 0).then(() => abort.abort(), () => process.kill(pid)) });
    await expect(loading).rejects.toMatchObject({ code: "PROVISION_INTERRUPTED" });
  });
});

describe("clients", () => {
  const VERSIONS = {
    mariadb: "mysqldump  Ver 10.19 Distrib 10.6.16-MariaDB, for debian-linux-gnu (x86_64)",
    "mysql 8": "mysqldump  Ver 8.0.36-0ubuntu0.22.04.1 for Linux on x86_64 ((Ubuntu))",
    "mysql 5.7": "mysqldump  Ver 10.13 Distrib 5.7.44, for Linux (x86_64)",
    "mariadb 11": "mariadb-dump from 11.4.3-MariaDB, client 10.19 for Linux (x86_64)",
  };

  /** A dumping client of that version that says what it was called with. */
  function speaking(name: string, version: string): string {
    return programs({ [name]: `#!/bin/sh\nif [ "$1" = --version ]; then echo '${version}'; exit; fi\necho "-- $@"\necho '-- Dump completed'\n` });
  }

  it.each([
    ["mariadb", 10_006_016, "mariadb", false],
    ["mysql 8", 8_000_036, "mysql", false],
    ["mysql 5.7", 5_007_044, "mysql", false],
    ["mariadb 11", 11_004_003, "mariadb", true],
  ] as const)("%s is known by what it says of itself", async (kind, version, flavour, sandbox) => {
    const client = await findClient("dump", stage.clients({ env: { PATH: speaking("mysqldump", VERSIONS[kind]) } }), "X");
    expect([client.flavour, client.version, hasSandbox(client)]).toEqual([flavour, version, sandbox]);
  });

  it.each([
    ["mariadb", []],
    ["mariadb 11", []],
    ["mysql 8", ["--set-gtid-purged=OFF", "--column-statistics=0"]],
    ["mysql 5.7", ["--set-gtid-purged=OFF"]],
  ] as const)("db 49: of %s get the options that they know", async (kind, options) => {
    const folder = speaking("mysqldump", VERSIONS[kind]);
    const account = await stage.makeDatabase("args");
    const text = readFileSync(await dump(account, { clients: { env: { PATH: folder } } }), "utf8");
    expect(text.split("\n")[0]).toBe(["-- --defaults-file=/dev/fd/3", "--single-transaction", "--quick", "--no-autocommit", "--skip-add-locks", "--hex-blob", "--no-tablespaces", ...options, "--skip-triggers", "args"].join(" "));
  });

  it("of a database that nobody has looked at: triggers are dumped where there are some, or where none can tell", async () => {
    const unknown = { tables: [], hiddenRoutines: [], hasPrograms: false, hasTriggers: undefined };
    const account = await stage.makeDatabase("shots");
    await stage.query("CREATE TABLE shots.t (id INT)");
    const folder = stage.folder();
    const log = join(folder, "log");
    writeFileSync(join(folder, "mariadb-dump"), `#!/bin/sh\necho "$@" >> ${log}\nexec /usr/bin/mariadb-dump "$@"\n`, { mode: 0o755 });
    symlinkSync("/usr/bin/mariadb", join(folder, "mariadb"));
    const clients = { env: { PATH: folder } };
    const parts = async (): Promise<number> => {
      rmSync(log, { force: true });
      await load(account, await dump(account, { facts: unknown, force: true, clients }), clients);
      return readFileSync(log, "utf8").split("\n").filter((line) => line.endsWith(" shots")).length;
    };
    const triggers = (): Promise<unknown> => stage.query("SELECT TRIGGER_NAME AS name FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = 'shots'");
    expect([await parts(), await triggers()]).toEqual([1, []]);
    await stage.query("CREATE TRIGGER shots.shot BEFORE INSERT ON shots.t FOR EACH ROW SET NEW.id = 1");
    // A load drops the table, and the trigger with it.
    expect([await parts(), await triggers()]).toEqual([2, [{ name: "shot" }]]);
    rmSync(join(folder, "mariadb"));
    writeFileSync(join(folder, "mariadb"), '#!/bin/sh\n[ "$1" = --version ] && exec /usr/bin/mariadb "$@"\ncase "$*" in *TRIGGERS*) exit 1 ;; esac\nexec /usr/bin/mariadb "$@"\n', { mode: 0o755 });
    await stage.query("DROP TRIGGER shots.shot");
    expect([await parts(), await triggers()]).toEqual([2, []]);
  });

  it.each([["mariadb-dump", "mariadb"], ["mysqldump", "mysql"]])("db 50: work when there are only %s and %s", async (dumping, loading) => {
    const folder = stage.folder();
    symlinkSync("/usr/bin/mariadb-dump", join(folder, dumping));
    symlinkSync("/usr/bin/mariadb", join(folder, loading));
    const account = await stage.makeDatabase("names");
    await stage.query("CREATE TABLE names.t (id INT)");
    const clients = { env: { PATH: folder } };
    await load(account, await dump(account, { clients }), clients);
  });

  it("that are missing are named", async () => {
    await expect(dump(await stage.makeDatabase("names"), { clients: { env: { PATH: "/nowhere" } } })).rejects.toMatchObject({ code: "PROVISION_BACKUP_FAILED", message: expect.stringMatching(/Neither mariadb-dump nor mysqldump/) as string });
  });

  it("are asked for their version once, until they change", async () => {
    const folder = stage.folder();
    const log = join(folder, "log");
    const write = (version: string): void => writeFileSync(join(folder, "mysqldump"), `#!/bin/sh\necho x >> ${log}\necho '${version}'\n`, { mode: 0o755 });
    const settings = stage.clients({ env: { PATH: folder }, remembered: new Remembered(join(folder, "remembered")) });
    write(VERSIONS["mysql 8"]);
    for (const time of [1, 2, 3]) expect([time, (await findClient("dump", settings, "X")).flavour]).toEqual([time, "mysql"]);
    expect(readFileSync(log, "utf8")).toBe("x\n");
    write(`${VERSIONS.mariadb} `);
    expect((await findClient("dump", settings, "X")).flavour).toBe("mariadb");
  });

  it("db 48: that complain without end are heard, and do not hang", async () => {
    const folder = programs({ "mariadb-dump": "#!/bin/sh\n[ \"$1\" = --version ] && exit\nhead -c 3000000 /dev/zero | tr '\\0' 'e' >&2\necho '-- Dump completed'\necho last words >&2\nexit 3\n" });
    const error = (await dump(await stage.makeDatabase("names"), { clients: { env: { PATH: `${folder}:/usr/bin:/bin` } } }).catch((thrown: unknown) => thrown)) as Error;
    expect(error).toMatchObject({ code: "PROVISION_BACKUP_FAILED", message: expect.stringMatching(/eee.*last words/s) as string });
    expect(error.message.length).toBeLessThan(30_000);
  });

  it.each([
    ["ends well without having said everything", "echo '-- MariaDB dump'", /has no end/],
    ["is killed in the middle", "echo '-- MariaDB dump'; kill -9 $$", /ended by SIGKILL/],
    ["does nothing for too long", "exec sleep 100", /did nothing for too long/],
  ])("one that %s has failed, and nothing is left", async (_, script, words) => {
    const folder = programs({ "mariadb-dump": `#!/bin/sh\n[ "$1" = --version ] && exit\n${script}\n` });
    const target = join(stage.folder(), "database.sql");
    await expect(dump(await stage.makeDatabase("names"), { target, clients: { env: { PATH: `${folder}:/usr/bin:/bin` }, silenceMs: 1500 } })).rejects.toMatchObject({ code: "PROVISION_BACKUP_FAILED", message: expect.stringMatching(words) as string });
    expect(existsSync(target)).toBe(false);
  });
});

describe("the password", () => {
  it("db 38: is in no argument, environment or file while a dump and a load run", async () => {
    const secret = "Canary-Pass.1234567";
    const account = await stage.makeDatabase("canary", secret);
    await stage.query("CREATE TABLE canary.t (id INT)");
    const folder = stage.folder();
    const tmp = join(folder, "tmp");
    mkdirSync(tmp);
    const [here, go] = [join(folder, "here"), join(folder, "go")];
    // The real clients, held until we have looked; what the descriptor holds goes to them.
    const held = (name: string): string => `#!/bin/sh\n[ "$1" = --version ] && exec /usr/bin/${name} --version\n: > ${here}\nuntil [ -e ${go} ]; do sleep 0.02; done\nexec /usr/bin/${name} "$@"\n`;
    const bin = programs({ "mariadb-dump": held("mariadb-dump"), mariadb: held("mariadb") });
    const target = join(folder, "database.sql");
    const found: string[] = [];
    const look = async (pid: number): Promise<void> => {
      await until("the client waits", () => existsSync(here));
      const places = [`/proc/${pid}/cmdline`, `/proc/${pid}/environ`, ...[tmp, folder].flatMap((place) => readdirSync(place, { withFileTypes: true }).filter((entry) => entry.isFile()).map(({ name }) => join(place, name)))];
      found.push(...places.filter((place) => readFileSync(place, "latin1").includes(secret)));
      writeFileSync(go, "");
    };
    const oldTmp = process.env["TMPDIR"];
    process.env["TMPDIR"] = tmp;
    const looks: Promise<void>[] = [];
    const clients = { env: { PATH: `${bin}:/usr/bin:/bin` }, onChild: (pid: number) => void looks.push(look(pid)) };
    try {
      await dump(account, { target, clients });
      for (const path of [here, go]) rmSync(path);
      await load(account, target, clients);
      await Promise.all(looks);
    } finally {
      if (oldTmp === undefined) delete process.env["TMPDIR"];
      else process.env["TMPDIR"] = oldTmp;
    }
    expect(looks).toHaveLength(2);
    expect(found).toEqual([]);
    expect(readdirSync(tmp)).toEqual([]);
    expect(readFileSync(target, "latin1")).not.toContain(secret);
  });
});
