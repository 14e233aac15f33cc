import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { siteDrushrcText } from "../../src/aliases/write-drushrc.ts";
import { phpFrom } from "../../src/php-values/convert.ts";
import type { PhpArray } from "../../src/php-values/php-array.ts";
import { good, installSite, openFrontEnd, openPlatform, SERVER, serverOptions, writeAlias, type BackendAnswer, type CallOptions, type FrontEnd } from "../support/front-end.ts";
import { lockHolder } from "../support/lock-holder.ts";
import { failedWith, failure, messages } from "../support/system-checks.ts";
import { modeOf, treeOf } from "../support/tree.ts";
import { until } from "../support/until.ts";

const URI = "site.test";
const PASSWORD = "Site-Pass_1";

let frontEnd: FrontEnd;
let root: string;
let site: string;

beforeAll(async () => {
  frontEnd = await openFrontEnd();
  root = await openPlatform(frontEnd);
  site = join(root, "sites", URI);
  await installSite(frontEnd, root, URI);
  writeAlias(frontEnd, SERVER, { ...serverOptions(frontEnd), utf8mb4_is_supported: true, http_restart_cmd: "/bin/true" });
  await good(frontEnd.task(URI, "verify"));
  await frontEnd.stage.mariadb.query(
    `USE sitetest; CREATE TABLE content (id INT PRIMARY KEY, body LONGBLOB); INSERT INTO content VALUES (1, UNHEX('00ff0a27225c')), (2, REPEAT('x', 100000)); CREATE DEFINER='aegir_root'@'localhost' VIEW seen AS SELECT id FROM content; CREATE DEFINER='aegir_root'@'localhost' TRIGGER counted BEFORE INSERT ON content FOR EACH ROW SET NEW.id = NEW.id`,
  );
}, 300_000);
afterAll(() => frontEnd.strike());

function at(...path: string[]): string {
  return join(frontEnd.home, ...path);
}

function backup(options: CallOptions & { readonly args?: readonly string[] } = {}): Promise<BackendAnswer> {
  return frontEnd.task(URI, "backup", options);
}

function context({ frame }: BackendAnswer): Record<string, unknown> {
  return frame["context"] as Record<string, unknown>;
}

function fileOf(answered: BackendAnswer): string {
  return String(context(answered)["backup_file"]);
}

async function shell(script: string): Promise<string> {
  return (await frontEnd.stage.home.user.run(["sh", "-c", script])).stdout;
}

function member(archive: string, name: string): string {
  return execFileSync("tar", ["-xOf", archive, name], { encoding: "latin1", maxBuffer: 1 << 26 });
}

/** What of a backup must be nowhere: names in the directories where it works. */
function leftOvers(): string[] {
  return [...readdirSync(at("backups")).filter((name) => name.startsWith(".")), ...readdirSync(site).filter((name) => name.includes("database.sql") || name.startsWith(".prov"))];
}

/** Command line and environment of all processes that were started in this home. */
function ownProcesses(): string[] {
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name)).flatMap((pid) => {
    try {
      const text = ["cmdline", "environ"].map((file) => readFileSync(`/proc/${pid}/${file}`, "latin1")).join("\n");
      return text.includes(frontEnd.home) ? [text] : [];
    } catch {
      // It has ended.
      return [];
    }
  });
}

async function withDrushrc<T>(script: string, run: () => Promise<T>): Promise<T> {
  await shell(`cd ${site}; cp -p drushrc.php ${at("kept")}; chmod u+w drushrc.php; sed -i "${script}" drushrc.php; chmod 440 drushrc.php`);
  try {
    return await run();
  } finally {
    await shell(`mv -f ${at("kept")} ${site}/drushrc.php`);
  }
}

