import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Answer } from "../support/apache.ts";
import { good, installSite, openFrontEnd, openPlatform, SERVER, writeAlias, type FrontEnd } from "../support/front-end.ts";

/** Requests over HTTP to an Apache that runs what our verify has written. */
const URI = "site.test";
const CHALLENGE = "/.well-known/acme-challenge";

let frontEnd: FrontEnd;
let root: string;
let site: string;

beforeAll(async () => {
  frontEnd = await openFrontEnd();
  root = await openPlatform(frontEnd);
  site = `platforms/standin/sites/${URI}`;
  await installSite(frontEnd, root, URI, { aliases: ["www.site.test", "second.test"] });
  const { home } = frontEnd.stage;
  home.write("platforms/standin/server.php", `<?php echo json_encode(array_intersect_key($_SERVER, array_flip(['db_type', 'db_name', 'db_user', 'db_passwd', 'db_host', 'db_port'])));`);
  home.write("challenges/token", "proof");
  home.write(`config/${SERVER}/apache/pre.d/challenges`, `Alias ${CHALLENGE}/ ${join(home.path, "challenges")}/\n<Directory ${join(home.path, "challenges")}>\n  Require all granted\n</Directory>\n`, 0o600);
  await good(frontEnd.task(URI, "verify"));
}, 300_000);
afterAll(() => frontEnd.strike());

function get(host: string, path: string, headers: Record<string, string> = {}): Promise<Answer> {
  return frontEnd.stage.apache.fetch(host, path, { headers });
}

async function status(host: string, path: string): Promise<number> {
  return (await get(host, path)).status;
}

/** Status and where to. */
async function way(host: string, path: string): Promise<[number, string | undefined]> {
  const { status: code, headers } = await get(host, path);
  return [code, headers.location];
}

function vhost(): string {
  return readFileSync(join(frontEnd.home, `config/${SERVER}/apache/vhost.d`, URI), "utf8");
}

async function shell(script: string): Promise<string> {
  return (await frontEnd.stage.home.user.run(["sh", "-c", script])).stdout;
}

async function redirectTo(redirection: string): Promise<void> {
  await good(frontEnd.save(URI, { redirection }));
  await good(frontEnd.task(URI, "verify"));
}

describe("a site", () => {
  it("http 13: Apache's test is content with it, and does not need mod_access_compat", async () => {
    const { apache, home } = frontEnd.stage;
    const { stdout, stderr } = await home.user.run([apache.control, "-t"]);
    expect((stdout + stderr).trim()).toBe("Syntax OK");
    const place = join(home.beside, "apache");
    await shell(`sed '/access_compat/d' ${place}/apache2.conf > ${place}/without.conf`);
    const without = await home.user.run(["apache2", "-t", "-d", place, "-f", join(place, "without.conf")]);
    expect(without.stderr.trim()).toBe("Syntax OK");
  });

  it("http 14: an unknown host is 404, whatever the path", async () => {
    for (const path of ["/", "/node/1", "/index.php", "/server.php", `${CHALLENGE}/`]) expect([path, await status("unknown.test", path)]).toEqual([path, 404]);
  });

  it("http 15: a certificate authority gets its token for an unknown host", async () => {
    expect((await get("unknown.test", `${CHALLENGE}/token`)).body).toBe("proof");
    expect(await status("unknown.test", `${CHALLENGE}/other`)).toBe(404);
  });

  it("http 16, 18: is served with the six credentials in its environment, a plain password unchanged", async () => {
    expect(await status(URI, "/")).toBe(200);
    const { mariadb } = frontEnd.stage;
    expect(JSON.parse((await get(URI, "/server.php")).body)).toEqual({ db_type: "mysql", db_name: "sitetest", db_user: "sitetest", db_passwd: "Site-Pass_1", db_host: "127.0.0.1", db_port: String(mariadb.port) });
  });

  it("http 17: is the same under each of its aliases", async () => {
    for (const host of [URI, "www.site.test", "second.test"]) {
      const { status: code, body } = await get(host, "/node/1");
      expect([host, code, body.includes(`sites/${URI}`)]).toEqual([host, 200, true]);
    }
  });

  it("http 24: has the platform's rules although AllowOverride is none", async () => {
    expect([await status(URI, "/node/1"), await status(URI, "/no/such/page"), await status(URI, "/modules/node/node.module")]).toEqual([200, 404, 403]);
    expect((await get(URI, "/no/such/page")).body).toContain("Page not found");
  });

  it("http 25: a .htaccess further down is ignored", async () => {
    frontEnd.stage.home.write("platforms/standin/misc/.htaccess", "Require all denied\nNoSuchDirective on\n");
    expect(await status(URI, "/misc/drupal.js")).toBe(200);
  });

  it("writes nothing into PHP's error log", () => {
    expect(frontEnd.stage.apache.phpErrors()).toBe("");
  });
});

