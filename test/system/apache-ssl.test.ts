import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Answer } from "../support/apache.ts";
import { good, installSite, openFrontEnd, openPlatform, SERVER, serverOptions, type FrontEnd } from "../support/front-end.ts";
import { copyStandIn } from "../support/stand-in.ts";
import { treeOf } from "../support/tree.ts";
import { leftovers } from "../support/world.ts";

/** Requests over HTTPS to an Apache that runs what our verify has written for the service `apache_ssl`. */
const URI = "site.test";
const WWW = "www.site.test";
const CHALLENGE = "/.well-known/acme-challenge";

let frontEnd: FrontEnd;
/** A certificate of an authority with an intermediate one. */
let authority: string;

beforeAll(async () => {
  authority = mkdtempSync(join(tmpdir(), "shim-ca-"));
  const openssl = (...args: string[]): void => void execFileSync("openssl", args, { cwd: authority, stdio: "ignore" });
  for (const [name, subject, ...more] of [["root", "/CN=Root"], ["middle", "/CN=Middle", "-CA", "root.crt", "-CAkey", "root.key"], ["leaf", `/CN=${URI} of an authority`, "-CA", "middle.crt", "-CAkey", "middle.key"]] as const) {
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", `${name}.key`, "-out", `${name}.crt`, "-subj", subject, "-days", "30", ...more);
  }
  frontEnd = await openFrontEnd({ tls: true });
  const root = await openPlatform(frontEnd);
  await installSite(frontEnd, root, URI, { aliases: [WWW, "second.test"] });
  const { home } = frontEnd.stage;
  home.write("platforms/standin/server.php", `<?php echo json_encode(array_intersect_key($_SERVER, array_flip(['HTTPS', 'db_name', 'db_passwd'])));`);
  home.write("tools/le/.acme-challenges/token", "proof");
  await good(frontEnd.task(URI, "verify"));
}, 300_000);
afterAll(async () => {
  rmSync(authority, { recursive: true, force: true });
  await frontEnd.strike();
});

function at(path: string): string {
  return join(frontEnd.home, path);
}

function config(path: string): string {
  return at(`config/${SERVER}/${path}`);
}

function vhost(): string {
  return readFileSync(config(`apache/vhost.d/${URI}`), "utf8");
}

function way({ status, headers }: Answer): [number, string | undefined] {
  return [status, headers.location];
}

async function plain(host: string, path: string): Promise<[number, string | undefined]> {
  return way(await frontEnd.stage.apache.fetch(host, path));
}

async function secure(host: string, path: string): Promise<[number, string | undefined]> {
  return way(await frontEnd.stage.apache.fetchTls(host, path));
}

/** Where a redirect leads, with the ports that are not the usual ones here. */
function http(host: string): string {
  return `http://${host}:${frontEnd.stage.apache.port}`;
}

function https(host: string): string {
  return `https://${host}:${frontEnd.stage.apache.tlsPort}`;
}

async function shell(script: string): Promise<string> {
  return (await frontEnd.stage.home.user.run(["sh", "-c", script])).stdout;
}

async function saved(options: Parameters<FrontEnd["save"]>[1]): Promise<void> {
  await good(frontEnd.save(URI, options));
  await good(frontEnd.task(URI, "verify"));
}

async function testsWell(): Promise<void> {
  const { apache, home } = frontEnd.stage;
  const { stdout, stderr } = await home.user.run([apache.control, "-t"]);
  expect((stdout + stderr).trim()).toBe("Syntax OK");
}

/** Subjects of the certificates that the server sends for the site. */
function sent(): string[] {
  const text = execFileSync("openssl", ["s_client", "-connect", `127.0.0.1:${frontEnd.stage.apache.tlsPort}`, "-servername", URI, "-showcerts"], { input: "", encoding: "utf8", stdio: ["pipe", "pipe", "ignore"] });
  return [...text.matchAll(/^ *\d+ s:(.*)$/gm)].map(([, subject = ""]) => subject.replace(/^CN = /, ""));
}

