import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { good, installSite, openFrontEnd, openPlatform, SERVER, type BackendAnswer, type FrontEnd } from "../support/front-end.ts";
import { failedWith, failure } from "../support/system-checks.ts";
import { treeOf } from "../support/tree.ts";

const URI = "site.test";

/** As much of drush as a script needs that it runs: extensions of the home, options, errors, and contexts by their alias files. */
const DRUSH = String.raw`#!/usr/bin/env php
<?php
file_put_contents(__DIR__ . '/asked', implode(' ', array_slice($argv, 1)) . "\n", FILE_APPEND);
$drush_errors = array();
function drush_set_error($code, $message = '') { global $drush_errors; $drush_errors[$code][] = $message; return FALSE; }
function drush_get_error_log() { global $drush_errors; return $drush_errors; }
function drush_set_option($name, $value) { global $drush_options; $drush_options[$name] = $value; }
function drush_get_option($name) { global $drush_options; return isset($drush_options[$name]) ? $drush_options[$name] : NULL; }
function d($name = NULL, $root = FALSE) {
  static $current;
  if ($name === NULL) return $current;
  include getenv('HOME') . '/.drush/' . ltrim($name, '@') . '.alias.drushrc.php';
  $context = (object) reset($aliases);
  if ($root) $current = $context;
  return $context;
}
foreach (glob(getenv('HOME') . '/.drush/*.drush.inc') as $extension) include_once $extension;
include $argv[3];
`;

let frontEnd: FrontEnd;
let root: string;
let env: NodeJS.ProcessEnv;
let drush: string;

beforeAll(async () => {
  frontEnd = await openFrontEnd();
  root = await openPlatform(frontEnd);
  await installSite(frontEnd, root, URI, { aliases: ["www.site.test"] });
  drush = join(frontEnd.stage.home.beside, "drush-stand-in");
  writeFileSync(drush, DRUSH);
  chmodSync(drush, 0o755);
  writeFileSync(join(frontEnd.stage.home.beside, "asked"), "");
  frontEnd.stage.home.user.own(frontEnd.stage.home.beside);
  env = { PROVISION_SHIM_DRUSH: drush };
  await good(task(URI, "verify"));
}, 300_000);
afterAll(() => frontEnd.strike());

beforeEach(() => writeFileSync(join(frontEnd.stage.home.beside, "asked"), ""));
afterEach(() => {
  for (const name of ["lines", "other"]) rmSync(join(frontEnd.home, `.drush/${name}.drush.inc`), { force: true });
});

function task(name: string, command: string): Promise<BackendAnswer> {
  return frontEnd.task(name, command, { env });
}

function extension(php: string, name = "lines"): void {
  frontEnd.stage.home.write(`.drush/${name}.drush.inc`, `<?php\n${php}\n`);
}

/** The calls of drush that were made. */
function asked(): string[] {
  return readFileSync(join(frontEnd.stage.home.beside, "asked"), "utf8").split("\n").filter((line) => line !== "");
}

const config = (path: string): string => readFileSync(join(frontEnd.home, "config/server_master", path), "utf8");
const vhost = (): string => config(`apache/vhost.d/${URI}`);
const settings = (): string => readFileSync(join(root, "sites", URI, "settings.php"), "utf8");

