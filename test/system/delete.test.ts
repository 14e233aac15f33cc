import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Db } from "../../src/database/connection.ts";
import { good, installSite, openFrontEnd, openPlatform, SERVER, serverOptions, writeAlias, type BackendAnswer, type FrontEnd } from "../support/front-end.ts";
import { holdTasks } from "../support/held-task.ts";
import { lockHolder } from "../support/lock-holder.ts";
import { connectAsSite } from "../support/site-database.ts";
import { copyStandIn } from "../support/stand-in.ts";
import { failedWith, failure, messages } from "../support/system-checks.ts";
import { treeOf } from "../support/tree.ts";
import { until } from "../support/until.ts";

const URI = "site.test";

let frontEnd: FrontEnd;
let root: string;

beforeAll(async () => {
  frontEnd = await openFrontEnd();
  root = await openPlatform(frontEnd);
  await installSite(frontEnd, root, "other.test", { aliases: ["www.other.test"] });
  await good(frontEnd.task("other.test", "verify"));
}, 300_000);
afterAll(() => frontEnd.strike());

function at(...path: string[]): string {
  return join(frontEnd.home, ...path);
}

const SITE = (): string => join(root, "sites", URI);
const VHOST = (): string => at("config", SERVER, "apache/vhost.d", URI);
const ALIAS = (name = URI): string => at(`.drush/${name}.alias.drushrc.php`);
const LINK = (): string => at("clients/admin", URI);

function remove(options: { readonly args?: readonly string[]; readonly env?: NodeJS.ProcessEnv } = {}): Promise<BackendAnswer> {
  return frontEnd.task(URI, "delete", options);
}

async function install(): Promise<void> {
  await installSite(frontEnd, root, URI, { aliases: ["www.site.test"] });
  await good(frontEnd.task(URI, "verify"));
}

async function databases(): Promise<string[]> {
  return (await frontEnd.stage.mariadb.query("SHOW DATABASES LIKE 'sitetest%'")).flatMap((row) => Object.values(row)).map(String);
}

async function accounts(): Promise<string[]> {
  return (await frontEnd.stage.mariadb.query("SELECT CONCAT(User, '@', Host) AS account FROM mysql.user WHERE User = 'sitetest' ORDER BY 1")).map(({ account }) => String(account));
}

/** Everything of the site that a delete removes, as far as it is there. */
async function whatIsThere(): Promise<Record<string, boolean>> {
  const isLink = lstatSync(LINK(), { throwIfNoEntry: false }) !== undefined;
  return { directory: existsSync(SITE()), vhost: existsSync(VHOST()), alias: existsSync(ALIAS()), link: isLink, aliases: readFileSync(join(root, "sites/sites.php"), "utf8").includes(URI), database: (await databases()).length > 0, accounts: (await accounts()).length > 0 };
}

const ALL = { directory: true, vhost: true, alias: true, link: true, aliases: true, database: true, accounts: true };
const NOTHING = { directory: false, vhost: false, alias: false, link: false, aliases: false, database: false, accounts: false };

/** The dump in the only backup that there is. */
async function dumpInBackup(): Promise<string> {
  return (await frontEnd.stage.home.user.run(["sh", "-c", "tar -xzOf ~/backups/*.tar.gz ./database.sql"])).stdout;
}

function backups(): string[] {
  return existsSync(at("backups")) ? readdirSync(at("backups")).sort() : [];
}

