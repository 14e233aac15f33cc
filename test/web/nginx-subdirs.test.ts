import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { WebOptions } from "../../src/web/web-driver.ts";
import { webDriver } from "../../src/web/web-driver.ts";
import { openNginxHost, type NginxHost } from "./nginx-host.ts";

/** Sites in sub-folders of a host, on nginx. */
const URI = "sub.test";
const HOST = "host.test";
const FILES = `sites/${URI}/files`;
const CODE = "<?php echo 'r' . 'un'; // the code";
const SESSION = { Cookie: "SESSabc123=me" };
const GOOGLEBOT = { "User-Agent": "Googlebot/2.1" };

let host: NginxHost;
const on: Partial<WebOptions> = { subdirs: true };

beforeAll(async () => {
  host = await openNginxHost();
  const { put } = host;
  put("web.config", "");
  for (const name of ["cron.php", "update.php", "foo.php", "js.php"]) put(name, readFileSync(join(host.root, "index.php"), "utf8"));
  const files: Record<string, string> = {
    ".env": "env", "composer.json": "{}", "modules/node/node.module": "code", "misc/a.css": "css", "misc/a.js": "js", "misc/a.png": "png", "modules/system/secret.php": CODE,
    [`${FILES}/a.txt`]: "upload", [`${FILES}/b.jpg`]: "picture", [`${FILES}/odd.xyz`]: "odd", [`${FILES}/css/made.css`]: "made", [`${FILES}/extra.js`]: "script", [`${FILES}/page.html`]: "page", [`${FILES}/x.php`]: CODE, [`${FILES}/backup_migrate/d.gz`]: "dump", [`${FILES}/private/x.pdf`]: "private", [`${FILES}/styles/t/a.png`]: "derivative",
    [`sites/${URI}/private/x.txt`]: "private", [`sites/${URI}/settings.php`]: CODE,
  };
  for (const [name, text] of Object.entries(files)) put(name, text);
  await host.serve({ uri: URI, aliases: [`${HOST}/foo`] }, on);
}, 120_000);
afterAll(() => host.close());

const at = (path: string): string => join(host.home.path, "config/server_master/nginx", path);

async function way(path: string, name = HOST): Promise<[number, string | undefined]> {
  const { status, headers } = await host.get(name, path);
  return [status, headers.location];
}
const status = (path: string, headers: Record<string, string> = {}): Promise<number> => host.status(HOST, path, { headers });
const body = async (path: string): Promise<string> => (await host.get(HOST, path)).body;
const ran = async (path: string, headers: Record<string, string> = {}): Promise<string | undefined> => (await host.ran(HOST, path, { headers }))?.["ran"];