describe("a server that becomes one with HTTPS", () => {
  it("http 9: writes the same paths; its sites go on being served", async () => {
    const before = readdirSync(config("apache"), { recursive: true }).sort();
    const options = { ...serverOptions(frontEnd), http_service_type: "apache_ssl", http_ssl_port: String(frontEnd.stage.apache.tlsPort) };
    await good(frontEnd.save(SERVER, options));
    await good(frontEnd.task(SERVER, "verify"));
    expect(readdirSync(config("apache"), { recursive: true }).sort()).toEqual(before);
    expect(await plain(URI, "/node/1")).toEqual([200, undefined]);
    await testsWell();
  });

  it("http 70: answers unknown names with 404 and its own certificate", async () => {
    const answer = await frontEnd.stage.apache.fetchTls("unknown.test", "/");
    expect([answer.status, answer.certificates]).toEqual([404, ["default.invalid"]]);
    expect(await secure(URI, "/")).toEqual([404, undefined]);
    expect(readdirSync(config("ssl.d/default"))).toEqual(["openssl.crt", "openssl.key"]);
  });

  it("http 36: gives certificate authorities their answers for any name", async () => {
    for (const fetch of [frontEnd.stage.apache.fetch, frontEnd.stage.apache.fetchTls]) expect((await fetch("unknown.test", `${CHALLENGE}/token`)).body).toBe("proof");
  });
});

describe("a site with HTTPS", () => {
  it("http 67, 35: has a certificate made for it, and is served both ways under all its names", async () => {
    await saved({ ssl_enabled: "1", ssl_key: "shop" });
    expect(readdirSync(at("config/ssl.d/shop"))).toEqual(["openssl.crt", "openssl.csr", "openssl.key"]);
    expect(readdirSync(config("ssl.d/shop"))).toEqual(["openssl.crt", "openssl.key", `${URI}.receipt`]);
    expect(await shell(`find config -name openssl.key -printf '%m '`)).toBe("600 600 600 600 ");
    for (const host of [URI, WWW, "second.test"]) expect([host, await plain(host, "/node/1"), await secure(host, "/node/1")]).toEqual([host, [200, undefined], [200, undefined]]);
    expect(sent()).toEqual([`${URI}, emailAddress = abuse@${URI}`]);
    await testsWell();
  });

  it("http 67: a second verify changes nothing", async () => {
    const before = treeOf(at("config"));
    await good(frontEnd.task(SERVER, "verify"));
    await good(frontEnd.task(URI, "verify"));
    expect(treeOf(at("config"))).toEqual(before);
  });

  it("http 73: PHP knows of it, and has the credentials", async () => {
    expect(JSON.parse((await frontEnd.stage.apache.fetchTls(URI, "/server.php")).body)).toEqual({ HTTPS: "on", db_name: "sitetest", db_passwd: "Site-Pass_1" });
    expect(JSON.parse((await frontEnd.stage.apache.fetch(URI, "/server.php")).body)).toEqual({ db_name: "sitetest", db_passwd: "Site-Pass_1" });
  });

  it("is as closed as over HTTP: no script among uploads runs, nothing private is served", async () => {
    frontEnd.stage.home.write(`platforms/standin/sites/${URI}/files/x.php`, "<?php echo 'run';");
    frontEnd.stage.home.write(`platforms/standin/sites/${URI}/private/files/a.txt`, "secret");
    for (const path of [`/files/x.php`, `/sites/${URI}/files/x.php`, `/sites/${URI}/private/files/a.txt`]) expect([path, await secure(URI, path)]).toEqual([path, [403, undefined]]);
    expect((await frontEnd.stage.apache.fetchTls(URI, "/?element_parents=%23x", { method: "POST" })).status).toBe(403);
  });

  it("http 72: is reached at any address, or at the one that is set aside for it", async () => {
    const { tlsPort } = frontEnd.stage.apache;
    expect(vhost()).toContain(`<VirtualHost *:${tlsPort}>`);
    await saved({ ip_addresses: { [`@${SERVER}`]: "127.0.0.1" } });
    expect(vhost()).toContain(`<VirtualHost 127.0.0.1:${tlsPort}>`);
    expect(await secure(URI, "/node/1")).toEqual([200, undefined]);
    await saved({ ip_addresses: { other: "127.0.0.9" } });
  });
});