describe("a site", () => {
  beforeEach(async () => {
    if (!existsSync(ALIAS())) await install();
  });
  afterEach(async () => {
    await frontEnd.stage.home.user.run(["sh", "-c", "rm -rf ~/backups/* ~/clients/admin/backups/*"]);
    // One that is as it was serves the next test, too.
    if (Object.values(await whatIsThere()).every(Boolean)) return;
    // For the next test, whatever this one has left.
    await frontEnd.stage.home.user.run(["sh", "-c", `chmod -R u+w ${SITE()} 2>/dev/null; rm -rf ${SITE()} ${ALIAS()} ${LINK()} ${VHOST()} ~/.provision-shim/journal; true`]);
    await frontEnd.stage.mariadb.query("DROP DATABASE IF EXISTS sitetest; DROP USER IF EXISTS sitetest@localhost, sitetest@'127.0.0.1'");
  });

  it("commands 96; db 28; http 8: is backed up and gone: database, accounts, virtual host, alias, directory, aliases, link; and nothing else is", async () => {
    expect(await whatIsThere()).toEqual(ALL);
    const others = treeOf(join(root, "sites/other.test"));
    const removed = await good(remove());
    expect(await whatIsThere()).toEqual(NOTHING);
    const [file = ""] = backups();
    expect(backups()).toEqual([expect.stringMatching(/^site\.test-\d{8}\.\d{6}\.tar\.gz$/)]);
    expect(removed.frame["context"]).toMatchObject({ backup_file: at("backups", file), backup_file_size: lstatSync(at("backups", file)).size, provision_save_config: false });
    expect(lstatSync(at("clients/admin/backups", file)).isSymbolicLink()).toBe(true);
    expect(treeOf(join(root, "sites/other.test"))).toEqual(others);
    expect(readFileSync(join(root, "sites/sites.php"), "utf8")).toContain("'www.other.test' => 'other.test'");
    expect((await frontEnd.stage.apache.fetch("other.test", "/")).status).toBe(200);
    expect((await frontEnd.stage.apache.fetch(URI, "/")).body).not.toContain(`<h1>${URI}`);
    // What Hosting calls next.
    await good(frontEnd.call(["--yes", "--root=", "--uri=", "provision-save", `@${URI}`, "--delete"]));
    const members = (await frontEnd.stage.home.user.run(["tar", "tzf", at("backups", file)])).stdout;
    expect(members.split("\n")).toEqual(expect.arrayContaining(["./database.sql", "./settings.php", "./drushrc.php"]));
  });

  it("is forgotten: nothing stays of what was remembered of it", async () => {
    const remembered = (): string[] => readdirSync(at(".provision-shim/cache")).map(decodeURIComponent).filter((name) => /[ :](?:\S*\/)?(?:site\.test|sitetest)\b/.test(name));
    await good(frontEnd.task(URI, "backup"));
    // A file that was changed only now is not remembered.
    await new Promise((resolve) => setTimeout(resolve, 2200));
    await frontEnd.stage.home.user.run([frontEnd.provision, "verify", "--all"], { env: frontEnd.env });
    await good(frontEnd.task(URI, "verify"));
    expect(remembered()).toEqual(expect.arrayContaining([`dump sitetest @${SERVER}`, `verified:${URI}`, `drushrc-1 ${SITE()}/drushrc.php`]));
    await good(remove());
    expect(remembered()).toEqual([]);
  });

  it("commands 96: that is disabled is gone, too, with its drush aliases", async () => {
    await good(frontEnd.call(["--root=", `--uri=${URI}`, "provision-save", `@${URI}`], { stdin: { context_type: "site", drush_aliases: "short,@shorter" } }));
    await good(frontEnd.task(URI, "disable"));
    expect([existsSync(ALIAS("short")), existsSync(ALIAS("shorter"))]).toEqual([true, true]);
    await good(remove());
    expect(await whatIsThere()).toEqual(NOTHING);
    expect([existsSync(ALIAS("short")), existsSync(ALIAS("shorter"))]).toEqual([false, false]);
  });

  it("commands 97: is backed up into the file that is named by an absolute path", async () => {
    const file = at("backups/my-last.tar");
    const removed = await good(remove({ args: [file] }));
    expect(removed.frame["context"]).toMatchObject({ backup_file: file });
    expect([await whatIsThere(), backups()]).toEqual([NOTHING, ["my-last.tar"]]);
  });

  it.each(["dir/x.tar.gz", "x.tar.gz"])("commands 97: a relative one (%s) is refused, and nothing is changed", async (name) => {
    expect(failure(await remove({ args: [name] }))).toEqual(failedWith("PROVISION_DELETE_BACKUP_NAME_RELATIVE"));
    expect([await whatIsThere(), backups()]).toEqual([ALL, []]);
  });

  it("whose backup's name is taken stays as it is", async () => {
    frontEnd.stage.home.write("backups/taken.tar.gz", "precious");
    expect(failure(await remove({ args: [at("backups/taken.tar.gz")] }))).toEqual(failedWith("PROVISION_BACKUP_ALREADY_EXISTS"));
    expect([await whatIsThere(), readFileSync(at("backups/taken.tar.gz"), "utf8")]).toEqual([ALL, "precious"]);
  });

  it("whose database is gone can only be deleted by force, with a backup of its files", async () => {
    await frontEnd.stage.mariadb.query("DROP DATABASE sitetest");
    const before = treeOf(frontEnd.home);
    const refused = await remove();
    expect(failure(refused)).toEqual(failedWith("PROVISION_DB_CONNECT_FAIL"));
    expect(refused.messages["PROVISION_DB_CONNECT_FAIL"]).toContain("--force deletes a site whose database is gone");
    expect(treeOf(frontEnd.home)).toEqual(before);
    const removed = await good(remove({ args: ["--force"] }));
    expect(await whatIsThere()).toEqual(NOTHING);
    expect(messages(removed, "warning")).toEqual(["The database sitetest is not in the backup."]);
    expect(backups()).toHaveLength(1);
  });

  it("whose database is there but cannot be backed up leaves it behind, when it is deleted by force", async () => {
    for (const host of ["localhost", "127.0.0.1"]) await frontEnd.stage.mariadb.query(`ALTER USER sitetest@'${host}' IDENTIFIED BY 'another'`);
    expect(failure(await remove())).toEqual(failedWith("PROVISION_DB_CONNECT_FAIL"));
    const removed = await good(remove({ args: ["--force"] }));
    expect(await whatIsThere()).toEqual({ ...NOTHING, database: true, accounts: true });
    expect(messages(removed, "warning")).toContain("The database sitetest was not backed up, so it is left alone with its accounts");
  });

  it("whose directory is gone can only be deleted by force", async () => {
    await frontEnd.stage.home.user.run(["sh", "-c", `chmod -R u+w ${SITE()}; rm -r ${SITE()}`]);
    expect(failure(await remove())).toEqual(failedWith("PROVISION_DRUPAL_SITE_NOT_FOUND"));
    const removed = await good(remove({ args: ["--force"] }));
    expect(await whatIsThere()).toEqual({ ...NOTHING, database: true, accounts: true });
    expect(messages(removed, "warning")).toEqual(["The site's directory is gone: there is nothing to back up", "No database name is known for @site.test: no database is dropped"]);
  });

  it("stays as it was, byte for byte, when the web server's configuration is broken by a neighbour", async () => {
    const neighbour = at("config", SERVER, "apache/vhost.d/broken.test");
    frontEnd.stage.home.write(neighbour.slice(frontEnd.home.length + 1), "NoSuchDirective on\n", 0o600);
    const before = treeOf(frontEnd.home);
    expect(failure(await remove())).toEqual(failedWith("PROVISION_WEB_CONFIG_BROKEN"));
    expect(treeOf(frontEnd.home)).toEqual(before);
    expect(await whatIsThere()).toEqual(ALL);
    rmSync(neighbour);
  });

  describe("that is answering a request", () => {
    let db: Db;
    beforeEach(async () => {
      db = await connectAsSite(frontEnd, SITE());
    });
    afterEach(() => db.close());
    const lateRow = (): Promise<void> => db.run("INSERT INTO variable (name, value) VALUES ('late_row', 's:1:\"x\";')");

    it("waits for its end: what it writes is in the backup", async () => {
      const removing = remove();
      await until("the virtual host is gone", () => !existsSync(VHOST()));
      await new Promise((resolve) => setTimeout(resolve, 1500));
      await lateRow();
      await db.close();
      const removed = await good(removing);
      expect([await whatIsThere(), messages(removed, "warning")]).toEqual([NOTHING, []]);
      expect(await dumpInBackup()).toContain("late_row");
    });

    it("does not wait for one that has no end, and says so", async () => {
      const removed = await good(remove());
      expect(messages(removed, "warning")).toEqual([expect.stringMatching(/^Something has used the database of @site\.test for 10 s \(connections: 1\)/)]);
      expect(await whatIsThere()).toEqual(NOTHING);
    }, 60_000);

    it("stays as it was when the task is told to stop meanwhile", async () => {
      const before = treeOf(frontEnd.home);
      const journal = at(".provision-shim/journal");
      const removing = remove();
      await until("the virtual host is gone", () => !existsSync(VHOST()));
      await new Promise((resolve) => setTimeout(resolve, 700));
      process.kill(await lockHolder(frontEnd, URI), "SIGTERM");
      expect(failure(await removing).errors).toEqual(["PROVISION_INTERRUPTED"]);
      expect([treeOf(frontEnd.home), await whatIsThere(), existsSync(journal) ? readdirSync(journal) : []]).toEqual([before, ALL, []]);
    });
  });

  describe("with a control program like Debian's", () => {
    const folder = (): string => join(frontEnd.stage.home.beside, "debian");
    const neighbour = (): string => at("config", SERVER, "apache/vhost.d/neighbour.test");
    const writeNeighbour = (text: string): string => frontEnd.stage.home.write(neighbour().slice(frontEnd.home.length + 1), text, 0o600);
    /** How the configuration was read since the last time. */
    const readings = (): string[] => {
      const calls = readFileSync(join(folder(), "calls"), "utf8").split("\n").filter((call) => call !== "");
      writeFileSync(join(folder(), "calls"), "");
      return calls.map((call) => call.replace(/ -f .*/, " -f SHADOW"));
    };

    beforeEach(() => {
      mkdirSync(folder(), { recursive: true });
      const apache = join(folder(), "apache2");
      // The control program of the tests knows when the server has reloaded.
      writeFileSync(apache, `#!/bin/sh\necho "$*" >>'${folder()}/calls'\nwhile [ "$*" = "-k graceful" ] && [ -e '${folder()}/hold' ]; do sleep 0.02; done\n[ "$*" != "-k graceful" ] || set -- graceful\nexec '${frontEnd.stage.apache.control}' "$@"\n`, { mode: 0o755 });
      writeFileSync(
        join(folder(), "apache2ctl"),
        `#!/bin/sh
HTTPD=${apache}
ARGV="$*"
case "$ARGV" in
restart|graceful)
    if $HTTPD \${APACHE_ARGUMENTS} -t 2> /dev/null ; then
        $HTTPD \${APACHE_ARGUMENTS} -k "$ARGV"
    else
        $HTTPD \${APACHE_ARGUMENTS} -t
    fi
    ;;
*)
    $HTTPD \${APACHE_ARGUMENTS} "$@"
esac
`,
        { mode: 0o755 },
      );
      writeFileSync(join(folder(), "calls"), "");
      frontEnd.stage.home.user.own(folder());
      writeAlias(frontEnd, SERVER, { ...serverOptions(frontEnd), http_restart_cmd: `${join(folder(), "apache2ctl")} graceful`, utf8mb4_is_supported: true });
    });
    afterEach(() => {
      writeAlias(frontEnd, SERVER, { ...serverOptions(frontEnd), utf8mb4_is_supported: true });
      rmSync(folder(), { recursive: true });
      rmSync(neighbour(), { force: true });
    });

    it("has it read once, and what serves it twice", async () => {
      // The first time, the program's main file is looked for, too.
      await good(frontEnd.task(URI, "disable"));
      readings();
      writeNeighbour("# by hand\n");
      await good(frontEnd.task(URI, "enable"));
      expect(readings()).toEqual(["-t -f SHADOW", "-k graceful"]);
      expect((await frontEnd.stage.apache.fetch(URI, "/")).status).toBe(200);
      await good(remove());
      expect(readings()).toEqual(["-k graceful"]);
      expect((await frontEnd.stage.apache.fetch(URI, "/")).status).toBe(404);
    });

    it("stays as it was when a neighbour is broken, and the server goes on", async () => {
      writeNeighbour("NoSuchDirective on\n");
      const before = treeOf(frontEnd.home);
      const refused = await remove();
      expect(failure(refused)).toEqual(failedWith("PROVISION_WEB_CONFIG_BROKEN"));
      expect(refused.messages["PROVISION_WEB_CONFIG_BROKEN"]).toMatch(/was broken before this task, by something else[^]*NoSuchDirective/);
      expect(readings().slice(0, 2)).toEqual(["-k graceful", "-t"]);
      expect([treeOf(frontEnd.home), await whatIsThere()]).toEqual([before, ALL]);
      expect((await frontEnd.stage.apache.fetch(URI, "/")).status).toBe(200);
    });

    it("stays as it was when it is what a neighbour needs", async () => {
      writeNeighbour(`Include ${VHOST()}\n`);
      const before = treeOf(frontEnd.home);
      const refused = await remove();
      expect(failure(refused)).toEqual(failedWith("PROVISION_WEB_CONFIG_BROKEN"));
      expect(refused.messages["PROVISION_WEB_CONFIG_BROKEN"]).toMatch(/would be broken by this change/);
      expect([treeOf(frontEnd.home), await whatIsThere()]).toEqual([before, ALL]);
      expect((await frontEnd.stage.apache.fetch(URI, "/")).status).toBe(200);
    });

    it("is backed up with all that came into its database while it was still served", async () => {
      writeFileSync(join(folder(), "hold"), "");
      const removing = remove();
      await until("the reload has begun", () => readFileSync(join(folder(), "calls"), "utf8") !== "");
      await frontEnd.stage.mariadb.query("CREATE TABLE sitetest.late_table (i INT); CREATE TRIGGER sitetest.late_trigger BEFORE INSERT ON sitetest.late_table FOR EACH ROW SET NEW.i = 1; CREATE VIEW sitetest.late_view AS SELECT i FROM sitetest.late_table; CREATE PROCEDURE sitetest.late_procedure() SELECT 1");
      rmSync(join(folder(), "hold"));
      await good(removing);
      expect(await whatIsThere()).toEqual(NOTHING);
      const dump = await dumpInBackup();
      expect(["late_table", "late_trigger", "late_view", "late_procedure"].filter((name) => !dump.includes(name))).toEqual([]);
    });

    it("is reloaded by the administrator's own command when sudo or the program refuses the shorter one", async () => {
      writeFileSync(join(folder(), "apache2"), readFileSync(join(folder(), "apache2"), "utf8").replace('[ "$*"', '[ "$#" != 2 ] || [ "$1" != -k ] || [ -e "$0.told" ] || { touch "$0.told"; echo "sudo: a password is required" >&2; exit 1; }\n[ "$*"'), { mode: 0o755 });
      await good(remove());
      expect(readings()).toEqual(["-k graceful", "-t", "-k graceful"]);
      expect((await frontEnd.stage.apache.fetch(URI, "/")).status).toBe(404);
      expect(await whatIsThere()).toEqual(NOTHING);
    });
  });

  it("db 47: stays as it was, and is served again, when its backup fails; no dump is left in it", async () => {
    const bin = at("bin");
    mkdirSync(bin, { recursive: true });
    writeFileSync(join(bin, "mariadb-dump"), "#!/bin/sh\necho no such luck >&2\nexit 2\n", { mode: 0o755 });
    frontEnd.stage.home.user.own(bin);
    const before = treeOf(frontEnd.home);
    const failed = await remove({ env: { PATH: `${bin}:${String(frontEnd.stage.home.user.env["PATH"])}` } });
    expect(failure(failed)).toEqual(failedWith("PROVISION_BACKUP_FAILED"));
    expect(treeOf(frontEnd.home)).toEqual(before);
    expect(await whatIsThere()).toEqual(ALL);
    expect((await frontEnd.stage.apache.fetch(URI, "/")).status).toBe(200);
    rmSync(bin, { recursive: true });
  });

  it("that is read-only in all its directories is gone, too", async () => {
    await frontEnd.stage.home.user.run(["sh", "-c", `mkdir -p ${SITE()}/files/deep/er; echo x > ${SITE()}/files/deep/er/x; chmod -R a-w ${SITE()}`]);
    await good(remove());
    expect(await whatIsThere()).toEqual(NOTHING);
  });

  it("never removes what a link in it leads to", async () => {
    await frontEnd.stage.home.user.run(["sh", "-c", `mkdir -p ~/precious; echo x > ~/precious/x; ln -s ~/precious ${SITE()}/files/link`]);
    await good(remove());
    expect(readFileSync(at("precious/x"), "utf8")).toBe("x\n");
  });

  it.each(["..", ".", "all"])("with the uri %j is refused", async (uri) => {
    writeAlias(frontEnd, "odd", { context_type: "site", platform: "@platform_standin", uri });
    const before = treeOf(root);
    const refused = await frontEnd.task("odd", "delete", { args: ["--force"] });
    expect([refused.status, refused.errors]).toEqual([1, [uri === "all" ? "PROVISION_DELETE_ROOT_REFUSED" : "PROVISION_URL_REQUIRED"]]);
    expect(treeOf(root)).toEqual(before);
    rmSync(ALIAS("odd"));
  });

  it.each([
    ["after recovery", () => frontEnd.stage.home.user.run([frontEnd.provision, "recover"], { env: frontEnd.env })],
    ["a moment after the front end's next dispatch", () => frontEnd.stage.home.user.run([frontEnd.drush, "@hostmaster", "hosting-dispatch"], { env: { ...frontEnd.env, PROVISION_SHIM_DRUSH: "/bin/true" } })],
  ])("of a task that was killed in the middle is as it was %s", async (_, recover) => {
    const held = await holdTasks(frontEnd);
    try {
      const before = treeOf(frontEnd.home);
      const child = frontEnd.stage.home.user.spawn(["sh", "-c", `exec "$0" "$@" 2>&1`, frontEnd.drush, "--backend=2", `@${URI}`, "provision-delete"], { env: { ...frontEnd.stage.home.user.env, ...frontEnd.env }, detached: true, stdio: "ignore" });
      await held.reached();
      expect(existsSync(VHOST())).toBe(false);
      process.kill(-child.pid!, "SIGKILL");
      held.release();
      await recover();
      const journals = join(frontEnd.home, ".provision-shim/journal");
      await until("nothing is left of the task", () => readdirSync(journals).length === 0 && readdirSync(join(frontEnd.home, ".provision-shim/locks")).length === 0);
      expect(treeOf(frontEnd.home)).toEqual(before);
      expect(await whatIsThere()).toEqual(ALL);
    } finally {
      await held.end();
    }
  });

  it("whose database cannot be dropped in the end is gone but for that, and recovery drops it later", async () => {
    await frontEnd.stage.mariadb.query("CREATE USER weak@'127.0.0.1' IDENTIFIED BY 'weak-pass'; GRANT SELECT, CREATE USER ON *.* TO weak@'127.0.0.1' WITH GRANT OPTION");
    writeAlias(frontEnd, SERVER, { ...serverOptions(frontEnd), utf8mb4_is_supported: true, master_db: "mysql://weak:weak-pass@127.0.0.1" });
    const removed = await remove();
    writeAlias(frontEnd, SERVER, { ...serverOptions(frontEnd), utf8mb4_is_supported: true });
    expect([removed.status, removed.errors, messages(removed, "warning").filter((message) => message.includes("[PROVISION_DROP_DB_FAILED]")).length]).toEqual([0, [], 1]);
    expect(await whatIsThere()).toEqual({ ...NOTHING, database: true, accounts: true });
    await frontEnd.stage.home.user.run([frontEnd.provision, "recover"], { env: frontEnd.env });
    expect(await whatIsThere()).toEqual(NOTHING);
    await frontEnd.stage.mariadb.query("DROP USER weak@'127.0.0.1'");
  });

  it("of the front end is the real drush's", async () => {
    writeAlias(frontEnd, "hostmaster", { context_type: "site", platform: "@platform_standin", uri: URI });
    const refused = await frontEnd.task("hostmaster", "delete");
    expect(refused.errors).toEqual(["PROVISION_NO_REAL_DRUSH"]);
    expect(await whatIsThere()).toEqual(ALL);
    rmSync(ALIAS("hostmaster"));
  });
});

