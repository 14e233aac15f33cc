import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:http2";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Answer } from "../support/apache.ts";
import { good, SERVER, type FrontEnd } from "../support/front-end.ts";
import { openNginxFrontEnd, type NginxFrontEnd } from "../support/nginx-front-end.ts";
import { treeOf } from "../support/tree.ts";

/** Requests over HTTPS to an nginx that runs what our verify has written for the service `nginx_ssl`. */
const URI = "site.test";
const WWW = "www.site.test";
const CHALLENGE = "/.well-known/acme-challenge";

let frontEnd: NginxFrontEnd;
/** A certificate of an authority with an intermediate one. */
let authority: string;

beforeAll(async () => {
  authority = mkdtempSync(join(tmpdir(), "shim-ca-"));
  const openssl = (...args: string[]): void => void execFileSync("openssl", args, { cwd: authority, stdio: "ignore" });
  for (const [name, subject, ...more] of [["root", "/CN=Root"], ["middle", "/CN=Middle", "-CA", "root.crt", "-CAkey", "root.key"], ["leaf", `/CN=${URI} of an authority`, "-CA", "middle.crt", "-CAkey", "middle.key"]] as const) {
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", `${name}.key`, "-out", `${name}.crt`, "-subj", subject, "-days", "30", ...more);
  }
  frontEnd = await openNginxFrontEnd({ service: "nginx_ssl" });
  const root = await frontEnd.openPlatform();
  await frontEnd.installSite(root, URI, { aliases: [WWW, "second.test"] });
  const { home } = frontEnd.stage;
  home.write("platforms/standin/cron.php", `<?php echo json_encode(array_intersect_key($_SERVER, array_flip(['HTTPS', 'db_name', 'db_passwd'])));`);
  home.write(`platforms/standin${CHALLENGE}/token`, "proof");
  await good(frontEnd.task(URI, "verify"));
}, 300_000);
afterAll(async () => {
  rmSync(authority, { recursive: true, force: true });
  await frontEnd.strike();
});

function config(path: string): string {
  return join(frontEnd.home, `config/${SERVER}`, path);
}

function way({ status, headers }: Answer): [number, string | undefined] {
  return [status, headers.location];
}

async function plain(host: string, path: string): Promise<[number, string | undefined]> {
  return way(await frontEnd.nginx.fetch(host, path));
}

async function secure(host: string, path: string): Promise<[number, string | undefined]> {
  return way(await frontEnd.nginx.fetchTls(host, path));
}

/** Where a redirect leads, with the ports that are not the usual ones here. */
const http = (host: string): string => `http://${host}:${frontEnd.nginx.port}`;
const https = (host: string): string => `https://${host}:${frontEnd.nginx.tlsPort}`;

async function saved(options: Parameters<FrontEnd["save"]>[1]): Promise<void> {
  await good(frontEnd.save(URI, options));
  await good(frontEnd.task(URI, "verify"));
}

/** Ports at which the private nginx listens. */
async function listening(): Promise<string[]> {
  const { stdout } = await frontEnd.stage.home.user.run(["sh", "-c", `ss -Hltnp | grep 'pid=${frontEnd.nginx.pid},' | awk '{ print $4 }'`]);
  return stdout.split("\n").filter((line) => line !== "").sort();
}

describe("a server", () => {
  it("http 44, 70: answers 404 for unknown names, over plain HTTP and over TLS, before there is a site with a certificate", async () => {
    expect(await plain("unknown.test", "/")).toEqual([404, undefined]);
    const answer = await frontEnd.nginx.fetchTls("unknown.test", "/");
    expect([answer.status, answer.certificates]).toEqual([404, ["default.invalid"]]);
  });

  it("http 71: listens at its two ports only, with and without addresses of its own", async () => {
    const ports = [`0.0.0.0:${frontEnd.nginx.port}`, `0.0.0.0:${frontEnd.nginx.tlsPort}`].sort();
    expect(await listening()).toEqual(ports);
    const other = Object.values(networkInterfaces()).flat().find((one) => one?.family === "IPv4" && !one.internal)?.address ?? "127.0.0.2";
    await good(frontEnd.save(SERVER, { ...frontEnd.serverOptions, ip_addresses: `${other},127.0.0.1` }));
    await good(frontEnd.task(SERVER, "verify"));
    expect(await listening()).toEqual(ports);
    for (const address of [other, "127.0.0.1"]) expect((await frontEnd.nginx.fetchTls("unknown.test", "/", { address })).status).toBe(404);
  });

  it("speaks HTTP/2", async () => {
    const session = connect(https("unknown.test").replace("unknown.test", "127.0.0.1"), { rejectUnauthorized: false });
    const status = await new Promise((resolve, reject) => {
      session.on("error", reject);
      session.request({ ":path": "/", ":authority": "unknown.test" }).on("response", (headers) => resolve(headers[":status"])).on("error", reject);
    }).finally(() => session.destroy());
    expect(status).toBe(404);
  });
});

