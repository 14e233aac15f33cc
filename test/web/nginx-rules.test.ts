import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openNginxHost, type NginxHost } from "./nginx-host.ts";

/** Requests to an nginx that runs the rules of all sites: which answers from a file, which from PHP, which from neither. */
const URI = "site.test";
const FILES = `sites/${URI}/files`;
const SESSION = { Cookie: "SESSabc123=me" };
const GOOGLEBOT = { "User-Agent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)" };

let host: NginxHost;

beforeAll(async () => {
  host = await openNginxHost();
  const { put } = host;
  put("web.config", "");
  for (const name of ["cron.php", "update.php", "authorize.php", "install.php", "xmlrpc.php", "foo.php", "js.php"]) put(name, readFileSync(join(host.root, "index.php"), "utf8"));
  for (const [name, text] of Object.entries(LEGACY)) put(name, text);
  await host.serve({ uri: URI, aliases: ["www.site.test"] });
}, 120_000);
afterAll(() => host.close());

/** What there is to be found, or not. */
const CODE = "<?php echo 'r' . 'un'; // the code";
const LEGACY: Readonly<Record<string, string>> = {
  ".git/config": "git", ".env": "env", ".svn/entries": "svn", "composer.json": "{}", "composer.lock": "{}", "vendor/composer/installed.json": "{}", "CHANGELOG.txt": "changes",
  "sites/x/y.inc": "code", "a.sql": "sql", "a.sql.bak": "sql", "a.php~": "code", "a.php.swp": "code", "x.yml": "yaml", "x.html.twig": "twig", "modules/node/node.module": "code", "modules/node/README.txt": "read me",
  "modules/system/secret.php": CODE, "sites/all/modules/captcha/hidden.php": CODE, "sites/all/modules/x/ajax/handler.php": CODE, "sites/all/modules/ad/serve.php": "<?php echo json_encode(['ran' => 'serve.php']);",
  "admin/tool.php": CODE, "admin/.env": "env", "search/x.inc": "code", "admin/a.png": "picture", "some.phtml": CODE, "some.phar": CODE,
  ".well-known/security.txt": "well known", "misc/a.js": "js", "misc/a.css": "css", "misc/a.png": "png", "misc/a.json": "[]",
  [`${FILES}/a.txt`]: "upload", [`${FILES}/a.png`]: "picture", [`${FILES}/images/b.jpg`]: "image", [`${FILES}/doc.pdf`]: "pdf", [`${FILES}/archive.zip`]: "zip", [`${FILES}/odd.xyz`]: "odd", [`${FILES}/styles/thumb/public/a.png`]: "derivative", [`${FILES}/downloads/d.pdf`]: "download",
  [`${FILES}/css/made.css`]: "made", [`${FILES}/config_abc/sync.txt`]: "configuration", [`${FILES}/backup_migrate/dump.gz`]: "dump", [`${FILES}/private/x.pdf`]: "private upload", [`${FILES}/civicrm/upload/x.txt`]: "form", [`${FILES}/extra.css`]: "style",
  [`sites/${URI}/private/x.txt`]: "private", [`sites/${URI}/private/captcha/x.txt`]: "private", [`sites/${URI}/private/system/x.pdf`]: "private", [`sites/${URI}/private/a.r.png`]: "x", [`sites/${URI}/private/a.png`]: "private",
  [`sites/${URI}/settings.php`]: CODE, [`sites/${URI}/drushrc.php`]: CODE,
};

const body = async (path: string, headers: Record<string, string> = {}): Promise<string> => (await host.get(URI, path, { headers })).body;
const status = (path: string, headers: Record<string, string> = {}): Promise<number> => host.status(URI, path, { headers });
const ran = async (path: string, headers: Record<string, string> = {}): Promise<string | undefined> => (await host.ran(URI, path, { headers }))?.["ran"];

