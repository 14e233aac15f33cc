import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openNginxHost, type NginxHost } from "./nginx-host.ts";

/** Servers of single sites: names, redirects, disabled ones, certificate authorities. */
const CHALLENGE = "/.well-known/acme-challenge";
const URI = "site.test";
const ALIASES = ["www.site.test", "second.test"];

let host: NginxHost;
beforeAll(async () => {
  host = await openNginxHost();
  host.put(`${CHALLENGE.slice(1)}/inside`, "proof inside");
}, 120_000);
afterAll(() => host.close());

async function way(uri: string, path: string): Promise<[number, string | undefined]> {
  const { status, headers } = await host.get(uri, path);
  return [status, headers.location];
}

const at = (uri: string): string => `http://${uri}:${host.nginx.port}`;
const marks = (text: string): number => text.split("alias redirection virtual host").length - 1;

describe("a site with aliases", () => {
  it("is the same under all its names", async () => {
    await host.serve({ uri: URI, aliases: ALIASES });
    for (const name of [URI, ...ALIASES, "SITE.Test", `${URI}:8080`]) expect([name, await host.ran(name, "/node/1")]).toEqual([name, expect.objectContaining({ ran: "index.php", MAIN_SITE_NAME: URI })]);
    expect(await host.status("other.test", "/")).toBe(404);
  });

  it("28, 30, 31, 37: sends its aliases to the main name, with path and query as they were sent", async () => {
    const text = await host.serve({ uri: URI, aliases: ALIASES, redirection: URI });
    expect(marks(text)).toBe(2);
    for (const path of ["/p?x=1&y=%20", "/", "/a%20b", "/100%25", "/what%3f", "/line%0d%0aX-Evil:%201", "/caf%C3%A9/?q=a%2Fb", "/a+b", "/index.php", "/files/a.txt"]) expect(await way("www.site.test", path)).toEqual([301, at(URI) + path]);
    expect(await way("second.test:99", "/x")).toEqual([301, `${at(URI)}/x`]);
    for (const name of [URI, `${URI}:${host.nginx.port}`, "SITE.test"]) expect(await host.ran(name, "/node/1")).toMatchObject({ MAIN_SITE_NAME: URI });
  });

  it("29, 64: sends all names to an alias, and is still the main site there", async () => {
    const text = await host.serve({ uri: URI, aliases: ALIASES, redirection: "second.test" });
    expect(marks(text)).toBe(2);
    for (const name of [URI, "www.site.test"]) expect(await way(name, "/p?x=1")).toEqual([301, `${at("second.test")}/p?x=1`]);
    expect(await host.ran("second.test", "/node/1")).toMatchObject({ ran: "index.php", MAIN_SITE_NAME: URI });
  });

  it("32: sends nothing to where it is, whatever the case of the names", async () => {
    await host.serve({ uri: URI, aliases: ["WWW.Site.Test"], redirection: "www.site.test" });
    expect(await way(URI, "/")).toEqual([301, `${at("www.site.test")}/`]);
    expect(await host.status("www.site.test", "/")).toBe(200);
  });

  it("is sent as a whole to a name that is not its own, as in Apache", async () => {
    await host.serve({ uri: URI, aliases: ALIASES, redirection: "former.test" });
    for (const name of [URI, ...ALIASES]) expect(await way(name, "/x")).toEqual([301, `${at("former.test")}/x`]);
    expect(await host.status("former.test", "/")).toBe(200);
  });

  it("36: a certificate authority is never sent away", async () => {
    await host.serve({ uri: URI, aliases: ALIASES, redirection: URI });
    for (const name of [URI, ...ALIASES]) expect((await host.get(name, `${CHALLENGE}/inside`)).body).toBe("proof inside");
    expect(await way("www.site.test", `${CHALLENGE}/other`)).toEqual([404, undefined]);
  });
});

