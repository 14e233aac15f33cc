import { execFileSync } from "node:child_process";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { isIP } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { ServerContext, SiteContext } from "../../src/contexts/context.ts";
import { Contexts } from "../../src/contexts/contexts.ts";
import { phpFrom, type PlainRecord } from "../../src/php-values/convert.ts";
import { PhpArray } from "../../src/php-values/php-array.ts";
import type { TaskEvent } from "../../src/task/events.ts";
import { masked } from "../../src/task/masked.ts";
import { step, type Work } from "../../src/task/plan.ts";
import { runPlan } from "../../src/task/run-plan.ts";
import { fileUndoHandlers } from "../../src/task/undo-files.ts";
import { ipVersion } from "../../src/web/certificates/ip-version.ts";
import { httpsService, sslService, type TlsService } from "../../src/web/certificates/tls-service.ts";
import { stillWanted, type WebFileChange } from "../../src/web/web-file.ts";
import { treeOf } from "../support/tree.ts";

const goneSiteCertificates: TlsService["goneWithSite"] = (site, server) => sslService.goneWithSite(site, server);
const siteCertificateFiles: TlsService["siteFiles"] = (site, server) => sslService.siteFiles(site, server);
const siteTls: TlsService["siteTls"] = (site, server) => sslService.siteTls(site, server);
const OPTIONS = { certificateFailsTask: false };

function prepareSiteTls(work: Work, site: SiteContext, server: ServerContext): Promise<void> {
  return sslService.prepareSite(work, site, server, OPTIONS);
}

const URI = "site.test";
/** Certificates made once: an authority, and a site's certificate of it. */
let made: string;
let home: string;
let events: TaskEvent[];

beforeAll(() => {
  made = mkdtempSync(join(tmpdir(), "shim-ca-"));
  const openssl = (...args: string[]): void => void execFileSync("openssl", args, { cwd: made, stdio: "ignore" });
  openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=Authority", "-days", "30");
  openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", "site.key", "-out", "site.csr", "-subj", `/CN=${URI}`);
  openssl("x509", "-req", "-in", "site.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-out", "site.crt", "-days", "30");
  openssl("req", "-x509", "-newkey", "rsa:1024", "-nodes", "-keyout", "weak.key", "-out", "weak.crt", "-subj", "/CN=weak", "-days", "30");
});
afterAll(() => rmSync(made, { recursive: true, force: true }));
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "shim-certificates-"));
  mkdirSync(at("config/server_web/apache/vhost.d"), { recursive: true });
  events = [];
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

function at(path: string): string {
  return join(home, path);
}

function central(file: string, key = "shop"): string {
  return join(home, "config/ssl.d", key, file).replace(/\/$/, "");
}

function served(file: string, key = "shop"): string {
  return join(home, "config/server_web/ssl.d", key, file).replace(/\/$/, "");
}

function text(path: string): string {
  return readFileSync(path, "utf8");
}

function mode(path: string): string {
  return (statSync(path).mode & 0o777).toString(8);
}

interface Settings {
  readonly uri?: string;
  readonly site?: PlainRecord;
  readonly server?: PlainRecord;
}

async function world({ uri = URI, site = {}, server = {} }: Settings = {}): Promise<{ site: SiteContext; server: ServerContext }> {
  const records: Record<string, PlainRecord> = {
    server_master: { context_type: "server", aegir_root: home, master_url: "http://aegir.test/" },
    server_web: { context_type: "server", http_service_type: "apache_ssl", http_port: "8080", http_ssl_port: "8443", http_restart_cmd: "true", ...server },
    platform_p: { context_type: "platform", web_server: "@server_web", root: at("platforms/p") },
    [uri]: { context_type: "site", platform: "@platform_p", uri, ssl_enabled: 1, ssl_key: "shop", ...site },
  };
  const contexts = new Contexts({
    findAlias: (name) => Promise.resolve(records[name] === undefined ? undefined : (phpFrom(records[name]) as PhpArray)),
    call: { cli: new PhpArray(), stdin: new PhpArray() },
    machine: { home, user: "aegir", gid: 0, path: [] },
    subdirs: false,
  });
  return { site: (await contexts.get(uri)) as SiteContext, server: await contexts.server("server_web") };
}