describe("the configuration", () => {
  it("43: passes nginx's test in Debian's own main file", async () => {
    const { home, nginx } = host;
    const stock = readFileSync("/etc/nginx/nginx.conf", "utf8");
    const moved = stock.replaceAll("/etc/nginx/conf.d/", `${nginx.directory}/conf.d/`).replaceAll("/var/log/nginx", nginx.logPath).replace(/^pid .*$/m, `pid ${nginx.directory}/stock.pid;`).replace(/^\s*include .*sites-enabled.*$/m, "");
    const places = ["proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${nginx.statePath}/${name};`).join("\n");
    writeFileSync(join(nginx.directory, "stock.conf"), moved.replace("http {", `http {\n${places}`));
    const { stderr } = await home.user.run(["/usr/sbin/nginx", "-t", "-e", join(nginx.logPath, "error.log"), "-p", nginx.directory, "-c", join(nginx.directory, "stock.conf")]);
    expect(stderr).toMatch(/test is successful/);
    expect(stderr.split("\n").filter((line) => /\[(?:warn|emerg)\]/.test(line) && !line.includes('the "user" directive'))).toEqual([]);
  });

  it("4: is fine without platforms and sites", async () => {
    const { home, nginx, root } = host;
    const { stderr } = await home.user.run(["sh", "-c", `mv config/server_master/nginx/vhost.d ~/kept; mkdir config/server_master/nginx/vhost.d; ${nginx.control} -t; rmdir config/server_master/nginx/vhost.d; mv ~/kept config/server_master/nginx/vhost.d`], { cwd: join(root, "../..") });
    expect(stderr).toMatch(/test is successful/);
  });

  it("44: an unknown host is 404, whatever the path", async () => {
    for (const path of ["/", "/node/1", "/index.php", "/.well-known/acme-challenge/x"]) expect([path, await host.status("unknown.test", path)]).toEqual([path, 404]);
  });
});

describe("pages", () => {
  it("45: a Drupal 7 is asked without q, a Drupal 8 too, an older one with it", async () => {
    expect(await host.ran(URI, "/node/1?x=1")).toMatchObject({ ran: "index.php", q: null, QUERY_STRING: "x=1", REQUEST_URI: "/node/1?x=1" });
    for (const [name, marker, q] of [["eight", "core/x", null], ["six", "x", "node/1"]] as const) {
      const root = join(host.home.path, "platforms", name);
      host.home.write(`platforms/${name}/index.php`, readFileSync(join(host.root, "index.php"), "utf8"));
      host.home.write(`platforms/${name}/${marker}`, "");
      await host.serve({ uri: `${name}.test`, root });
      expect([name, await host.ran(`${name}.test`, "/node/1?y=2")]).toEqual([name, expect.objectContaining({ ran: "index.php", q, MAIN_SITE_NAME: `${name}.test` })]);
      expect(await host.ran(`${name}.test`, "/")).toMatchObject({ ran: "index.php" });
    }
  });

  it("get the site's credentials, url-encoded", async () => {
    await host.serve({ uri: "odd.test", credentials: { password: "Ab3 x+y~z@/" } });
    expect(await host.ran("odd.test", "/")).toMatchObject({ db_type: "mysql", db_name: "db", db_user: "me", db_passwd: "Ab3+x%2By%7Ez%40%2F", db_host: "127.0.0.1", db_port: "3306" });
  });

  it("63: a site without credentials has those of no database", async () => {
    await host.serve({ uri: "none.test", credentials: { user: "", port: "" } });
    expect(await host.ran("none.test", "/")).toMatchObject({ db_type: "mysqli", db_name: "none", db_user: "none", db_passwd: "none", db_host: "localhost", db_port: "3306" });
  });

  it("62: a header Proxy is not HTTP_PROXY", async () => {
    expect((await host.ran(URI, "/node/1?proxy", { headers: { Proxy: "evil:8080" } }))?.["HTTP_PROXY"] ?? "").toBe("");
  });

  it("47: methods are those of pages and of REST", async () => {
    for (const [method, expected] of [["PURGE", 403], ["PROPFIND", 403], ["PATCH", 200], ["PUT", 200], ["DELETE", 200], ["OPTIONS", 200], ["HEAD", 200], ["TRACE", 405]] as const) expect([method, await host.status(URI, "/node/1", { method })]).toEqual([method, expected]);
    expect(await host.ran(URI, "/node/1", { method: "PATCH", body: "x" })).toMatchObject({ REQUEST_METHOD: "PATCH" });
  });

  it("48: what attacked old Drupals is refused", async () => {
    for (const query of ["element_parents=%23x", "a=1&x=23value", "q=user&name[23default_value]=1"]) expect([query, await host.status(URI, `/node/1?${query}`, { method: "POST" })]).toEqual([query, 403]);
    expect(await status("/node/1?element_parents=%23x")).toBe(200);
    for (const query of ["x=union+select", "x=../../etc/passwd", "x=1;drop"]) expect([query, await status(`/node/1?${query}`)]).toEqual([query, 403]);
  });

  it("49: update.php is for who is logged in", async () => {
    for (const path of ["/update.php", "/authorize.php", "/update.php?op=selection"]) expect([path, await status(path), await ran(path, SESSION)]).toEqual([path, 404, path.replace(/^\/|\?.*/g, "")]);
    expect(await host.ran(URI, "/update.php/selection", { headers: SESSION })).toMatchObject({ ran: "update.php", PATH_INFO: "/selection" });
    expect(await status("/core/update.php", SESSION)).toBe(404);
  });

  it("50: other scripts are not run, but cron.php is", async () => {
    for (const path of ["/xmlrpc.php", "/install.php", "/foo.php", "/nothing.php", "/modules/system/secret.php", "/sites/all/modules/captcha/hidden.php", "/sites/all/modules/x/ajax/handler.php", "/some.phtml", "/some.phar", `/sites/${URI}/settings.php`, `/sites/${URI}/drushrc.php`, `/cdn/farfuture/a/b/sites/${URI}/settings.php`]) {
      const got = await host.get(URI, path);
      expect([path, got.body.includes("the code"), got.body === "run"]).toEqual([path, false, false]);
      if (!path.startsWith("/cdn/")) expect([path, got.status]).toEqual([path, 404]);
    }
    expect([await ran("/cron.php"), await ran("/sites/all/modules/ad/serve.php"), await ran("/js/some/callback")]).toEqual(["cron.php", "serve.php", "js.php"]);
  });

  it("code in folders that are named like Drupal's pages is not shown either", async () => {
    for (const path of ["/admin/tool.php", "/admin/.env", "/search/x.inc"]) expect([path, await ran(path), await status(path, GOOGLEBOT)]).toEqual([path, "index.php", 403]);
    expect(await body("/admin/a.png")).toBe("picture");
  });

  it("57: search engines need not know everything", async () => {
    for (const path of ["/search/x", "/admin", "/user", "/user/login", "/node/1/edit", "/fr/user", "/civicrm", "/hosting/c/site.info", "/batch", "/audio/download/x/y.mp3"]) expect([path, await status(path, GOOGLEBOT)]).toEqual([path, 403]);
    for (const path of ["/", "/node/1", "/users-guide", "/about"]) expect([path, await status(path, GOOGLEBOT)]).toEqual([path, 200]);
  });

  it("58: content is deleted by who is logged in", async () => {
    expect([await status("/node/1/delete"), await status("/node/1/delete", SESSION), await status("/approve/1"), await status("/nodes/1/delete")]).toEqual([403, 200, 403, 200]);
  });

  it("names like those of files are Drupal's where it has such pages", async () => {
    for (const path of ["/hosting/c/site.info", "/hosting/c/x.pl", "/admin/a.js", "/search/node/x.css", "/cron/key", "/system/ajax", "/system/files/x.pdf", "/sw.js", "/data.json", "/rss.xml", "/files/report", "/content/sitemap.xml"]) expect([path, await ran(path)]).toEqual([path, "index.php"]);
  });
});

describe("pages that are kept for a moment", () => {
  const cached = async (path: string, more: { readonly headers?: Record<string, string>; readonly method?: string } = {}): Promise<[string | undefined, string | undefined]> => {
    const got = await host.get(URI, path, more);
    const nonce = got.body === "" ? undefined : (JSON.parse(got.body) as { nonce: string }).nonce;
    return [got.headers["x-speed-cache"] as string | undefined, nonce];
  };

  it("59: the second anonymous visitor gets the page of the first one, nobody else does", async () => {
    const [first, page] = await cached("/kept?1");
    expect([first, await cached("/kept?1")]).toEqual(["MISS", ["HIT", page]]);
    expect((await cached("/kept?1", { method: "POST" }))[1]).not.toBe(page);
    expect((await cached("/kept?1", { headers: { Cookie: "NoCacheID=1" } }))[0]).toBe("BYPASS");
    expect((await cached("/kept?1", { headers: { Authorization: "Basic x" } }))[0]).toBe("BYPASS");
    const mine = await cached("/kept?1", { headers: SESSION });
    const others = await cached("/kept?1", { headers: { Cookie: "a=b; SSESSdef456=you" } });
    expect(new Set([page, mine[1], others[1]]).size).toBe(3);
    expect((await cached("/kept?nocache=1"))[0]).toBe("BYPASS");
  });

  it("60: personal pages are not kept", async () => {
    for (const path of ["/user", "/user/login", "/admin", "/fr/user", "/cart", "/node/add/page", "/node/1/edit", "/system/ajax", "/views/ajax", "/hosting/sites", "/?q=user", "/index.php?q=admin/config"]) {
      const [first, page] = await cached(path);
      const [second, again] = await cached(path);
      expect([path, first, second, page === again]).toEqual([path, "BYPASS", "BYPASS", false]);
    }
  });

  it("61: parameters that say where a visitor comes from do not hide the others", async () => {
    const [, one] = await cached("/p?foo=1&utm_source=a");
    const [, two] = await cached("/p?foo=2&utm_source=a");
    expect(two).not.toBe(one);
    for (const path of ["/p?foo=1&utm_source=b", "/p?utm_medium=x&foo=1", "/p?foo=1", "/p?foo=1&gclid=1&utm_source=b&utm_term=c&utm_content=d"]) expect([path, await cached(path)]).toEqual([path, ["HIT", one]]);
    expect((await cached("/p?foo=1&source=a"))[0]).toBe("MISS");
  });
});

describe("files", () => {
  it("51: what belongs to the code is not there, although it is", async () => {
    const paths = [".git/config", ".env", ".svn/entries", "composer.json", "composer.lock", "vendor/composer/installed.json", "CHANGELOG.txt", "sites/x/y.inc", "a.sql", "a.sql.bak", "a.php~", "a.php.swp", "x.yml", "x.html.twig", "modules/node/node.module", "modules/node/README.txt"];
    for (const path of paths) expect([path, await status(`/${path}`), await status(`/${path.toUpperCase()}`)]).toEqual([path, 404, 404]);
    expect(await body("/.well-known/security.txt")).toBe("well known");
  });

  it("52: private files are Drupal's to give away", async () => {
    for (const path of ["x.txt", "captcha/x.txt", "system/x.pdf", "a.r.png", "a.png"]) {
      const got = await host.get(URI, `/sites/${URI}/private/${path}`);
      expect([path, got.status, got.body.includes("private")]).toEqual([path, 404, false]);
    }
    for (const path of ["backup_migrate/dump.gz", "config_abc/sync.txt"]) {
      expect([path, await status(`/${FILES}/${path}`), await status(`/files/${path}`), await status(`/x/${FILES}/${path}`), await body(`/cdn/farfuture/a/b/${FILES}/${path}`)]).toEqual([path, 403, 404, 403, expect.not.stringMatching(/dump|configuration/)]);
    }
    for (const path of ["civicrm/upload/x.txt", "civicrm/ConfigAndLog/none.txt"]) expect([path, await status(`/${FILES}/${path}`), await status(`/files/${path}`), await status(`/x/${FILES}/${path}`)]).toEqual([path, 404, 404, 404]);
    for (const path of [`/${FILES}/private/x.pdf?a=b`, "/files/private/x.pdf?a=b"]) {
      const sent = await host.get(URI, path);
      expect([path, sent.status, sent.headers.location]).toEqual([path, 301, `http://${URI}:${host.nginx.port}/system/files/private/x.pdf?a=b`]);
    }
    for (const path of [`/x/${FILES}/private/x.pdf`, `/cdn/farfuture/a/b/${FILES}/private/x.pdf`, `/cdn/farfuture/a/b/sites/${URI}/private/x.txt`]) expect([path, await body(path)]).toEqual([path, expect.not.stringContaining("private upload")]);
  });

  it.each(["x.php", "x.PHP", "x.php7", "x.phtml", "x.phar", "x.phps", "x.pht", "deeper/x.php", "x.txt.php", "x.php/more", "modules/ad/x.php", "styles/x.php", "css/x.php", "ajax/x.php", "system/x.php", "captcha/x.php"])("53: %s among the uploads is neither run nor shown", async (name) => {
    host.put(`${FILES}/${name.replace(/\/more$/, "")}`, CODE);
    for (const path of [`/${FILES}/${name}`, `/files/${name}`, `/cdn/farfuture/a/b/${FILES}/${name}`, `/x/${FILES}/${name}`]) expect([path, await body(path)]).toEqual([path, expect.not.stringMatching(/^run|the code/)]);
    expect(await status(`/${FILES}/${name}`)).toBe(404);
  });

  it("54: a derivative that is not there is made by Drupal, another file is not", async () => {
    expect(await ran(`/${FILES}/styles/thumb/public/new.png`)).toBe("index.php");
    expect(await ran("/files/styles/thumb/public/new.png")).toBe("index.php");
    expect(await ran(`/${FILES}/css/css_new.css?delta=0`)).toBe("index.php");
    expect(await body(`/${FILES}/styles/thumb/public/a.png`)).toBe("derivative");
    expect(await body("/files/styles/thumb/public/a.png")).toBe("derivative");
    for (const path of [`/${FILES}/none.png`, "/files/none.png", "/misc/none.png", "/misc/none.css", "/misc/none.js", `/${FILES}/none.xyz`]) expect([path, await status(path)]).toEqual([path, 404]);
  });

  it("55: are at /files and in their old places, too; there need not be an icon", async () => {
    for (const [path, text] of [["/files/a.txt", "upload"], [`/${FILES}/a.txt`, "upload"], [`/old/sites/default/files/a.png`, "picture"], ["/images/b.jpg", "image"], ["/downloads/d.pdf", "download"], [`/${FILES}/doc.pdf`, "pdf"], [`/${FILES}/archive.zip`, "zip"], [`/${FILES}/odd.xyz`, "odd"], ["/files/css/made.css", "made"]] as const) expect([path, await body(path)]).toEqual([path, text]);
    expect(await status("/favicon.ico")).toBe(204);
    expect(await ran("/robots.txt")).toBe("index.php");
    host.put(`${FILES}/robots.txt`, "the site's");
    host.put(`${FILES}/favicon.ico`, "icon");
    await host.nginx.reload();
    expect([await body("/robots.txt"), await body("/favicon.ico")]).toEqual(["the site's", "icon"]);
  });

  it("56: are kept by browsers: uploads for a month, scripts and styles for ever", async () => {
    const days = async (path: string): Promise<number> => Number(/max-age=(\d+)/.exec(String((await host.get(URI, path)).headers["cache-control"]))?.[1]) / 86400;
    for (const path of ["/files/a.txt", `/${FILES}/a.png`, "/misc/a.png", `/${FILES}/doc.pdf`]) expect([path, await days(path)]).toEqual([path, 30]);
    for (const path of ["/misc/a.css", "/misc/a.js", "/files/css/made.css", "/files/extra.css"]) expect([path, await days(path)]).toEqual([path, 3650]);
    const { headers } = await host.get(URI, `/${FILES}/a.png`);
    expect([headers["access-control-allow-origin"], headers["x-content-type-options"], headers["x-xss-protection"]]).toEqual(["*", "nosniff", "1; mode=block"]);
  });

  it("styles and scripts are there for who is logged in, too", async () => {
    for (const path of ["/misc/a.css", "/misc/a.js"]) expect([path, await status(path, SESSION), await status(path)]).toEqual([path, 200, 200]);
  });
});

describe("basic rules", () => {
  beforeAll(() => host.serveServer({ nginx_config_mode: "basic" }));
  afterAll(() => host.serveServer());

  it("46: pages are Drupal's there, too", async () => {
    expect(await host.ran(URI, "/node/1?x=1")).toMatchObject({ ran: "index.php", q: null, QUERY_STRING: "x=1" });
    for (const path of ["/", "/admin/x", "/user", "/system/files/x.pdf", `/${FILES}/styles/thumb/public/new.png`]) expect([path, await ran(path)]).toEqual([path, "index.php"]);
    expect([await ran("/update.php"), await ran("/xmlrpc.php"), await ran("/cron.php"), await status("/foo.php"), await status("/install.php")]).toEqual(["update.php", "xmlrpc.php", "cron.php", 404, 404]);
  });

  it("51, 52, 53: and nothing is shown that should not be", async () => {
    for (const path of [".git/config", ".env", "composer.json", "a.sql", "a.php~", "some.phtml", `sites/${URI}/settings.php`, `sites/${URI}/private/x.txt`, `${FILES}/x.php`, "files/x.php", "files/private/x.pdf", `${FILES}/private/x.pdf`, `x/${FILES}/private/x.pdf`, "files/civicrm/upload/x.txt"]) expect([path, await body(`/${path}`)]).toEqual([path, expect.not.stringMatching(/^(?:git|env|\{\}|sql|private|run|form)|code/)]);
    expect(await status(`/${FILES}/backup_migrate/dump.gz`)).toBe(403);
    expect(await body("/files/a.txt")).toBe("upload");
  });
});
