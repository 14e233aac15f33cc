import { existsSync, readFileSync, rmSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { answer, good, openFrontEnd, SERVER, serverOptions, writeAlias, type BackendAnswer, type FrontEnd } from "../support/front-end.ts";
import { modeOf, treeOf } from "../support/tree.ts";

let frontEnd: FrontEnd;

beforeAll(async () => {
  frontEnd = await openFrontEnd();
  await good(frontEnd.save(SERVER, serverOptions(frontEnd)));
  await good(frontEnd.save("platform_p", { context_type: "platform", root: "/srv/p" }));
}, 300_000);
afterAll(() => frontEnd.strike());

const SITE = { context_type: "site", platform: "@platform_p", uri: "s.test" };

function aliasFile(name: string): string {
  return join(frontEnd.home, ".drush", `${name}.alias.drushrc.php`);
}

function alias(name: string): string {
  return readFileSync(aliasFile(name), "utf8");
}

/** One property as it stands in the alias file, lists on one line. */
function stored(name: string, key: string): string | undefined {
  return new RegExp(`^  '${key}' => ((?:.|\\n)*?),\\n(?=  '|\\);)`, "m").exec(alias(name))?.[1]?.replaceAll(/\s+/g, " ").trim();
}

/** `drush provision-save @name --key=value …`, as the backend calls itself. */
function saveByWords(name: string, ...words: string[]): Promise<BackendAnswer> {
  return frontEnd.call(["provision-save", `@${name}`, ...words]);
}

describe("what is saved", () => {
  it("commands 17; contexts 2: without a type and a record it is a server, with its defaults", async () => {
    await good(saveByWords("brand_new"));
    expect(["context_type", "server", "remote_host", "script_user", "ip_addresses", "backup_path", "config_path", "master_url", "admin_email"].map((key) => stored("brand_new", key))).toEqual([
      "'server'",
      "'@server_master'",
      "'localhost'",
      `'${frontEnd.stage.home.user.name}'`,
      "array ( )",
      `'${frontEnd.home}/backups'`,
      `'${frontEnd.home}/config/brand_new'`,
      "NULL",
      "'admin@localhost'",
    ]);
    expect(alias("brand_new")).not.toMatch(/db_port|http_port|service_type/);
  });

  it("commands 18; contexts 14: the word null gives the default again", async () => {
    await good(frontEnd.save("s.test", { ...SITE, profile: "minimal", aliases: "a.test,b.test", redirection: "a.test", client_name: "jo", language: "de" }));
    expect(["profile", "aliases", "redirection", "client_name", "language"].map((key) => stored("s.test", key))).toEqual(["'minimal'", "array ( 0 => 'a.test', 1 => 'b.test', )", "'a.test'", "'jo'", "'de'"]);
    await good(frontEnd.save("s.test", { profile: "null", aliases: "null", redirection: "null", client_name: "null", language: "null" }));
    expect(["profile", "aliases", "redirection", "client_name", "language"].map((key) => stored("s.test", key))).toEqual(["'standard'", "array ( )", "false", "NULL", "'en'"]);
  });

  it("commands 19; contexts 16, 17: a comma list becomes a list as it is, a list stays one", async () => {
    await good(saveByWords("list.test", "--context_type=site", "--platform=@platform_p", "--uri=list.test", "--aliases=a,b"));
    expect(stored("list.test", "aliases")).toBe("array ( 0 => 'a', 1 => 'b', )");
    await good(saveByWords("list.test", "--aliases=a, b,,c"));
    expect(stored("list.test", "aliases")).toBe("array ( 0 => 'a', 1 => ' b', 2 => '', 3 => 'c', )");
    await good(frontEnd.save("list.test", { aliases: ["x,y", "z"] }));
    expect(stored("list.test", "aliases")).toBe("array ( 0 => 'x,y', 1 => 'z', )");
  });

  it("commands 20; contexts 11, 12, 13: what PHP calls false does not overwrite what is stored", async () => {
    await good(frontEnd.save("keep.test", { ...SITE, uri: "keep.test", client_name: "jo", redirection: "a.test", aliases: "a.test" }));
    const before = alias("keep.test");
    await good(saveByWords("keep.test", "--client_name=", "--redirection=0", "--aliases=", "--profile=0"));
    await good(frontEnd.save("keep.test", { client_name: null, redirection: false, aliases: [], profile: 0, language: "" }));
    expect(alias("keep.test")).toBe(before);
  });

  it("contexts 18: the command line beats what was posted, and that beats the record", async () => {
    await good(frontEnd.save("rank.test", { ...SITE, uri: "rank.test", client_name: "record", language: "record", profile: "record" }));
    await good(frontEnd.call(["provision-save", "@rank.test", "--profile=words"], { stdin: { profile: "posted", language: "posted" } }));
    expect(["client_name", "language", "profile"].map((key) => stored("rank.test", key))).toEqual(["'record'", "'posted'", "'words'"]);
  });

  it("commands 24; contexts 25: root and site_path follow platform and uri, and the platform's later moves", async () => {
    await good(frontEnd.save("place.test", { ...SITE, uri: "place.test", site_path: "/wrong/sites/x" }));
    expect([stored("place.test", "root"), stored("place.test", "site_path")]).toEqual(["'/srv/p'", "'/srv/p/sites/place.test'"]);
    await good(frontEnd.save("platform_moving", { context_type: "platform", root: "/srv/one" }));
    await good(frontEnd.save("place.test", { platform: "@platform_moving" }));
    await good(frontEnd.save("platform_moving", { root: "/srv/two" }));
    await good(frontEnd.task("place.test", "save"));
    expect(stored("place.test", "site_path")).toBe("'/srv/two/sites/place.test'");
    // Options of a call overlay every context that it loads, the platform too; seen with the original.
    await good(saveByWords("place.test", "--root=/srv/three"));
    expect([stored("place.test", "site_path"), stored("platform_moving", "root")]).toEqual(["'/srv/three/sites/place.test'", "'/srv/two'"]);
  });

  it("contexts 40: without an argument it is the context in front of the command", async () => {
    await good(frontEnd.save("self.test", { ...SITE, uri: "self.test" }));
    await good(frontEnd.task("self.test", "save", { stdin: { language: "fr" } }));
    expect(stored("self.test", "language")).toBe("'fr'");
  });

  it("contexts 29: an unknown driver is an error in the log, not stored, and no failure", async () => {
    const saved = await good(frontEnd.save("server_odd", { context_type: "server", http_service_type: "lighttpd" }));
    expect(saved.logs.filter(({ type }) => type === "error").map(({ message }) => message)).toEqual([expect.stringContaining("lighttpd")]);
    expect(alias("server_odd")).not.toContain("http_");
  });

  it("contexts 28: NONE takes a service and its properties away", async () => {
    await good(frontEnd.save("server_off", { context_type: "server", http_service_type: "apache", http_port: "81" }));
    expect(stored("server_off", "http_port")).toBe("'81'");
    await good(frontEnd.save("server_off", { http_service_type: "NONE" }));
    expect(alias("server_off")).not.toContain("http_");
  });

  it("contexts 8, 10: a record written as a program is read, and keys that nobody declares are there for who asks", async () => {
    frontEnd.stage.home.write(
      ".drush/byhand.test.alias.drushrc.php",
      "<?php\n$base = '/srv';\n$aliases['byhand.test'] = array('context_type' => 'site', 'platform' => '@platform_p', 'uri' => implode('.', array('byhand', 'test')), 'client_name' => getenv('WHO'), 'own_key' => 'mine');\n",
    );
    const saved = await good(frontEnd.task("byhand.test", "save", { env: { WHO: "someone" } }));
    expect(saved.frame["context"]).toMatchObject({ own_key: "mine", uri: "byhand.test" });
    expect([stored("byhand.test", "uri"), stored("byhand.test", "client_name")]).toEqual(["'byhand.test'", "'someone'"]);
  });

  it("contexts 36: at the save the undeclared key is gone, a path alias of ours is not", async () => {
    writeAlias(frontEnd, "odd.test", { ...SITE, uri: "odd.test", custom_key: "x", "path-aliases": { "%drush-script": frontEnd.drush } });
    await good(frontEnd.task("odd.test", "save"));
    expect(alias("odd.test")).not.toContain("custom_key");
    expect(alias("odd.test")).toContain(`'%drush-script' => '${frontEnd.drush}'`);
  });

  it("a new site gets that path alias from its platform, when it names us", async () => {
    for (const [name, script] of [["ours", frontEnd.drush], ["foreign", "/opt/other/drush"]] as const) {
      writeAlias(frontEnd, `platform_${name}`, { context_type: "platform", server: "@server_master", web_server: "@server_master", root: "/nowhere", "path-aliases": { "%drush-script": script } });
      await good(frontEnd.save(`${name}.test`, { ...SITE, platform: `@platform_${name}`, uri: `${name}.test` }));
    }
    expect(alias("ours.test")).toContain(`'%drush-script' => '${frontEnd.drush}'`);
    expect(alias("foreign.test")).not.toContain("drush-script");
  });
});

describe("the alias file", () => {
  it("commands 21; contexts 35: is 0440, and written anew although it is read-only", async () => {
    await good(frontEnd.save("mode.test", { ...SITE, uri: "mode.test" }));
    expect(modeOf(aliasFile("mode.test"))).toBe("440");
    await good(frontEnd.save("mode.test", { client_name: "jo" }));
    expect([modeOf(aliasFile("mode.test")), stored("mode.test", "client_name")]).toEqual(["440", "'jo'"]);
  });

  it("contexts 30, 32, 33: has var_export's bytes", async () => {
    const odd = "quote ' back \\ line\nfeed $x \"é\"";
    await good(frontEnd.save("bytes.test", { ...SITE, uri: "bytes.test", client_name: odd, aliases: "null" }));
    const text = alias("bytes.test");
    expect(text.startsWith("<?php \n$aliases['bytes.test'] = array (\n  'context_type' => 'site',\n  'platform' => '@platform_p',\n")).toBe(true);
    expect(text.endsWith("\n);\n") && !text.endsWith("\n\n")).toBe(true);
    expect(text).toContain("\n  'client_name' => 'quote \\' back \\\\ line\nfeed $x \"é\"',\n");
    expect(text).toContain("\n  'aliases' => \n  array (\n  ),\n");
    const { stdout } = await frontEnd.stage.home.user.run(["php", "-r", "include $argv[1]; echo json_encode($aliases['bytes.test']['client_name']);", aliasFile("bytes.test")]);
    expect(JSON.parse(stdout)).toBe(odd);
  });

  it("contexts 32: keeps a NUL as PHP would write it", async () => {
    await good(frontEnd.save("nul.test", { ...SITE, uri: "nul.test", client_name: "a\0b" }));
    expect(alias("nul.test")).toContain("'client_name' => 'a' . \"\\0\" . 'b',");
  });

  it("contexts 19, 31: has the properties of a server in Provision's order, text from outside and integers of its own", () => {
    const keys = [...alias(SERVER).matchAll(/^ {2}'(\w+)' =>/gm)].map(([, key]) => key);
    expect(keys).toEqual([
      "context_type", "server", "remote_host", "aegir_root", "script_user", "ip_addresses", "backup_path", "config_path", "include_path", "clients_path", "master_url", "admin_email",
      "db_service_type", "http_service_type", "db_port", "master_db", "db_grant_all_hosts", "utf8mb4_is_supported",
      "http_port", "http_restart_cmd", "web_group", "web_disable_url", "web_maintenance_url",
      "http_app_path", "http_pred_path", "http_postd_path", "http_platformd_path", "http_vhostd_path", "http_subdird_path", "http_platforms_path",
    ]);
    expect([stored(SERVER, "http_port"), stored(SERVER, "db_grant_all_hosts")]).toEqual([`'${frontEnd.stage.apache.port}'`, "false"]);
  });

  it("contexts 34: drops repeated aliases and leaves the gap", async () => {
    await good(frontEnd.save("gap.test", { ...SITE, uri: "gap.test", aliases: "a,a,b,a,c" }));
    expect(stored("gap.test", "aliases")).toBe("array ( 0 => 'a', 2 => 'b', 4 => 'c', )");
  });

  it("commands 23; contexts 37: has a twin for each of a site's drush_aliases, under that name", async () => {
    await good(frontEnd.save("twin.test", { ...SITE, uri: "twin.test", drush_aliases: "twin,@second" }));
    expect(alias("twin")).toBe(alias("twin.test").replace("$aliases['twin.test']", "$aliases['twin']"));
    expect(alias("second")).toContain("$aliases['second'] = array (");
    expect([modeOf(aliasFile("twin")), modeOf(aliasFile("second"))]).toEqual(["440", "440"]);
  });

  it("contexts 38: of a former twin stays", async () => {
    await good(frontEnd.save("former.test", { ...SITE, uri: "former.test", drush_aliases: "one,two" }));
    await good(frontEnd.save("former.test", { drush_aliases: "two" }));
    expect([existsSync(aliasFile("one")), existsSync(aliasFile("two"))]).toEqual([true, true]);
  });

  it("is made together with its folder, as mkdir would", async () => {
    const home = frontEnd.stage.home.makeDirectory("second-home");
    const { stdoutBytes, ...ended } = await frontEnd.stage.home.user.run(["sh", "-c", `umask 022; exec "$0" "$@" 2>&1`, frontEnd.drush, "--backend=2", "provision-save", "@fresh"], { env: { ...frontEnd.env, HOME: home }, input: "{}", mayFail: true });
    await good(Promise.resolve(answer(stdoutBytes, ended, 0)));
    expect([modeOf(join(home, ".drush")), modeOf(join(home, ".drush/fresh.alias.drushrc.php"))]).toEqual(["755", "440"]);
    rmSync(home, { recursive: true });
  });
});

describe("--delete", () => {
  it("commands 22; contexts 39: of a context that is not there succeeds and says nothing", async () => {
    const deleted = await good(frontEnd.save("never.test", { delete: true }));
    expect(deleted.logs.filter(({ type }) => type !== "debug")).toEqual([]);
  });

  it("contexts 39: removes the named file and no twin", async () => {
    await good(frontEnd.save("gone.test", { ...SITE, uri: "gone.test", drush_aliases: "gone_twin" }));
    const before = treeOf(join(frontEnd.home, ".drush"));
    await good(frontEnd.call(["--root=", "--uri=", "provision-save", "@gone.test", "--delete"]));
    const { ["gone.test.alias.drushrc.php"]: removed, ...rest } = before;
    expect(removed).toBeDefined();
    expect(treeOf(join(frontEnd.home, ".drush"))).toEqual(rest);
  });

  it("works for a site whose platform is gone already", async () => {
    writeAlias(frontEnd, "orphan.test", { ...SITE, uri: "orphan.test", platform: "@platform_gone" });
    await good(frontEnd.save("orphan.test", { delete: true }));
    expect(existsSync(aliasFile("orphan.test"))).toBe(false);
  });
});

describe("what is refused writes nothing", () => {
  let before: Record<string, string>;
  beforeEach(() => (before = treeOf(frontEnd.home)));

  it.each<[string, string, Record<string, string>, string]>([
    ["commands 4; contexts 6: a site whose platform is missing", "bad.test", { ...SITE, platform: "@platform_gone" }, "PROVISION_MISSING_CONTEXT"],
    ["contexts 6: a site without a platform", "bad.test", { context_type: "site", uri: "bad.test" }, "PROVISION_MISSING_CONTEXT"],
    ["contexts 7: a platform whose web server is missing", "platform_bad", { context_type: "platform", root: "/srv/x", web_server: "@server_gone" }, "PROVISION_MISSING_CONTEXT"],
    ["contexts 4: an unknown type", "bad", { context_type: "cloud" }, "PROVISION_UNKNOWN_CONTEXT_TYPE"],
    ["contexts 3: another type for a context that is there", "platform_p", { context_type: "site" }, "PROVISION_CONTEXT_TYPE_CHANGE"],
    ["a name that is a path", "../bad", { context_type: "server" }, "PROVISION_BAD_CONTEXT_NAME"],
    ["a name that would end the text of the key", "b'ad", { context_type: "server" }, "PROVISION_BAD_CONTEXT_NAME"],
  ])("%s", async (_, name, options, code) => {
    const saved = await frontEnd.save(name, options);
    expect([saved.status, saved.errors, saved.frame["error_status"]]).toEqual([1, [code], 1]);
    expect(treeOf(frontEnd.home)).toEqual(before);
  });

  it.each([["provision-save"], ["@none", "provision-save"], ["provision-verify"], ["@none", "provision-verify"], ["provision-enable"], ["provision-lock"], ["provision-backup-delete", "/x"]])(
    "a call without a context: %s %s",
    async (...words) => {
      const called = await frontEnd.call(words, { cwd: "/" });
      expect([called.status, called.errors]).toEqual([1, ["PROVISION_NO_CONTEXT"]]);
      expect(treeOf(frontEnd.home)).toEqual(before);
    },
  );

  it.skipIf(process.getuid?.() !== 0)("commands 6; contexts 60: root", () => {
    const { HOME, PATH } = { HOME: frontEnd.home, PATH: process.env["PATH"] };
    const { stdout, stderr, status } = spawnSync(frontEnd.drush, ["--backend=2", "provision-save", "@byroot"], { env: { ...frontEnd.env, HOME, PATH }, input: "" });
    const called = answer(Buffer.concat([stderr, stdout]), { status: status ?? -1, signal: null }, 0);
    expect([called.status, called.errors, called.messages["PROVISION_IS_ROOT"]]).toEqual([1, ["PROVISION_IS_ROOT"], expect.stringMatching(/^You are running the provision script as the root user\. Exiting/)]);
    expect(treeOf(frontEnd.home)).toEqual(before);
  });

  it("commands 7, 8; contexts 60: a load above the limit, which an option sets", async () => {
    const called = await saveByWords("busy", "--critical_load_multiplier=-1");
    expect([called.status, called.errors, called.messages["PROVISION_OVERLOAD"]]).toEqual([1, ["PROVISION_OVERLOAD"], expect.stringMatching(/^load on system too heavy \([\d.]+ [\d.]+ [\d.]+\), aborting/)]);
    expect(treeOf(frontEnd.home)).toEqual(before);
    await good(saveByWords("busy", "--critical_load_multiplier=1000000"));
  });
});

describe("a database server", () => {
  it("contexts 41; db 27: is asked for four-byte characters, and keeps no database of the probe", async () => {
    const databases = (): Promise<unknown> => frontEnd.stage.mariadb.query("SHOW DATABASES");
    const before = await databases();
    await good(frontEnd.save(SERVER, serverOptions(frontEnd)));
    expect(stored(SERVER, "utf8mb4_is_supported")).toBe("true");
    expect(await databases()).toEqual(before);
  });

  it("contexts 41: that does not answer is an error, but its file is written", async () => {
    const port = String(frontEnd.stage.mariadb.port);
    await good(frontEnd.save("server_db", { context_type: "server", db_service_type: "mysql", db_port: port, master_db: frontEnd.stage.mariadb.masterDb }));
    expect(stored("server_db", "utf8mb4_is_supported")).toBe("true");
    const saved = await frontEnd.save("server_db", { db_port: "1", admin_email: "new@example.test" });
    expect([saved.status, saved.errors, saved.kind]).toEqual([1, ["PROVISION_DB_CONNECT_FAIL"], "frame"]);
    expect(["db_port", "admin_email", "utf8mb4_is_supported"].map((key) => stored("server_db", key))).toEqual(["'1'", "'new@example.test'", "false"]);
    expect(JSON.stringify(saved.messages)).not.toContain(frontEnd.stage.mariadb.admin.password);
  });

  it("without master_db is the same", async () => {
    const saved = await frontEnd.save("server_nodb", { context_type: "server", db_service_type: "mysql" });
    expect([saved.status, saved.errors, stored("server_nodb", "master_db")]).toEqual([1, ["PROVISION_DB_CONNECT_FAIL"], "NULL"]);
  });
});
