import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Answer } from "../support/apache.ts";
import { good, installSite, openFrontEnd, SERVER, serverOptions, type BackendAnswer, type FrontEnd } from "../support/front-end.ts";
import { copyStandIn } from "../support/stand-in.ts";
import { treeOf } from "../support/tree.ts";

/** The services of hosting_https, which Hostmaster brings along: `https_apache` with certificates of our own or of Let's Encrypt. */
const URI = "site.test";
const WWW = "www.site.test";

let frontEnd: FrontEnd;
/** Certificates as Let's Encrypt would give them. */
let authority: string;

beforeAll(async () => {
  authority = mkdtempSync(join(tmpdir(), "shim-ca-"));
  const openssl = (...args: string[]): void => void execFileSync("openssl", args, { cwd: authority, stdio: "ignore" });
  openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "middle.key", "-out", "middle.crt", "-subj", "/CN=Middle", "-days", "90");
  for (const [name, days] of [["long", "90"], ["short", "20"]] as const) {
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", `${name}.key`, "-out", `${name}.crt`, "-subj", `/CN=${name}`, "-addext", `subjectAltName=DNS:${URI},DNS:${WWW}`, "-days", days, "-CA", "middle.crt", "-CAkey", "middle.key");
  }
  frontEnd = await openFrontEnd({ tls: true });
  // By these, drush learns of the services; they are done here.
  for (const name of ["certificate", "letsencrypt", "self_signed", "https_apache"]) {
    frontEnd.stage.home.write(`.drush/hosting_https/${name}.drush.inc`, `<?php function ${name}_drush_init() {}\nfunction ${name}_provision_services() {}\nfunction drush_certificate_provision_verify() {}\n`);
  }
  await good(frontEnd.save(SERVER, server("SelfSigned")));
  await good(frontEnd.task(SERVER, "verify"));
  const root = copyStandIn(frontEnd.stage.home, "standin");
  await good(frontEnd.save("platform_standin", { context_type: "platform", server: `@${SERVER}`, web_server: `@${SERVER}`, root }));
  await good(frontEnd.task("platform_standin", "verify"));
  await installSite(frontEnd, root, URI, { aliases: [WWW] });
}, 300_000);
afterAll(async () => {
  rmSync(authority, { recursive: true, force: true });
  await frontEnd.strike();
});

function server(certificates: string): Parameters<FrontEnd["save"]>[1] {
  // The front end's name for the port.
  return { ...serverOptions(frontEnd), http_service_type: "https_apache", http_https_port: String(frontEnd.stage.apache.tlsPort), Certificate_service_type: certificates };
}

function at(path: string): string {
  return join(frontEnd.home, path);
}

function served(file: string): string {
  return at(`config/${SERVER}/ssl.d/${URI}/${file}`);
}

function way({ status, headers }: Answer): [number, string | undefined] {
  return [status, headers.location];
}

async function plain(host: string, path: string): Promise<[number, string | undefined]> {
  return way(await frontEnd.stage.apache.fetch(host, path));
}

async function secure(host: string, path: string): Promise<{ readonly way: [number, string | undefined]; readonly certificates: readonly string[] }> {
  const answer = await frontEnd.stage.apache.fetchTls(host, path);
  return { way: way(answer), certificates: answer.certificates };
}

async function shell(script: string): Promise<string> {
  return (await frontEnd.stage.home.user.run(["sh", "-c", script])).stdout;
}

async function saved(options: Parameters<FrontEnd["save"]>[1]): Promise<BackendAnswer> {
  await good(frontEnd.save(URI, options));
  return good(frontEnd.task(URI, "verify"));
}

function warnings({ logs }: BackendAnswer): string {
  return logs.filter(({ type }) => type === "warning").map(({ message }) => message).join("\n");
}

/** Names of the properties in an alias file, in order. */
function properties(name: string): string[] {
  return [...readFileSync(at(`.drush/${name}.alias.drushrc.php`), "utf8").matchAll(/^ {2}'(\w+)' =>/gm)].map(([, key = ""]) => key);
}

async function testsWell(): Promise<void> {
  const { apache, home } = frontEnd.stage;
  const { stdout, stderr } = await home.user.run([apache.control, "-t"]);
  expect((stdout + stderr).trim()).toBe("Syntax OK");
}