async function run(task: (work: Work) => void | Promise<void>, { dryRun = false, context = "ctx" } = {}): Promise<string[]> {
  const { errors } = await runPlan({ title: "test", context, steps: [step("x", task)] }, {
    stateDirectory: at("state"),
    sink: (event) => events.push(event),
    dryRun,
    undoHandlers: fileUndoHandlers,
    signal: new AbortController().signal,
    lockWaitMs: 20_000,
  });
  return errors.map(({ code }) => code);
}

function place(work: Work, changes: readonly WebFileChange[]): void {
  for (const file of stillWanted(changes)) {
    if (file.content === undefined) {
      work.files.remove(file.path);
      if (file.withDirectory === true) work.files.removeEmptyDirectory(dirname(file.path));
      continue;
    }
    if (work.files.directory(dirname(file.path))) work.files.chmod(dirname(file.path), 0o700);
    work.files.write({ path: file.path, content: file.content, mode: file.mode ?? "keep", secret: true });
  }
}

/** What a verify of the site does with certificates. */
async function verify(settings: Settings = {}, options: { dryRun?: boolean; context?: string } = {}): Promise<string[]> {
  const { site, server } = await world(settings);
  return run(async (work) => {
    await prepareSiteTls(work, site, server);
    place(work, siteCertificateFiles(site, server));
  }, options);
}

async function remove(settings: Settings = {}): Promise<void> {
  const { site, server } = await world(settings);
  expect(await run((work) => place(work, goneSiteCertificates(site, server)))).toEqual([]);
}

/** An administrator puts his own certificate into the central store. */
function bring(files: Readonly<Record<string, string>>, key = "shop"): void {
  mkdirSync(central("", key), { recursive: true, mode: 0o700 });
  for (const [name, from] of Object.entries(files)) writeFileSync(central(name, key), text(join(made, from)), { mode: 0o600 });
}

const OWN = { "openssl.crt": "site.crt", "openssl.key": "site.key" };

function warnings(): string[] {
  return events.flatMap((event) => (event.type === "log" && event.level === "warning" ? [event.message] : []));
}