describe("files", () => {
  it("http 20: are at /files, too", async () => {
    frontEnd.stage.home.write(`${site}/files/a.txt`, "upload");
    for (const path of ["/files/a.txt", `/sites/${URI}/files/a.txt`]) expect([path, (await get(URI, path)).body]).toEqual([path, "upload"]);
  });

  it("http 21: robots.txt is the site's own if there is one, else the platform's", async () => {
    expect((await get(URI, "/robots.txt")).body).toBe(readFileSync(join(root, "robots.txt"), "utf8"));
    frontEnd.stage.home.write(`${site}/files/robots.txt`, "the site's");
    expect((await get(URI, "/robots.txt")).body).toBe("the site's");
    await shell(`rm ${site}/files/robots.txt`);
  });

  it.each(["x.php", "x.PHP", "x.php7", "x.phtml", "x.phar", "x.phps", "x.pht", "x.php/more", "deeper/x.php", "x.txt.php"])("http 22: %s among the uploads is neither run nor shown", async (name) => {
    frontEnd.stage.home.write(`${site}/files/${name.replace(/\/more$/, "")}`, "<?php echo 'r' . 'un'; // the code");
    for (const path of [`/sites/${URI}/files/${name}`, `/files/${name}`]) {
      const { status: code, body } = await get(URI, path);
      expect([path, code, /run|the code/.test(body)]).toEqual([path, 403, false]);
    }
  });

  it("http 22: what only looks like a script in the middle of its name is not run either", async () => {
    frontEnd.stage.home.write(`${site}/files/x.php.txt`, "<?php echo 'r' . 'un'; // the code");
    expect((await get(URI, `/files/x.php.txt`)).body).not.toBe("run");
  });

  it("http 23: nothing private is served", async () => {
    for (const path of ["private/files/a.txt", "private/temp/a.txt", "private/config/sync/a.yml", "private/a.php"]) {
      frontEnd.stage.home.write(`${site}/${path}`, "secret");
      const { status: code, body } = await get(URI, `/sites/${URI}/${path}`);
      expect([path, code, body.includes("secret")]).toEqual([path, 403, false]);
    }
    expect(await status(URI, `/sites/${URI}/private/`)).toBe(403);
  });

  it("http 23: nor under another site's name", async () => {
    expect([await status("www.site.test", `/sites/${URI}/private/files/a.txt`), await status(URI, "/sites/other.test/private/x")]).toEqual([403, 403]);
  });

  it("archives of backup_migrate are not served", async () => {
    frontEnd.stage.home.write(`${site}/files/backup_migrate/manual/dump.mysql.gz`, "dump");
    for (const path of [`/sites/${URI}/files/backup_migrate/manual/dump.mysql.gz`, "/files/backup_migrate/manual/dump.mysql.gz"]) expect([path, await status(URI, path)]).toEqual([path, 403]);
  });

  it("settings and credentials are not readable", async () => {
    for (const name of ["settings.php", "drushrc.php", "local.settings.php"]) expect((await get(URI, `/sites/${URI}/${name}`)).body).not.toContain("Site-Pass_1");
  });
});