describe.each([["extended"], ["basic"]])("a site in a folder, by the %s rules", (mode) => {
  const changed = (): Partial<WebOptions> => on;
  beforeAll(async () => {
    await host.serveServer({ nginx_config_mode: mode }, on);
    const server = host.server({ nginx_config_mode: mode });
    const site = host.site({ uri: URI, aliases: [`${HOST}/foo`] });
    await host.apply((await webDriver(server)).siteFiles({ site, credentials: { type: "mysql", name: "db", user: "me", password: "Pass_1", host: "127.0.0.1", port: "3306" } }, server, host.options(changed())));
  });
  afterAll(() => host.serveServer());

  it("89: gets its requests, and knows where it is", async () => {
    expect(await host.ran(HOST, "/foo/node/1?x=1")).toMatchObject({ ran: "index.php", HTTP_HOST: URI, RAW_HOST: HOST, SITE_SUBDIR: "foo", MAIN_SITE_NAME: URI, REQUEST_URI: "/foo/node/1?x=1", SCRIPT_NAME: "/foo/index.php", db_name: "db", db_passwd: "Pass_1" });
    for (const path of ["/foo/", "/foo/index.php", "/foo/user", "/foo/admin/x", "/foo/system/files/x.pdf"]) expect([path, await ran(path)]).toEqual([path, "index.php"]);
    expect(await way("/foo")).toEqual([301, `http://${HOST}:${host.nginx.port}/foo/`]);
    expect(await way("/foo?x=1")).toEqual([301, `http://${HOST}:${host.nginx.port}/foo/?x=1`]);
    expect((await host.ran(URI, "/node/1"))?.["SITE_SUBDIR"]).toBeUndefined();
  });

  it("90: is all that there is on a host of nobody", async () => {
    for (const path of ["/", "/foobar", "/node/1", "/index.php", "/misc/a.png", `/sites/${URI}/settings.php`]) expect([path, await status(path)]).toEqual([path, 404]);
    expect(existsSync(at(`vhost.d/${HOST}`))).toBe(true);
  });

  it("89: has its files, but none that are not to be shown", async () => {
    for (const [path, text] of [["misc/a.png", "png"], ["files/a.txt", "upload"], [`${FILES}/a.txt`, "upload"], [`${FILES}/b.jpg`, "picture"], ["files/styles/t/a.png", "derivative"], [`${FILES}/styles/t/a.png`, "derivative"], ["files/css/made.css", "made"], ["files/extra.js", "script"]] as const) expect([path, await body(`/foo/${path}`)]).toEqual([path, text]);
    for (const path of [".env", "composer.json", "modules/node/node.module", "modules/system/secret.php", "foo.php", `${FILES}/x.php`, `sites/${URI}/private/x.txt`, `sites/${URI}/settings.php`]) expect([path, await status(`/foo/${path}`)]).toEqual([path, 404]);
    for (const path of ["files/x.php", "files/private/x.pdf", `cdn/farfuture/a/b/${FILES}/x.php`, `cdn/farfuture/a/b/sites/${URI}/private/x.txt`]) expect([path, await body(`/foo/${path}`)]).toEqual([path, expect.not.stringMatching(/the code|^private|^run/)]);
    expect([await status(`/foo/${FILES}/backup_migrate/d.gz`), await status(`/foo/${FILES}/none.png`), await status("/foo/favicon.ico"), await ran(`/foo/${FILES}/styles/t/new.png`)]).toEqual([403, 404, 204, "index.php"]);
    expect(await ran("/foo/cron.php")).toBe("cron.php");
  });
});

