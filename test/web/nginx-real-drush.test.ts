import { readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { aliasFileText } from "../../src/aliases/write-alias.ts";
import type { PhpArray } from "../../src/php-values/php-array.ts";
import { phpFrom } from "../../src/php-values/convert.ts";
import { openNginxHost, type NginxHost } from "./nginx-host.ts";

/** Needs a drush 8 (SHIM_TEST_DRUSH) and the home of an Aegir with Provision, of which only Provision is read (SHIM_TEST_AEGIR_ROOT). */
const drush = process.env["SHIM_TEST_DRUSH"];
const aegir = process.env["SHIM_TEST_AEGIR_ROOT"];

describe.skipIf(drush === undefined || aegir === undefined)("beside Provision", () => {
  it("sites and folders that we have written go on with the server's files of Provision, and come back to ours", () =>
    onHost(async (host) => {
      await host.serve({ uri: "site.test", aliases: ["www.site.test", "host.test/foo"], redirection: "site.test" }, { subdirs: true });
      await verifyByDrush(host, "extended");
      for (let round = 0; round < 2; round++) {
        expect(await host.ran("site.test", "/node/1")).toMatchObject({ ran: "index.php", MAIN_SITE_NAME: "site.test" });
        expect(await host.ran("host.test", "/foo/node/1")).toMatchObject({ ran: "index.php", SITE_SUBDIR: "foo" });
        expect((await host.get("www.site.test", "/x")).headers.location).toBe(`http://site.test:${host.nginx.port}/x`);
        await host.serveServer({}, { subdirs: true });
      }
    }), 120_000);

  it.each([["extended", []], ["basic", [[/.*/, /^500/], [/\/files\/a\.(?:css|js)$/, /^200/]]]] as const)("the %s rules answer as Provision's do", (mode, more) =>
    onHost(async (host) => {
      furnish(host);
      await host.serveServer({ nginx_config_mode: mode });
      await host.serve({ uri: "site.test" });
      const ours = await answers(host);
      await verifyByDrush(host, mode);
      const theirs = await answers(host);
      const wanted: readonly (readonly [question: RegExp, theirs: RegExp])[] = [...WANTED, ...more];
      const different = [...ours].filter(([question, answer]) => theirs.get(question) !== answer);
      expect(different.filter(([question]) => !wanted.some(([pattern, was]) => pattern.test(question) && was.test(theirs.get(question) ?? ""))).map(([question, answer]) => ({ question, answer, theirs: theirs.get(question) }))).toEqual([]);
      // The differences are there, and not only on the list.
      expect(different.length).toBeGreaterThan(20);
    }), 120_000);
});

/** What differences.md says, as questions and Provision's answers. */
const WANTED: readonly (readonly [question: RegExp, theirs: RegExp])[] = [
  [/\.web[pm]$/, /.*/],
  [/\/files\/(?:css|js)\/none-a\.(?:css|js)$/, /^404/],
  [/\/private\//, /./],
  [/\/audio\/download\/(?:a\.(?:inc|pl)|$)/, /^[24]0/],
  [/ \/(?:admin|search|hosting|civicrm|cron)\/a\.(?:pl|inc)$/, /^[24]0/],
  [/\/cdn\/farfuture\/.*(?:\.(?:json|md|xyz|pl|inc)|noext)$/, /^[24]0/],
  [/\/(?:files|downloads)\/(?:none-)?a\.inc$/, /^200 +index\.php/],
  [/^bot GET \/(?:users|blog\/admin|done)$/, /^403/],
  [/composer\.json|\.env|x\.twig|x\.yml|secret\.php|evil\.php$/, /./],
];

const NAMES = ["a.jpg", "a.webp", "a.txt", "a.pdf", "a.mp3", "a.mp4", "a.zip", "a.css", "a.js", "a.json", "a.xml", "a.html", "a.woff2", "a.webm", "a.xyz", "a.pl", "a.md", "a.inc", "robots.txt", "favicon.ico", "noext"];
const UPLOADS = "sites/site.test/files";
const FOLDERS = ["", "misc/", "themes/x/", "sites/all/modules/x/", "sites/all/libraries/ckeditor/", "search/", "admin/", "system/", "external/", "audio/download/", "hosting/", "civicrm/", "user/", "cron/", "images/", "captcha/", "ajax/", "sites/default/files/", "sites/site.test/private/",
  ...["", "sub/", "styles/t/public/", "imagecache/t/", "css/", "js/", "advagg_css/", "private/", "images/", "downloads/"].map((name) => `${UPLOADS}/${name}`)];
const SCRIPTS = ["cron.php", "update.php", "authorize.php", "install.php", "xmlrpc.php", "foo.php", "js.php", "boost_stats.php", "sites/all/modules/ad/serve.php"];
const PAGES = ["node/1", "node/1/edit", "node/1/delete", "node/add", "user", "users", "user/login", "admin/x", "cart", "logout", "comment/reply/1", "fr/user", "blog/admin", "search/node/x", "hosting/sites", "fr/civicrm", "batch", "done", "a/autocomplete/x", "rss.xml", "crossdomain.xml", "autodiscover/autodiscover.xml", "cgi-bin/x", "index.php", "index.php?q=node/1", "?q=node/1", "sw.js", "system/ajax", "httprl_async_function_callback", "a%20b", ".env", "composer.json", "x.yml", "x.twig", "modules/system/secret.php", `${UPLOADS}/evil.php`, `${UPLOADS}/backup_migrate/x.gz`];

function furnish({ root, put }: NginxHost): void {
  const prints = readFileSync(join(root, "index.php"), "utf8");
  put("web.config", "");
  for (const name of SCRIPTS) put(name, prints);
  for (const folder of FOLDERS) for (const name of NAMES) put(folder + name, `${folder}${name}`);
  for (const name of [".env", "composer.json", "x.yml", "x.twig", "modules/system/secret.php", `${UPLOADS}/evil.php`, `${UPLOADS}/backup_migrate/x.gz`]) put(name, name);
}

/** `who METHOD path` → status, place, what was sent or run, how long it may be kept. */
async function answers(host: NginxHost): Promise<Map<string, string>> {
  const paths = [
    ...FOLDERS.flatMap((folder) => [...NAMES.flatMap((name) => [folder + name, `${folder}none-${name}`]), `${folder}page`]),
    ...NAMES.flatMap((name) => ["files/", "files/none-", "files/styles/t/public/", "downloads/", "cdn/farfuture/x/y/misc/", "old/sites/default/files/"].map((folder) => folder + name)),
    ...SCRIPTS,
    ...PAGES,
  ];
  const found = new Map<string, string>();
  for (const [who, method, headers] of [["anybody", "GET", {}], ["anybody", "POST", {}], ["somebody", "GET", { Cookie: "SESSabc123=me" }], ["bot", "GET", { "User-Agent": "Googlebot/2.1" }]] as const) {
    for (const path of paths) {
      const { status, headers: sent, body } = await host.get("site.test", `/${path}`, { method, headers, ...(method === "POST" ? { body: "x=1" } : {}) });
      const what = body.startsWith('{"ran"') ? Object.values(JSON.parse(body) as object).slice(0, 2).join(" q=") : body.startsWith("<html") ? "" : body;
      const kept = /no-store/.exec(String(sent["cache-control"]))?.[0] ?? /max-age=\d+/.exec(String(sent["cache-control"]))?.[0] ?? "";
      // Provision leaves out the port.
      found.set(`${who} ${method} /${path}`, `${status} ${(sent.location ?? "").replace(/:\d+/, "")} ${what} ${kept}`);
    }
  }
  return found;
}

async function onHost(work: (host: NginxHost) => Promise<void>): Promise<void> {
  const host = await openNginxHost();
  try {
    await work(host);
  } finally {
    await host.close();
  }
}

/** Has the real drush write the server's files, moves them to where the private nginx may write, and has it read them. */
async function verifyByDrush({ home, nginx, php }: NginxHost, mode: string): Promise<void> {
  symlinkSync(join(aegir ?? "", ".drush/provision"), join(home.path, ".drush/provision"));
  home.write(".drush/drushrc.php", `<?php\n$options['nginx_config_mode'] = '${mode}';\n`);
  const record = { context_type: "server", remote_host: "localhost", aegir_root: home.path, script_user: home.user.name, http_service_type: "nginx", http_port: String(nginx.port), http_restart_cmd: "true", master_url: "http://aegir.test/", nginx_config_mode: mode, web_group: home.user.webGroup };
  home.write(".drush/server_master.alias.drushrc.php", aliasFileText("server_master", phpFrom(record) as PhpArray));
  // Drush may have listed its commands before Provision was there.
  await home.user.run([drush ?? "", "cache-clear", "drush"]);
  await home.user.run([drush ?? "", "@server_master", "provision-verify"]);
  for (const path of ["server_master/nginx.conf", "includes/nginx_vhost_common.conf"]) {
    const file = join(home.path, "config", path);
    const text = readFileSync(file, "utf8");
    expect(text).not.toContain("provision-shim");
    writeFileSync(file, text.replaceAll("/var/lib/nginx", nginx.statePath).replaceAll("/var/log/nginx", nginx.logPath).replaceAll(/unix:[^;]*;/g, `unix:${php.socket};`).replaceAll("127.0.0.1:9000", `unix:${php.socket}`));
  }
  const { status, stderr } = await nginx.reload();
  expect([status, stderr]).toEqual([0, ""]);
}