describe("a key without certificate", () => {
  it("67: gets key, request and certificate in the central store and copies on the server, which a second verify keeps", async () => {
    expect(await verify()).toEqual([]);
    expect(readdirSync(central(""))).toEqual(["openssl.crt", "openssl.csr", "openssl.key"]);
    expect(readdirSync(served(""))).toEqual(["openssl.crt", "openssl.key", `${URI}.receipt`]);
    expect([mode(at("config/ssl.d")), mode(central("")), mode(central("openssl.key")), mode(at("config/server_web/ssl.d")), mode(served("")), mode(served("openssl.key"))]).toEqual(["700", "700", "600", "700", "700", "600"]);
    expect(text(served("openssl.key"))).toBe(text(central("openssl.key")));
    const { publicKey } = new X509Certificate(text(served("openssl.crt")));
    expect([publicKey.asymmetricKeyType, publicKey.asymmetricKeyDetails?.modulusLength]).toEqual(["rsa", 2048]);
    expect(execFileSync("openssl", ["req", "-in", central("openssl.csr"), "-noout", "-verify", "-subject"], { encoding: "utf8", stdio: "pipe" })).toContain(URI);
    const before = treeOf(at("config"));
    expect(await verify()).toEqual([]);
    expect(treeOf(at("config"))).toEqual(before);
  });

  it("69: the certificate is for uri and aliases, signed with SHA-256 for a year", async () => {
    await verify({ site: { aliases: ["www.site.test", "host.test/folder", "*.wild.test", "münchen.test", "192.0.2.7"] } });
    const certificate = new X509Certificate(text(central("openssl.crt")));
    expect(certificate.subjectAltName).toBe(`DNS:${URI}, DNS:www.site.test, DNS:host.test, DNS:*.wild.test, DNS:xn--mnchen-3ya.test, IP Address:192.0.2.7`);
    expect(certificate.subject).toBe(`CN=${URI}\nemailAddress=abuse@${URI}`);
    expect(Math.round((Date.parse(certificate.validTo) - Date.parse(certificate.validFrom)) / 86_400_000)).toBe(365);
    expect(execFileSync("openssl", ["x509", "-in", central("openssl.crt"), "-noout", "-text"], { encoding: "utf8" })).toContain("sha256WithRSAEncryption");
  });

  it("is made once when several sites want it at the same time", async () => {
    const uris = ["a.test", "b.test", "c.test"];
    expect(await Promise.all(uris.map((uri) => verify({ uri }, { context: uri })))).toEqual([[], [], []]);
    expect(events.filter((event) => event.type === "log" && event.message.startsWith("Generated a self-signed"))).toHaveLength(1);
    expect(readdirSync(served(""))).toEqual(["a.test.receipt", "b.test.receipt", "c.test.receipt", "openssl.crt", "openssl.key"]);
    expect(new X509Certificate(text(served("openssl.crt"))).checkPrivateKey(createPrivateKey(text(served("openssl.key"))))).toBe(true);
  });

  it("a name longer than a subject may be has a certificate, too", async () => {
    const uri = `${"long-".repeat(20)}x.test`;
    expect(await verify({ uri })).toEqual([]);
    expect(new X509Certificate(text(central("openssl.crt"))).subjectAltName).toBe(`DNS:${uri}`);
  });

  it("makes a certificate for a key that is there already, and keeps the key", async () => {
    bring({ "openssl.key": "site.key" });
    expect(await verify()).toEqual([]);
    expect(text(central("openssl.key"))).toBe(text(join(made, "site.key")));
    expect(new X509Certificate(text(served("openssl.crt"))).issuer).toContain(URI);
  });

  it("does not make a key for a certificate that an authority has signed", async () => {
    bring({ "openssl.crt": "site.crt" });
    expect(await verify()).toEqual(["SSL_KEY_GEN_FAIL"]);
    expect([existsSync(central("openssl.key")), text(central("openssl.crt")) === text(join(made, "site.crt"))]).toEqual([false, true]);
  });

  it("is told when openssl is not there: HTTPS is left out, nothing half-made stays", async () => {
    const { PATH } = process.env;
    process.env["PATH"] = "/nonexistent";
    try {
      const { site, server } = await world();
      expect(await run(async (work) => {
        await prepareSiteTls(work, site, server);
        expect(siteTls(site, server)).toBeUndefined();
        place(work, siteCertificateFiles(site, server));
      })).toEqual(["SSL_KEY_GEN_FAIL"]);
    } finally {
      process.env["PATH"] = PATH;
    }
    expect([readdirSync(central("")), existsSync(served(""))]).toEqual([[], false]);
    expect(warnings().join()).toContain(`${URI} is served without HTTPS`);
  });

  it("is only told of in a dry run", async () => {
    expect(await verify({}, { dryRun: true })).toEqual([]);
    expect(existsSync(at("config/ssl.d"))).toBe(false);
    const { site, server } = await world();
    expect(siteTls(site, server)?.certificate.certificate).toBe(served("openssl.crt"));
  });

  it("goes when the task is undone", async () => {
    const { site, server } = await world();
    expect(await run(async (work) => {
      await prepareSiteTls(work, site, server);
      place(work, siteCertificateFiles(site, server));
      work.error((await import("../../src/errors/shim-error.ts")).asShimError("later"));
    })).toEqual(["DRUSH_EXECUTION_EXCEPTION"]);
    expect([existsSync(at("config/ssl.d")), existsSync(at("config/server_web/ssl.d"))]).toEqual([false, false]);
  });

  it("no key is readable by others for a moment, nor told to anybody", async () => {
    const script = join(made, "bin/openssl");
    mkdirSync(dirname(script));
    writeFileSync(script, `#!/bin/sh\n/usr/bin/openssl "$@" || exit; find '${home}' -type f -perm /077 -exec grep -l PRIVATE {} + >> '${at("seen")}'; find '${home}' -name '.new-*' -perm /077 >> '${at("seen")}'; exit 0\n`);
    chmodSync(script, 0o755);
    const { PATH } = process.env;
    process.env["PATH"] = `${dirname(script)}:${PATH ?? ""}`;
    try {
      expect(await verify()).toEqual([]);
    } finally {
      process.env["PATH"] = PATH;
    }
    expect(text(at("seen"))).toBe("");
    expect(JSON.stringify(events)).not.toMatch(/BEGIN PRIVATE KEY-----\\n(?!\*\*\*)/);
    expect(masked(`before\n${text(central("openssl.key"))}after`)).toBe("before\n-----BEGIN PRIVATE KEY-----\n***\n-----END PRIVATE KEY-----\nafter");
  });
});