describe("a site in a folder", () => {
  beforeAll(() => host.serve({ uri: URI, aliases: [`${HOST}/foo`] }, on));

  it("is treated like others by the extended rules", async () => {
    for (const [path, text] of [["page.html", "page"], ["css/made.css", "made"], ["extra.js", "script"], ["a.txt", "upload"]]) expect([path, await body(`/foo/sites/default/files/${path}`)]).toEqual([path, text]);
    expect((await way("/foo/sites/default/files/private/x.pdf"))[0]).toBe(301);
    expect([await status("/foo/update.php"), await ran("/foo/update.php", SESSION), await status("/foo/node/1/delete"), await status("/foo/user", GOOGLEBOT), await status("/foo/node/1", GOOGLEBOT)]).toEqual([404, "update.php", 403, 403, 200]);
    expect(await host.ran(HOST, "/foo/update.php/selection", { headers: SESSION })).toMatchObject({ ran: "update.php", PATH_INFO: "/selection", SITE_SUBDIR: "foo", SCRIPT_NAME: "/foo/update.php" });
    expect(await ran("/foo/js/callback")).toBe("js.php");
    expect([await host.status(HOST, "/foo/x", { method: "PURGE" }), await host.status(HOST, "/foo/x?element_parents=%23x", { method: "POST" })]).toEqual([403, 403]);
    expect(await body("/foo/sites/default/files/a.txt")).toBe("upload");
    expect(await way(`/foo/${FILES}/private/x.pdf`)).toEqual([301, `http://${HOST}:${host.nginx.port}/foo/system/files/private/x.pdf`]);
    for (const [path, text] of [["misc/a.css", "css"], ["misc/a.js", "js"], [`${FILES}/odd.xyz`, "odd"]] as const) expect([path, await body(`/foo/${path}`)]).toEqual([path, text]);
  });

  it("has its pages kept for a moment", async () => {
    const cached = async (path: string): Promise<unknown> => (await host.get(HOST, path)).headers["x-speed-cache"];
    expect([await cached("/foo/kept?1"), await cached("/foo/kept?1"), await cached("/foo/user"), await cached("/foo/user")]).toEqual(["MISS", "HIT", "BYPASS", "BYPASS"]);
  });

  it("90: is served beside the site that has the host, which does not lose anything", async () => {
    const options = { ...on, isSite: (name: string) => name === HOST };
    await host.serve({ uri: HOST }, options);
    await host.serve({ uri: URI, aliases: [`${HOST}/foo`, `${HOST}/foo/deeper`, `${HOST}/b.c-d`] }, options);
    expect(await host.ran(HOST, "/node/1")).toMatchObject({ MAIN_SITE_NAME: HOST, HTTP_HOST: HOST });
    for (const [path, folder] of [["/foo/node/1", "foo"], ["/foo/deeper/node/1", "foo/deeper"], ["/b.c-d/", "b.c-d"]] as const) expect([path, await host.ran(HOST, path)]).toEqual([path, expect.objectContaining({ MAIN_SITE_NAME: URI, SITE_SUBDIR: folder })]);
    expect(await host.ran(HOST, "/foobar")).toMatchObject({ MAIN_SITE_NAME: HOST });
    const { headers } = await host.get(HOST, "/node/2");
    expect(headers["x-content-type-options"]).toBe("nosniff");
  });

  it("92: sends everybody to the front end when it is disabled", async () => {
    await host.serve({ uri: URI, aliases: [`${HOST}/foo`], enabled: false }, { ...on, isSite: (name: string) => name === HOST });
    for (const path of ["/foo", "/foo/", "/foo/node/1?x=1", "/foo/misc/a.png"]) expect([path, await way(path)]).toEqual([path, [302, `http://aegir.test/hosting/disabled/${URI}`]]);
    expect(await host.ran(HOST, "/foobar")).toMatchObject({ MAIN_SITE_NAME: HOST });
  });

  it("91: leaves nothing when its alias or itself goes", async () => {
    await host.serve({ uri: URI, aliases: [`${HOST}/foo`, "lonely.test/x"] }, { ...on, isSite: (name: string) => name === HOST });
    expect([existsSync(at(`subdir.d/${HOST}/foo.conf`)), existsSync(at(`subdir.d/${HOST}/foo_deeper.conf`)), existsSync(at("vhost.d/lonely.test"))]).toEqual([true, false, true]);
    await host.serve({ uri: URI, aliases: ["lonely.test/x"] }, { ...on, isSite: (name: string) => name === HOST });
    expect([existsSync(at(`subdir.d/${HOST}/foo.conf`)), await host.ran(HOST, "/foo/x")]).toEqual([false, expect.objectContaining({ MAIN_SITE_NAME: HOST })]);
    await host.apply((await webDriver(host.server())).goneWithSite(host.site({ uri: URI, aliases: ["lonely.test/x"] }), host.server(), host.options(on)));
    expect(["subdir.d/lonely.test/x.conf", "vhost.d/lonely.test", `vhost.d/${URI}`].filter((path) => existsSync(at(path)))).toEqual([]);
    expect([await host.status("lonely.test", "/x/"), await host.status(URI, "/")]).toEqual([404, 404]);
  });

  it("63: without credentials does not break the configuration", async () => {
    await host.serve({ uri: URI, aliases: ["lonely.test/x"], credentials: { password: "" } }, on);
    expect(await host.ran("lonely.test", "/x/")).toMatchObject({ db_name: "none", db_port: "3306" });
  });

  it("reaches PHP where the rules of all sites do, on a server that Provision has verified last", async () => {
    const server = host.server({ phpfpm_socket: null });
    const site = host.site({ uri: URI, aliases: [`${HOST}/foo`] });
    const credentials = { type: "mysql", name: "db", user: "me", password: "Pass_1", host: "127.0.0.1", port: "3306" };
    await host.apply((await webDriver(server)).siteFiles({ site, credentials }, server, host.options(on)));
    expect(readFileSync(at(`subdir.d/${HOST}/foo.conf`), "utf8")).toContain(`fastcgi_pass unix:${host.php.socket};`);
    expect(await ran("/foo/node/1")).toBe("index.php");
    rmSync(join(host.home.path, "config/includes/nginx_vhost_common.conf"));
    const driver = await webDriver(server);
    expect(() => driver.siteFiles({ site, credentials }, server, host.options(on))).toThrow(expect.objectContaining({ code: "PROVISION_PHP_FPM_NOT_FOUND" }) as Error);
    await host.serveServer();
  });
});