describe("certificates of our own", () => {
  it("the server has its properties, a certificate for unknown names, and takes the port that the front end sends", async () => {
    const names = properties(SERVER);
    for (const [before, after] of [["Certificate_service_type", "db_service_type"], ["db_service_type", "http_service_type"], ["self_signed_config_path", "db_port"], ["http_platforms_path", "https_port"], ["https_port", "ssld_path"], ["http_ssld_path", "https_enabled"]] as const) {
      expect([before, after, names.includes(before), names.indexOf(before) < names.indexOf(after)]).toEqual([before, after, true, true]);
    }
    expect(await secure("unknown.test", "/")).toEqual({ way: [404, undefined], certificates: ["default.invalid"] });
    await testsWell();
  });

  it("the site is served both ways, or sent to HTTPS, with its certificate", async () => {
    await saved({ https_enabled: "1", https_key: URI });
    expect(readdirSync(at(`config/self_signed.d/${URI}`))).toEqual(["openssl.crt", "openssl.csr", "openssl.key"]);
    expect(readdirSync(at(`config/${SERVER}/ssl.d/${URI}`))).toEqual(["openssl.crt", "openssl.key"]);
    for (const host of [URI, WWW]) expect([await plain(host, "/node/1"), await secure(host, "/node/1")]).toEqual([[200, undefined], { way: [200, undefined], certificates: [URI] }]);
    await saved({ https_enabled: "2" });
    expect(await plain(WWW, "/a?b=c")).toEqual([301, `https://${WWW}:${frontEnd.stage.apache.tlsPort}/a?b=c`]);
    const names = properties(URI);
    expect(names.slice(names.indexOf("install_method") + 1, names.indexOf("install_method") + 5)).toEqual(["https_enabled", "https_client_authentication_enabled", "https_client_authentication_path", "https_key"]);
  });

  it("a verify keeps the certificate", async () => {
    const before = treeOf(at("config"));
    await good(frontEnd.task(URI, "verify"));
    expect(treeOf(at("config"))).toEqual(before);
  });

  it("one that cannot be read is a warning: the site is served over HTTP", async () => {
    await shell(`chmod 0 config/self_signed.d/${URI}/openssl.key`);
    const verified = await good(frontEnd.task(URI, "verify"));
    expect(warnings(verified)).toContain("served without HTTPS");
    expect([await plain(URI, "/node/1"), (await secure(URI, "/")).way]).toEqual([[200, undefined], [404, undefined]]);
    frontEnd.stage.home.write(".drush/drushrc.php", "<?php $options['hosting_https_fail_task_if_certificate_fails'] = TRUE;");
    expect((await frontEnd.task(URI, "verify")).errors).toEqual(["HTTPS_KEY_COPY_FAIL"]);
    await shell(`chmod 600 config/self_signed.d/${URI}/openssl.key; rm .drush/drushrc.php`);
    await saved({ https_enabled: "1" });
    expect((await secure(URI, "/node/1")).way).toEqual([200, undefined]);
  });
});