describe("a certificate of ours that has run out", () => {
  it("is made anew with the same key; one of an administrator is kept", async () => {
    mkdirSync(central(""), { recursive: true });
    const expired = (subject: string): void =>
      void execFileSync("openssl", ["x509", "-req", "-days", "-1", "-signkey", join(made, "site.key"), "-out", central("openssl.crt")], {
        input: execFileSync("openssl", ["req", "-new", "-key", join(made, "site.key"), "-subj", subject], { stdio: ["ignore", "pipe", "ignore"] }),
        stdio: ["pipe", "ignore", "ignore"],
      });
    writeFileSync(central("openssl.key"), text(join(made, "site.key")), { mode: 0o600 });
    expired(`/CN=${URI}`);
    const foreign = text(central("openssl.crt"));
    expect(await verify()).toEqual([]);
    expect(text(served("openssl.crt"))).toBe(foreign);
    expired(`/CN=${URI}/emailAddress=abuse@${URI}`);
    expect(await verify()).toEqual([]);
    expect(Date.parse(new X509Certificate(text(served("openssl.crt"))).validTo)).toBeGreaterThan(Date.now());
    expect(text(served("openssl.key"))).toBe(text(join(made, "site.key")));
  });
});

describe("a certificate of an administrator", () => {
  it("68: is picked up with its chain, and the chain goes when it is removed", async () => {
    await verify();
    bring({ ...OWN, "openssl_chain.crt": "ca.crt" });
    expect(await verify()).toEqual([]);
    expect([text(served("openssl.crt")), text(served("openssl.key")), text(served("openssl_chain.crt"))]).toEqual([text(join(made, "site.crt")), text(join(made, "site.key")), text(join(made, "ca.crt"))]);
    const { site, server } = await world();
    expect(siteTls(site, server)?.certificate).toMatchObject({ certificate: served("openssl.crt"), chain: served("openssl_chain.crt") });
    rmSync(central("openssl_chain.crt"));
    expect(await verify()).toEqual([]);
    expect(readdirSync(served(""))).toEqual(["openssl.crt", "openssl.key", `${URI}.receipt`]);
    expect(siteTls(site, server)?.certificate.chain).toBeUndefined();
  });

  it("68: for nginx leaf and intermediates are one file, with the leaf once", async () => {
    const nginx = { server: { http_service_type: "nginx_ssl" } };
    const look = async (): Promise<{ fullChain: string; content: string }> => {
      const { site, server } = await world(nginx);
      const { fullChain } = siteTls(site, server)?.certificate ?? { fullChain: "" };
      return { fullChain, content: text(fullChain) };
    };
    const both = text(join(made, "site.crt")) + text(join(made, "ca.crt"));
    bring({ ...OWN, "openssl_chain.crt": "ca.crt" });
    expect(await verify(nginx)).toEqual([]);
    expect(await look()).toEqual({ fullChain: served("openssl_fullchain.crt"), content: both });
    writeFileSync(central("openssl_chain.crt"), both);
    expect(await verify(nginx)).toEqual([]);
    expect(await look()).toEqual({ fullChain: served("openssl_chain.crt"), content: both });
    writeFileSync(central("openssl_chain.crt"), text(join(made, "ca.crt")) + text(join(made, "site.crt")));
    expect(await verify(nginx)).toEqual([]);
    expect(await look()).toEqual({ fullChain: served("openssl_fullchain.crt"), content: both });
    rmSync(central("openssl_chain.crt"));
    expect(await verify(nginx)).toEqual([]);
    expect((await look()).fullChain).toBe(served("openssl.crt"));
    expect(readdirSync(served(""))).toEqual(["openssl.crt", "openssl.key", `${URI}.receipt`]);
  });

  it("a chain that the virtual host of another site still names stays until that is written anew", async () => {
    bring({ ...OWN, "openssl_chain.crt": "ca.crt" });
    await verify();
    await verify({ uri: "other.test" });
    writeFileSync(at("config/server_web/apache/vhost.d/other.test"), `SSLCertificateChainFile ${served("openssl_chain.crt")}\n`);
    rmSync(central("openssl_chain.crt"));
    await verify();
    expect(existsSync(served("openssl_chain.crt"))).toBe(true);
    await verify({ uri: "other.test" });
    expect(existsSync(served("openssl_chain.crt"))).toBe(false);
  });

  it.each([
    ["with the key of another", { "openssl.crt": "site.crt", "openssl.key": "ca.key" }, "do not belong together"],
    ["that is none", { "openssl.crt": "site.key", "openssl.key": "site.key" }, "no certificate in PEM"],
    ["whose key is none", { "openssl.crt": "site.crt", "openssl.key": "site.crt" }, "no private key"],
    ["whose chain is none", { ...OWN, "openssl_chain.crt": "site.key" }, "chain holds no certificate"],
    ["with a key of 1024 bits", { "openssl.crt": "weak.crt", "openssl.key": "weak.key" }, "shorter than 2048 bits"],
  ])("%s stops the task: the server would not start with it", async (_, files, reason) => {
    await verify();
    const before = treeOf(at("config/server_web"));
    bring(files);
    expect(await verify()).toEqual(["PROVISION_WEB_CERTIFICATE_BROKEN"]);
    expect(events.flatMap((event) => (event.type === "error" ? [event.error.message] : [])).join()).toContain(reason);
    expect(treeOf(at("config/server_web"))).toEqual(before);
    // A site can be disabled nevertheless.
    expect(await verify({ site: { site_enabled: false } })).toEqual(["PROVISION_WEB_CERTIFICATE_BROKEN"]);
  });

  it.runIf(process.getuid?.() !== 0)("75: that cannot be read is SSL_CERT_COPY_FAIL or SSL_KEY_COPY_FAIL, and HTTPS is left out", async () => {
    bring(OWN);
    for (const [file, code] of [["openssl.crt", "SSL_CERT_COPY_FAIL"], ["openssl.key", "SSL_KEY_COPY_FAIL"]] as const) {
      chmodSync(central(file), 0);
      expect(await verify()).toEqual([code]);
      chmodSync(central(file), 0o600);
    }
  });

  it("75: that is a directory cannot be copied: an error that takes nothing back, and HTTPS is left out", async () => {
    for (const [file, code] of [["openssl.crt", "SSL_CERT_COPY_FAIL"], ["openssl.key", "SSL_KEY_COPY_FAIL"], ["openssl_chain.crt", "SSL_CHAIN_COPY_FAIL"]] as const) {
      bring(OWN);
      rmSync(central(file), { force: true });
      mkdirSync(central(file));
      const { site, server } = await world();
      expect(await verify()).toEqual([code]);
      expect(siteTls(site, server)).toBeUndefined();
      rmSync(central(file), { recursive: true });
    }
  });
});

