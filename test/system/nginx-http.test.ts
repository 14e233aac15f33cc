import { existsSync, lstatSync, readFileSync, readlinkSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Answer } from "../support/apache.ts";
import { good, SERVER } from "../support/front-end.ts";
import { openNginxFrontEnd, type NginxFrontEnd } from "../support/nginx-front-end.ts";
import { modeOf, treeOf } from "../support/tree.ts";

/** An nginx that runs what our verify has written, through the whole of the program. */
const URI = "site.test";
const APP = `config/${SERVER}/nginx`;

let frontEnd: NginxFrontEnd;
let root: string;

beforeAll(async () => {
  frontEnd = await openNginxFrontEnd();
  root = await frontEnd.openPlatform();
  await frontEnd.installSite(root, URI, { aliases: ["www.site.test"] });
  await good(frontEnd.task(URI, "verify"));
}, 300_000);
afterAll(() => frontEnd.strike());

function at(...path: string[]): string {
  return join(frontEnd.home, ...path);
}

function get(host: string, path: string): Promise<Answer> {
  return frontEnd.nginx.fetch(host, path);
}

async function way(host: string, path: string): Promise<[number, string | undefined]> {
  const { status, headers } = await get(host, path);
  return [status, headers.location];
}

function alias(name: string): string {
  return readFileSync(at(".drush", `${name}.alias.drushrc.php`), "utf8");
}

/** What the task answers, and the status of each request that somebody makes meanwhile, a few at a time. */
async function whileAsking<T>(task: () => Promise<T>): Promise<[T, number[]]> {
  const statuses: number[] = [];
  let isOver = false;
  const ask = async (): Promise<void> => {
    while (!isOver) statuses.push((await get(URI, "/misc/drupal.js")).status);
  };
  const asking = [1, 2, 3, 4].map(ask);
  const answer = await task().finally(() => (isOver = true));
  await Promise.all(asking);
  return [answer, statuses];
}

describe("a server", () => {
  it("http 1, 2: has its directories and the link that nginx includes", () => {
    const modes = Object.fromEntries([APP, ...["pre.d", "post.d", "platform.d", "vhost.d", "subdir.d"].map((name) => `${APP}/${name}`), "config/includes"].map((path) => [path, modeOf(at(path))]));
    expect(modes).toEqual({ [APP]: "711", [`${APP}/pre.d`]: "700", [`${APP}/post.d`]: "700", [`${APP}/platform.d`]: "700", [`${APP}/vhost.d`]: "700", [`${APP}/subdir.d`]: "700", "config/includes": "711" });
    expect(readlinkSync(at("config/nginx.conf"))).toBe(at("config", SERVER, "nginx.conf"));
  });

  it("http 3: has the rules of all sites, also under their names of old", () => {
    expect(lstatSync(at("config/includes/nginx_vhost_common.conf")).isFile()).toBe(true);
    for (const name of ["nginx_simple_include.conf", "nginx_advanced_include.conf"]) expect(readlinkSync(at("config/includes", name))).toBe(at("config/includes/nginx_vhost_common.conf"));
  });

  it("what was found out about nginx stands in its alias", () => {
    for (const line of ["'nginx_is_modern' => 1", "'nginx_has_http2' => 1", "'nginx_has_gzip' => 1", "'nginx_has_upload_progress' => 0", "'phpfpm_mode' => 'socket'", `'phpfpm_socket' => '${frontEnd.php.socket}'`]) expect(alias(SERVER)).toContain(line);
  });
});

describe("a site", () => {
  it("is Drupal's page, by way of PHP-FPM and with its database", async () => {
    const { status, body } = await get(URI, "/node/1");
    expect([status, body.includes(`sites/${URI}`)]).toEqual([200, true]);
    expect((await get("www.site.test", "/")).status).toBe(200);
    expect(frontEnd.php.phpErrors()).toBe("");
  });

  it("http 5, 7: a verify again changes nothing, that of a platform writes nothing", async () => {
    const before = treeOf(at("config"));
    await good(frontEnd.task("platform_standin", "verify"));
    await good(frontEnd.task(SERVER, "verify"));
    await good(frontEnd.task(URI, "verify"));
    expect(treeOf(at("config"))).toEqual(before);
  });

  it("http 28, 38, 41: is redirected, disabled and enabled", async () => {
    await good(frontEnd.save(URI, { redirection: URI }));
    await good(frontEnd.task(URI, "verify"));
    expect(await way("www.site.test", "/p?x=1")).toEqual([301, `http://${URI}:${frontEnd.nginx.port}/p?x=1`]);
    await good(frontEnd.task(URI, "disable"));
    for (const host of [URI, "www.site.test"]) expect(await way(host, "/p?x=1")).toEqual([302, `http://aegir.test/hosting/disabled/${URI}`]);
    expect(alias(URI)).toContain("'site_enabled' => false");
    await good(frontEnd.task(URI, "enable"));
    expect((await get(URI, "/")).status).toBe(200);
    await good(frontEnd.save(URI, { redirection: "null" }));
    await good(frontEnd.task(URI, "verify"));
  });
});