describe("a backup", () => {
  it("commands 66, 74, 105: has the name, the mode and the answer that the front end knows", async () => {
    const made = await good(backup({ args: ["--profile=standard"] }));
    const file = fileOf(made);
    expect(file).toMatch(new RegExp(`^${at("backups", URI)}-\\d{8}\\.\\d{6}\\.tar\\.gz$`));
    expect(context(made)["backup_file_size"]).toBe(statSync(file).size);
    expect([modeOf(file), modeOf(at("backups"))]).toEqual(["644", "700"]);
    expect(messages(made, "warning")).toEqual([]);
    expect(messages(made, "backup")).toEqual([`Adding sites directory to ${file}`]);
    expect(messages(made, "success")).toContain(`Backed up site up to ${file}.`);
    expect(leftOvers()).toEqual([]);
  });

  it("commands 66: the name is another one when it is taken", async () => {
    const first = await good(backup());
    const stamp = /\d{8}\.\d{6}/.exec(fileOf(first))?.[0] ?? "";
    // Whatever second the next one falls into, its first name is taken.
    const seconds = Number(stamp.slice(-2));
    for (let later = 0; later < 30; later++) {
      const minute = stamp.slice(0, -2);
      writeFileSync(at("backups", `${URI}-${minute}${String((seconds + later) % 60).padStart(2, "0")}.tar.gz`), "", { flag: "a" });
    }
    const second = await good(backup());
    if (fileOf(second).includes(stamp.slice(0, -2))) expect(fileOf(second)).toMatch(/_[12]\.tar\.gz$/);
    await shell(`find ${at("backups")} -size 0 -delete`);
  });

  it("commands 69, 70: holds the dump and literal credentials; the live settings.php was never another one", async () => {
    const before = statSync(join(site, "settings.php"));
    const live = readFileSync(join(site, "settings.php"), "utf8");
    const file = fileOf(await good(backup()));
    const after = statSync(join(site, "settings.php"));
    expect([after.ino, after.mtimeMs, after.ctimeMs]).toEqual([before.ino, before.mtimeMs, before.ctimeMs]);
    expect(live).not.toContain(PASSWORD);
    const literal = member(file, "./settings.php");
    expect(literal).toContain(PASSWORD);
    execFileSync("php", ["-r", "eval('?>' . file_get_contents('php://stdin')); if ($databases['default']['default']['password'] !== $argv[1]) exit(1);", PASSWORD], { input: literal, stdio: ["pipe", "ignore", "ignore"] });
    const listed = execFileSync("tar", ["-tvf", file], { encoding: "utf8" });
    expect(listed).toMatch(/^-rw------- .* \.\/database\.sql$/m);
    expect(listed).toMatch(/^-r--r----- .* \.\/settings\.php$/m);
    expect(listed).toMatch(/ \.\/drushrc\.php$/m);
    expect(leftOvers()).toEqual([]);
  });

  it("commands 71: the dump has no definers, and loads again as it was", async () => {
    const dump = member(fileOf(await good(backup())), "./database.sql");
    expect(dump).not.toContain("DEFINER=");
    await frontEnd.stage.mariadb.query("CREATE DATABASE again");
    execFileSync("sh", ["-c", `sed '1{/M!999999/d}' | mariadb -u aegir_root -h 127.0.0.1 -P ${frontEnd.stage.mariadb.port} again`], { input: Buffer.from(dump, "latin1"), env: { ...process.env, MYSQL_PWD: frontEnd.stage.mariadb.admin.password } });
    const tables = ["content", "system", "users", "variable"];
    for (const table of tables) {
      const [one, two] = await Promise.all(["sitetest", "again"].map((name) => frontEnd.stage.mariadb.query(`CHECKSUM TABLE ${name}.${table}`)));
      expect(one?.[0]?.["Checksum"]).toBe(two?.[0]?.["Checksum"]);
    }
    await frontEnd.stage.mariadb.query("DROP DATABASE again");
  });

  it("commands 71: has routines, events and triggers, also those that only the administrator may read, at the first time and at later ones", async () => {
    await frontEnd.stage.mariadb.query("USE sitetest; CREATE DEFINER='aegir_root'@'localhost' PROCEDURE counts() SELECT COUNT(*) FROM content; CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY DO DELETE FROM content WHERE id < 0");
    await shell(`rm -f ${at(".provision-shim/cache")}/dump*`);
    for (const time of ["first", "later", "later"]) {
      const dump = member(fileOf(await good(backup())), "./database.sql");
      expect([time, dump.includes("PROCEDURE `counts`"), dump.includes("EVENT `nightly`"), /TRIGGER `?(?:sitetest`?\.`?)?counted/.test(dump)]).toEqual([time, true, true, true]);
    }
    await frontEnd.stage.mariadb.query("DROP PROCEDURE sitetest.counts; DROP EVENT sitetest.nightly");
  });

  it.each([
    [".tar.bz2", "BZh"],
    [".tar", "./"],
  ])("commands 67: the suffix %s makes another archive", async (suffix, start) => {
    const file = fileOf(await good(backup({ args: [`--provision_backup_suffix=${suffix}`] })));
    expect(file.endsWith(suffix)).toBe(true);
    expect(readFileSync(file).toString("latin1", 0, start.length)).toBe(start);
    expect(member(file, "./settings.php")).toContain(PASSWORD);
    rmSync(file);
  });

  it("commands 75: the client gets a link to it", async () => {
    const file = fileOf(await good(backup()));
    const link = at("clients/admin/backups", file.slice(at("backups").length + 1));
    expect([readlinkSync(link), modeOf(at("clients/admin/backups"))]).toEqual([file, "750"]);
  });

  it("of a given name is there, and may be outside of the backup directory: nobody else can read it there", async () => {
    mkdirSync(at("elsewhere"), { mode: 0o755 });
    frontEnd.stage.home.user.own(at("elsewhere"));
    expect(fileOf(await good(backup({ args: [at("elsewhere/mine.tar.gz")] })))).toBe(at("elsewhere/mine.tar.gz"));
    expect(modeOf(at("elsewhere/mine.tar.gz"))).toBe("600");
    expect(fileOf(await good(backup({ args: [at("backups/mine.tar.gz")] })))).toBe(at("backups/mine.tar.gz"));
    expect(modeOf(at("backups/mine.tar.gz"))).toBe("644");
    rmSync(at("elsewhere"), { recursive: true });
  });

  it("commands 72: neither the password nor the dump's content is in a command line or an environment, a log, or a file that others can read", async () => {
    const [bin, here, go] = [at("fake"), at("dump-runs"), at("dump-may-go")];
    mkdirSync(bin);
    const real = execFileSync("sh", ["-c", "command -v mariadb-dump"], { encoding: "utf8" }).trim();
    writeFileSync(join(bin, "mariadb-dump"), `#!/bin/sh\ncase "$*" in *--version*) ;; *) : > ${here}; until [ -e ${go} ]; do sleep 0.02; done ;; esac\nexec ${real} "$@"\n`, { mode: 0o755 });
    frontEnd.stage.home.user.own(bin);
    const running = backup({ args: ["--debug", "--verbose"], env: { PATH: `${bin}:${frontEnd.stage.home.user.env["PATH"] ?? ""}` } });
    await until("the dump runs", () => existsSync(here));
    const seen = ownProcesses();
    writeFileSync(go, "");
    const made = await good(running);
    expect(seen.some((text) => text.includes("mariadb-dump"))).toBe(true);
    expect(seen.some((text) => text.includes(PASSWORD))).toBe(false);
    expect(made.logs.some(({ message }) => message.includes(PASSWORD))).toBe(false);
    for (const path of [bin, here, go]) rmSync(path, { recursive: true });
  });

  it("leaves drushrc.php, the alias and everything else as it was", async () => {
    const before = treeOf(frontEnd.home);
    const file = fileOf(await good(backup()));
    const after = treeOf(frontEnd.home);
    const name = file.slice(frontEnd.home.length + 1);
    expect(Object.keys(after).filter((path) => after[path] !== before[path]).sort()).toEqual([name, `clients/admin/${name}`].sort());
  });

  it("is found by provision backups list and read through by provision backup verify; one changed bit is found", async () => {
    await shell(`rm -f ${at("backups")}/*`);
    const file = fileOf(await good(backup()));
    const run = (args: readonly string[]) => frontEnd.stage.home.user.run([frontEnd.provision, ...args], { env: frontEnd.env, mayFail: true });
    const listed = await run(["backups", "list", `@${URI}`, "--json"]);
    expect(JSON.parse(listed.stdout)).toEqual({ backups: [{ file, site: URI, date: expect.stringMatching(/^\d{4}-\d\d-\d\dT/) as string, size: statSync(file).size, checksums: true }] });
    expect((await run(["backups", "list"])).stdout).toContain(file);
    const verified = await run(["backup", "verify", file]);
    expect([verified.status, verified.stdout]).toEqual([0, expect.stringContaining("is whole") as string]);
    const bytes = readFileSync(file);
    const middle = bytes.length >> 1;
    bytes[middle] = (bytes[middle] ?? 0) ^ 4;
    writeFileSync(file, bytes);
    const broken = await run(["backup", "verify", file, "--json"]);
    expect(broken.status).toBe(1);
    expect(JSON.parse(broken.stdout)).toMatchObject({ type: "error", code: "PROVISION_BACKUP_DAMAGED" });
    expect((await run(["backup", "verify", at("backups/no.tar.gz")])).stderr).toContain("PROVISION_BACKUP_NOT_FOUND");
    rmSync(file);
  });

  it("provision backup @site shows its steps; a dry run makes nothing", async () => {
    const before = treeOf(frontEnd.home);
    const dry = await frontEnd.stage.home.user.run([frontEnd.provision, "backup", `@${URI}`, "--dry-run"], { env: frontEnd.env, mayFail: true });
    expect([dry.status, dry.stdout]).toEqual([2, expect.stringContaining("would dump the database sitetest") as string]);
    expect(treeOf(frontEnd.home)).toEqual(before);
    const real = await frontEnd.stage.home.user.run([frontEnd.provision, "backup", `@${URI}`], { env: frontEnd.env });
    expect(real.stdout).toContain("pack the site's files and read the archive back");
  });
});

describe("a backup that fails", () => {
  async function leavesNothing(run: Promise<BackendAnswer>, code: string): Promise<BackendAnswer> {
    const before = treeOf(frontEnd.home);
    const failed = await run;
    expect(failure(failed)).toEqual(failedWith(code));
    expect(treeOf(frontEnd.home)).toEqual(before);
    expect(leftOvers()).toEqual([]);
    return failed;
  }

  it("commands 68: because the file is there already", async () => {
    frontEnd.stage.home.write("backups/there.tar.gz", "mine");
    const failed = await leavesNothing(backup({ args: [at("backups/there.tar.gz")] }), "PROVISION_BACKUP_ALREADY_EXISTS");
    expect(failed.messages["PROVISION_BACKUP_ALREADY_EXISTS"]).toContain(`Back up file ${at("backups/there.tar.gz")} already exists.`);
    expect(readFileSync(at("backups/there.tar.gz"), "utf8")).toBe("mine");
  });

  it.each([
    ["a relative name", () => "mine.tar.gz"],
    ["a name in the site's own directory", () => join(site, "files/mine.tar.gz")],
    ["the same by way of a link", () => at("to-site/mine.tar.gz")],
  ])("commands 109: because of %s", async (_, name) => {
    if (!existsSync(at("to-site"))) symlinkSync(join(site, "files"), at("to-site"));
    await leavesNothing(backup({ args: [name()] }), "PROVISION_BACKUP_PATH_REFUSED");
  });

  it("commands 73: because the site is not installed, unless forced", () => withDrushrc("/\\['installed'\\]/d", async () => {
    await leavesNothing(backup(), "PROVISION_DRUPAL_SITE_NOT_FOUND");
    await good(backup({ args: ["--force"] }));
  }));

  it("because its directory is not there, or may not be written to", async () => {
    await leavesNothing(backup({ args: [at("nowhere/mine.tar.gz")] }), "PROVISION_BACKUP_PATH_NOT_FOUND");
    mkdirSync(at("closed"), { mode: 0o555 });
    frontEnd.stage.home.user.own(at("closed"));
    await leavesNothing(backup({ args: [at("closed/mine.tar.gz")] }), "PROVISION_BACKUP_FAILED");
  });

  it("commands 70: because the database is not there, or its client fails; force does not help", async () => {
    await withDrushrc("s/'sitetest'/'sitegone'/", async () => {
      await leavesNothing(backup({ args: ["--force"] }), "PROVISION_BACKUP_FAILED");
    });
    const bin = at("fake");
    mkdirSync(bin);
    writeFileSync(join(bin, "mariadb-dump"), `#!/bin/sh\ncase "$*" in *--version*) echo "mariadb-dump from 10.11.6-MariaDB" ;; *) head -c 100000 /dev/zero; echo "dump: lost connection" >&2; exit 2 ;; esac\n`);
    chmodSync(join(bin, "mariadb-dump"), 0o755);
    frontEnd.stage.home.user.own(bin);
    const failed = await leavesNothing(backup({ env: { PATH: `${bin}:${frontEnd.stage.home.user.env["PATH"] ?? ""}` } }), "PROVISION_BACKUP_FAILED");
    expect(failed.messages["PROVISION_BACKUP_FAILED"]).toContain("lost connection");
    rmSync(bin, { recursive: true });
  });

  it("commands 70: because tar fails, while the dump still runs", async () => {
    const bin = at("fake");
    mkdirSync(bin);
    writeFileSync(join(bin, "tar"), "#!/bin/sh\necho 'tar: it is broken' >&2; exit 2\n");
    writeFileSync(join(bin, "mariadb-dump"), `#!/bin/sh\ncase "$*" in *--version*) echo "mariadb-dump from 10.11.6-MariaDB" ;; *) exec sleep 1000 ;; esac\n`);
    for (const name of ["tar", "mariadb-dump"]) chmodSync(join(bin, name), 0o755);
    frontEnd.stage.home.user.own(bin);
    const failed = await leavesNothing(backup({ env: { PATH: `${bin}:${frontEnd.stage.home.user.env["PATH"] ?? ""}` } }), "PROVISION_BACKUP_FAILED");
    expect(failed.messages["PROVISION_BACKUP_FAILED"]).toContain("it is broken");
    rmSync(bin, { recursive: true });
  });

  it.each(["SIGTERM", "SIGKILL"] as const)("because of %s: nothing of it is left, at once or after the next task", async (signal) => {
    const before = treeOf(frontEnd.home);
    const bin = at("fake");
    mkdirSync(bin);
    writeFileSync(join(bin, "tar"), `#!/bin/sh\necho $$ > ${at("tar-runs")}\nexec sleep 1000\n`);
    chmodSync(join(bin, "tar"), 0o755);
    frontEnd.stage.home.user.own(bin);
    const running = backup({ env: { PATH: `${bin}:${frontEnd.stage.home.user.env["PATH"] ?? ""}` } });
    await until("tar runs", () => existsSync(at("tar-runs")) && readFileSync(at("tar-runs"), "utf8").endsWith("\n"));
    await until("the dump is there", () => readdirSync(at("backups")).some((name) => name.endsWith(".sql")));
    process.kill(await lockHolder(frontEnd, URI), signal);
    const failed = await running;
    expect(failed.errors).toContain(signal === "SIGTERM" ? "PROVISION_INTERRUPTED" : "DRUSH_NOT_COMPLETED");
    if (signal === "SIGKILL") await frontEnd.stage.home.user.run([frontEnd.provision, "recover"], { env: frontEnd.env });
    const child = Number(readFileSync(at("tar-runs"), "utf8"));
    await until("tar has ended", () => !existsSync(`/proc/${child}`) || /^State:\s+Z/m.test(readFileSync(`/proc/${child}/status`, "utf8")));
    rmSync(bin, { recursive: true });
    rmSync(at("tar-runs"));
    expect(treeOf(frontEnd.home)).toEqual(before);
    expect(leftOvers()).toEqual([]);
  });
});

describe("what comes after the archive", () => {
  it("fails: the archive is taken back", async () => {
    await shell(`mv ${at("clients/admin/backups")} ${at("clients/admin/kept")}; echo x > ${at("clients/admin/backups")}`);
    const before = treeOf(frontEnd.home);
    expect(failure(await backup())).toEqual(failedWith("DRUSH_PERM_ERROR"));
    expect(treeOf(frontEnd.home)).toEqual(before);
    await shell(`rm ${at("clients/admin/backups")}; mv ${at("clients/admin/kept")} ${at("clients/admin/backups")}`);
  });
});

describe("a site of another Drupal", () => {
  const OTHER = "eight.test";

  async function eight(cloaking: boolean): Promise<BackendAnswer> {
    const folder = "platforms/eight";
    frontEnd.stage.home.write(`${folder}/core/lib/Drupal.php`, "<?php\nclass Drupal { const VERSION = '8.9.20'; }\n");
    const credentials = { db_type: "mysql", db_host: "127.0.0.1", db_port: String(frontEnd.stage.mariadb.port), db_passwd: PASSWORD, db_name: "sitetest", db_user: "sitetest" };
    frontEnd.stage.home.write(`${folder}/sites/${OTHER}/drushrc.php`, siteDrushrcText(phpFrom({ ...credentials, installed: true, provision_db_cloaking: cloaking }) as PhpArray, at(folder, "sites", OTHER)), 0o440);
    frontEnd.stage.home.write(`${folder}/sites/${OTHER}/settings.php`, "<?php # of Drupal 8\n", 0o440);
    writeAlias(frontEnd, "platform_eight", { context_type: "platform", web_server: `@${SERVER}`, root: at(folder) });
    writeAlias(frontEnd, OTHER, { context_type: "site", platform: "@platform_eight", db_server: `@${SERVER}`, uri: OTHER });
    try {
      return await frontEnd.task(OTHER, "backup");
    } finally {
      await shell(`chmod -R u+w ${at(folder)}; rm -rf ${at(folder)} ${at(".drush/eight.test.alias.drushrc.php")} ${at(".drush/platform_eight.alias.drushrc.php")}`);
    }
  }

  it("is backed up here when nothing of that Drupal is needed for it", async () => {
    const file = fileOf(await good(eight(false)));
    expect(member(file, "./settings.php")).toBe("<?php # of Drupal 8\n");
    expect(member(file, "./database.sql")).toContain("CREATE TABLE `content`");
  });

  it("is the real drush's when its settings.php would have to be written", async () => {
    expect((await eight(true)).messages["PROVISION_NO_REAL_DRUSH"]).toContain("Drupal 8.9.20");
  });
});

describe("a call for the real drush", () => {
  it("a module with a hook for backups takes part in it", async () => {
    frontEnd.stage.home.write(`${site.slice(frontEnd.home.length + 1)}/modules/own/own.drush.inc`, "<?php\nfunction drush_own_post_provision_backup() {}\n");
    const asked = await backup();
    expect(asked.messages["PROVISION_NO_REAL_DRUSH"]).toContain("drush_own_post_provision_backup");
    rmSync(join(site, "modules/own"), { recursive: true });
    expect(lstatSync(site).isDirectory()).toBe(true);
  });
});