describe("copies that nobody uses", () => {
  it("76: go with the last receipt, the central store stays", async () => {
    await verify();
    await verify({ uri: "other.test" });
    await remove();
    expect(readdirSync(served(""))).toEqual(["openssl.crt", "openssl.key", "other.test.receipt"]);
    const kept = treeOf(at("config/ssl.d"));
    await remove({ uri: "other.test" });
    expect(readdirSync(at("config/server_web/ssl.d"))).toEqual([]);
    expect(treeOf(at("config/ssl.d"))).toEqual(kept);
  });

  it("76: go when the site's HTTPS is switched off, or gets another certificate", async () => {
    await verify();
    await verify({ site: { ssl_key: "second" } });
    expect(readdirSync(at("config/server_web/ssl.d"))).toEqual(["second"]);
    await verify({ site: { ssl_enabled: 0 } });
    expect(readdirSync(at("config/server_web/ssl.d"))).toEqual([]);
  });

  it("76: but never those that the server itself has", async () => {
    const { server } = await world();
    expect(await run(async (work) => {
      await sslService.prepareServer(work, server, OPTIONS);
      place(work, sslService.serverCertificate(server)?.changes ?? []);
    })).toEqual([]);
    await verify({ site: { ssl_key: "default" } });
    await remove({ site: { ssl_key: "default" } });
    expect(readdirSync(served("", "default"))).toEqual(["openssl.crt", "openssl.key"]);
  });

  it("76: go with the last two receipts, too, whether they go together or were planned to", async () => {
    const others = { uri: "other.test" };
    for (const together of [true, false]) {
      await verify();
      await verify(others);
      const planned = [await world(), await world(others)].map(({ site, server }) => goneSiteCertificates(site, server));
      for (const changes of together ? [planned.flat()] : planned) expect(await run((work) => place(work, changes))).toEqual([]);
      expect(readdirSync(at("config/server_web/ssl.d"))).toEqual([]);
    }
  });

  it("76: nor those of an administrator that the site needs under its new name", async () => {
    await verify();
    for (const [name, from] of Object.entries(OWN)) {
      rmSync(served(name));
      symlinkSync(join(made, from), served(name));
    }
    const [former, renamed] = [await world(), await world({ uri: "new.test" })];
    const changes = [...siteCertificateFiles(renamed.site, renamed.server), ...goneSiteCertificates(former.site, former.server)];
    expect(await run((work) => place(work, changes))).toEqual([]);
    expect(readdirSync(served(""))).toEqual(["new.test.receipt", "openssl.crt", "openssl.key"]);
  });

  it("76: nor what another site has come to need meanwhile", async () => {
    await verify();
    const { site, server } = await world();
    const planned = goneSiteCertificates(site, server);
    const kept = (): string[] => planned.flatMap((file) => (file.content === undefined && file.unless?.({ written: new Set(), going: new Set() }) === true ? [file.path] : []));
    expect(kept()).toEqual([]);
    await verify({ uri: "other.test" });
    expect(kept()).toEqual([served("openssl.crt"), served("openssl.key")]);
  });

  it("77: nothing but what is below the web server's own store is touched", async () => {
    await verify();
    writeFileSync(at("config/kept"), "");
    mkdirSync(at("config/server_master/ssl.d/shop"), { recursive: true });
    writeFileSync(at(`config/server_master/ssl.d/shop/${URI}.receipt`), "");
    await remove();
    expect([existsSync(at("config/kept")), existsSync(at(`config/server_master/ssl.d/shop/${URI}.receipt`)), existsSync(served(""))]).toEqual([true, true, false]);
  });

  it("are put back, with their folder, when the task fails", async () => {
    await verify();
    const before = treeOf(at("config"));
    const { site, server } = await world();
    await run((work) => {
      place(work, goneSiteCertificates(site, server));
      expect(existsSync(served(""))).toBe(false);
      throw new Error("later");
    });
    expect(treeOf(at("config"))).toEqual(before);
  });

  it("78: a folder that is a link is never emptied, nor written to", async () => {
    mkdirSync(at("letsencrypt"));
    for (const [name, from] of Object.entries(OWN)) writeFileSync(at(`letsencrypt/${name}`), text(join(made, from)), { mode: 0o644 });
    writeFileSync(at(`letsencrypt/${URI}.receipt`), "");
    mkdirSync(at("config/server_web/ssl.d"), { mode: 0o700 });
    symlinkSync(at("letsencrypt"), served(""));
    const before = treeOf(at("letsencrypt"));
    expect(await verify()).toEqual([]);
    const { site, server } = await world();
    expect(siteTls(site, server)?.certificate).toMatchObject({ certificate: served("openssl.crt"), changes: [] });
    await remove();
    await verify({ site: { ssl_enabled: 0 } });
    expect(treeOf(at("letsencrypt"))).toEqual(before);
    expect(existsSync(central(""))).toBe(false);
  });

  it("78: dont-overwrite-URI.pid keeps them", async () => {
    await verify();
    mkdirSync(at("tools/le/.ctrl"), { recursive: true });
    writeFileSync(at(`tools/le/.ctrl/dont-overwrite-${URI}.pid`), "");
    const before = treeOf(at("config"));
    await remove();
    expect(treeOf(at("config"))).toEqual(before);
  });

  it("79: in the layout of hosting_le, where both folders lead to the tool's, nothing is cut off", async () => {
    mkdirSync(at("tools/le/certs/shop"), { recursive: true });
    const tool = at("tools/le/certs/shop");
    for (const [name, from] of [["cert.pem", "site.crt"], ["privkey.pem", "site.key"], ["chain.pem", "ca.crt"]] as const) writeFileSync(join(tool, name), text(join(made, from)), { mode: 0o640 });
    writeFileSync(join(tool, "fullchain.pem"), text(join(made, "site.crt")) + text(join(made, "ca.crt")));
    for (const [name, target] of [["openssl.crt", "cert.pem"], ["openssl.key", "privkey.pem"], ["openssl_chain.crt", "fullchain.pem"]] as const) symlinkSync(target, join(tool, name));
    for (const folder of ["config/ssl.d", "config/server_web/ssl.d"]) {
      mkdirSync(at(folder), { recursive: true, mode: 0o700 });
      symlinkSync(tool, at(`${folder}/shop`));
    }
    const before = treeOf(tool);
    expect(await verify()).toEqual([]);
    await remove();
    expect(treeOf(tool)).toEqual(before);
    const { site, server } = await world();
    // Apache takes leaf and intermediates from one file here: the chain has the leaf already.
    expect(siteTls(site, server)?.certificate).toMatchObject({ chain: undefined, fullChain: served("openssl_chain.crt") });
  });

  it("79: nor where only the central folder is a link, or only a file", async () => {
    mkdirSync(at("elsewhere"));
    for (const [name, from] of Object.entries(OWN)) writeFileSync(at(`elsewhere/${name}`), text(join(made, from)), { mode: 0o600 });
    mkdirSync(at("config/ssl.d"), { recursive: true });
    symlinkSync(at("elsewhere"), central(""));
    mkdirSync(served(""), { recursive: true, mode: 0o700 });
    symlinkSync(at("elsewhere/openssl.crt"), served("openssl.crt"));
    const before = treeOf(at("elsewhere"));
    expect(await verify()).toEqual([]);
    expect([text(served("openssl.key")), text(served("openssl.crt"))]).toEqual([text(join(made, "site.key")), text(join(made, "site.crt"))]);
    await remove();
    expect(treeOf(at("elsewhere"))).toEqual(before);
  });
});

