import { existsSync, lstatSync, mkdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { PlainRecord } from "../../src/php-values/convert.ts";
import { good, openFrontEnd, openPlatform, SERVER, serverOptions, writeAlias, type BackendAnswer, type CallOptions, type FrontEnd } from "../support/front-end.ts";
import { lockHolder } from "../support/lock-holder.ts";
import { openRealPlatform, REAL_DRUPAL7 } from "../support/real-drupal.ts";
import { failedWith, failure, messages } from "../support/system-checks.ts";
import { modeOf, treeOf } from "../support/tree.ts";
import { until } from "../support/until.ts";

const STAND_IN = "standin";

let frontEnd: FrontEnd;
let root: string;

beforeAll(async () => {
  frontEnd = await openFrontEnd();
  root = await openPlatform(frontEnd, STAND_IN);
  if (REAL_DRUPAL7 !== undefined) await openRealPlatform(frontEnd);
}, 300_000);
afterAll(() => frontEnd.strike());

function at(...path: string[]): string {
  return join(frontEnd.home, ...path);
}

function save(uri: string, options: PlainRecord = {}): Promise<BackendAnswer> {
  const given = { context_type: "site", platform: `@platform_${STAND_IN}`, db_server: `@${SERVER}`, language: "en", profile: "standard", client_name: "admin", aliases: "null", redirection: "null", ...options };
  return good(frontEnd.call(["--root=", `--uri=${uri}`, "provision-save", `@${uri}`], { stdin: given }));
}

function install(uri: string, options: CallOptions & { readonly args?: readonly string[] } = {}): Promise<BackendAnswer> {
  return frontEnd.task(uri, "install", { stdin: { profile: "standard", client_email: "" }, ...options });
}

async function shell(script: string): Promise<string> {
  return (await frontEnd.stage.home.user.run(["sh", "-c", script])).stdout;
}

async function databases(): Promise<unknown[]> {
  const rows = await frontEnd.stage.mariadb.query("SELECT SCHEMA_NAME AS n FROM information_schema.SCHEMATA WHERE SCHEMA_NAME NOT IN ('mysql', 'information_schema', 'performance_schema', 'sys') UNION ALL SELECT CONCAT(User, '@', Host) FROM mysql.user WHERE User NOT IN ('aegir_root', 'mariadb.sys', 'mysql', 'PUBLIC') ORDER BY n");
  return rows.map(({ n }) => n);
}

async function drushrc(uri: string): Promise<Record<string, unknown>> {
  return JSON.parse(await shell(`php -r 'include "${root}/sites/${uri}/drushrc.php"; echo json_encode($options);'`)) as Record<string, unknown>;
}

function context({ frame }: BackendAnswer): Record<string, unknown> {
  return frame["context"] as Record<string, unknown>;
}

/** What Apache shows of the site, after the link has logged in. */
async function logIn(uri: string, link: unknown): Promise<{ readonly status: number; readonly body: string }> {
  const { apache } = frontEnd.stage;
  const { headers } = await apache.fetch(uri, new URL(String(link)).pathname);
  const cookie = headers["set-cookie"]?.[0]?.split(";")[0] ?? "";
  return apache.fetch(uri, "/user/1/edit", { headers: { Cookie: cookie } });
}

const platforms = [[STAND_IN, "standin.test"], ...(REAL_DRUPAL7 === undefined ? [] : [["drupal7", "real.test"]])] as [string, string][];

it.skipIf(REAL_DRUPAL7 !== undefined)("(SHIM_TEST_DRUPAL7 is not set: only the stand-in is installed)", () => undefined);

describe.each(platforms)("a new site on the platform %s", (platform, uri) => {
  let installed: BackendAnswer;
  let sitePath: string;

  beforeAll(async () => {
    sitePath = at("platforms", platform, "sites", uri);
    await save(uri, { platform: `@platform_${platform}`, aliases: `www.${uri}` });
    installed = await good(install(uri));
  }, 300_000);

  it("commands 61; callers 4: is served, and the link logs its first user in", async () => {
    const { apache } = frontEnd.stage;
    expect(await apache.fetch(`www.${uri}`, "/")).toMatchObject({ status: 200, body: expect.stringContaining(uri) as string });
    const { login_link: link } = context(installed);
    expect(link).toMatch(new RegExp(`^http://${uri}:${apache.port}/user/reset/1/\\d+/[\\w-]+/login$`));
    expect(await logIn(uri, link)).toMatchObject({ status: 200, body: expect.stringContaining("admin") as string });
    expect(apache.phpErrors()).toBe("");
  });

  it("commands 59, 61: the answer has what the front end stores", () => {
    const answered = context(installed);
    expect([answered["installed"], answered["profile_installed"], (installed.frame["self"] as Record<string, unknown>)["db_name"]]).toEqual([true, true, uri.replace(/\W/g, "")]);
    expect(answered["cron_key"]).toMatch(/^\S{20,}$/);
    const packages = answered["packages"] as Record<string, Record<string, { status?: unknown }>>;
    expect([Object.keys(packages), packages["profiles"]!["standard"]!.status, packages["modules"]!["block"]!.status]).toEqual([["platforms", "profiles", "modules", "themes"], 1, "1"]);
  });

  it("commands 58: its account is granted its database, also for 127.0.0.1, before that is made", async () => {
    const name = uri.replace(/\W/g, "");
    const all = installed.logs.map(({ message }) => message);
    expect(all.lastIndexOf(`Granted privileges to ${name}@localhost on ${name}`)).toBeLessThan(all.indexOf(`Created ${name} database`));
    expect((await databases()).filter((found) => String(found).startsWith(name))).toEqual([name, `${name}@127.0.0.1`, `${name}@localhost`]);
  });

  it("has its files with their modes, its drushrc.php in the original's order, its client's link and its aliases", async () => {
    const own = lstatSync(at(".drush")).gid;
    const webGid = Number((await shell(`getent group ${frontEnd.stage.home.user.webGroup} | cut -d: -f3`)).trim());
    expect(["", "files", "private/files", "modules", "settings.php", "local.settings.php", "drushrc.php"].map((path) => [path, modeOf(join(sitePath, path))])).toEqual([
      ["", "755"], ["files", "2770"], ["private/files", "2770"], ["modules", "2775"], ["settings.php", "440"], ["local.settings.php", "440"], ["drushrc.php", "440"],
    ]);
    expect([lstatSync(sitePath).gid, lstatSync(join(sitePath, "files")).gid, lstatSync(join(sitePath, "settings.php")).gid]).toEqual([own, webGid, webGid]);
    expect(readFileSync(join(sitePath, "files/.htaccess"), "utf8")).toContain("SA_2013_003");
    const options = Object.keys(JSON.parse(await shell(`php -r 'include "${sitePath}/drushrc.php"; echo json_encode($options);'`)) as object);
    expect(options).toEqual(["db_type", "db_host", "db_port", "db_passwd", "db_name", "db_user", "profile_installed", "installed", "packages"]);
    expect(readlinkSync(at("clients/admin", uri))).toBe(sitePath);
    expect(readFileSync(join(sitePath, "../sites.php"), "utf8")).toContain(`'www.${uri}' => '${uri}'`);
  });

  it("commands 65: the web server was restarted once, after the installer; Drupal's own log is in ours", () => {
    const all = installed.logs.map(({ message }) => message);
    const restarts = all.flatMap((message, index) => (message.includes("has been restarted") ? [index] : []));
    expect(restarts).toHaveLength(1);
    expect(restarts[0]).toBeGreaterThan(all.findIndex((message) => message.startsWith("Login url: ")));
    expect(messages(installed, "info")).toContain("WD system: block module installed.");
  });

  it("commands 62; callers 5: an address that is none is a warning", () => {
    expect(messages(installed, "warning")[0]).toContain("is not valid");
  });

  it("commands 56; callers 6: is not installed again, and nothing changes", async () => {
    const before = treeOf(frontEnd.home);
    expect(failure(await install(uri))).toEqual(failedWith("PROVISION_SITE_INSTALLED"));
    expect(treeOf(frontEnd.home)).toEqual(before);
    expect((await frontEnd.stage.apache.fetch(uri, "/")).status).toBe(200);
  });

  it("can be verified at once", async () => {
    await good(frontEnd.task(uri, "verify"));
    expect((await frontEnd.stage.apache.fetch(uri, "/")).status).toBe(200);
  });
});

describe("a mail to the client", () => {
  let catcher: NodeJS.ProcessEnv;
  const mail = (): string => (existsSync(at("mail")) ? readFileSync(at("mail"), "utf8") : "");

  /** PHP gives its mails to this shell command. */
  function mailTo(command: string): NodeJS.ProcessEnv {
    frontEnd.stage.home.write("../mail-ini/mail.ini", `sendmail_path="${command}"\n`);
    return { PHP_INI_SCAN_DIR: `${frontEnd.env["PHP_INI_SCAN_DIR"] ?? ""}:${at("../mail-ini")}` };
  }

  beforeAll(() => {
    catcher = mailTo(`cat > ${at("mail")}`);
  });

  it("has the link", async () => {
    await save("mailed.test");
    const installed = await good(install("mailed.test", { stdin: { client_email: "client@example.org" }, env: catcher }));
    expect(messages(installed, "success")).toContain("Sent welcome mail to client@example.org");
    expect(messages(installed, "warning")).toEqual([]);
    expect(mail()).toMatch(/^To: client@example\.org\r?\nSubject: Your new site mailed\.test has been created/);
    expect(mail()).toContain(String(context(installed)["login_link"]).replace(/\/login$/, ""));
    expect(await logIn("mailed.test", context(installed)["login_link"])).toMatchObject({ status: 200 });
  });

  it("may have the words of the profile", async () => {
    frontEnd.stage.home.write(`platforms/${STAND_IN}/profiles/club/provision_welcome_mail.inc`, "<?php\n$mail['subject'] = 'Ahoy !username';\n$mail['body'] = 'Come to !uri_brief';\n");
    await save("club.test", { profile: "club" });
    await good(install("club.test", { stdin: { client_email: "client@example.org" }, env: catcher }));
    expect(mail()).toContain("Subject: Ahoy admin");
    expect(mail()).toContain(`Come to club.test:${frontEnd.stage.apache.port}`);
  });

  it("that cannot be sent is a warning, and the site is there", async () => {
    await save("unmailed.test");
    const installed = await good(install("unmailed.test", { stdin: { client_email: "client@example.org" }, env: mailTo("false") }));
    expect(messages(installed, "warning")).toContain("Could not send welcome mail to client@example.org");
    expect((await frontEnd.stage.apache.fetch("unmailed.test", "/")).status).toBe(200);
  });
});

describe("the options", () => {
  it("admin_user is the first user's name, if it can be one", async () => {
    await save("named.test");
    const installed = await good(install("named.test", { stdin: { admin_user: "Zoë B", client_email: "a@b.cd" } }));
    expect(messages(installed, "warning").filter((message) => !message.includes("mail"))).toEqual([]);
    expect((await logIn("named.test", context(installed)["login_link"])).body).toContain("Zoë B");
    await save("misnamed.test");
    const other = await good(install("misnamed.test", { stdin: { admin_user: " <b>", client_email: "" } }));
    expect(messages(other, "warning")).toContainEqual(expect.stringContaining('cannot have the name " <b>"'));
    expect((await logIn("misnamed.test", context(other)["login_link"])).body).toContain("logged in as admin");
  });

  it("commands 63: install_method manual leaves the installing to a person", async () => {
    await save("manual.test", { install_method: "manual" });
    const installed = await good(install("manual.test"));
    const { apache } = frontEnd.stage;
    expect([context(installed)["login_link"], context(installed)["cron_key"]]).toEqual([`http://manual.test:${apache.port}/install.php`, ""]);
    expect(Object.keys(await drushrc("manual.test"))).toEqual(["db_type", "db_host", "db_port", "db_passwd", "db_name", "db_user", "installed"]);
    expect((await apache.fetch("manual.test", "/install.php")).body).toContain("<form");
    await apache.fetch("manual.test", "/install.php", { method: "POST", body: "profile=standard&site_name=By+hand", headers: { "Content-Type": "application/x-www-form-urlencoded" } });
    expect((await apache.fetch("manual.test", "/")).body).toContain("By hand");
  });

  it("commands 64: another method leaves an empty database", async () => {
    await save("other.test", { install_method: "copy" });
    const installed = await good(install("other.test"));
    expect([context(installed)["installed"], context(installed)["login_link"]]).toEqual([true, undefined]);
    expect(await frontEnd.stage.mariadb.query("SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'othertest'")).toEqual([]);
  });

  it("commands 57: --force-reinstall gives up the database named in drushrc.php, and the directory", async () => {
    await save("again.test");
    await good(install("again.test"));
    frontEnd.stage.home.write(`platforms/${STAND_IN}/sites/again.test/files/old.txt`, "old");
    await frontEnd.stage.mariadb.query("CREATE TABLE againtest.old (a int)");
    const installed = await good(install("again.test", { args: ["--force-reinstall"] }));
    expect(messages(installed, "ok")).toContain("Forcing reinstall...");
    expect([existsSync(join(root, "sites/again.test/files/old.txt")), (await frontEnd.stage.apache.fetch("again.test", "/")).status]).toEqual([false, 200]);
    expect((await databases()).filter((name) => String(name).startsWith("againtest"))).toEqual(["againtest_0", "againtest_0@127.0.0.1", "againtest_0@localhost"]);
    expect((await shell(`ls -A ${root}/sites`)).split("\n").filter((name) => name.includes("again"))).toEqual(["again.test"]);
  });
});

describe("a failing installation", () => {
  /** Installs a site that must fail; nothing of it may be left, its alias included, and no other file may be another one. */
  async function leavesNothing(uri: string, running: () => Promise<BackendAnswer>, code: string): Promise<BackendAnswer> {
    const [tree, data] = [treeOf(frontEnd.home), await databases()];
    await save(uri, { profile: "testing", aliases: `www.${uri}` });
    const failed = await running();
    expect(failure(failed)).toEqual(failedWith(code));
    expect(treeOf(frontEnd.home)).toEqual(tree);
    expect(await databases()).toEqual(data);
    return failed;
  }

  /** How the profile `testing` goes wrong. */
  function goWrong(how: string): void {
    frontEnd.stage.home.write(`platforms/${STAND_IN}/sites/all/platform.settings.php`, `<?php $conf['stand_in_install'] = '${how}';\n`);
  }

  it.each([
    ["throw", "The install goes wrong: it is told to."],
    ["fatal", "Call to undefined function"],
    ["exit", "ended the program (exit)"],
    ["memory", "Allowed memory size"],
    ["kill", "was ended by SIGKILL"],
  ])("commands 60: in Drupal (%s) leaves nothing", async (how, reason) => {
    goWrong(how);
    const failed = await leavesNothing("wrong.test", () => install("wrong.test", { stdin: { profile: "testing" } }), "DRUPAL_INSTALL_FAILED");
    expect(failed.messages["DRUPAL_INSTALL_FAILED"]).toContain(reason);
  });

  it("commands 60; callers 26: at the web server leaves nothing, and the others are served", async () => {
    goWrong("");
    frontEnd.stage.home.write(`config/${SERVER}/apache/vhost.d/neighbour.test`, "NoSuchDirective on\n", 0o600);
    await leavesNothing("wrong.test", () => install("wrong.test"), "PROVISION_WEB_CONFIG_BROKEN");
    rmSync(at(`config/${SERVER}/apache/vhost.d/neighbour.test`));
  });

  it("commands 60; http 12: after the web server has loaded it is undone in the order virtual host, directory, alias, database, account", async () => {
    // The folder of clients is the last thing that is written to.
    await shell(`mkdir ${at("clients/barred")}; chmod 500 ${at("clients/barred")}`);
    const [tree, data] = [treeOf(frontEnd.home), await databases()];
    writeAlias(frontEnd, SERVER, { ...serverOptions(frontEnd), utf8mb4_is_supported: true });
    await save("wrong.test", { client_name: "barred/wrong" });
    const failed = await install("wrong.test");
    expect(failure(failed)).toEqual(failedWith("DRUSH_PERM_ERROR"));
    const undone = messages(failed, "notice").filter((message) => message.startsWith("Undone: "));
    const order = [/restarted the web server/, /removed .*vhost\.d\/wrong\.test/, /removed .*sites\/wrong\.test$/, /removed .*wrong\.test\.alias/, /dropped the database wrongtest/, /dropped the account wrongtest/].map((pattern) => undone.findIndex((message) => pattern.test(message)));
    expect(order.every((place) => place >= 0)).toBe(true);
    expect(order.slice(1)).toEqual(order.slice(1).sort((a, b) => a - b));
    expect((await frontEnd.stage.apache.fetch("wrong.test", "/")).status).toBe(404);
    await shell(`chmod 700 ${at("clients/barred")}; rmdir ${at("clients/barred")}`);
    const others = Object.entries(tree).filter(([path]) => path !== `.drush/${SERVER}.alias.drushrc.php` && path !== "clients/barred");
    expect(treeOf(frontEnd.home)).toMatchObject(Object.fromEntries(others));
    expect(await databases()).toEqual(data);
  });

  it("commands 2; callers 23; db 6: because the database server does not answer changes nothing; later it works", async () => {
    await save("later.test");
    const before = treeOf(frontEnd.home);
    writeAlias(frontEnd, SERVER, { ...serverOptions(frontEnd), db_port: "1", utf8mb4_is_supported: true });
    expect(failure(await install("later.test"))).toEqual(failedWith("PROVISION_DB_CONNECT_FAIL"));
    writeAlias(frontEnd, SERVER, { ...serverOptions(frontEnd), utf8mb4_is_supported: true });
    const alias = `.drush/${SERVER}.alias.drushrc.php`;
    expect({ ...treeOf(frontEnd.home), [alias]: "" }).toEqual({ ...before, [alias]: "" });
    await good(install("later.test"));
    expect((await frontEnd.stage.apache.fetch("later.test", "/")).status).toBe(200);
  });

  it("commands 57: of a reinstallation brings the former site back", async () => {
    await save("kept.test", { profile: "testing" });
    goWrong("");
    await good(install("kept.test", { stdin: { profile: "testing" } }));
    frontEnd.stage.home.write(`platforms/${STAND_IN}/sites/kept.test/files/old.txt`, "old");
    const [tree, data, aliases] = [treeOf(join(root, "sites")), await databases(), treeOf(join(frontEnd.home, ".drush"))];
    goWrong("throw");
    expect(failure(await install("kept.test", { stdin: { profile: "testing" }, args: ["--force-reinstall"] }))).toEqual(failedWith("DRUPAL_INSTALL_FAILED"));
    goWrong("");
    expect(await databases()).toEqual(data);
    expect(treeOf(join(root, "sites"))).toEqual(tree);
    expect(treeOf(join(frontEnd.home, ".drush"))).toEqual(aliases);
    expect((await frontEnd.stage.apache.fetch("kept.test", "/")).status).toBe(200);
  });

  it("leaves what was in the site's directory before", async () => {
    frontEnd.stage.home.write(`platforms/${STAND_IN}/sites/brought.test/modules/own/own.txt`, "mine");
    goWrong("throw");
    await leavesNothing("brought.test", () => install("brought.test", { stdin: { profile: "testing" } }), "DRUPAL_INSTALL_FAILED");
    goWrong("");
    await save("brought.test");
    await good(install("brought.test"));
    expect(readFileSync(join(root, "sites/brought.test/modules/own/own.txt"), "utf8")).toBe("mine");
  });

  it.each(["SIGTERM", "SIGKILL"] as const)("callers 28: because of %s: nothing of it is left, at once or after the next task", async (signal) => {
    goWrong("hang");
    const [tree, data] = [treeOf(frontEnd.home), await databases()];
    await save("stopped.test", { profile: "testing" });
    const running = install("stopped.test", { stdin: { profile: "testing" } });
    const hanging = join(root, "sites/stopped.test/files/hanging");
    await until("Drupal's installer hangs", () => existsSync(hanging) && readFileSync(hanging, "utf8") !== "");
    const php = Number(readFileSync(hanging, "utf8"));
    process.kill(await lockHolder(frontEnd, "stopped.test"), signal);
    const failed = await running;
    expect(failed.errors).toContain(signal === "SIGTERM" ? "PROVISION_INTERRUPTED" : "DRUSH_NOT_COMPLETED");
    if (signal === "SIGKILL") await frontEnd.stage.home.user.run([frontEnd.provision, "recover"], { env: frontEnd.env });
    await until("PHP has ended", () => !existsSync(`/proc/${php}`) || /^State:\s+Z/m.test(readFileSync(`/proc/${php}/status`, "utf8")));
    expect(await databases()).toEqual(data);
    expect(treeOf(frontEnd.home)).toEqual(tree);
    goWrong("");
  });

  it("because of its time limit is told with a hint", async () => {
    goWrong("hang");
    frontEnd.stage.home.write(".provision-shim/config.json", '{ "phpTimeoutSeconds": 3 }');
    const [tree, data] = [treeOf(frontEnd.home), await databases()];
    await save("slow.test", { profile: "testing" });
    const failed = await install("slow.test", { stdin: { profile: "testing" } });
    expect(failure(failed)).toEqual(failedWith("PROVISION_PHP_TIMEOUT"));
    expect([treeOf(frontEnd.home), await databases()]).toEqual([tree, data]);
    rmSync(at(".provision-shim/config.json"));
    goWrong("");
  });
});

describe("provision-install-backend", () => {
  it("installs Drupal where everything else is there", async () => {
    await save("backend.test", { install_method: "manual" });
    await good(install("backend.test"));
    const installed = await good(frontEnd.task("backend.test", "install-backend", { args: ["--client_email="] }));
    expect(await logIn("backend.test", context(installed)["login_link"])).toMatchObject({ status: 200 });
    expect(failure(await frontEnd.task("backend.test", "install-backend"))).toEqual(failedWith("DRUPAL_INSTALL_FAILED"));
    expect((await frontEnd.stage.apache.fetch("backend.test", "/")).status).toBe(200);
  });
});

describe("what is the real drush's", () => {
  it.each(["provision_install", "provision_install_backend"])("a module of the platform with a hook of %s", async (command) => {
    mkdirSync(join(root, "sites/all/modules/hooked"));
    frontEnd.stage.home.write(`platforms/${STAND_IN}/sites/all/modules/hooked/hooked.drush.inc`, `<?php\nfunction drush_hooked_post_${command}() {}\n`);
    await save("hooked.test");
    const before = treeOf(frontEnd.home);
    const called = await install("hooked.test");
    expect(called.messages["PROVISION_NO_REAL_DRUSH"]).toContain(`drush_hooked_post_${command}`);
    expect(treeOf(frontEnd.home)).toEqual(before);
    rmSync(join(root, "sites/all/modules/hooked"), { recursive: true });
  });
});