describe("a site with HTTPS", () => {
  it("http 35, 67, 73: is served over both, with a certificate of its own", async () => {
    await saved({ ssl_enabled: "1", ssl_key: "shop" });
    expect(await plain(URI, "/")).toEqual([200, undefined]);
    for (const host of [URI, WWW, "second.test"]) {
      const answer = await frontEnd.nginx.fetchTls(host, "/cron.php");
      expect([answer.status, answer.certificates, JSON.parse(answer.body)]).toEqual([200, [URI], { HTTPS: "on", db_name: "sitetest", db_passwd: "Site-Pass_1" }]);
    }
    expect(JSON.parse((await frontEnd.nginx.fetch(URI, "/cron.php")).body)).toEqual({ db_name: "sitetest", db_passwd: "Site-Pass_1" });
    const page = await frontEnd.nginx.fetchTls(URI, "/node/1");
    expect([page.status, page.body.includes(`sites/${URI}`)]).toEqual([200, true]);
    expect(existsSync(config(`ssl.d/shop/${URI}.receipt`))).toBe(true);
    const before = treeOf(join(frontEnd.home, "config"));
    await good(frontEnd.task(URI, "verify"));
    expect(treeOf(join(frontEnd.home, "config"))).toEqual(before);
  });

  it("http 28, 34: sends its aliases to the main name, each over its own protocol", async () => {
    await saved({ redirection: URI });
    expect(await plain(WWW, "/p?x=1")).toEqual([301, `${http(URI)}/p?x=1`]);
    expect(await secure(WWW, "/p?x=1")).toEqual([301, `${https(URI)}/p?x=1`]);
    expect(await secure(URI, "/node/1")).toEqual([200, undefined]);
  });

  it("http 34, 36: that requires it sends everybody there in one step, but not certificate authorities", async () => {
    await saved({ ssl_enabled: "2" });
    for (const host of [URI, WWW]) {
      expect(await plain(host, "/a%20b?x=1")).toEqual([301, `${https(URI)}/a%20b?x=1`]);
      expect((await frontEnd.nginx.fetch(host, `${CHALLENGE}/token`)).body).toBe("proof");
      expect(await plain(host, `${CHALLENGE}/none`)).toEqual([404, undefined]);
    }
    expect(await secure(WWW, "/x")).toEqual([301, `${https(URI)}/x`]);
    expect(await secure(URI, "/node/1")).toEqual([200, undefined]);
  });

  it("http 33: without a redirection the host stays", async () => {
    await saved({ redirection: "null" });
    for (const host of [URI, WWW]) expect(await plain(host, "/path?x=1")).toEqual([301, `${https(host)}/path?x=1`]);
    expect(await secure(WWW, "/node/1")).toEqual([200, undefined]);
  });

  it("http 72: has an address for itself, if the front end has set one aside", async () => {
    const vhost = (): string => readFileSync(config(`nginx/vhost.d/${URI}`), "utf8");
    expect(vhost()).toContain(`listen *:${frontEnd.nginx.tlsPort} ssl;`);
    await saved({ ip_addresses: { [SERVER]: "127.0.0.1" } });
    expect(vhost()).toContain(`listen 127.0.0.1:${frontEnd.nginx.tlsPort} ssl http2;`);
    expect(await secure(URI, "/node/1")).toEqual([200, undefined]);
    // Who does not say which site he wants means this one there; at other addresses nobody's.
    expect((await frontEnd.nginx.fetchTls("unknown.test", "/")).certificates).toEqual([URI]);
    expect((await frontEnd.nginx.fetchTls("unknown.test", "/", { address: "127.0.0.2" })).certificates).toEqual(["default.invalid"]);
    await saved({ ip_addresses: { [SERVER]: "null" } });
  });

  it("http 68: shows an administrator's certificate with its chain, and without it when that is gone", async () => {
    const central = (name: string): string => `config/ssl.d/shop/${name}`;
    for (const [name, from] of [["openssl.crt", "leaf.crt"], ["openssl.key", "leaf.key"], ["openssl_chain.crt", "middle.crt"]] as const) frontEnd.stage.home.write(central(name), readFileSync(join(authority, from), "utf8"), 0o600);
    await good(frontEnd.task(URI, "verify"));
    expect((await frontEnd.nginx.fetchTls(URI, "/")).certificates).toEqual([`${URI} of an authority`, "Middle"]);
    // A chain that begins with the leaf is served as it is.
    frontEnd.stage.home.write(central("openssl_chain.crt"), ["leaf.crt", "middle.crt"].map((name) => readFileSync(join(authority, name), "utf8")).join(""), 0o600);
    await good(frontEnd.task(URI, "verify"));
    expect((await frontEnd.nginx.fetchTls(URI, "/")).certificates).toEqual([`${URI} of an authority`, "Middle"]);
    rmSync(join(frontEnd.home, central("openssl_chain.crt")));
    await good(frontEnd.task(URI, "verify"));
    expect((await frontEnd.nginx.fetchTls(URI, "/")).certificates).toEqual([`${URI} of an authority`]);
  });

  it("a certificate that nobody could serve stops the task, and all stays", async () => {
    const before = treeOf(config(""));
    frontEnd.stage.home.write("config/ssl.d/shop/openssl.key", readFileSync(join(authority, "root.key"), "utf8"), 0o600);
    const answer = await frontEnd.task(URI, "verify");
    expect([answer.errors, answer.status === 0]).toEqual([["PROVISION_WEB_CERTIFICATE_BROKEN"], false]);
    expect(treeOf(config(""))).toEqual(before);
    frontEnd.stage.home.write("config/ssl.d/shop/openssl.key", readFileSync(join(authority, "leaf.key"), "utf8"), 0o600);
    expect(await secure(URI, "/node/1")).toEqual([200, undefined]);
  });

  it("http 39, 36: that is disabled sends everybody to the front end over HTTPS, too", async () => {
    await good(frontEnd.task(URI, "disable"));
    for (const host of [URI, WWW]) expect([await plain(host, "/p?x=1"), await secure(host, "/p?x=1")]).toEqual(Array(2).fill([302, `http://aegir.test/hosting/disabled/${URI}`]));
    expect((await frontEnd.nginx.fetchTls(WWW, `${CHALLENGE}/token`)).body).toBe("proof");
    await good(frontEnd.task(URI, "enable"));
    expect(await secure(URI, "/node/1")).toEqual([200, undefined]);
  });

  it("http 74: that names no certificate is served over HTTP", async () => {
    await saved({ ssl_key: "null" });
    expect(await plain(URI, "/node/1")).toEqual([200, undefined]);
    expect((await frontEnd.nginx.fetchTls(URI, "/")).certificates).toEqual(["default.invalid"]);
    expect(existsSync(config("ssl.d/shop"))).toBe(false);
  });

  it("http 9: and its server change to nginx without HTTPS and back at the same paths", async () => {
    await saved({ ssl_key: "shop", ssl_enabled: "1" });
    const paths = Object.keys(treeOf(config("nginx")));
    await good(frontEnd.save(SERVER, { ...frontEnd.serverOptions, http_service_type: "nginx" }));
    for (const context of [SERVER, "platform_standin", URI]) await good(frontEnd.task(context, "verify"));
    expect(Object.keys(treeOf(config("nginx")))).toEqual(paths);
    expect(await plain(URI, "/node/1")).toEqual([200, undefined]);
    expect(await listening()).toEqual([`0.0.0.0:${frontEnd.nginx.port}`]);
  });
});
