import { lstatSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { good, installSite, openFrontEnd, openPlatform, SERVER, type FrontEnd } from "../support/front-end.ts";

let frontEnd: FrontEnd;
let root: string;

beforeAll(async () => {
  frontEnd = await openFrontEnd();
  root = await openPlatform(frontEnd);
  await installSite(frontEnd, root, "site.test", { aliases: ["www.site.test"] });
  await good(frontEnd.task("site.test", "verify"));
}, 300_000);
afterAll(() => frontEnd.strike());

function mode(path: string): string {
  return (statSync(join(frontEnd.home, path)).mode & 0o7777).toString(8);
}

describe("the main job", () => {
  it("serves the site's page from its database, under its name and its alias", async () => {
    const page = await frontEnd.stage.apache.fetch("site.test", "/");
    expect(page.status).toBe(200);
    expect(page.body).toContain("site.test");
    expect((await frontEnd.stage.apache.fetch("www.site.test", "/node/1")).status).toBe(200);
    expect((await frontEnd.stage.apache.fetch("unknown.test", "/")).status).toBe(404);
    expect(frontEnd.stage.apache.phpErrors()).toBe("");
  });

  it("reports what the front end reads after a site's verify", async () => {
    const { frame } = await good(frontEnd.task("site.test", "verify"));
    const { context, self } = frame as { context: Record<string, unknown>; self: Record<string, unknown> };
    expect(self["db_name"]).toBe("sitetest");
    expect(context["cron_key"]).toMatch(/^\S{10,}$/);
    expect(Object.keys(context["packages"] as object)).toEqual(["platforms", "profiles", "modules", "themes"]);
    expect(context["installed"]).toBe(true);
  });

  it("reports what the front end reads after a platform's verify", async () => {
    const { frame } = await good(frontEnd.task("platform_standin", "verify"));
    const { context } = frame as { context: Record<string, unknown> };
    expect(context["sites"]).toEqual(["site.test"]);
    expect(context["profiles"]).toEqual(expect.arrayContaining(["standard", "minimal"]));
    expect(Object.keys(context["packages"] as object)).toEqual(["base", "sites-all", "profiles"]);
  });

  it("disables and enables the site", async () => {
    await good(frontEnd.task("site.test", "disable"));
    const answer = await frontEnd.stage.apache.fetch("www.site.test", "/p?x=1");
    expect([answer.status, answer.headers.location]).toEqual([302, "http://aegir.test/hosting/disabled/site.test"]);
    await good(frontEnd.task("site.test", "enable"));
    expect((await frontEnd.stage.apache.fetch("site.test", "/")).status).toBe(200);
  });

  it("leaves modes as Provision does", () => {
    expect(mode(".drush/site.test.alias.drushrc.php")).toBe("440");
    expect(mode("config/server_master")).toBe("711");
    expect(mode("config/server_master/apache/vhost.d")).toBe("700");
    expect(mode("backups")).toBe("700");
    const site = join(root.slice(frontEnd.home.length + 1), "sites/site.test");
    expect([mode(`${site}/settings.php`), mode(`${site}/drushrc.php`), mode(`${site}/private/config/sync`), mode(`${site}/modules`), mode(`${site}/../sites.php`)]).toEqual(["440", "440", "2770", "2775", "644"]);
    expect(readlinkSync(join(frontEnd.home, "clients/admin/site.test"))).toBe(join(frontEnd.home, site));
    expect(lstatSync(join(frontEnd.home, "config/apache.conf")).isSymbolicLink()).toBe(true);
  });

  it("leaves nothing of its own behind", () => {
    expect(readFileSync(join(frontEnd.home, ".drush", `${SERVER}.alias.drushrc.php`), "utf8")).toContain("'utf8mb4_is_supported' => true");
    for (const name of ["journal", "locks"]) expect(statSync(join(frontEnd.home, ".provision-shim", name), { throwIfNoEntry: false })?.nlink ?? 2).toBe(2);
  });
});
