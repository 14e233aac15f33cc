import { existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { good, installSite, openFrontEnd, openPlatform, SERVER, type BackendAnswer, type FrontEnd } from "../support/front-end.ts";
import { connectAsSite } from "../support/site-database.ts";
import { copyStandIn } from "../support/stand-in.ts";
import { failedWith, failure, messages } from "../support/system-checks.ts";
import { modeOf } from "../support/tree.ts";
import { until } from "../support/until.ts";
import { leftovers, worldOf, type World } from "../support/world.ts";

let frontEnd: FrontEnd;
let root: string;
let other: string;
/** Each test has a site of its own. */
let count = 0;
let uri: string;

beforeAll(async () => {
  frontEnd = await openFrontEnd();
  root = await openPlatform(frontEnd);
  other = await morePlatform("other");
}, 300_000);
afterAll(() => frontEnd.strike());

async function morePlatform(name: string): Promise<string> {
  const place = copyStandIn(frontEnd.stage.home, name);
  await good(frontEnd.save(`platform_${name}`, { context_type: "platform", server: `@${SERVER}`, web_server: `@${SERVER}`, root: place }));
  await good(frontEnd.task(`platform_${name}`, "verify"));
  return place;
}

async function newSite(options: Parameters<typeof installSite>[3] = {}): Promise<void> {
  uri = `s${++count}.test`;
  await installSite(frontEnd, root, uri, options);
  await good(frontEnd.task(uri, "verify"));
  await sql(`UPDATE variable SET value = 's:${5 + uri.length}:"Site ${uri}";' WHERE name = 'site_name'; DELETE FROM cache_bootstrap`);
  frontEnd.stage.home.write(`${below(join(root, "sites", uri))}/files/picture.txt`, `a picture of ${uri}`, 0o664);
}

function below(path: string): string {
  return path.slice(frontEnd.home.length + 1);
}

function at(...path: string[]): string {
  return join(frontEnd.home, ...path);
}

function task(name: string, command: string, ...args: string[]): Promise<BackendAnswer> {
  return frontEnd.task(name, command, { args, timeout: 120_000 });
}

async function sql(statements: string, database = databaseOf(uri)): Promise<Record<string, unknown>[]> {
  // One result for each statement; the last one counts.
  const results = (await frontEnd.stage.mariadb.query(`USE \`${database}\`; ${statements}`)) as unknown[];
  return (results.at(-1) ?? []) as Record<string, unknown>[];
}

function databaseOf(site: string, place = root): string {
  return /'db_name'\] = '([^']+)'/.exec(readFileSync(join(place, "sites", site, "drushrc.php"), "utf8"))?.[1] ?? "";
}

async function page(host: string, path = "/"): Promise<{ status: number; body: string }> {
  return frontEnd.stage.apache.fetch(host, path);
}

async function databases(): Promise<string[]> {
  return (await frontEnd.stage.mariadb.query("SHOW DATABASES")).map((row) => String(Object.values(row)[0]));
}

async function accountsOf(user: string): Promise<string[]> {
  return (await frontEnd.stage.mariadb.query(`SELECT Host FROM mysql.user WHERE User = '${user}' ORDER BY 1`)).map((row) => String(row["Host"]));
}

function alias(name: string): string {
  return readFileSync(at(".drush", `${name}.alias.drushrc.php`), "utf8");
}

function sitesPhp(place: string): string {
  return readFileSync(join(place, "sites/sites.php"), "utf8");
}

function context({ frame }: BackendAnswer): Record<string, unknown> {
  return frame["context"] as Record<string, unknown>;
}

/** What was there before is there again, and nothing else. Backups may come and go, their directory may be made. */
async function expectUnchanged(before: World): Promise<void> {
  expect(await worldOf(frontEnd)).toEqual(before);
  expect(leftovers(frontEnd)).toEqual([]);
}

/** What is remembered from one call to the next, by name. */
function remembered(): string[] {
  return readdirSync(at(".provision-shim/cache")).map(decodeURIComponent);
}

