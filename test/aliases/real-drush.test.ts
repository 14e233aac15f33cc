import { spawnSync } from "node:child_process";
import { cpSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { phpFrom } from "../../src/php-values/convert.ts";
import { PhpArray } from "../../src/php-values/php-array.ts";
import { jsonDecode } from "../../src/php-values/json-decode.ts";
import { jsonEncode } from "../../src/php-values/json-encode.ts";
import type { PhpSettings } from "../../src/aliases/reading/php-fallback.ts";
import { type AliasHome, phpSettings, temporaryHomes } from "./alias-home.ts";
import { ALIAS_NAMES, ALIAS_TREE } from "./alias-tree.ts";

const drush = process.env["SHIM_TEST_DRUSH"];
const home = temporaryHomes();

function environment(place: AliasHome): Record<string, string> {
  // Some alias files make drush eat all memory there is.
  return { PATH: process.env["PATH"] ?? "", HOME: place.path, TERM: "dumb", ETC_PREFIX: place.path, PHP_OPTIONS: "-d memory_limit=300M -d error_reporting=0" };
}

/** As root the comparison runs as the backend's user, where there is one: drush is not meant for root. */
const backendUser = process.getuid?.() === 0 ? userNumber("aegir") : undefined;

function userNumber(name: string): number | undefined {
  const { status, stdout } = spawnSync("id", ["-u", name], { encoding: "utf8" });
  return status === 0 ? Number(stdout) : undefined;
}

/** Runs drush in that home and gives what it printed. */
function runDrush(place: AliasHome, words: readonly string[]): string {
  if (backendUser !== undefined) spawnSync("chown", ["-R", String(backendUser), place.path]);
  const prefix = backendUser === undefined ? [] : ["setpriv", "--reuid", "aegir", "--regid", "aegir", "--init-groups"];
  const [file = "", ...args] = [...prefix, drush ?? "", ...words];
  const { stdout, stderr } = spawnSync(file, args, { env: environment(place), cwd: "/", encoding: "utf8", timeout: 60_000 });
  if (stdout === "") throw new Error(`drush said ${stderr}`);
  return stdout;
}

/** What PHP code inside drush prints, one line for each marked by `@@`. */
function inDrush(place: AliasHome, args: readonly string[], code: string): string[] {
  const printed = runDrush(place, [...args, "php-eval", code]);
  const lines = printed.split("\n").filter((line) => line.startsWith("@@"));
  if (lines.length === 0) throw new Error(`drush said ${printed}`);
  return lines.map((line) => line.slice(2));
}

function ourPhp(place: AliasHome): PhpSettings {
  return phpSettings({ env: environment(place), ...(backendUser === undefined ? {} : { userId: backendUser }) });
}

describe.skipIf(drush === undefined)("compared with a real drush 8", () => {
  it("every alias has the same record, list or absence", async () => {
    const place = home(ALIAS_TREE);
    const code = `foreach (json_decode('${JSON.stringify(ALIAS_NAMES)}') as $n) { echo "@@", $n, "\\t", json_encode(drush_sitealias_get_record('@' . $n)), "\\n"; }`;
    // The option on the command line comes before all places, the same folder from a drushrc file after them.
    place.write({ ".drushrc.php": `<?php $options['alias-path'] = array('${place.at("extra")}');` });
    const theirs = new Map(inDrush(place, ["@none"], code).map((line) => line.split("\t", 2) as [string, string]));
    expect(theirs.size).toBe(ALIAS_NAMES.length);
    const aliases = place.aliases({ aliasPaths: [place.at("extra")] }, ourPhp(place));
    for (const name of ALIAS_NAMES) {
      const found = await aliases.find(name);
      if (found.kind !== "list") {
        expect([name, found.kind === "record" ? jsonEncode(found.record) : "[]"]).toEqual([name, theirs.get(name)]);
        continue;
      }
      if (name !== "g1") expect([name, jsonEncode(found.record)]).toEqual([name, theirs.get(name)]);
      // Which of two groups comes first is chance in drush.
      const list = (jsonDecode(Buffer.from(theirs.get(name) ?? "")) as PhpArray).get("site-list");
      expect([name, new Set(found.members)]).toEqual([name, new Set(list instanceof PhpArray ? list.values() : [])]);
    }
  });

  it("twenty samples are the object of a call's frame", () => {
    const place = home(ALIAS_TREE);
    const samples = ["server_master", "shop.example.com", "www.shop.example.com", "dev", "grp.dev", "live", "w.foo", "grp.w.foo", "5", "plain", "x.foo", "c", "opt", "p1", "p3", "pargrp", "home", "pa", "dyn", "missing"];
    return Promise.all(samples.map(async (name) => {
      const printed = runDrush(place, ["--backend", "@none", "php-eval", `return drush_sitealias_get_record("@${name}");`]);
      const frame = jsonDecode(Buffer.from(printed.slice(printed.indexOf("OUTPUT_START>>>") + 15, printed.lastIndexOf("<<<DRUSH_BACKEND_OUTPUT_END")))) as PhpArray;
      const found = await place.aliases({}, ourPhp(place)).find(name);
      expect([name, jsonEncode(frame.get("object") ?? null)]).toEqual([name, found.kind === "record" ? jsonEncode(found.record) : "[]"]);
    }));
  }, 300_000);

  it("all option sets hold the same after the same files", async () => {
    const file = (mark: string, more = ""): string =>
      `<?php $options['who'] = '${mark}'; $options['${mark}'] = 1; $options['arr'] = array('${mark}'); $options['m']['${mark}'] = 1; $command_specific['php-eval']['cs'] = '${mark}'; $command_specific['php-eval']['cs-${mark}'] = 1; $options['u'] = 'short-${mark}'; $options['shell-aliases']['${mark}'] = 'v'; $aliases['q'] = array('uri' => 1); $options['site-aliases']['zz'] = array(); ${more}`;
    const place = home({
      "etc/drush/drushrc.php": file("etc"), "etc/drush/drush8rc.php": file("etc8", "$options['command-specific']['php-eval']['cs'] = 'o'; "), ".drushrc.php": file("user"), ".drush/drush8rc.php": file("home8", "$options['v'] = 0;"),
      ".drush/drushrc.php": file("home", "@include_once(dirname(__FILE__) . '/local.drushrc.php');"), ".drush/local.drushrc.php": "<?php $options['local'] = TRUE;",
      "drush/drushrc.php": file("parent"), "drush/drush9rc.php": file("nine"),
    });
    cpSync(join(import.meta.dirname, "../../fixtures/drupal7-stand-in"), place.at("root"), { recursive: true });
    place.write({
      "root/drush/drushrc.php": file("root"), "root/sites/all/drush/drushrc.php": file("all"), "root/sites/all/drush/drush8rc.php": file("all8"),
      "root/sites/default/drushrc.php": file("default"), "root/sites/s1/drushrc.php": file("s1"), "root/sites/s1/drush8rc.php": "<?php $override['x'] = 1;", "root/sites/s1/settings.php": "<?php $databases = array();",
    });
    const names = ["system", "user", "home.drush", "drupal", "site", "specific"];
    const code = `foreach (json_decode('${JSON.stringify(names)}') as $n) { echo "\\n@@", json_encode(drush_get_context($n)); } echo "\\n";`;
    const theirs = inDrush(place, [`--root=${place.at("root")}`, "--uri=s1"], code);
    const loader = place.loader(ourPhp(place));
    const base = await place.loadBase(loader);
    const { drupal, site } = await loader.loadRoot(place.at("root"));
    const whole = site.replace(await loader.loadSite(place.at("root/sites/s1")));
    const ours = [base.system, base.user, base["home.drush"], drupal, whole, loader.commandSpecific.get("php-eval") ?? phpFrom({})];
    expect(Object.fromEntries(names.map((name, index) => [name, jsonEncode(ours[index] ?? null)]))).toEqual(Object.fromEntries(names.map((name, index) => [name, theirs[index]])));
  });
});