describe("what a site asks for", () => {
  it("74: HTTPS without a key is none, with a warning", async () => {
    const { site, server } = await world({ site: { ssl_enabled: 2, ssl_key: null } });
    await run((work) => prepareSiteTls(work, site, server));
    expect(siteTls(site, server)).toBeUndefined();
    expect(warnings()).toEqual([`@${URI} is to be served over HTTPS, but names no certificate (ssl_key): it is served over HTTP only.`]);
  });

  it("72: an address for this server, under its name with or without @", async () => {
    for (const [addresses, address] of [[{ "@server_web": "192.0.2.1" }, "192.0.2.1"], [{ server_web: "2001:db8::1" }, "[2001:db8::1]"], [{ other: "192.0.2.1" }, undefined]] as const) {
      const { site, server } = await world({ site: { ip_addresses: addresses } });
      expect(siteTls(site, server)?.address).toBe(address);
    }
    const { site, server } = await world({ site: { ip_addresses: { server_web: "1.2.3.4:1>\n" } } });
    expect(() => siteTls(site, server)).toThrow(expect.objectContaining({ code: "PROVISION_WEB_BAD_VALUE" }) as Error);
  });

  it("an address is one where node says so", () => {
    for (const text of ["1.2.3.4", "255.255.255.255", "256.1.1.1", "1.2.3", "01.2.3.4", "::", "::1", "2001:db8::1", "2001:db8:::1", "1::2::3", "::ffff:192.0.2.1", "fe80::1%eth0", "a.b", "", "1.2.3.4:80", "12345::", "[::1]"]) {
      expect([text, ipVersion(text)]).toEqual([text, isIP(text) === 6 && text.includes("%") ? 0 : isIP(text)]);
    }
  });

  it.each(["../x", "", ".hidden", "a/b", "a b", "x".repeat(300)])("a key %j cannot name a certificate", async (key) => {
    const { site, server } = await world({ site: { ssl_key: key } });
    if (key === "") expect(siteTls(site, server)).toBeUndefined();
    else expect(() => siteTls(site, server)).toThrow(expect.objectContaining({ code: "PROVISION_WEB_BAD_VALUE" }) as Error);
  });
});

it("Let's Encrypt is asked for no certificate for unknown names, and none is served", async () => {
  const server = { name: "server_web", http: { driver: "https_apache", application: "apache" }, configPath: at("config/server_web"), aegirRoot: home, properties: phpFrom({ Certificate_service_type: "LetsEncrypt", ssld_path: at("config/letsencrypt.d/"), http_ssld_path: at("config/server_web/ssl.d") }) } as unknown as ServerContext;
  // Whatever it did with its task would throw.
  await httpsService.prepareServer({} as Work, server, OPTIONS);
  expect([httpsService.serverCertificate(server), existsSync(at("config/letsencrypt.d"))]).toEqual([undefined, false]);
});