describe("a clone", () => {
  beforeAll(() => newSite({ aliases: ["www.first.test"], redirection: "www.first.test" }));

  it("commands 79, 90, 105, 107; db 36: is a site of its own on another platform, without the source's aliases and redirection; the source is as before", async () => {
    const source = { alias: alias(uri), drushrc: readFileSync(join(root, "sites", uri, "drushrc.php"), "utf8") };
    const answer = await good(task(uri, "clone", "@copy.test", "@platform_other"));
    expect(context(answer)).toMatchObject({ old_platform: "@platform_standin", profile: "standard", backup_file: expect.stringMatching(/\.tar\.gz$/) as string });
    const copy = await page("copy.test");
    expect([copy.status, copy.body.includes(`Site ${uri}`.replace(uri, "copy.test"))]).toEqual([200, true]);
    expect((await page("copy.test", "/sites/copy.test/files/picture.txt")).body).toBe(`a picture of ${uri}`);
    expect(alias("copy.test")).toMatch(/'aliases' => \s*array \(\s*\)/);
    expect(alias("copy.test")).not.toContain("www.first.test");
    expect(alias("copy.test")).toContain(other);
    expect(sitesPhp(other)).not.toContain("copy.test");
    expect({ alias: alias(uri), drushrc: readFileSync(join(root, "sites", uri, "drushrc.php"), "utf8") }).toEqual(source);
    expect((await page(uri)).status).toBe(301);
    const name = databaseOf("copy.test", other);
    expect(name).not.toBe(databaseOf(uri));
    expect(await accountsOf(name)).toEqual(["127.0.0.1", "localhost"]);
    expect(modeOf(at(`config/${SERVER}/apache/vhost.d/copy.test`))).toBe("644");
    expect([modeOf(join(other, "sites/copy.test")), modeOf(join(other, "sites/copy.test/settings.php")), existsSync(join(other, "sites/copy.test/database.sql"))]).toEqual(["755", "440", false]);
    expect(leftovers(frontEnd)).toEqual([]);
    expect(frontEnd.stage.apache.phpErrors()).toBe("");
  });

  it.each([
    ["a name that is taken", "@copy.test", "PROVISION_TARGET_EXISTS"],
    ["its own name", "@s1.test", "PROVISION_TARGET_EXISTS"],
    ["the alias of a site on that platform", "@www.first.test", "PROVISION_TARGET_EXISTS"],
    ["upper-case letters", "@Copy.test", "PROVISION_SITE_NAME_REFUSED"],
    ["a name of 300 letters", `@${"a".repeat(300)}`, "PROVISION_BAD_CONTEXT_NAME"],
    ["a name that leads elsewhere", "@..", "PROVISION_BAD_CONTEXT_NAME"],
  ])("to %s is refused and changes nothing", async (_, name, code) => {
    const before = await worldOf(frontEnd);
    expect(failure(await task(uri, "clone", name, "@platform_standin"))).toEqual(failedWith(code));
    await expectUnchanged(before);
  });

  it("to a platform that is not there, or lacks the profile or a module, is refused", async () => {
    expect(failure(await task(uri, "clone", "@next.test", "@platform_none"))).toEqual(failedWith("PROVISION_MISSING_CONTEXT"));
    const bare = await morePlatform("bare");
    rmSync(join(bare, "profiles/standard"), { recursive: true });
    const before = await worldOf(frontEnd);
    expect(failure(await task(uri, "clone", "@next.test", "@platform_bare"))).toEqual(failedWith("PROVISION_PROFILE_MISSING"));
    const lean = await morePlatform("lean");
    rmSync(join(lean, "modules/filter"), { recursive: true });
    expect(failure(await task(uri, "clone", "@next.test", "@platform_lean"))).toEqual(failedWith("PROVISION_MODULES_MISSING"));
    expect((await worldOf(frontEnd)).databases).toEqual(before.databases);
  });

  it("to a platform whose settings only PHP can judge, or with a module's hook on the backup, is the real drush's before anything is changed", async () => {
    const own = await morePlatform("own");
    writeFileSync(join(own, "sites/all/platform.settings.php"), "<?php\n$conf['cache_backends'] = [];\n");
    const before = await worldOf(frontEnd);
    for (const [command, ...args] of [["clone", "@next.test", "@platform_own"], ["migrate", "@platform_own"]] as const) {
      expect((await task(uri, command, ...args)).messages["PROVISION_NO_REAL_DRUSH"]).toContain("platform.settings.php");
    }
    writeFileSync(join(own, "sites/all/platform.settings.php"), "<?php\n");
    frontEnd.stage.home.write(`${below(own)}/sites/all/drush/theirs.drush.inc`, "<?php\nfunction drush_theirs_pre_updatedb() {}\n");
    expect((await task(uri, "migrate", "@platform_own")).messages["PROVISION_NO_REAL_DRUSH"]).toContain("drush_theirs_pre_updatedb");
    rmSync(join(own, "sites/all/drush/theirs.drush.inc"));
    writeFileSync(join(own, "sites/all/platform.settings.php"), "<?php\n$conf['cache_backends'] = [];\n");
    await expectUnchanged(before);
    const hook = join(root, "sites", uri, "modules/mine/mine.drush.inc");
    frontEnd.stage.home.write(below(hook), "<?php\nfunction drush_mine_post_provision_backup() {}\n");
    expect((await task(uri, "clone", "@next.test", "@platform_other")).messages["PROVISION_NO_REAL_DRUSH"]).toContain("drush_mine_post_provision_backup");
    rmSync(join(root, "sites", uri, "modules/mine"), { recursive: true });
  });

  it("whose virtual host the web server would refuse is taken back as a whole, and says so once, although its verify has begun", async () => {
    const poison = at("config", SERVER, "apache/vhost.d/poison.test");
    writeFileSync(poison, "NoSuchDirective on\n");
    try {
      const before = await worldOf(frontEnd);
      const answer = await task(uri, "clone", "@poisoned.test", "@platform_other");
      expect(failure(answer)).toEqual(failedWith("PROVISION_WEB_CONFIG_BROKEN"));
      expect(answer.frame["error_log"]).toEqual({ PROVISION_WEB_CONFIG_BROKEN: [expect.stringContaining("poison.test")] });
      await expectUnchanged(before);
    } finally {
      rmSync(poison);
    }
  });

  it("whose database updates fail is taken back as a whole", async () => {
    const broken = await morePlatform("broken");
    writeFileSync(join(broken, "modules/node/node.install"), `${readFileSync(join(broken, "modules/node/node.install"), "utf8")}\nfunction node_update_7999() { throw new Exception('on purpose'); }\n`);
    const before = await worldOf(frontEnd);
    const answer = await task(uri, "clone", "@next.test", "@platform_broken");
    expect(failure(answer)).toEqual(failedWith("PROVISION_DRUPAL_UPDATE_FAILED"));
    expect(Object.values(answer.messages).join()).toContain("on purpose");
    await expectUnchanged(before);
    expect((await page(uri, "/node/1")).status).toBe(301);
  });
});