describe("redirection", () => {
  it("http 33: HTTPS alone: plain requests are sent to it, with host, path and query as they were", async () => {
    await saved({ ssl_enabled: "2" });
    expect(await plain(URI, "/a%20b?x=1&y=%2F")).toEqual([301, `${https(URI)}/a%20b?x=1&y=%2F`]);
    expect(await plain(`${WWW}:${frontEnd.stage.apache.port}`, "/files/a.txt")).toEqual([301, `${https(WWW)}/files/a.txt`]);
    expect(await plain("SITE.test", `http://site.test/absolute`)).toEqual([301, `${https(URI)}/absolute`]);
    expect([await secure(URI, "/node/1"), await secure(WWW, "/node/1")]).toEqual([[200, undefined], [200, undefined]]);
  });

  it("http 34: with a selected host it takes one step", async () => {
    await saved({ redirection: WWW });
    for (const host of [URI, WWW, "second.test"]) expect([host, await plain(host, "/p?x=1")]).toEqual([host, [301, `${https(WWW)}/p?x=1`]]);
    expect(await secure(URI, "/p?x=%20")).toEqual([301, `${https(WWW)}/p?x=%20`]);
    expect(await secure(`${WWW}:${frontEnd.stage.apache.tlsPort}`, "/node/1")).toEqual([200, undefined]);
    expect(vhost().match(/# Redirect all aliases/g)).toHaveLength(2);
  });

  it("http 36: a certificate authority is never sent away, neither over HTTP nor HTTPS", async () => {
    for (const fetch of [frontEnd.stage.apache.fetch, frontEnd.stage.apache.fetchTls]) {
      expect((await fetch(URI, `${CHALLENGE}/token`)).body).toBe("proof");
      expect(way(await fetch(URI, `${CHALLENGE}/other`))).toEqual([404, undefined]);
    }
  });

  it("http 28: HTTPS beside HTTP: each is sent to its own", async () => {
    await saved({ ssl_enabled: "1" });
    expect([await plain(URI, "/x"), await secure(URI, "/x")]).toEqual([[301, `${http(WWW)}/x`], [301, `${https(WWW)}/x`]]);
    await saved({ redirection: "null" });
  });

  it("http 74: without a certificate named, nobody is sent to where nothing is", async () => {
    await good(frontEnd.save(URI, { ssl_enabled: "2", ssl_key: "null" }));
    const { logs } = await good(frontEnd.task(URI, "verify"));
    expect(logs.filter(({ type }) => type === "warning").map(({ message }) => message).join()).toContain("names no certificate");
    expect([await plain(URI, "/node/1"), (await secure(URI, "/"))[0]]).toEqual([[200, undefined], 404]);
    expect(readdirSync(config("ssl.d"))).toEqual(["default"]);
    await saved({ ssl_enabled: "1", ssl_key: "shop" });
  });
});

describe("a disabled site", () => {
  it("http 39, 40: sends HTTPS to the front end, too, and has no credentials", async () => {
    await good(frontEnd.task(URI, "disable"));
    const there = [302, `http://aegir.test/hosting/disabled/${URI}`];
    for (const host of [URI, WWW]) expect([await plain(host, "/p?x=1"), await secure(host, "/p?x=1")]).toEqual([there, there]);
    expect(vhost()).not.toMatch(/db_|Site-Pass/);
    await testsWell();
  });

  it("http 36: but not a certificate authority", async () => {
    for (const fetch of [frontEnd.stage.apache.fetch, frontEnd.stage.apache.fetchTls]) {
      expect((await fetch(WWW, `${CHALLENGE}/token`)).body).toBe("proof");
      expect(way(await fetch(WWW, `${CHALLENGE}/other`))).toEqual([404, undefined]);
    }
    await good(frontEnd.task(URI, "enable"));
    expect(await secure(URI, "/node/1")).toEqual([200, undefined]);
  });
});

describe("certificates of an administrator", () => {
  async function bring(files: Readonly<Record<string, string>>): Promise<void> {
    for (const [name, from] of Object.entries(files)) frontEnd.stage.home.write(`config/ssl.d/shop/${name}`, readFileSync(join(authority, from)), 0o600);
    await good(frontEnd.task(URI, "verify"));
  }

  it("http 68: are served with their intermediates, also where the chain file has the leaf; the chain goes with its file", async () => {
    await bring({ "openssl.crt": "leaf.crt", "openssl.key": "leaf.key", "openssl_chain.crt": "middle.crt" });
    expect(sent()).toEqual([`${URI} of an authority`, "Middle"]);
    const whole = readFileSync(join(authority, "leaf.crt"), "utf8") + readFileSync(join(authority, "middle.crt"), "utf8");
    frontEnd.stage.home.write("config/ssl.d/shop/openssl_chain.crt", whole, 0o600);
    await good(frontEnd.task(URI, "verify"));
    expect(sent()).toEqual([`${URI} of an authority`, "Middle"]);
    await shell("rm config/ssl.d/shop/openssl_chain.crt");
    await good(frontEnd.task(URI, "verify"));
    expect(sent()).toEqual([`${URI} of an authority`]);
    expect(existsSync(config("ssl.d/shop/openssl_chain.crt"))).toBe(false);
    await testsWell();
  });

  it("http 75: one that cannot be read is an error; the site is served over HTTP, and Apache's test is content", async () => {
    await good(frontEnd.save(URI, { ssl_enabled: "2" }));
    await shell("chmod 0 config/ssl.d/shop/openssl.crt");
    const { errors, status } = await frontEnd.task(URI, "verify");
    expect([errors, status === 0]).toEqual([["SSL_CERT_COPY_FAIL"], false]);
    expect([await plain(URI, "/node/1"), (await secure(URI, "/"))[0]]).toEqual([[200, undefined], 404]);
    await testsWell();
    await shell("chmod 600 config/ssl.d/shop/openssl.crt");
    await saved({ ssl_enabled: "1" });
    expect(sent()).toEqual([`${URI} of an authority`]);
  });

  it("one with another's key changes nothing at all", async () => {
    const before = treeOf(config(""));
    frontEnd.stage.home.write("config/ssl.d/shop/openssl.key", readFileSync(join(authority, "middle.key")), 0o600);
    expect((await frontEnd.task(URI, "verify")).errors).toEqual(["PROVISION_WEB_CERTIFICATE_BROKEN"]);
    expect(treeOf(config(""))).toEqual(before);
    expect(await secure(URI, "/node/1")).toEqual([200, undefined]);
    await bring({ "openssl.key": "leaf.key" });
  });
});

describe("a task that fails", () => {
  it("leaves certificates and virtual host as they were, byte for byte: when the configuration is broken, and when the reload fails", async () => {
    const { apache, home } = frontEnd.stage;
    const before = treeOf(at("config"));
    const broken = config("apache/post.d/broken");
    const attempt = async (code: string): Promise<void> => {
      await good(frontEnd.save(URI, { ssl_key: "other" }));
      const { errors, status } = await frontEnd.task(URI, "verify");
      expect([errors, status === 0]).toEqual([[code], false]);
      expect(leftovers(frontEnd)).toEqual([]);
    };
    await shell(`echo 'NoSuchDirective on' > ${broken}`);
    await attempt("PROVISION_WEB_CONFIG_BROKEN");
    await shell(`rm ${broken}`);
    expect(treeOf(at("config"))).toEqual(before);
    // A control program that does not reload with the new certificate.
    const control = join(home.beside, "apache", "apachectl");
    await shell(`mv ${control} ${control}.real; printf '#!/bin/sh\\n[ "$1" != graceful ] || [ ! -e ${config("ssl.d/other/openssl.crt")} ] || exit 1\\nexec ${control}.real "$@"\\n' > ${control}; chmod 755 ${control}`);
    await attempt("PROVISION_WEB_RELOAD_FAILED");
    await shell(`mv ${control}.real ${control}`);
    expect(treeOf(at("config"))).toEqual(before);
    expect([sent(), (await secure(URI, "/node/1"))[0]]).toEqual([[`${URI} of an authority`], 200]);
    await saved({ ssl_key: "shop" });
    expect(apache.errorLog()).not.toMatch(/:emerg/);
  });
});

describe("a site that moves", () => {
  const move = (uri: string, ...args: string[]): ReturnType<FrontEnd["task"]> => frontEnd.task(uri, "migrate", { args, timeout: 120_000 });

  beforeAll(async () => {
    const other = copyStandIn(frontEnd.stage.home, "other");
    await good(frontEnd.save("platform_other", { context_type: "platform", server: `@${SERVER}`, web_server: `@${SERVER}`, root: other }));
    await good(frontEnd.task("platform_other", "verify"));
  });

  it("stays as it is when its certificate cannot be had in the new place", async () => {
    const before = [treeOf(at("config")), treeOf(at("platforms/standin/sites"))];
    await shell("chmod 0 config/ssl.d/shop/openssl.crt");
    expect((await move(URI, "@platform_other", "@moved.test")).errors).toContain("SSL_CERT_COPY_FAIL");
    await shell("chmod 600 config/ssl.d/shop/openssl.crt");
    expect([treeOf(at("config")), treeOf(at("platforms/standin/sites"))]).toEqual(before);
    expect([(await secure(URI, "/node/1"))[0], leftovers(frontEnd)]).toEqual([200, []]);
  });

  it("http 76: takes its certificate along, to another platform and under another name", async () => {
    await good(move(URI, "@platform_other", "@moved.test"));
    expect(readdirSync(config("ssl.d/shop"))).toEqual(["moved.test.receipt", "openssl.crt", "openssl.key"]);
    expect([await secure("moved.test", "/node/1"), (await secure(URI, "/node/1"))[0]]).toEqual([[200, undefined], 404]);
    await good(move("moved.test", "@platform_standin", `@${URI}`));
    expect(readdirSync(config("ssl.d/shop"))).toEqual(["openssl.crt", "openssl.key", `${URI}.receipt`]);
    expect(await secure(URI, "/node/1")).toEqual([200, undefined]);
    await testsWell();
  });
});

describe("a site that goes", () => {
  it("http 76: takes its receipt and its copies with it; what others use, and the central store, stay", async () => {
    const root = at("platforms/standin");
    await installSite(frontEnd, root, "other.test");
    await good(frontEnd.save("other.test", { ssl_enabled: "1", ssl_key: "shop" }));
    await good(frontEnd.task("other.test", "verify"));
    expect(await secure("other.test", "/node/1")).toEqual([200, undefined]);
    await good(frontEnd.task(URI, "delete"));
    expect(readdirSync(config("ssl.d/shop"))).toEqual(["openssl.crt", "openssl.key", "other.test.receipt"]);
    expect([(await secure(URI, "/"))[0], (await secure("other.test", "/node/1"))[0]]).toEqual([404, 200]);
    const kept = treeOf(at("config/ssl.d"));
    await good(frontEnd.task("other.test", "delete"));
    expect(readdirSync(config("ssl.d"))).toEqual(["default"]);
    expect(treeOf(at("config/ssl.d"))).toEqual(kept);
    await testsWell();
  });
});