describe("extensions that only add lines", () => {
  it("http 26: to a site's virtual host and settings.php: they are asked once for both, and told what Provision tells them", async () => {
    extension(`
      function lines_provision_apache_vhost_config($uri, $data) {
        print "noise that an extension makes\\n";
        return array("  # of " . $uri . " on " . d()->platform . ", port " . $data['http_port'] . " of " . $data['server']->remote_host, '  SetEnv from_extension "' . drush_get_option('db_type') . '"');
      }
      function lines_provision_drupal_config($uri, $data) { return "\\$conf['from_extension'] = '" . $uri . "';"; }
      function lines_provision_nginx_vhost_config($uri, $data) { return "  # for nginx"; }`);
    extension("function other_provision_apache_vhost_config($uri, $data) { return NULL; }", "other");
    const { logs } = await good(task(URI, "verify"));
    expect(logs.filter(({ message }) => message.startsWith("Handed over"))).toEqual([]);
    expect(asked()).toEqual([expect.stringMatching(/^@none php-script \/.*\/php\/hook-lines\.php$/)]);
    const [heading = "", ...more] = vhost().split("# Extra configuration from modules:\n").slice(1).join("").split("\n").map((line) => line.trim());
    expect([heading, more[0]]).toEqual([expect.stringMatching(/^# of site\.test on @platform_standin, port \d+ of (?:localhost|127\.0\.0\.1)$/), 'SetEnv from_extension "mysql"']);
    expect([vhost().includes("for nginx"), settings().includes("$conf['from_extension'] = 'site.test';")]).toEqual([false, true]);
    expect((await frontEnd.stage.apache.fetch(URI, "/")).status).toBe(200);
  });

  it("whatever bytes they have, as drush would write them", async () => {
    extension(`function lines_provision_apache_vhost_config($uri, $data) { return "  # gr\\xFC\\xDFe, \\xC3\\xA4"; }`);
    await good(task(URI, "verify"));
    expect(readFileSync(join(frontEnd.home, "config/server_master/apache/vhost.d", URI)).includes(Buffer.from("  # gr\xFC\xDFe, \xC3\xA4\n", "latin1"))).toBe(true);
  });

  it("http 26: to a platform's and a server's file", async () => {
    extension(`
      function lines_provision_apache_dir_config($data) { return "  # dir of " . d()->root; }
      function lines_provision_apache_server_config($data) { return "# server " . d()->remote_host . " " . $data['application_name']; }`);
    await good(task("platform_standin", "verify"));
    await good(task(SERVER, "verify"));
    expect([config("apache/platform.d/platform_standin.conf"), config("apache.conf")]).toEqual([expect.stringContaining(`# dir of ${root}\n`), expect.stringMatching(/^# server (?:localhost|127\.0\.0\.1) apache$/m)]);
    expect(config("apache/platform.d/platform_standin.conf").split("files/backup_migrate").length).toBe(2);
    expect(asked()).toHaveLength(2);
  });

  it("are not asked for a site that is disabled, and again when it is enabled", async () => {
    extension(`function lines_provision_apache_vhost_config($uri, $data) { return "  # of an extension"; }`);
    await good(task(URI, "disable"));
    expect([asked(), vhost().includes("of an extension")]).toEqual([[], false]);
    await good(task(URI, "enable"));
    expect([asked().length, vhost().includes("of an extension")]).toEqual([1, true]);
  });

  it("leave the file without their lines once they are gone", async () => {
    extension(`function lines_provision_apache_vhost_config($uri, $data) { return "  # of an extension"; }`);
    await good(task(URI, "verify"));
    rmSync(join(frontEnd.home, ".drush/lines.drush.inc"));
    await good(task(URI, "verify"));
    expect(vhost()).not.toContain("of an extension");
  });

  it("beside one that does more: the real drush does it all", async () => {
    extension(`function lines_provision_apache_vhost_config($uri, $data) { return "  # of an extension"; }`);
    extension("function drush_other_post_provision_verify() {}", "other");
    const { packets } = await task(URI, "verify");
    expect(JSON.stringify(packets)).toContain("Handed over to the real drush because of the hook drush_other_post_provision_verify");
  });
});

describe("an extension whose PHP fails", () => {
  it.each([
    ["by an error of drush", `return drush_set_error('LINES_BROKEN', 'No certificate for ' . $uri);`, "No certificate for site.test"],
    ["by an exception", `throw new Exception('out of lines');`, "out of lines"],
    ["by ending the process", `exit(3);`, "status 3"],
  ])("%s: the task fails with what it said, and everything is as before", async (_, body, said) => {
    await good(task(URI, "verify"));
    const before = treeOf(frontEnd.home);
    extension(`function lines_provision_apache_vhost_config($uri, $data) { ${body} }`);
    const answer = await task(URI, "verify");
    expect([failure(answer), answer.messages["PROVISION_HOOK_FAILED"]]).toEqual([failedWith("PROVISION_HOOK_FAILED"), expect.stringContaining(said)]);
    rmSync(join(frontEnd.home, ".drush/lines.drush.inc"));
    expect(treeOf(frontEnd.home)).toEqual(before);
  });

  it("or whose lines are none of Apache's: the former file stays", async () => {
    await good(task(URI, "verify"));
    const before = [vhost(), settings()];
    extension(`function lines_provision_apache_vhost_config($uri, $data) { return "  NoDirective of mine"; }`);
    const answer = await task(URI, "verify");
    expect([answer.errors, answer.messages["PROVISION_WEB_CONFIG_BROKEN"]]).toEqual([["PROVISION_WEB_CONFIG_BROKEN"], expect.stringContaining("NoDirective")]);
    expect([vhost(), settings()]).toEqual(before);
  });

  it("without a real drush nobody can be asked", async () => {
    extension(`function lines_provision_apache_vhost_config($uri, $data) { return "  # x"; }`);
    const { errors } = await frontEnd.task(URI, "verify", { env: { PROVISION_SHIM_DRUSH: join(frontEnd.stage.home.beside, "nowhere") } });
    expect([errors, existsSync(join(frontEnd.home, "config/server_master/apache/vhost.d", URI))]).toEqual([["PROVISION_NO_REAL_DRUSH"], true]);
  });
});