describe("a platform", () => {
  const conf = (): string => at("config", SERVER, "apache/platform.d/platform_empty.conf");

  async function openEmpty(): Promise<string> {
    const empty = copyStandIn(frontEnd.stage.home, "empty");
    await good(frontEnd.save("platform_empty", { context_type: "platform", server: `@${SERVER}`, web_server: `@${SERVER}`, root: empty }));
    await good(frontEnd.task("platform_empty", "verify"));
    return empty;
  }

  afterEach(async () => {
    await frontEnd.stage.home.user.run(["sh", "-c", `rm -rf ~/platforms/empty ${ALIAS("platform_empty")} ${conf()} ~/.provision-shim/journal`]);
  });

  it("commands 98; http 8: without sites is gone: directory, web server's file and alias", async () => {
    const empty = await openEmpty();
    expect([existsSync(empty), existsSync(conf()), existsSync(ALIAS("platform_empty"))]).toEqual([true, true, true]);
    await good(frontEnd.task("platform_empty", "delete"));
    expect([existsSync(empty), existsSync(conf()), existsSync(ALIAS("platform_empty"))]).toEqual([false, false, false]);
    await good(frontEnd.call(["--yes", "--root=", "--uri=", "provision-save", "@platform_empty", "--delete"]));
    expect((await frontEnd.stage.apache.fetch("other.test", "/")).status).toBe(200);
  });

  it("commands 98; http 8: with sites is refused with the sentence as its code, and nothing is removed", async () => {
    const before = treeOf(frontEnd.home);
    const refused = await frontEnd.task("platform_standin", "delete");
    expect(failure(refused)).toEqual(failedWith("Existing sites were found on this platform. These sites will need to be deleted before this platform can be deleted."));
    expect(Object.values(refused.messages)[0]).toContain("other.test");
    expect(treeOf(frontEnd.home)).toEqual(before);
  });

  it("whose directory is gone, or with sites, is deleted by force", async () => {
    const empty = await openEmpty();
    mkdirSync(join(empty, "sites/forgotten.test"));
    writeFileSync(join(empty, "sites/forgotten.test/settings.php"), "<?php\n");
    frontEnd.stage.home.user.own(empty);
    expect((await frontEnd.task("platform_empty", "delete")).errors).toHaveLength(1);
    await good(frontEnd.task("platform_empty", "delete", { args: ["--force"] }));
    expect([existsSync(empty), existsSync(conf()), existsSync(ALIAS("platform_empty"))]).toEqual([false, false, false]);
    await openEmpty();
    rmSync(empty, { recursive: true });
    expect(failure(await frontEnd.task("platform_empty", "delete"))).toEqual(failedWith("DRUSH_INVALID_DRUPAL_ROOT"));
    expect(existsSync(conf())).toBe(true);
    await good(frontEnd.task("platform_empty", "delete", { args: ["--force"] }));
    expect([existsSync(conf()), existsSync(ALIAS("platform_empty"))]).toEqual([false, false]);
  });

  it.each([
    ["the home of Aegir", () => frontEnd.home],
    ["a folder above it", () => "/"],
    ["its backups", () => at("backups")],
    ["no absolute path", () => "platforms/empty"],
  ])("whose root is %s is refused, even by force", async (_, place) => {
    const before = Object.keys(treeOf(frontEnd.home));
    writeAlias(frontEnd, "platform_empty", { context_type: "platform", web_server: `@${SERVER}`, root: place() });
    expect(failure(await frontEnd.task("platform_empty", "delete", { args: ["--force"] }))).toEqual(failedWith("PROVISION_DELETE_ROOT_REFUSED"));
    expect(Object.keys(treeOf(frontEnd.home)).filter((path) => basename(path) !== "platform_empty.alias.drushrc.php")).toEqual(before);
  });
});

describe("a server", () => {
  it("commands 99: loses only its alias file", async () => {
    await good(frontEnd.save("server_db", { context_type: "server", remote_host: "localhost", db_service_type: "mysql", db_port: String(frontEnd.stage.mariadb.port), master_db: frontEnd.stage.mariadb.masterDb }));
    await good(frontEnd.task("server_db", "verify"));
    const before = treeOf(frontEnd.home);
    await good(frontEnd.task("server_db", "delete"));
    const after = treeOf(frontEnd.home);
    expect(Object.keys(before).filter((path) => after[path] !== before[path])).toEqual([".drush/server_db.alias.drushrc.php"]);
    expect(Object.keys(after).filter((path) => !(path in before))).toEqual([]);
  });
});
