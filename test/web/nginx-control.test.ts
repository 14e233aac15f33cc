import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Remembered } from "../../src/files/remembered.ts";
import { phpFrom } from "../../src/php-values/convert.ts";
import type { ServerContext } from "../../src/contexts/context.ts";
import type { Journal } from "../../src/task/journal.ts";
import { nginxControl } from "../../src/web/nginx/nginx-control.ts";
import { nginxProgram } from "../../src/web/nginx/nginx-program.ts";
import { probeNginx } from "../../src/web/nginx/probe-nginx.ts";
import { buildShadow } from "../../src/web/nginx/shadow-config.ts";
import type { WebChange } from "../../src/web/web-control.ts";
import { openNginxHost, type NginxHost } from "./nginx-host.ts";

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "shim-nginx-"))));
afterEach(() => rmSync(folder, { recursive: true }));

const environment = { cwd: "/", variables: { PATH: "/usr/sbin:/usr/bin:/bin" } };

/** A program that does what the shell script says. */
function program(name: string, script: string): string {
  const path = join(folder, name);
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

describe("restart commands", () => {
  it.each([
    ["sudo /usr/sbin/nginx -s reload", { privileged: ["sudo", "-n", "/usr/sbin/nginx"], plain: ["/usr/sbin/nginx"], isOurs: false, inPlace: undefined }],
    ["/opt/nginx -p /x -s reload -c /x/y.conf", { privileged: undefined, plain: ["/opt/nginx", "-p", "/x", "-c", "/x/y.conf"], isOurs: true, inPlace: undefined }],
    ["sudo /etc/init.d/nginx reload", { privileged: undefined, plain: ["/usr/sbin/nginx"], isOurs: false, inPlace: ["sudo", "-n", "/etc/init.d/nginx", "configtest"] }],
    ["sudo systemctl reload nginx.service", { privileged: undefined, plain: ["/usr/sbin/nginx"], isOurs: false, inPlace: undefined }],
    ["sudo service nginx reload", { privileged: undefined, plain: ["/usr/sbin/nginx"], isOurs: false, inPlace: undefined }],
    ["sudo /usr/sbin/apache2ctl graceful", { privileged: undefined, plain: undefined, isOurs: false, inPlace: undefined }],
    ["/usr/sbin/nginx -s stop", { privileged: undefined, plain: undefined, isOurs: false, inPlace: undefined }],
    ["true", { privileged: undefined, plain: undefined, isOurs: false, inPlace: undefined }],
    ["", { privileged: undefined, plain: undefined, isOurs: false, inPlace: undefined }],
  ])("80: %j", (command, expected) => expect(nginxProgram(command.split(" "), environment.variables.PATH)).toEqual(expected));
});

describe("a test of the configuration", () => {
  const control = (restart: string): ReturnType<typeof nginxControl> => nginxControl(restart, environment, new Remembered(join(folder, "cache")));
  const says = (output: string, status: number): string => `cat >&2 <<'E'\n${output}\nE\nexit ${status}`;
  const SYNTAX = "nginx: the configuration file /etc/nginx/nginx.conf syntax is ok";

  it("by somebody without rights is good when the syntax is, and open when something could not be read", async () => {
    const sudo = program("sudo", `echo 'sudo: a password is required' >&2; exit 1`);
    const test = async (output: string): Promise<unknown> => control(`${sudo} ${program("nginx", says(output, 1))} -s reload`).test("/x");
    expect(await test(`${SYNTAX}\nnginx: [emerg] bind() to 0.0.0.0:80 failed (13: Permission denied)`)).toMatchObject({ ok: true, refused: false });
    expect(await test(`nginx: [emerg] cannot load certificate key "/k": BIO_new_file() failed (SSL: error:8000000D:system library::Permission denied)`)).toMatchObject({ ok: false, refused: true });
    expect(await test(`nginx: [warn] conflicting server name\nnginx: [emerg] unknown directive "x" in /a:2\nnginx: configuration file /etc/nginx/nginx.conf test failed`)).toEqual({ ok: false, refused: false, output: `nginx: [emerg] unknown directive "x" in /a:2` });
    expect(await test(`${SYNTAX}\nnginx: [emerg] mkdir() "/var/lib/nginx/speed" failed (2: No such file or directory)`)).toMatchObject({ ok: false, refused: false });
  });

  it("by the restart command's own rights is what it says", async () => {
    const nginx = program("nginx", says(`${SYNTAX}\nnginx: [emerg] open() "/log" failed (13: Permission denied)`, 1));
    expect(await control(`${nginx} -s reload`).test("/x")).toMatchObject({ ok: false, refused: false });
    const sudo = program("sudo", `shift; exec "$@"`);
    expect(await control(`${sudo} ${program("nginx", says("fine", 0))} -s reload`).test("/x")).toMatchObject({ ok: true });
  });

  it("finds the main file, also when the test fails", async () => {
    for (const [output, status] of [[SYNTAX, 0], ["nginx: [emerg] x\nnginx: configuration file /etc/nginx/nginx.conf test failed", 1]] as const) {
      const made = control(`${program("nginx", says(output, status))} -s reload`);
      expect([await made.mainFile(true), await made.mainFile(false)]).toEqual(["/etc/nginx/nginx.conf", "/etc/nginx/nginx.conf"]);
    }
    expect(await control("true").mainFile(true)).toBeUndefined();
  });
});

describe("what nginx and PHP can do", () => {
  const server = (properties: object = {}, restartCommand = ""): ServerContext => ({ name: "s", properties: phpFrom({ phpfpm_mode: "port", ...properties }), http: { driver: "nginx", restartCommand } }) as unknown as ServerContext;
  const sockets: Server[] = [];
  afterEach(() => Promise.all(sockets.splice(0).map((one) => new Promise((resolve) => one.close(resolve)))));

  async function socket(name: string): Promise<string> {
    const path = join(folder, name);
    const made = createServer();
    sockets.push(made);
    await new Promise<void>((resolve) => made.listen(path, resolve));
    return path;
  }

  it("are its properties", async () => {
    const old = program("nginx", `echo 'nginx version: nginx/1.0.5' >&2; echo 'configure arguments: --with-upload' >&2`);
    const facts = await probeNginx(server({}, `sudo ${old} -s reload`), environment);
    expect(Object.fromEntries(facts?.properties ?? [])).toMatchObject({ nginx_is_modern: 0, nginx_has_etag: 0, nginx_has_http2: 0, nginx_has_gzip: 0, nginx_has_upload_progress: 0, provision_db_cloaking: true });
    const now = await probeNginx(server(), environment);
    expect(Object.fromEntries(now?.properties ?? [])).toMatchObject({ nginx_is_modern: 1, nginx_has_etag: 1, nginx_has_http2: 1, nginx_has_gzip: 1, nginx_has_upload_progress: 0 });
  });

  it("66: a socket that was chosen is used, and missed when it is gone", async () => {
    const path = await socket("php8.3-fpm.sock");
    const there = await probeNginx(server({ phpfpm_mode: "socket", phpfpm_socket: path }), environment);
    expect(there?.problem).toBeUndefined();
    expect(Object.fromEntries(there?.properties ?? [])).toMatchObject({ phpfpm_mode: "socket", phpfpm_socket: path });
  });

  it("66: of several sockets that of the newest PHP is taken; without one a server that wants one has a problem", async () => {
    // What is in /run/php is this machine's: questions are asked there by a shell of ours.
    const answers = (lines: string): typeof environment & { run: () => Promise<{ ok: boolean; refused: boolean; output: string }> } => ({ ...environment, run: () => Promise.resolve({ ok: true, refused: false, output: `program /usr/sbin/nginx\nnginx version: nginx/1.22.1\n${lines}` }) });
    const several = await probeNginx(server(), answers("socket /run/php/php-fpm.sock\nsocket /run/php/php7.4-fpm.sock\nsocket /run/php/php8.10-fpm.sock\nsocket /run/php/php8.2-fpm.sock"));
    expect(Object.fromEntries(several?.properties ?? [])).toMatchObject({ phpfpm_mode: "socket", phpfpm_socket: "/run/php/php8.10-fpm.sock" });
    const none = await probeNginx(server({ phpfpm_mode: "socket", phpfpm_socket: "/gone.sock" }), answers(""));
    expect(none?.problem).toMatchObject({ code: "PROVISION_PHP_FPM_NOT_FOUND" });
    expect(none?.properties.map(([key]) => key)).not.toContain("phpfpm_mode");
    const port = await probeNginx(server(), answers("mode basic\nmode boa"));
    expect([port?.problem, port?.doubt?.includes("127.0.0.1:9000"), (await probeNginx(server(), answers("port 9000")))?.doubt]).toEqual([undefined, true, undefined]);
    expect(Object.fromEntries(port?.properties ?? [])).toMatchObject({ phpfpm_mode: "port", nginx_config_mode: "basic", satellite_mode: "boa" });
  });

  it("a machine without nginx is told apart", async () => {
    expect(await probeNginx(server(), { ...environment, run: () => Promise.resolve({ ok: true, refused: false, output: "socket /x" }) })).toBeUndefined();
  });
});

describe("the shadow of a configuration", () => {
  let host: NginxHost;
  beforeAll(async () => {
    host = await openNginxHost();
    await host.serve({ uri: "one.test" });
    await host.serve({ uri: "two.test" });
  }, 120_000);
  afterAll(() => host.close());

  async function tested(changes: readonly WebChange[]): Promise<{ ok: boolean; output: string }> {
    const control = nginxControl(host.nginx.restartCommand, environment, new Remembered(join(folder, "cache")));
    const shadow = await buildShadow(host.server(), changes, { control, journal: { scratch: () => undefined } as unknown as Journal });
    if (shadow === undefined) throw new Error("There is no shadow.");
    try {
      const outcome = await control.test(shadow.mainFile);
      if (outcome === undefined) throw new Error("There is no outcome.");
      return { ok: outcome.ok, output: shadow.realPaths(outcome.output) };
    } finally {
      shadow.remove();
    }
  }
  const at = (path: string): string => join(host.home.path, "config", path);

  it("is the real one where nothing changes, and goes again", async () => {
    const before = readdirSync(at("server_master"));
    expect(await tested([])).toMatchObject({ ok: true });
    expect(readdirSync(at("server_master"))).toEqual(before);
  });

  it("finds mistakes in a site, in the rules of all sites and in the server's file, under their real names", async () => {
    for (const path of ["server_master/nginx/vhost.d/one.test", "includes/nginx_vhost_common.conf", "server_master/nginx.conf", "server_master/nginx/vhost.d/new.test", "server_master/nginx/pre.d/x"]) {
      const outcome = await tested([{ path: at(path), content: "no_such_directive on;\n" }]);
      expect([path, outcome.ok, outcome.output.includes(`unknown directive "no_such_directive" in ${at(path)}:1`)]).toEqual([path, false, true]);
    }
    expect(existsSync(at("server_master/nginx/vhost.d/new.test"))).toBe(false);
  });

  it("lets a change mend what is broken", async () => {
    const path = at("server_master/nginx/vhost.d/broken.test");
    writeFileSync(path, "no_such_directive on;\n");
    expect(await tested([])).toMatchObject({ ok: false });
    expect(await tested([{ path, content: undefined }])).toMatchObject({ ok: true });
    expect(await tested([{ path, content: "# nothing\n" }])).toMatchObject({ ok: true });
    rmSync(path);
  });

  it("is none where the main file does not include the server's", async () => {
    const control = nginxControl("true", environment, new Remembered(join(folder, "cache")));
    expect(await buildShadow(host.server(), [], { control, journal: { scratch: () => undefined } as unknown as Journal })).toBeUndefined();
  });
});