describe("a deploy", () => {
  let archive: string;
  beforeAll(async () => {
    await newSite();
    archive = String(context(await good(frontEnd.task(uri, "backup", { args: [at("backups/deploy.tar.bz2")] })))["backup_file"]);
  });

  it("commands 77, 78, 82; contexts 72: of a .tar.bz2 replaces the directory that is there; its drushrc.php has the credentials only, and no paths are rewritten", async () => {
    await sql("INSERT INTO block_custom (body, info, format) VALUES ('see sites/all/modules', 'a block', 'plain')");
    const former = databaseOf(uri);
    archive = String(context(await good(frontEnd.task(uri, "backup", { args: [at("backups/again.tar.bz2")] })))["backup_file"]);
    await good(task(uri, "deploy", archive));
    const drushrc = readFileSync(join(root, "sites", uri, "drushrc.php"), "utf8");
    expect([...drushrc.matchAll(/\$options\['(\w+)'\] =/g)].map(([, key]) => key).sort()).toEqual(["db_host", "db_name", "db_passwd", "db_port", "db_type", "db_user"]);
    expect([databaseOf(uri) === former, (await page(uri)).body.includes(`Site ${uri}`)]).toEqual([false, true]);
    expect(await sql("SELECT body FROM block_custom WHERE info = 'a block'")).toEqual([{ body: "see sites/all/modules" }]);
    // Nobody says which database it replaces.
    expect(await databases()).toContain(former);
    expect(leftovers(frontEnd)).toEqual([]);
    await good(task(uri, "verify"));
  });

  it("in the place of what belongs to all sites is refused", async () => {
    await good(frontEnd.save("everybody.test", { context_type: "site", platform: "@platform_standin", db_server: `@${SERVER}`, uri: "all" }));
    const before = await worldOf(frontEnd);
    expect(failure(await task("everybody.test", "deploy", archive))).toEqual(failedWith("PROVISION_URL_REQUIRED"));
    await expectUnchanged(before);
    rmSync(at(".drush/everybody.test.alias.drushrc.php"));
  });

  it("is only told of in a dry run", async () => {
    const before = await worldOf(frontEnd);
    const dry = await frontEnd.stage.home.user.run([frontEnd.provision, "deploy", `@${uri}`, archive, "--dry-run"], { env: frontEnd.env, mayFail: true });
    expect([dry.status, dry.stdout]).toEqual([2, expect.stringContaining(`would deploy ${archive} as @${uri}`) as string]);
    await expectUnchanged(before);
  });

  it("commands 80: of an archive that cannot be unpacked leaves directory and databases as they are", async () => {
    const damaged = at("backups/damaged.tar.gz");
    writeFileSync(damaged, readFileSync(archive).subarray(0, 5000));
    const before = await worldOf(frontEnd);
    expect(failure(await task(uri, "deploy", damaged))).toEqual(failedWith("PROVISION_BACKUP_DAMAGED"));
    await expectUnchanged(before);
    rmSync(damaged);
  });
});