describe("a broken neighbour", () => {
  it("makes the task red and leaves every byte and the running server as they were", async () => {
    frontEnd.stage.home.write(`${APP}/vhost.d/broken.test`, "server {\n  no_such_directive on;\n}\n", 0o600);
    const before = treeOf(at("config"));
    await good(frontEnd.save(URI, { redirection: "www.site.test" }));
    const [answer, statuses] = await whileAsking(() => frontEnd.task(URI, "verify"));
    expect([new Set(statuses), statuses.length > 50]).toEqual([new Set([200]), true]);
    expect(answer.status).not.toBe(0);
    expect(answer.errors).toEqual(["PROVISION_WEB_CONFIG_BROKEN"]);
    expect(answer.messages["PROVISION_WEB_CONFIG_BROKEN"]).toMatch(/was broken before this task.*no_such_directive.*vhost\.d\/broken\.test:2/s);
    expect(treeOf(at("config"))).toEqual(before);
    expect((await get(URI, "/")).status).toBe(200);
    await frontEnd.stage.home.user.run(["rm", at(APP, "vhost.d/broken.test")]);
    // Nor does a reload lose a request.
    const [, meanwhile] = await whileAsking(() => good(frontEnd.task(URI, "verify")));
    expect([...new Set(meanwhile)].sort()).toEqual([200, 301]);
    expect(await way(URI, "/")).toEqual([301, `http://www.site.test:${frontEnd.nginx.port}/`]);
  });
});

describe("a site in a folder", () => {
  it("http 89, 91: is served, with its own settings, until its alias goes", async () => {
    const { home } = frontEnd.stage;
    const drushrc = readFileSync(at(".drush/drushrc.php"), "utf8");
    home.write(".drush/drushrc.php", `${drushrc}$options['hosting_features'] = array('subdirs' => 1);\n`);
    await good(frontEnd.save(URI, { redirection: "null", aliases: "www.site.test,host.test/foo" }));
    await good(frontEnd.task(URI, "verify"));
    const page = await get("host.test", "/foo/node/1");
    expect([page.status, page.body.includes(`sites/${URI}`)]).toEqual([200, true]);
    expect(await way("host.test", "/foo")).toEqual([301, `http://host.test:${frontEnd.nginx.port}/foo/`]);
    expect(await way("host.test", "/")).toEqual([404, undefined]);
    expect(frontEnd.php.phpErrors()).toBe("");
    await good(frontEnd.save(URI, { redirection: "www.site.test", aliases: "www.site.test" }));
    await good(frontEnd.task(URI, "verify"));
    expect([(await get("host.test", "/foo/")).status, existsSync(at(APP, "subdir.d/host.test")), existsSync(at(APP, "vhost.d/host.test"))]).toEqual([404, false, false]);
    home.write(".drush/drushrc.php", drushrc);
  });
});

describe("a port that is not free", () => {
  it("makes the task red, and all is served as before", async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, resolve));
    const { port } = other.address() as AddressInfo;
    try {
      await good(frontEnd.save(SERVER, { ...frontEnd.serverOptions, http_port: String(port) }));
      const before = treeOf(at("config"));
      const answer = await frontEnd.task(SERVER, "verify");
      expect(answer.errors).toEqual(["PROVISION_WEB_RELOAD_FAILED"]);
      expect(treeOf(at("config"))).toEqual(before);
      expect(await way(URI, "/")).toEqual([301, `http://www.site.test:${frontEnd.nginx.port}/`]);
    } finally {
      await new Promise((resolve) => other.close(resolve));
      await good(frontEnd.save(SERVER, frontEnd.serverOptions));
      await good(frontEnd.task(SERVER, "verify"));
    }
  }, 120_000);
});
