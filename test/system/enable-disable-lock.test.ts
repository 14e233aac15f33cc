import { readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { good, installSite, openFrontEnd, openPlatform, SERVER, serverOptions, writeAlias, type BackendAnswer, type FrontEnd } from "../support/front-end.ts";
import { copyStandIn } from "../support/stand-in.ts";
import { failedWith, failure, messages } from "../support/system-checks.ts";
import { modeOf, treeOf } from "../support/tree.ts";

const URI = "site.test";

let frontEnd: FrontEnd;
let root: string;

beforeAll(async () => {
  frontEnd = await openFrontEnd();
  root = await openPlatform(frontEnd);
  await installSite(frontEnd, root, URI, { aliases: ["www.site.test"] });
  await good(frontEnd.task(URI, "verify"));
}, 300_000);
afterAll(() => frontEnd.strike());

function at(...path: string[]): string {
  return join(frontEnd.home, ...path);
}

async function shell(script: string): Promise<string> {
  return (await frontEnd.stage.home.user.run(["sh", "-c", script])).stdout;
}

function vhost(): string {
  return readFileSync(at(`config/${SERVER}/apache/vhost.d`, URI), "utf8");
}

function alias(): string {
  return readFileSync(at(".drush", `${URI}.alias.drushrc.php`), "utf8");
}

async function statuses(): Promise<number[]> {
  return [(await frontEnd.stage.apache.fetch(URI, "/")).status, (await frontEnd.stage.apache.fetch("www.site.test", "/")).status];
}

describe("disable", () => {
  let before: Record<string, string>;
  let disabled: BackendAnswer;
  beforeAll(async () => {
    before = treeOf(frontEnd.home);
    disabled = await good(frontEnd.task(URI, "disable"));
  });

  it("commands 94; contexts 62; http 41: writes the disabled virtual host and the alias, nothing else, and makes no backup", () => {
    expect(alias()).toContain("  'site_enabled' => false,\n");
    const after = treeOf(frontEnd.home);
    const changed = Object.keys({ ...before, ...after }).filter((path) => before[path] !== after[path]);
    expect(changed.sort()).toEqual([`.drush/${URI}.alias.drushrc.php`, `config/${SERVER}/apache/vhost.d/${URI}`]);
    expect(disabled.frame["context"]).not.toHaveProperty("backup_file", expect.anything());
  });

  it("http 38: all names are sent to the front end's page, without path and query", async () => {
    for (const [host, path] of [[URI, "/"], [URI, "/node/1?x=1"], ["www.site.test", "/a%20b?y"], ["www.site.test", "/sites/site.test/files/x.txt"]] as const) {
      const { status, headers } = await frontEnd.stage.apache.fetch(host, path);
      expect([host, path, status, headers.location]).toEqual([host, path, 302, `http://aegir.test/hosting/disabled/${URI}`]);
    }
  });

  it("http 40: the virtual host has no credentials", () => {
    expect(vhost()).not.toMatch(/Site-Pass_1|sitetest|SetEnv|db_/);
  });

  it("http 36: a certificate authority is not sent away", async () => {
    const { status, headers } = await frontEnd.stage.apache.fetch(URI, "/.well-known/acme-challenge/token");
    expect([status, headers.location]).toEqual([404, undefined]);
  });

  it("contexts 62: a second time changes nothing, and Apache is not reloaded, which runs this already", async () => {
    const tree = treeOf(frontEnd.home);
    const again = await good(frontEnd.task(URI, "disable"));
    expect(treeOf(frontEnd.home)).toEqual(tree);
    expect(messages(again, "success")).toContain("The web server on localhost has loaded this already");
  });
});

describe("enable", () => {
  it("commands 95; contexts 62; http 41: serves again, with the credentials, and says so in the alias", async () => {
    const enabled = await good(frontEnd.task(URI, "enable"));
    expect(await statuses()).toEqual([200, 200]);
    expect(vhost()).toMatch(/^ {2}SetEnv db_passwd {2}Site-Pass_1$/m);
    expect(alias()).toContain("  'site_enabled' => true,\n");
    expect((enabled.frame["self"] as Record<string, unknown>)["db_name"]).toBe("sitetest");
    expect(messages(enabled, "success")).toContain("The web server on localhost has been restarted");
  });

  it("contexts 62: reloads when something else changed what Apache reads since", async () => {
    const own = `config/${SERVER}/apache/post.d/own`;
    frontEnd.stage.home.write(own, "# mine\n", 0o600);
    expect(messages(await good(frontEnd.task(URI, "enable")), "success")).toContain("The web server on localhost has been restarted");
    expect(messages(await good(frontEnd.task(URI, "enable")), "success")).toContain("The web server on localhost has loaded this already");
    rmSync(at(own));
    expect(messages(await good(frontEnd.task(URI, "enable")), "success")).toContain("The web server on localhost has been restarted");
  });

  it("is undone when Apache, which has read both forms of the virtual host before, refuses them now because of something else", async () => {
    const { home } = frontEnd.stage;
    const outside = home.write("outside.conf", "# fine\n");
    const link = join(home.beside, "apache/conf-enabled/outside.conf");
    writeFileSync(link, `Include ${outside}\n`);
    for (const task of ["enable", "disable", "enable"]) await good(frontEnd.task(URI, task));
    home.write("outside.conf", "Nonsense\n");
    const before = treeOf(frontEnd.home);
    const failed = await frontEnd.task(URI, "disable");
    expect(failed.errors).toContain("PROVISION_WEB_CONFIG_BROKEN");
    expect(treeOf(frontEnd.home)).toEqual(before);
    rmSync(link);
    rmSync(outside);
    await good(frontEnd.task(URI, "enable"));
    expect(await statuses()).toEqual([200, 200]);
  });

  it("contexts 62: what is given on the command line is stored, as enable and disable do", async () => {
    await good(frontEnd.task(URI, "enable", { args: ["--client_name=someone"] }));
    expect(alias()).toContain("  'client_name' => 'someone',\n");
    await good(frontEnd.save(URI, { client_name: "admin" }));
  });

  it("contexts 45: writes drushrc.php anew, unless the site is not installed", async () => {
    const drushrc = `${root}/sites/${URI}/drushrc.php`;
    await shell(`cd ${root}/sites/${URI}; chmod u+w drushrc.php; echo '# old' >> drushrc.php`);
    await good(frontEnd.task(URI, "enable"));
    expect([readFileSync(drushrc, "utf8").includes("# old"), modeOf(drushrc)]).toEqual([false, "440"]);
    await shell(`cd ${root}/sites/${URI}; cp -p drushrc.php ${at("kept")}; chmod u+w drushrc.php; sed -i "/\\['installed'\\]/d" drushrc.php; echo '# old' >> drushrc.php; chmod 440 drushrc.php`);
    await good(frontEnd.task(URI, "enable"));
    expect(readFileSync(drushrc, "utf8")).toContain("# old");
    await shell(`mv -f ${at("kept")} ${drushrc}`);
  });

  it("contexts 44: a site that has no credentials is PROVISION_DRUPAL_SITE_NOT_FOUND, and nothing is written", async () => {
    await good(frontEnd.save("new.test", { context_type: "site", platform: "@platform_standin", uri: "new.test", site_enabled: null }));
    const before = treeOf(frontEnd.home);
    expect(failure(await frontEnd.task("new.test", "enable"))).toEqual(failedWith("PROVISION_DRUPAL_SITE_NOT_FOUND"));
    expect(treeOf(frontEnd.home)).toEqual(before);
  });

  it.each(["enable", "disable"])("%s is for sites only", async (task) => {
    expect(failure(await frontEnd.task("platform_standin", task))).toEqual(failedWith("PROVISION_WRONG_CONTEXT_TYPE"));
    expect(failure(await frontEnd.task(SERVER, task))).toEqual(failedWith("PROVISION_WRONG_CONTEXT_TYPE"));
  });

  it("commands 3: that breaks Apache is taken back: the site stays as it was", async () => {
    await good(frontEnd.task(URI, "disable"));
    frontEnd.stage.home.write(`config/${SERVER}/apache/post.d/broken`, "NoSuchDirective on\n", 0o600);
    const before = treeOf(frontEnd.home);
    expect(failure(await frontEnd.task(URI, "enable"))).toEqual(failedWith("PROVISION_WEB_CONFIG_BROKEN"));
    expect(treeOf(frontEnd.home)).toEqual(before);
    rmSync(at(`config/${SERVER}/apache/post.d/broken`));
    expect(await statuses()).toEqual([302, 302]);
    await good(frontEnd.task(URI, "enable"));
    expect(await statuses()).toEqual([200, 200]);
  });
});

describe("a site on another web server", () => {
  it("http 42: is sent to the page of @server_master's front end", async () => {
    const { apache } = frontEnd.stage;
    await good(frontEnd.save("server_two", { context_type: "server", http_service_type: "apache", http_port: String(apache.port), http_restart_cmd: apache.restartCommand, master_url: "http://wrong.test" }));
    await good(frontEnd.task("server_two", "verify"));
    const second = copyStandIn(frontEnd.stage.home, "second");
    await good(frontEnd.save("platform_second", { context_type: "platform", web_server: "@server_two", root: second }));
    await good(frontEnd.save("two.test", { context_type: "site", platform: "@platform_second", uri: "two.test" }));
    await good(frontEnd.task("two.test", "disable"));
    expect(readFileSync(at("config/server_two/apache/vhost.d/two.test"), "utf8")).toContain("http://aegir.test/hosting/disabled/two.test?");
  });

  it("http 42: with the address that the master has now", async () => {
    const options = serverOptions(frontEnd);
    writeAlias(frontEnd, SERVER, { ...options, master_url: "https://moved.test///" });
    await good(frontEnd.task("two.test", "disable"));
    expect(readFileSync(at("config/server_two/apache/vhost.d/two.test"), "utf8")).toContain(" https://moved.test/hosting/disabled/two.test?");
    writeAlias(frontEnd, SERVER, options);
  });
});

describe("lock and unlock", () => {
  const DRUSHRC = "sites/all/drush/drushrc.php";

  it.each(["lock", "unlock"])("commands 100: %s succeeds and writes the platform's drushrc.php again, as it was loaded", async (task) => {
    const before = readFileSync(join(root, DRUSHRC), "utf8");
    await shell(`cd ${root}/sites/all/drush; chmod u+w drushrc.php; printf '\\n# a comment' >> drushrc.php; chmod 600 drushrc.php`);
    const tree = treeOf(frontEnd.home);
    const locked = await good(frontEnd.task("platform_standin", task));
    expect([readFileSync(join(root, DRUSHRC), "utf8"), modeOf(join(root, DRUSHRC))]).toEqual([before, "444"]);
    const after = treeOf(frontEnd.home);
    expect(Object.keys(after).filter((path) => after[path] !== tree[path])).toEqual([`platforms/standin/${DRUSHRC}`]);
    expect((locked.frame["context"] as Record<string, unknown>)["profiles"]).toEqual(expect.arrayContaining(["standard"]));
  });

  it("commands 100: what is in it is not looked up anew", async () => {
    await shell(`mkdir ${root}/sites/other.test; touch ${root}/sites/other.test/settings.php`);
    const before = readFileSync(join(root, DRUSHRC), "utf8");
    await good(frontEnd.task("platform_standin", "lock"));
    expect(readFileSync(join(root, DRUSHRC), "utf8")).toBe(before);
  });

  it("contexts 44: unchanged content is not written, and provision_save_config can leave it out", async () => {
    const { ino } = statSync(join(root, DRUSHRC));
    await good(frontEnd.task("platform_standin", "lock"));
    expect(statSync(join(root, DRUSHRC)).ino).toBe(ino);
    rmSync(join(root, DRUSHRC));
    await good(frontEnd.task("platform_standin", "lock", { stdin: { provision_save_config: false } }));
    expect(() => statSync(join(root, DRUSHRC))).toThrow();
    await good(frontEnd.task("platform_standin", "verify"));
  });

  it("commands 100: an option that they do not know is refused, unless --strict=0; one that is posted never", async () => {
    const before = treeOf(frontEnd.home);
    const refused = await frontEnd.task("platform_standin", "lock", { args: ["--own=1"] });
    expect(failure(refused)).toEqual(failedWith("DRUSH_UNKNOWN_OPTION"));
    expect(treeOf(frontEnd.home)).toEqual(before);
    await good(frontEnd.task("platform_standin", "lock", { args: ["--own=1", "--strict=0"] }));
    await good(frontEnd.task("platform_standin", "lock", { stdin: { own: 1 } }));
  });

  it("commands 100: they are for platforms", async () => {
    expect(failure(await frontEnd.task(URI, "lock"))).toEqual(failedWith("PROVISION_WRONG_CONTEXT_TYPE"));
  });
});