describe("Let's Encrypt", () => {
  /** A script in dehydrated's place that gives that certificate. */
  function script(name: string | undefined, seconds = 0): void {
    const out = `config/letsencrypt.d/${URI}`;
    const give = name === undefined ? "echo 'the authority says no'; exit 1" : `mkdir -p ~/${out}; cat ~/authority/${name}.crt ~/authority/middle.crt > ~/${out}/fullchain.pem; cp ~/authority/${name}.key ~/${out}/privkey.pem; chmod 600 ~/${out}/privkey.pem; echo ' + Done!'`;
    frontEnd.stage.home.write("config/letsencrypt/script", `#!/bin/sh\necho "$AEGIR_DRUSH_ALIAS $*" >> ~/asked\nsleep ${seconds}\n${give}\n`, 0o755);
  }

  async function asked(): Promise<string[]> {
    return (await shell("cat asked 2>/dev/null; rm -f asked")).split("\n").filter((line) => line !== "");
  }

  beforeAll(async () => {
    for (const file of readdirSync(authority)) frontEnd.stage.home.write(`authority/${file}`, readFileSync(join(authority, file)), 0o600);
    frontEnd.stage.home.write("config/letsencrypt.d/well-known/acme-challenge/token", "proof");
    await good(frontEnd.save(SERVER, { ...server("LetsEncrypt"), letsencrypt_ca: "production" }));
  });

  it("its programs come with the extension, so that the server is verified by the real drush", async () => {
    const { errors, messages } = await frontEnd.task(SERVER, "verify");
    expect(errors).toEqual(["PROVISION_NO_REAL_DRUSH"]);
    expect(messages["PROVISION_NO_REAL_DRUSH"]).toContain("hosting_https");
  });

  it("a site whose certificate cannot be had is served over HTTP, with a warning", async () => {
    expect(warnings(await good(frontEnd.task(URI, "verify")))).toContain("cannot be run");
    script(undefined);
    expect(warnings(await good(frontEnd.task(URI, "verify")))).toContain("the authority says no");
    expect([await plain(URI, "/node/1"), (await secure(URI, "/")).way]).toEqual([[200, undefined], [404, undefined]]);
    frontEnd.stage.home.write(".drush/drushrc.php", "<?php $options['hosting_https_fail_task_if_certificate_fails'] = TRUE;");
    expect((await frontEnd.task(URI, "verify")).errors).toEqual(["HTTPS_CERT_GEN_FAIL"]);
    await shell("rm .drush/drushrc.php");
    await testsWell();
  });

  it("a copy whose certificate cannot be had, where that fails the task, asks for it once and says so once", async () => {
    await asked();
    // By then the site's verify waits for its web server.
    script(undefined, 2);
    frontEnd.stage.home.write(".drush/drushrc.php", "<?php $options['hosting_https_fail_task_if_certificate_fails'] = TRUE;");
    const answer = await frontEnd.task(URI, "clone", { args: ["@copy.test", "@platform_standin"], timeout: 120_000 });
    await shell("rm .drush/drushrc.php");
    expect(answer.errors).toEqual(["HTTPS_CERT_GEN_FAIL"]);
    expect(Object.values(answer.frame["error_log"] as Record<string, string[]>)).toEqual([[expect.stringContaining("the authority says no")]]);
    expect((await asked()).map((line) => line.split(" ")[0])).toEqual(["@copy.test"]);
    expect(existsSync(at("platforms/standin/sites/copy.test"))).toBe(false);
  });

  it("is asked for uri and aliases; what it gives is served with its intermediates", async () => {
    await asked();
    script("short");
    await good(frontEnd.task(URI, "verify"));
    expect(await asked()).toEqual([`@${URI} --cron --accept-terms --config ${at("config/letsencrypt/config")} --out ${at("config/letsencrypt.d")} --domain ${URI} --domain ${WWW}`]);
    expect(await secure(WWW, "/node/1")).toEqual({ way: [200, undefined], certificates: ["short", "Middle"] });
    expect(await shell(`stat -c '%a %n' config/letsencrypt.d ${served("openssl.key")}`)).toBe(`711 config/letsencrypt.d\n600 ${served("openssl.key")}\n`);
  });

  it("is asked again when the certificate ends within a month, and when there is a name that it is not for", async () => {
    script("long");
    await good(frontEnd.task(URI, "verify"));
    expect([(await asked()).length, (await secure(URI, "/node/1")).certificates]).toEqual([1, ["long", "Middle"]]);
    await good(frontEnd.task(URI, "verify"));
    expect(await asked()).toEqual([]);
    script(undefined);
    const verified = await saved({ aliases: `${WWW},new.test` });
    expect([(await asked()).length, warnings(verified).includes("goes on being served")]).toEqual([1, true]);
    expect((await secure(URI, "/node/1")).certificates).toEqual(["long", "Middle"]);
  });

  it("http 36: its questions are answered, on a disabled site, too", async () => {
    frontEnd.stage.home.write("platforms/standin/.well-known/acme-challenge/inside", "proof inside");
    await good(frontEnd.task(URI, "disable"));
    for (const fetch of [frontEnd.stage.apache.fetch, frontEnd.stage.apache.fetchTls]) {
      expect((await fetch(WWW, "/.well-known/acme-challenge/inside")).body).toBe("proof inside");
      expect(way(await fetch(WWW, "/x"))).toEqual([302, `http://aegir.test/hosting/disabled/${URI}`]);
    }
    await good(frontEnd.task(URI, "enable"));
  });

  it("as in the original, nothing of its certificates goes with the site", async () => {
    const before = treeOf(at("config/letsencrypt.d"));
    await good(frontEnd.task(URI, "delete"));
    expect(treeOf(at("config/letsencrypt.d"))).toEqual(before);
    expect(existsSync(served("openssl.key"))).toBe(true);
    await testsWell();
  });
});