describe("redirection", () => {
  /** The target with the port, which is not 80 here. */
  const at = (host: string): string => `http://${host}:${frontEnd.stage.apache.port}`;

  it("http 28, 37: to the main host: an alias is sent there with path and query, the main host is served", async () => {
    await redirectTo(URI);
    expect(vhost()).toContain("# Redirect all aliases");
    expect(await way("www.site.test", "/p?x=1&y=%20")).toEqual([301, `${at(URI)}/p?x=1&y=%20`]);
    expect(await way("second.test", "/")).toEqual([301, `${at(URI)}/`]);
    expect(await way("www.site.test", "/files/a.txt")).toEqual([301, `${at(URI)}/files/a.txt`]);
    expect(await way(URI, "/node/1")).toEqual([200, undefined]);
  });

  it("http 30: the path arrives as it was sent", async () => {
    for (const path of ["/a%20b", "/100%25", "/what%3f", "/line%0d%0aX-Evil:%201", "/caf%C3%A9/?q=a%2Fb", "/a+b", "/%24x%5B1%5D"]) expect(await way("www.site.test", path)).toEqual([301, at(URI) + path]);
  });

  it("http 31: a port in the Host header does not make it loop", async () => {
    const { port } = frontEnd.stage.apache;
    expect(await status(`${URI}:${port}`, "/node/1")).toBe(200);
    expect(await way(`www.site.test:${port}`, "/x")).toEqual([301, `${at(URI)}/x`]);
  });

  it("http 32: hosts are compared without regard to case, and dots are dots", async () => {
    expect(await status("SITE.Test", "/files/a.txt")).toBe(200);
    await good(frontEnd.save(URI, { aliases: "sitextest,www.site.test,second.test" }));
    await good(frontEnd.task(URI, "verify"));
    expect(await way("sitextest", "/")).toEqual([301, `${at(URI)}/`]);
  });

  it("http 36: a certificate authority is never sent away, whether the token is there or not", async () => {
    expect((await get("www.site.test", `${CHALLENGE}/token`)).body).toBe("proof");
    expect(await way("www.site.test", `${CHALLENGE}/other`)).toEqual([404, undefined]);
    await shell(`mv config/${SERVER}/apache/pre.d/challenges kept`);
    frontEnd.stage.home.write(`platforms/standin${CHALLENGE}/inside`, "proof inside");
    await frontEnd.stage.apache.graceful();
    expect((await get("www.site.test", `${CHALLENGE}/inside`)).body).toBe("proof inside");
    expect(await way("www.site.test", `${CHALLENGE}/other`)).toEqual([404, undefined]);
    expect(await way("www.site.test", "/x/index.php")).toEqual([301, `${at(URI)}/x/index.php`]);
    await shell(`mv kept config/${SERVER}/apache/pre.d/challenges`);
    await frontEnd.stage.apache.graceful();
  });

  it("http 29: to an alias: the main host and other aliases are sent there, it is served", async () => {
    await redirectTo("second.test");
    expect(await way(URI, "/p?x=1")).toEqual([301, `${at("second.test")}/p?x=1`]);
    expect(await way("www.site.test", "/")).toEqual([301, `${at("second.test")}/`]);
    expect(await way("second.test", "/node/1")).toEqual([200, undefined]);
  });

  it("http 38: a disabled site sends everybody to the front end, whatever its redirection", async () => {
    await good(frontEnd.task(URI, "disable"));
    for (const host of [URI, "www.site.test", "second.test"]) expect([host, await way(host, "/p?x=1")]).toEqual([host, [302, `http://aegir.test/hosting/disabled/${URI}`]]);
  });

  it("http 38: nor does a path that only has that of certificate authorities in it reach any PHP of a disabled site", async () => {
    await shell(`cp platforms/standin/server.php ${site}/files/upload.php`);
    for (const path of ["/index.php", "/server.php", `/sites/${URI}/files/upload.php`]) expect([path, await way(URI, `${path}${CHALLENGE}/x`)]).toEqual([path, [302, `http://aegir.test/hosting/disabled/${URI}`]]);
    await shell(`rm ${site}/files/upload.php`);
  });

  it("http 36: not a certificate authority, though: tokens are served, and Drupal is not asked for those that are not there", async () => {
    expect((await get(URI, `${CHALLENGE}/token`)).body).toBe("proof");
    await shell(`mv config/${SERVER}/apache/pre.d/challenges kept`);
    await frontEnd.stage.apache.graceful();
    expect((await get("second.test", `${CHALLENGE}/inside`)).body).toBe("proof inside");
    const missing = await get(URI, `${CHALLENGE}/other`);
    expect([missing.status, missing.headers.location, missing.body.includes("Page not found")]).toEqual([404, undefined, false]);
    await shell(`mv kept config/${SERVER}/apache/pre.d/challenges`);
    await good(frontEnd.task(URI, "enable"));
    await redirectTo("null");
    expect(await way("www.site.test", "/")).toEqual([200, undefined]);
  });
});

describe("values in the virtual host", () => {
  async function withDrushrc(script: string, run: () => Promise<void>): Promise<void> {
    await shell(`cd ${site}; cp -p drushrc.php ~/kept; chmod u+w drushrc.php; sed -i "${script}" drushrc.php; chmod 440 drushrc.php`);
    await run();
    await shell(`mv -f ~/kept ${site}/drushrc.php`);
  }

  it("http 16: credentials are url-encoded as PHP does it", async () => {
    const { mariadb } = frontEnd.stage;
    for (const host of ["localhost", "127.0.0.1"]) await mariadb.query(`ALTER USER sitetest@'${host}' IDENTIFIED BY 'Ab3 x+y~z@/'`);
    await withDrushrc("s#Site-Pass_1#Ab3 x+y~z@/#", async () => {
      await good(frontEnd.task(URI, "verify"));
      expect(JSON.parse((await get(URI, "/server.php")).body)).toMatchObject({ db_passwd: "Ab3+x%2By%7Ez%40%2F" });
    });
    for (const host of ["localhost", "127.0.0.1"]) await mariadb.query(`ALTER USER sitetest@'${host}' IDENTIFIED BY 'Site-Pass_1'`);
  });

  it("http 19: empty ones do not break Apache's configuration", async () => {
    await withDrushrc("/db_\\(type\\|host\\|port\\|passwd\\|user\\)'\\] = '/d", async () => {
      await good(frontEnd.task(URI, "enable"));
      expect(JSON.parse((await get(URI, "/server.php")).body)).toEqual({ db_type: "", db_name: "sitetest", db_user: "", db_passwd: "", db_host: "", db_port: "" });
    });
    await good(frontEnd.task(URI, "verify"));
  });

  it("contexts 8: ServerAdmin is site_mail, when a record has it", async () => {
    expect(vhost()).not.toContain("ServerAdmin");
    writeAlias(frontEnd, URI, { context_type: "site", platform: "@platform_standin", uri: URI, aliases: ["www.site.test"], site_mail: "me@example.test" });
    await good(frontEnd.task(URI, "verify"));
    expect(vhost()).toContain("  ServerAdmin me@example.test\n");
  });
});
