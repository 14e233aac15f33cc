import { cpSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { good, openFrontEnd, SERVER, serverOptions, type FrontEnd } from "../support/front-end.ts";
import { openRealPlatform, REAL_DRUPAL7 } from "../support/real-drupal.ts";
import { treeOf } from "../support/tree.ts";

/** Needs a drush 8 (SHIM_TEST_DRUSH), the home of an Aegir, of which only Provision is read (SHIM_TEST_AEGIR_ROOT), and a Drupal 7 (SHIM_TEST_DRUPAL7). */
const drush = process.env["SHIM_TEST_DRUSH"];
const aegir = process.env["SHIM_TEST_AEGIR_ROOT"];
const URI = "real.test";

describe.skipIf(drush === undefined || aegir === undefined || REAL_DRUPAL7 === undefined)("in turn with Provision", () => {
  let frontEnd: FrontEnd;

  beforeAll(async () => {
    frontEnd = await openFrontEnd({ tls: true });
    const { home } = frontEnd.stage;
    cpSync(join(aegir ?? "", ".drush/provision"), join(home.path, ".drush/provision"), { recursive: true });
    home.user.own(join(home.path, ".drush/provision"));
    await good(frontEnd.save(SERVER, { ...serverOptions(frontEnd), http_service_type: "apache_ssl", http_ssl_port: String(frontEnd.stage.apache.tlsPort) }));
    await good(frontEnd.task(SERVER, "verify"));
    await openRealPlatform(frontEnd);
    await good(frontEnd.save(URI, { context_type: "site", uri: URI, platform: "@platform_drupal7", db_server: `@${SERVER}`, profile: "minimal", client_name: "admin", aliases: `www.${URI}`, ssl_enabled: "1", ssl_key: "shop" }));
    await good(frontEnd.task(URI, "install", { stdin: { client_email: "me@example.test" } }));
    await good(frontEnd.task(URI, "verify"));
  }, 300_000);
  afterAll(() => frontEnd.strike());

  function tree(folder: string): Record<string, string> {
    return treeOf(join(frontEnd.home, folder));
  }

  async function byDrush(name: string): Promise<void> {
    await frontEnd.stage.home.user.run([drush ?? "", `@${name}`, "provision-verify"], { env: frontEnd.env });
  }

  function keys(name: string): string[] {
    return [...readFileSync(join(frontEnd.home, `.drush/${name}.alias.drushrc.php`), "utf8").matchAll(/^ {2}'(\w+)' =>/gm)].map(([, key = ""]) => key);
  }

  async function isServed(): Promise<void> {
    const { fetch, fetchTls } = frontEnd.stage.apache;
    for (const host of [URI, `www.${URI}`]) expect([host, (await fetch(host, "/user")).status, (await fetchTls(host, "/user")).status]).toEqual([host, 200, 200]);
  }

  /** The entries of sites.php. */
  function names(): string[] {
    return [...readFileSync(join(frontEnd.home, "platforms/drupal7/sites/sites.php"), "utf8").matchAll(/^ *'(.*)' => '(.*)',$/gm)].map(([, name = "", site = ""]) => `${name} ${site}`);
  }

  it("each goes on with what the other has left: contexts, certificates, receipts", async () => {
    await isServed();
    const before = { certificates: [tree("config/ssl.d"), Object.keys(tree(`config/${SERVER}/ssl.d`))], contexts: [keys(SERVER), keys("platform_drupal7"), keys(URI)], files: Object.keys(tree(`config/${SERVER}`)) };
    const ours = tree(`config/${SERVER}/apache`);
    // Drush may have listed its commands before Provision was there.
    await frontEnd.stage.home.user.run([drush ?? "", "cache-clear", "drush"]);
    for (const name of [SERVER, "platform_drupal7", URI]) await byDrush(name);
    expect(readFileSync(join(frontEnd.home, `config/${SERVER}/apache/vhost.d/${URI}`), "utf8")).not.toContain("provision-shim");
    expect({ certificates: [tree("config/ssl.d"), Object.keys(tree(`config/${SERVER}/ssl.d`))], contexts: [keys(SERVER), keys("platform_drupal7"), keys(URI)], files: Object.keys(tree(`config/${SERVER}`)) }).toEqual(before);
    await frontEnd.stage.apache.graceful();
    await isServed();
    for (const name of [SERVER, "platform_drupal7", URI]) await good(frontEnd.task(name, "verify"));
    expect(tree(`config/${SERVER}/apache`)).toEqual(ours);
    await isServed();
    // With Provision's file that is so at port 443 only.
    expect((await frontEnd.stage.apache.fetchTls("unknown.test", "/")).status).toBe(404);
  }, 240_000);

  it("a site that Provision has verified last is deleted with its copies", async () => {
    await byDrush(URI);
    await good(frontEnd.task(URI, "delete"));
    expect(Object.keys(tree(`config/${SERVER}/ssl.d`)).filter((path) => path.startsWith("shop"))).toEqual([]);
    expect((await frontEnd.stage.apache.fetchTls(URI, "/")).status).toBe(404);
  }, 240_000);

  it("folders of a host are the same files, and go on being served; with their site they go", async () => {
    const { home, apache } = frontEnd.stage;
    home.write(".drush/drushrc.php", "<?php\n$options['hosting_features'] = array('subdirs' => 1);\n");
    await good(frontEnd.save(SERVER, { http_service_type: "apache" }));
    await good(frontEnd.task(SERVER, "verify"));
    await good(frontEnd.save("sub.test", { context_type: "site", uri: "sub.test", platform: "@platform_drupal7", db_server: `@${SERVER}`, profile: "minimal", client_name: "admin", aliases: "host.test/foo,host.test/a/b" }));
    await good(frontEnd.task("sub.test", "install", { stdin: { client_email: "me@example.test" } }));
    await good(frontEnd.task("sub.test", "verify"));
    const check = async (): Promise<void> => {
      for (const path of ["/foo/user", "/a/b/user"]) expect([path, (await apache.fetch("host.test", path)).status]).toEqual([path, 200]);
      expect((await apache.fetch("host.test", "/foo")).headers.location).toMatch(/^http:\/\/host\.test(?::\d+)?\/foo\/$/);
    };
    await check();
    expect(names()).toEqual(["host.test.foo sub.test", "host.test.a.b sub.test"]);
    const before = { sites: names(), files: Object.keys(tree(`config/${SERVER}`)), contexts: keys("sub.test") };
    const ours = tree(`config/${SERVER}/apache`);
    await byDrush("sub.test");
    await apache.graceful();
    await check();
    expect({ sites: names(), files: Object.keys(tree(`config/${SERVER}`)), contexts: keys("sub.test") }).toEqual(before);
    await good(frontEnd.task("sub.test", "verify"));
    expect(tree(`config/${SERVER}/apache`)).toEqual(ours);
    await check();
    await byDrush("sub.test");
    await good(frontEnd.task("sub.test", "delete"));
    expect(Object.keys(tree(`config/${SERVER}/apache`)).filter((path) => /^(?:subdir|vhost)\.d\/./.test(path))).toEqual([]);
  }, 240_000);
});
