import { existsSync, lstatSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { PlainRecord } from "../../src/php-values/convert.ts";
import { answer, good, installSite, openFrontEnd, openPlatform, SERVER, serverOptions, writeAlias, type BackendAnswer, type FrontEnd } from "../support/front-end.ts";
import { failedWith, failure, messages } from "../support/system-checks.ts";
import { modeOf, treeOf } from "../support/tree.ts";

const URI = "site.test";
const VHOSTS = `config/${SERVER}/apache/vhost.d`;

let frontEnd: FrontEnd;
let root: string;
let site: string;
let webGid: number;
let first: BackendAnswer;

beforeAll(async () => {
  frontEnd = await openFrontEnd();
  root = await openPlatform(frontEnd);
  site = join(root, "sites", URI);
  webGid = Number((await shell(`getent group ${frontEnd.stage.home.user.webGroup} | cut -d: -f3`)).trim());
  await installSite(frontEnd, root, URI, { aliases: ["www.site.test"] });
  frontEnd.stage.home.write(`${below(site)}/modules/own/deep/notes.txt`, "text", 0o600);
  first = await good(verify());
  server({ http_restart_cmd: "/bin/true" });
}, 300_000);
afterAll(() => frontEnd.strike());

/** The server as it was verified, but for these properties. */
function server(changed: PlainRecord = {}): void {
  writeAlias(frontEnd, SERVER, { ...serverOptions(frontEnd), utf8mb4_is_supported: true, ...changed });
}

/** Most tests do without the slow reload of Apache; in this one it takes part. */
async function withApache(run: () => Promise<void>): Promise<void> {
  server();
  try {
    await run();
  } finally {
    server({ http_restart_cmd: "/bin/true" });
  }
}

function at(...path: string[]): string {
  return join(frontEnd.home, ...path);
}

function below(path: string): string {
  return path.slice(frontEnd.home.length + 1);
}

function verify(options: Parameters<FrontEnd["task"]>[2] = {}): Promise<BackendAnswer> {
  return frontEnd.task(URI, "verify", options);
}

function save(options: PlainRecord): Promise<BackendAnswer> {
  return good(frontEnd.save(URI, options));
}

async function shell(script: string): Promise<string> {
  return (await frontEnd.stage.home.user.run(["sh", "-c", script])).stdout;
}

function context({ frame }: BackendAnswer): Record<string, unknown> {
  return frame["context"] as Record<string, unknown>;
}

/** `$sites` of the platform's sites.php. */
async function sitesPhp(): Promise<Record<string, string>> {
  return JSON.parse(await shell(`php -r 'include "${root}/sites/sites.php"; echo json_encode((object) $sites);'`)) as Record<string, string>;
}

async function siteDrushrc(): Promise<Record<string, unknown>> {
  return JSON.parse(await shell(`php -r 'include "${site}/drushrc.php"; echo json_encode($options);'`)) as Record<string, unknown>;
}

/** Runs while drushrc.php of the site has been changed by this sed script. */
async function withDrushrc<T>(script: string, run: () => Promise<T>): Promise<T> {
  await shell(`cd ${site}; cp -p drushrc.php ${at("kept")}; chmod u+w drushrc.php; sed -i "${script}" drushrc.php; chmod 440 drushrc.php`);
  try {
    return await run();
  } finally {
    await shell(`mv -f ${at("kept")} ${site}/drushrc.php`);
  }
}

describe("directories", () => {
  it("commands 39; contexts 52: have their modes and groups", () => {
    const own = lstatSync(at(".drush")).gid;
    const web = ["files", ...["tmp", "images", "pictures", "css", "js", "ctools", "imagecache", "locations", "styles"].map((name) => `files/${name}`), "private", "private/files", "private/temp", "private/config", "private/config/sync"];
    const found = ["", "themes", "modules", "libraries", ...web].map((path) => [path, modeOf(join(site, path)), lstatSync(join(site, path)).gid]);
    expect(found).toEqual([["", "755", own], ["themes", "2775", own], ["modules", "2775", own], ["libraries", "2775", own], ...web.map((path) => [path, "2770", webGid])]);
  });

  it("commands 39; contexts 52: are mended, with the bit that a change of group would clear", async () => {
    await shell(`cd ${site}; chmod 700 files/css; chgrp ${lstatSync(at(".drush")).gid} private/temp; rmdir files/styles libraries; chmod 777 .`);
    await good(verify());
    expect(["files/css", "private/temp", "files/styles", "libraries", ""].map((path) => modeOf(join(site, path)))).toEqual(["2770", "2770", "2770", "2775", "755"]);
    expect(["files/css", "private/temp", "files/styles"].map((path) => lstatSync(join(site, path)).gid)).toEqual([webGid, webGid, webGid]);
  });

  it("are made and written to although Drupal's status report has taken away the right to", async () => {
    await shell(`cd ${site}; rmdir private/temp libraries; chmod 0555 .`);
    await good(verify());
    expect(["", "libraries", "private/temp"].map((path) => modeOf(join(site, path)))).toEqual(["755", "2775", "2770"]);
    await shell(`cd ${site}; chmod u+w drushrc.php; echo '# old' >> drushrc.php; chmod 0555 .`);
    await good(frontEnd.task(URI, "enable"));
    expect(readFileSync(join(site, "drushrc.php"), "utf8")).not.toContain("# old");
  });

  it("commands 40: files inside of modules, themes and libraries are 2775, links are not followed", async () => {
    expect(["modules/own", "modules/own/deep", "modules/own/deep/notes.txt"].map((path) => modeOf(join(site, path)))).toEqual(["2775", "2775", "2775"]);
    frontEnd.stage.home.write("outside/file.txt", "x", 0o600);
    await shell(`ln -s ${at("outside")} ${site}/libraries/link; ln -s ${at("outside/file.txt")} ${site}/themes/link`);
    await good(verify());
    expect([modeOf(at("outside")), modeOf(at("outside/file.txt"))]).toEqual(["755", "600"]);
    await shell(`rm ${site}/libraries/link ${site}/themes/link`);
  });

  it("of uploads are protected by a .htaccess of ours where there is none, or an old one", async () => {
    const marker = "Drupal_Security_Do_Not_Remove_See_SA_2013_003";
    for (const path of ["files", "private/files", "private/temp"]) expect(readFileSync(join(site, path, ".htaccess"), "utf8")).toContain(marker);
    await shell(`cd ${site}; chmod u+w files/.htaccess private/files/.htaccess; echo 'Options None' > files/.htaccess; echo '# mine, ${marker}' > private/files/.htaccess`);
    const verified = await good(verify());
    expect(readFileSync(join(site, "files/.htaccess"), "utf8")).toContain(marker);
    expect(readFileSync(join(site, "private/files/.htaccess"), "utf8")).toBe(`# mine, ${marker}\n`);
    expect(messages(verified, "notice").filter((message) => message.includes("SA-CORE-2013-003"))).toHaveLength(1);
  });
});

describe("files", () => {
  it("commands 37; contexts 47: settings.php is 0440 and the web server's, with the three files in their order", () => {
    expect([modeOf(join(site, "settings.php")), lstatSync(join(site, "settings.php")).gid]).toEqual(["440", webGid]);
    const text = readFileSync(join(site, "settings.php"), "utf8");
    const places = [at("config/includes/global.inc"), join(root, "sites/all/platform.settings.php"), join(site, "local.settings.php")].map((path) => text.indexOf(path));
    expect(places.every((place, index) => place > (places[index - 1] ?? 0))).toBe(true);
    expect(text).not.toContain("Site-Pass_1");
  });

  it("contexts 47: those three files count, the last one most", async () => {
    frontEnd.stage.home.write(`${below(root)}/sites/all/platform.settings.php`, "<?php $conf['site_name'] = 'platform'; $conf['site_slogan'] = 'platform';");
    await shell(`cd ${site}; chmod u+w local.settings.php; echo '<?php $conf["site_name"] = "Named locally";' > local.settings.php`);
    const page = await frontEnd.stage.apache.fetch(URI, "/");
    expect(page.body).toContain("Named locally");
    await shell(`rm ${root}/sites/all/platform.settings.php`);
  });

  it("commands 38; contexts 50: local.settings.php is made once, gets its mode and group each time, and is never overwritten", async () => {
    await shell(`cd ${site}; chmod u+w local.settings.php; echo '<?php # mine' > local.settings.php; chmod 600 local.settings.php; chgrp ${lstatSync(at(".drush")).gid} local.settings.php`);
    await good(verify());
    expect([readFileSync(join(site, "local.settings.php"), "utf8"), modeOf(join(site, "local.settings.php")), lstatSync(join(site, "local.settings.php")).gid]).toEqual(["<?php # mine\n", "440", webGid]);
    rmSync(join(site, "local.settings.php"));
    const made = await good(verify());
    expect([readFileSync(join(site, "local.settings.php"), "utf8"), modeOf(join(site, "local.settings.php"))]).toEqual(["<?php # local settings.php \n", "440"]);
    expect(messages(made, "success")).toContain("Generated blank Drupal local.settings.php file");
    rmSync(join(site, "local.settings.php"));
    await good(verify({ args: ["--provision_create_local_settings_file=0"] }));
    expect(existsSync(join(site, "local.settings.php"))).toBe(false);
    await good(verify());
  });

  it("commands 41; contexts 43: drushrc.php is 0440, says installed and packages, and gives the credentials to any drush", async () => {
    const text = readFileSync(join(site, "drushrc.php"), "utf8");
    expect(modeOf(join(site, "drushrc.php"))).toBe("440");
    expect(text.startsWith("<?php \n\n\n$options['db_type'] = 'mysql';")).toBe(true);
    expect(text.slice(text.indexOf("\n# Aegir additions."))).toBe(
      ["", "# Aegir additions.", ...["db_type", "db_port", "db_host", "db_user", "db_passwd", "db_name"].map((key) => `$_SERVER['${key}'] = $options['${key}'];`), "", "# Local non-aegir-generated additions.", `@include_once('${site}/local.drushrc.php');`, ""].join("\n"),
    );
    const options = await siteDrushrc();
    expect(Object.keys(options)).toEqual(["db_type", "db_host", "db_port", "db_passwd", "db_name", "db_user", "installed", "packages"]);
    expect(options["installed"]).toBe(true);
    expect(options["packages"]).toEqual(context(await good(verify()))["packages"]);
  });

  it("commands 41: a site that did not say so is installed after its verify", async () => {
    await shell(`cd ${site}; chmod u+w drushrc.php; sed -i "/\\['installed'\\]/d" drushrc.php; chmod 440 drushrc.php`);
    expect(await siteDrushrc()).not.toHaveProperty("installed");
    expect(context(await good(verify()))["installed"]).toBe(true);
    expect((await siteDrushrc())["installed"]).toBe(true);
  });

  it("commands 16, 41: the frame has the cron key, and self the database's name", () => {
    expect(context(first)["cron_key"]).toMatch(/^\S{10,}$/);
    expect((first.frame["self"] as Record<string, unknown>)["db_name"]).toBe("sitetest");
  });

  it("contexts 46: what local.drushrc.php sets gets into drushrc.php, and stays", async () => {
    frontEnd.stage.home.write(`${below(site)}/local.drushrc.php`, "<?php $options['own_option'] = array('x' => 1);");
    await good(verify());
    rmSync(join(site, "local.drushrc.php"));
    await good(verify());
    expect((await siteDrushrc())["own_option"]).toEqual({ x: 1 });
  });

  it("http 7: a second verify changes nothing", async () => {
    await good(verify());
    const before = treeOf(frontEnd.home);
    const again = await good(verify());
    expect(treeOf(frontEnd.home)).toEqual(before);
    expect(messages(again, "warning")).toEqual([]);
  });

  it.each(["022", "077"])("http 10; commands 105: a new virtual host is 0664 under umask %s, in a folder that others may not enter", async (umask) => {
    rmSync(at(VHOSTS, URI));
    const { stdoutBytes, ...ended } = await frontEnd.stage.home.user.run(["sh", "-c", `umask ${umask}; exec "$0" "$@" 2>&1`, frontEnd.drush, "--backend=2", `@${URI}`, "provision-verify"], { env: frontEnd.env, mayFail: true });
    await good(Promise.resolve(answer(stdoutBytes, ended, 0)));
    expect([modeOf(at(VHOSTS, URI)), modeOf(at(VHOSTS))]).toEqual(["664", "700"]);
  });

  it("commands 105: one that is rewritten keeps its mode", async () => {
    await shell(`cd ${at(VHOSTS)}; echo '# old' >> ${URI}; chmod 600 ${URI}`);
    await good(verify());
    expect([modeOf(at(VHOSTS, URI)), readFileSync(at(VHOSTS, URI), "utf8").includes("# old")]).toEqual(["600", false]);
  });

  it("http 6: with provision_apache_conf_suffix the virtual host's file ends in .conf", async () => {
    await good(verify({ args: ["--provision_apache_conf_suffix=1"] }));
    expect(readFileSync(at(VHOSTS, `${URI}.conf`), "utf8")).toBe(readFileSync(at(VHOSTS, URI), "utf8"));
    rmSync(at(VHOSTS, `${URI}.conf`));
    await good(verify());
  });
});

describe("aliases", () => {
  const OTHERS = { "other.test": "elsewhere.test", "own.example": "site.example" };

  it("commands 42, 43; contexts 51: this site's entries in sites.php are its aliases, those of other sites stay", () => withApache(async () => {
    frontEnd.stage.home.write(`${below(root)}/sites/sites.php`, `<?php\n$sites = array('stale.test' => '${URI}', 'other.test' => 'elsewhere.test', 'gone' => NULL, 'own.example' => 'site.example');\n`);
    await save({ aliases: "www.site.test,site.example/blog/deep" });
    await good(verify());
    expect(await sitesPhp()).toEqual({ ...OTHERS, "www.site.test": URI, "site.example.blog.deep": URI });
    expect(modeOf(join(root, "sites/sites.php"))).toBe("644");
    await save({ aliases: "second.test" });
    await good(verify());
    expect(await sitesPhp()).toEqual({ ...OTHERS, "second.test": URI });
    expect((await frontEnd.stage.apache.fetch("www.site.test", "/")).status).toBe(404);
    await save({ aliases: "null" });
    await good(verify());
    expect(await sitesPhp()).toEqual(OTHERS);
  }));

  it("protocol 86: of two sites that are verified at once are all there, and both answers are whole", async () => {
    await installSite(frontEnd, root, "second.test", { aliases: ["one.second.test", "two.second.test"] });
    await save({ aliases: "a.test,b.test" });
    await Promise.all([good(verify()), good(frontEnd.task("second.test", "verify"))]);
    expect(await sitesPhp()).toEqual({ ...OTHERS, "a.test": URI, "b.test": URI, "one.second.test": "second.test", "two.second.test": "second.test" });
    await save({ aliases: "www.site.test" });
    await good(verify());
  });
});

describe("the client's link", () => {
  it("commands 44; contexts 55: moves when the client changes", async () => {
    expect([readlinkSync(at("clients/admin", URI)), modeOf(at("clients/admin"))]).toEqual([site, "750"]);
    await save({ client_name: "acme" });
    await good(verify());
    expect([existsSync(at("clients/admin", URI)), readlinkSync(at("clients/acme", URI)), modeOf(at("clients/acme"))]).toEqual([false, site, "750"]);
    await shell(`ln -sfn /elsewhere ${at("clients/acme", URI)}`);
    await good(verify());
    expect(readlinkSync(at("clients/acme", URI))).toBe(site);
  });

  it("commands 44: is not put over something else of that name", async () => {
    await shell(`rm ${at("clients/acme", URI)}; mkdir ${at("clients/acme", URI)}`);
    expect(messages(await good(verify()), "warning")).toEqual([expect.stringContaining(`Could not create symlink ${at("clients/acme", URI)}`)]);
    await shell(`rmdir ${at("clients/acme", URI)}`);
    await save({ client_name: "admin" });
    await good(verify());
  });
});

describe("a disabled site", () => {
  it("commands 46; contexts 49: stays disabled through a verify, and its settings.php says so", () => withApache(async () => {
    await good(frontEnd.task(URI, "disable"));
    await good(verify());
    expect((await frontEnd.stage.apache.fetch(URI, "/")).status).toBe(302);
    expect(readFileSync(at(`.drush/${URI}.alias.drushrc.php`), "utf8")).toContain("'site_enabled' => false,");
    expect(readFileSync(join(site, "settings.php"), "utf8")).toMatch(/\$conf\['site_offline'\] = 1;/);
    await good(frontEnd.task(URI, "enable"));
    expect(readFileSync(join(site, "settings.php"), "utf8")).toContain("site_offline");
    await good(verify());
    expect(readFileSync(join(site, "settings.php"), "utf8")).not.toContain("site_offline");
  }));
});

describe("the database", () => {
  it("has its caches emptied, forms that are being filled in kept, and its menu built anew at the next request", async () => {
    const { mariadb, apache } = frontEnd.stage;
    const values = "VALUES ('shim', 'x', 0, 0, 0)";
    await mariadb.query(`USE sitetest; INSERT INTO cache (cid, data, expire, created, serialized) ${values}; INSERT INTO cache_form (cid, data, expire, created, serialized) ${values}; UPDATE menu_router SET title = 'old' WHERE path = 'node'`);
    await good(verify());
    expect(await mariadb.query("SELECT (SELECT COUNT(*) FROM sitetest.cache) AS cache, (SELECT COUNT(*) FROM sitetest.cache_form WHERE cid = 'shim') AS form")).toEqual([{ cache: 0, form: 1 }]);
    expect((await apache.fetch(URI, "/node/1")).status).toBe(200);
    expect(await mariadb.query("SELECT title FROM sitetest.menu_router WHERE path = 'node' AND title = 'old'")).toEqual([]);
    expect(apache.phpErrors()).toBe("");
  });
});

describe("the frame", () => {
  it("commands 15: process beats cli, cli the alias, the alias the site, the site the platform", async () => {
    await shell(`cd ${root}/sites/all/drush; chmod u+w drushrc.php; printf "\\n\\$options['rank1'] = 'drupal';\\n\\$options['rank2'] = 'drupal';\\n" >> drushrc.php`);
    frontEnd.stage.home.write(`${below(site)}/local.drushrc.php`, "<?php $options['rank2'] = 'site'; $options['language'] = 'site';");
    const got = context(await good(verify({ args: ["--profile=standard", "--client_name=cli", "--cron_key=cli"] })));
    expect([got["rank1"], got["rank2"], got["language"], got["client_name"]]).toEqual(["drupal", "site", "en", "cli"]);
    expect(got["cron_key"]).not.toBe("cli");
    await shell(`rm ${site}/local.drushrc.php; rm -f ${root}/sites/all/drush/drushrc.php; rm -r clients/cli`);
    await shell(`cd ${site}; chmod u+w drushrc.php; sed -i "/rank2/d; /\\['language'\\]/d" drushrc.php; chmod 440 drushrc.php`);
    await good(frontEnd.task("platform_standin", "verify"));
    await good(verify());
  });
});

describe("groups that the user may not give files to", () => {
  it("commands 9; contexts 69: are warnings, with the reason, and no error", async () => {
    server({ http_restart_cmd: "/bin/true", web_group: "daemon" });
    const verified = await good(verify());
    const warnings = messages(verified, "warning");
    expect(warnings).toContain(`Could not change group ownership of ${site}/files to daemon (${frontEnd.stage.home.user.name} is not in daemon group)`);
    expect(warnings).toContain(`Could not change group ownership of ${site}/settings.php to daemon (${frontEnd.stage.home.user.name} is not in daemon group)`);
    server({ http_restart_cmd: "/bin/true", web_group: "no_such_group" });
    expect(messages(await good(verify()), "warning")).toContain(`Could not change group ownership of ${site}/settings.php to no_such_group (the group does not exist)`);
  });

  it("contexts 69: are no matter where the files have them already", async () => {
    const own = (await shell("id -gn")).trim();
    await shell(`chgrp -R ${own} ${site}`);
    server({ http_restart_cmd: "/bin/true", web_group: own });
    expect(messages(await good(verify()), "warning")).toEqual([]);
    server({ http_restart_cmd: "/bin/true" });
    await good(verify());
    expect(lstatSync(join(site, "files")).gid).toBe(webGid);
  });
});

describe("what is refused changes nothing", () => {
  async function refused(run: () => Promise<BackendAnswer>, code: string): Promise<BackendAnswer> {
    const before = treeOf(frontEnd.home);
    const called = await run();
    expect(failure(called)).toEqual(failedWith(code));
    expect(called.messages[code]).toMatch(/\S{3}/);
    expect(treeOf(frontEnd.home)).toEqual(before);
    return called;
  }

  it("commands 2, 12: a database that does not let the site in", async () => {
    await withDrushrc("s/Site-Pass_1/wrong/", async () => {
      const called = await refused(() => verify(), "PROVISION_DB_CONNECT_FAIL");
      expect(called.messages["PROVISION_DB_CONNECT_FAIL"]).toMatch(/Access denied for user 'sitetest'/);
    });
  });

  it("commands 2: a drushrc.php without credentials, as before an install", async () => {
    await withDrushrc("/db_/d", () => refused(() => verify(), "PROVISION_DRUPAL_SITE_NOT_FOUND"));
  });

  it("commands 2: a database that holds no Drupal", async () => {
    await frontEnd.stage.mariadb.query("RENAME TABLE sitetest.`system` TO sitetest.kept");
    await refused(() => verify(), "PROVISION_DRUPAL_SITE_NOT_FOUND");
    await frontEnd.stage.mariadb.query("RENAME TABLE sitetest.kept TO sitetest.`system`");
  });

  it.each([["site.test/../x"], [".."], ["a\\b"]])("a uri that is no host name: %s", async (uri) => {
    await good(frontEnd.save("odd.test", { context_type: "site", platform: "@platform_standin", uri }));
    await refused(() => frontEnd.task("odd.test", "verify"), "PROVISION_URL_REQUIRED");
    await good(frontEnd.save("odd.test", { delete: true }));
  });

  it.each(["a b.test", "a.test\nRedirect / http://evil.test/"])("an alias that cannot stand in a web server's file: %j", async (alias) => {
    await save({ aliases: [alias] });
    await refused(() => verify(), "PROVISION_WEB_BAD_VALUE");
    await save({ aliases: "www.site.test" });
  });

  it("commands 3; contexts 59: an error in the middle, whose changes are undone, newest first, also for Apache", () => withApache(async () => {
    // A view in the place of a cache table cannot be emptied; that is found out when files are written and Apache has loaded them.
    await frontEnd.stage.mariadb.query("CREATE VIEW sitetest.cache_shim AS SELECT DISTINCT 1 AS cid");
    await save({ aliases: "new.test", client_name: "someone" });
    rmSync(join(site, "files/locations"), { recursive: true });
    const called = await refused(() => verify(), "PROVISION_DB_QUERY_FAILED");
    const undone = messages(called, "notice").filter((message) => message.startsWith("Undone: "));
    const order = ["web server", "vhost.d", "sites.php", "files/locations"].map((word) => undone.findIndex((message) => message.includes(word)));
    expect(order.every((place) => place >= 0)).toBe(true);
    expect(order[2]! < order[3]!).toBe(true);
    expect([(await frontEnd.stage.apache.fetch("new.test", "/")).status, (await frontEnd.stage.apache.fetch("www.site.test", "/")).status]).toEqual([404, 200]);
    await frontEnd.stage.mariadb.query("DROP VIEW sitetest.cache_shim");
    await save({ aliases: "www.site.test", client_name: "admin" });
    await good(verify());
  }));

  it("a folder for virtual hosts that is read-only", async () => {
    await shell(`chmod 500 ${at(VHOSTS)}`);
    await save({ aliases: "new.test" });
    const called = await refused(() => verify(), "DRUSH_PERM_ERROR");
    expect(called.messages["DRUSH_PERM_ERROR"]).toContain(at(VHOSTS, URI));
    await shell(`chmod 700 ${at(VHOSTS)}`);
    await save({ aliases: "www.site.test" });
  });

  it("a virtual host that breaks Apache, because of a neighbour", () => withApache(async () => {
    frontEnd.stage.home.write(`${VHOSTS}/neighbour.test`, "NoSuchDirective on\n", 0o600);
    await save({ aliases: "new.test" });
    const called = await refused(() => verify(), "PROVISION_WEB_CONFIG_BROKEN");
    expect(called.messages["PROVISION_WEB_CONFIG_BROKEN"]).toMatch(/was broken before this task.*neighbour\.test/s);
    rmSync(at(VHOSTS, "neighbour.test"));
    await save({ aliases: "www.site.test" });
    await good(verify());
    expect((await frontEnd.stage.apache.fetch("www.site.test", "/")).status).toBe(200);
  }));
});

describe("what is the real drush's", () => {
  it.each([
    ["the front end's own site", "the front end's own site", `printf "<?php\\n\\$aliases['hostmaster'] = array('context_type' => 'site', 'platform' => '@platform_standin', 'uri' => '${URI}');\\n" > .drush/hostmaster.alias.drushrc.php`, "rm .drush/hostmaster.alias.drushrc.php"],
    ["a module that the site's database does not know", "does not know yet (sites/site.test/modules/fresh/fresh.module)", `cd SITE/modules; mkdir fresh; touch fresh/fresh.info fresh/fresh.module`, "rm -r SITE/modules/fresh"],
    ["settings that may change caches or database", "settings in", `chmod u+w SITE/local.settings.php; echo '<?php $databases = array();' > SITE/local.settings.php`, "echo '<?php' > SITE/local.settings.php"],
    ["a drush file of an enabled module, with a hook", "the hook drush_block_provision_verify", `echo '<?php function drush_block_provision_verify() {}' > ROOT/modules/block/block.drush.inc`, "rm ROOT/modules/block/block.drush.inc"],
  ])("%s", async (_, reason, make, unmake) => {
    const inPlace = (script: string): string => script.replaceAll("SITE", site).replaceAll("ROOT", root);
    await shell(inPlace(make));
    const before = treeOf(frontEnd.home);
    const called = await verify();
    expect(failure(called)).toEqual(failedWith("PROVISION_NO_REAL_DRUSH"));
    expect(called.messages["PROVISION_NO_REAL_DRUSH"]).toContain(reason);
    expect(treeOf(frontEnd.home)).toEqual(before);
    await shell(inPlace(unmake));
  });
});