describe("a disabled site", () => {
  it("36, 38, 40, 42: sends everybody to the front end, but not certificate authorities, and holds no credentials", async () => {
    const text = await host.serve({ uri: URI, aliases: ALIASES, redirection: URI, enabled: false });
    expect(text).not.toMatch(/Pass_1|db_/);
    for (const name of [URI, ...ALIASES]) expect([name, await way(name, "/p?x=1")]).toEqual([name, [302, `http://aegir.test/hosting/disabled/${URI}`]]);
    expect((await host.get("second.test", `${CHALLENGE}/inside`)).body).toBe("proof inside");
    expect(await way(URI, `${CHALLENGE}/other`)).toEqual([404, undefined]);
  });
});

describe("answers to certificate authorities", () => {
  it("36: come from the place for them, for sites, redirects, disabled sites and unknown hosts", async () => {
    const { path: home } = host.home;
    host.home.write("challenges/token", "proof");
    const changes = { challengePath: join(home, "challenges") };
    await host.serveServer({}, changes);
    await host.serve({ uri: URI, aliases: ["www.site.test"], redirection: URI }, changes);
    await host.serve({ uri: "off.test", enabled: false }, changes);
    for (const name of [URI, "www.site.test", "off.test", "unknown.test"]) expect([name, (await host.get(name, `${CHALLENGE}/token`)).body]).toEqual([name, "proof"]);
    expect(await host.status("unknown.test", `${CHALLENGE}/other`)).toBe(404);
    // What was missing a moment ago is there as soon as it is.
    host.home.write("challenges/other", "second proof");
    expect((await host.get("unknown.test", `${CHALLENGE}/other`)).body).toBe("second proof");
    await host.serveServer();
  });
});

describe("lines of extensions", () => {
  it("26, 65: stand in each server of a site, and in the server's file; one that ends in a comment hides nothing", async () => {
    const changes = { extra: ["add_header X-Own yes; # the end", "# another end"] };
    const text = await host.serve({ uri: URI, aliases: ["www.site.test"], redirection: URI }, changes);
    expect(text.split("X-Own").length - 1).toBe(1);
    expect(await host.ran(URI, "/node/1")).toMatchObject({ MAIN_SITE_NAME: URI });
    await host.serveServer({}, { extra: ["map $host $own {\n  default x;\n} # the end"] });
    expect(readFileSync(join(host.home.path, "config/server_master/nginx.conf"), "utf8")).toMatch(/# Extra configuration from modules:\nmap \$host \$own/);
    await host.serveServer();
  });

  it("36: that answer certificate authorities take the place of ours", async () => {
    await host.serve({ uri: URI }, { extra: [`location ^~ ${CHALLENGE} {\n  return 200 theirs;\n}`] });
    expect((await host.get(URI, `${CHALLENGE}/x`)).body).toBe("theirs");
    await host.serve({ uri: URI });
  });
});

describe("where it listens", () => {
  it("is IPv4 alone, or IPv6, too", async () => {
    const text = await host.serve({ uri: URI });
    expect(text.match(/listen .*;/g)).toEqual([`listen *:${host.nginx.port};`]);
    const both = { nginx: { ...host.options().nginx, ipv6: true } };
    expect((await host.serve({ uri: URI }, both)).match(/listen .*;/g)).toEqual([`listen *:${host.nginx.port};`, `listen [::]:${host.nginx.port};`]);
    await host.serve({ uri: URI });
  });

  it("a site's file ends in .conf where all do", async () => {
    await host.serve({ uri: "suffix.test" }, { confSuffix: true });
    const path = join(host.home.path, "config/server_master/nginx/vhost.d/suffix.test.conf");
    expect(existsSync(path)).toBe(true);
    expect(await host.status("suffix.test", "/")).toBe(200);
    rmSync(path);
  });
});

describe("values that must not stand in a configuration", () => {
  it.each([
    [{ aliases: ["a;b"] }], [{ aliases: ["a {"] }], [{ redirection: "x\nreturn 200" }], [{ uri: "a b" }], [{ root: "/x;y" }], [{ root: "/with $var" }],
  ])("are refused: %j", async (change) => {
    const before = readFileSync(join(host.home.path, "config/server_master/nginx/vhost.d", URI), "utf8");
    await expect(host.serve({ uri: URI, ...change })).rejects.toMatchObject({ code: "PROVISION_WEB_BAD_VALUE" });
    expect(readFileSync(join(host.home.path, "config/server_master/nginx/vhost.d", URI), "utf8")).toBe(before);
  });
});