describe("a migrate", () => {
  beforeEach(() => newSite({ aliases: [`www.s${count + 1}.test`, `more.s${count + 1}.test`] }));

  it("commands 85, 89, 105, 106; db 36: to another platform takes everything along and leaves nothing", async () => {
    const former = databaseOf(uri);
    await good(task(uri, "backup"));
    expect(remembered()).toContain(`dump ${former} @${SERVER}`);
    const answer = await good(task(uri, "migrate", "@platform_other"));
    expect(remembered().filter((name) => name.includes(`${root}/sites/${uri}/`) || name.startsWith(`dump ${former} `))).toEqual([]);
    const { db_name: name } = context(answer);
    expect([name, (answer.frame["self"] as Record<string, unknown>)["db_name"]]).toEqual([databaseOf(uri, other), name]);
    expect(Object.keys(context(answer)["packages"] as object)).toEqual(["platforms", "profiles", "modules", "themes"]);
    expect((await page(uri)).body).toContain(`Site ${uri}`);
    // As the front end's verify makes it in the middle.
    expect(modeOf(at(`config/${SERVER}/apache/vhost.d/${uri}`))).toBe("664");
    expect((await page(`more.${uri}`, `/sites/${uri}/files/picture.txt`)).body).toContain("a picture");
    expect([existsSync(join(root, "sites", uri)), sitesPhp(root).includes(uri), sitesPhp(other).includes(`'more.${uri}'`)]).toEqual([false, false, true]);
    expect(alias(uri)).toContain(`'platform' => '@platform_other'`);
    expect(await databases()).not.toContain(former);
    expect(await accountsOf(former)).toEqual([]);
    expect(leftovers(frontEnd)).toEqual([]);
  });

  it("waits for the requests that are being answered: what they write comes along", async () => {
    const visitor = await connectAsSite(frontEnd, join(root, "sites", uri));
    const moving = task(uri, "migrate", "@platform_other");
    await until("the site is offline", async () => (await page(uri)).status === 302);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    await visitor.run("INSERT INTO variable (name, value) VALUES ('late_row', 's:1:\"x\";')");
    await visitor.close();
    const answer = await good(moving);
    expect(messages(answer, "warning").filter((message) => message.includes("has used the database"))).toEqual([]);
    expect(await sql("SELECT name FROM variable WHERE name = 'late_row'", databaseOf(uri, other))).toHaveLength(1);
    expect(leftovers(frontEnd)).toEqual([]);
  });

  it("commands 86, 106: to another name rewrites aliases and paths, and the old name is gone", async () => {
    const from = uri;
    await good(frontEnd.save(uri, { aliases: `www.${uri}`, redirection: `www.${uri}` }));
    await good(task(uri, "verify"));
    await good(task(uri, "migrate", "@platform_standin", `@new-${from}`));
    const moved = await page(`new-${from}`, "/node/1");
    expect([moved.status, (await page(`www.new-${from}`)).status, (await page(from)).status]).toEqual([301, 200, 404]);
    expect(alias(`new-${from}`)).toContain(`'redirection' => 'www.new-${from}'`);
    expect(sitesPhp(root)).toContain(`'www.new-${from}' => 'new-${from}'`);
    expect(sitesPhp(root)).not.toContain(`'www.${from}'`);
    for (const path of [`.drush/${from}.alias.drushrc.php`, `config/${SERVER}/apache/vhost.d/${from}`, `clients/admin/${from}`]) expect([path, existsSync(at(path))]).toEqual([path, false]);
    expect(existsSync(join(root, "sites", from))).toBe(false);
    expect((await sql("SELECT filename FROM `system` WHERE filename LIKE 'sites/s%'", databaseOf(`new-${from}`))).filter((row) => String(row["filename"]).includes(`sites/${from}`))).toEqual([]);
    expect(leftovers(frontEnd)).toEqual([]);
  });

  it("to a name whose www. is another site's alias is refused and changes nothing", async () => {
    frontEnd.stage.home.write(`${below(root)}/sites/sites.php`, `${sitesPhp(root)}\n$sites['www.taken.test'] = 'first.test';\n`, 0o644);
    const before = await worldOf(frontEnd);
    const refused = await task(uri, "migrate", "@platform_standin", "@taken.test");
    expect([failure(refused), refused.messages["PROVISION_TARGET_EXISTS"]]).toEqual([failedWith("PROVISION_TARGET_EXISTS"), expect.stringContaining("www.taken.test, as an alias of the site first.test")]);
    await expectUnchanged(before);
  });

  it("to another platform and name at once", async () => {
    await good(task(uri, "migrate", "@platform_other", `@both-${uri}`));
    expect((await page(`both-${uri}`)).status).toBe(200);
    expect((await page(uri)).status).toBe(404);
    expect(existsSync(join(root, "sites", uri))).toBe(false);
    expect(leftovers(frontEnd)).toEqual([]);
  });

  it("commands 87: to where it is keeps the database that it has just loaded, and drops the old one", async () => {
    const former = databaseOf(uri);
    await good(task(uri, "migrate", "@platform_standin"));
    expect(remembered()).not.toContain(`dump ${former} @${SERVER}`);
    expect((await page(uri)).body).toContain(`Site ${uri}`);
    expect(databaseOf(uri)).not.toBe(former);
    expect(await databases()).toEqual(expect.arrayContaining([databaseOf(uri)]));
    expect(await databases()).not.toContain(former);
    expect(leftovers(frontEnd)).toEqual([]);
  });

  it("commands 93: to another database server moves the database and drops it from the old one", async () => {
    const former = databaseOf(uri);
    await good(frontEnd.save("server_two", { context_type: "server", remote_host: "127.0.0.1", db_service_type: "mysql", db_port: String(frontEnd.stage.mariadb.port), master_db: frontEnd.stage.mariadb.masterDb }));
    await good(frontEnd.task(uri, "migrate", { args: ["@platform_standin", "--new_db_server=@server_two"] }));
    expect(alias(uri)).toContain("'db_server' => '@server_two'");
    expect(readFileSync(join(root, "sites", uri, "drushrc.php"), "utf8")).toContain("'db_host'] = '127.0.0.1'");
    expect((await page(uri)).body).toContain(`Site ${uri}`);
    expect(await databases()).not.toContain(former);
    expect(leftovers(frontEnd)).toEqual([]);
  });

  it("commands 106: of a disabled site leaves it disabled, under a new name too", async () => {
    await good(task(uri, "disable"));
    await good(task(uri, "migrate", "@platform_other", `@off-${uri}`));
    expect(alias(`off-${uri}`)).toContain("'site_enabled' => false");
    expect((await page(`off-${uri}`)).status).toBe(302);
  });

  it("commands 88, 108; http 12: that fails leaves the site serving as before", async () => {
    const before = await worldOf(frontEnd);
    const answer = await task(uri, "migrate", "@platform_broken");
    expect(failure(answer)).toEqual(failedWith("PROVISION_DRUPAL_UPDATE_FAILED"));
    await expectUnchanged(before);
    expect((await page(uri)).body).toContain(`Site ${uri}`);
  });
});

describe("a restore", () => {
  let archive: string;
  beforeAll(async () => {
    await newSite({ aliases: ["alias.test"] });
    archive = String(context(await good(task(uri, "backup")))["backup_file"]);
    await sql("UPDATE variable SET value = 's:5:\"Later\";' WHERE name = 'site_name'; DELETE FROM cache_bootstrap");
    writeFileSync(join(root, "sites", uri, "files/later.txt"), "later");
  });

  it("of a damaged, unsafe or foreign backup is refused before anything is touched", async () => {
    const home = at("backups");
    const bytes = readFileSync(archive);
    const damaged = join(home, "damaged.tar.gz");
    writeFileSync(damaged, bytes);
    truncateSync(damaged, bytes.length - 100);
    const foreign = String(context(await good(task("copy.test", "backup")))["backup_file"]);
    await frontEnd.stage.home.user.run(["sh", "-c", `mkdir ${at("evil")} && cd ${at("evil")} && ln -s /etc/passwd out && tar cpfz ${home}/evil.tar.gz . && cd / && rm -r ${at("evil")}`]);
    const before = await worldOf(frontEnd);
    for (const [file, code] of [[damaged, "PROVISION_BACKUP_DAMAGED"], [foreign, "PROVISION_BACKUP_OTHER_SITE"], [join(home, "evil.tar.gz"), "PROVISION_BACKUP_UNSAFE"], [join(home, "none.tar.gz"), "PROVISION_BACKUP_NOT_FOUND"]] as const) {
      expect([file, failure(await task(uri, "restore", file))]).toEqual([file, failedWith(code)]);
    }
    await expectUnchanged(before);
    expect((await page(uri)).body).toContain("Later");
  });

  it("commands 77, 83: brings back files and rows, with a new database; what was there is in another backup", async () => {
    const former = databaseOf(uri);
    const answer = await good(task(uri, "restore", archive));
    expect((await page(uri)).body).toContain(`Site ${uri}`);
    expect((await page("alias.test")).status).toBe(200);
    expect([existsSync(join(root, "sites", uri, "files/later.txt")), existsSync(join(root, "sites", uri, "files/picture.txt"))]).toEqual([false, true]);
    expect([databaseOf(uri) === former, (await databases()).includes(former), await accountsOf(former)]).toEqual([false, false, []]);
    const { backup_file: kept } = context(answer);
    expect([kept === archive, existsSync(String(kept))]).toEqual([false, true]);
    expect(readdirSync(join(root, "sites")).filter((name) => name.includes(uri))).toEqual([uri]);
    expect(leftovers(frontEnd)).toEqual([]);
  });

  it("commands 84; http 12: that fails leaves the site enabled, serving what it did", async () => {
    // The dump in it does not load.
    const work = at("bad");
    await frontEnd.stage.home.user.run(["sh", "-c", `mkdir ${work} && cd ${work} && tar xpfz ${archive} && rm -f .provision-backup.json && chmod u+w database.sql && echo 'THIS IS NO SQL;' >> database.sql && tar cpfz ${at("backups")}/bad.tar.gz . && cd / && chmod -R u+w ${work} && rm -r ${work}`]);
    const before = await worldOf(frontEnd);
    expect(failure(await task(uri, "restore", at("backups/bad.tar.gz")))).toEqual(failedWith("PROVISION_DB_IMPORT_FAILED"));
    await expectUnchanged(before);
    expect((await page(uri)).body).toContain(`Site ${uri}`);
  });
});
