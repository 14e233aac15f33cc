import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { atLeast, readCore, type DrupalCore } from "../../src/drupal/core.ts";
import { extensionDrift } from "../../src/drupal/extension-drift.ts";
import { parseInfo } from "../../src/drupal/info-file.ts";
import { findPlatformPackages, findSites, schemaVersion } from "../../src/drupal/platform-packages.ts";
import { findProfiles, isLooselyOne } from "../../src/drupal/profiles.ts";
import { settings7Text, type Settings7 } from "../../src/drupal/settings-php.ts";
import { sitePackages, type SystemRow } from "../../src/drupal/site-packages.ts";
import { jsonEncode } from "../../src/php-values/json-encode.ts";
import { PhpArray } from "../../src/php-values/php-array.ts";
import { standInRoot } from "../support/stand-in.ts";

let root: string;
beforeEach(() => void (root = mkdtempSync(join(tmpdir(), "shim-drupal-"))));
afterEach(() => rmSync(root, { recursive: true }));

function put(path: string, text: string): void {
  const file = join(root, path);
  mkdirSync(join(file, ".."), { recursive: true });
  writeFileSync(file, text);
}

function core(): DrupalCore {
  put("includes/bootstrap.inc", "<?php\ndefine('VERSION', '7.99');\ndefine('DRUPAL_MINIMUM_PHP', '5.3.3');\ndefine('OTHER', 12);\n");
  mkdirSync(join(root, "profiles"), { recursive: true });
  return readCore(root)!;
}

function at(array: PhpArray, ...keys: (string | number)[]): unknown {
  return keys.reduce<unknown>((value, key) => (value instanceof PhpArray ? value.get(key) : undefined), array);
}

function names(array: unknown): string[] {
  return array instanceof PhpArray ? [...array.keys()].map(String).sort() : [];
}

describe("core", () => {
  it.each([
    ["7.105", "includes/bootstrap.inc", "<?php\ndefine('VERSION', '7.105');"],
    ["6.38", "modules/system/system.module", "<?php\ndefine('VERSION', '6.38');"],
    ["10.2.3", "core/lib/Drupal.php", "<?php class Drupal {\n  const VERSION = '10.2.3';"],
  ])("recognises Drupal %s", (version, file, text) => {
    put(file, text);
    expect(readCore(root)).toMatchObject({ version, major: Number.parseInt(version, 10) });
  });

  it("finds none in another directory", () => {
    put("includes/bootstrap.inc", "<?php // something else");
    expect(readCore(root)).toBeUndefined();
  });

  it("compares versions by number", () => {
    expect([atLeast({ ...core(), version: "7.105" }, 7, 50), atLeast({ ...core(), version: "7.9" }, 7, 50), atLeast({ ...core(), version: "8.0" }, 7, 50)]).toEqual([true, false, true]);
  });
});

describe("info files", () => {
  const parse = (text: string): string => jsonEncode(parseInfo(text, new Map([["VERSION", "7.99"]])));

  it.each([
    ["name = Node\n", '{"name":"Node"}'],
    ["; comment = no\n  name   =   spaced out   \n\n", '{"name":"spaced out"}'],
    ['a = "quo ted; = x"\nb = \'single\'', '{"a":"quo ted; = x","b":"single"}'],
    ['a = "esc \\" \\\\ x"', '{"a":"esc \\" \\\\ x"}'],
    ["dependencies[] = block\ndependencies[] = dblog\n", '{"dependencies":["block","dblog"]}'],
    ["stylesheets[all][] = a.css\nstylesheets[print][] = b.css\nregions[x] = Y", '{"stylesheets":{"all":["a.css"],"print":["b.css"]},"regions":{"x":"Y"}}'],
    ["hidden = TRUE\nrequired = FALSE\nver = VERSION\nlow = true\n", '{"hidden":true,"required":false,"ver":"7.99","low":true}'],
    ['a = "first\nsecond"\nb = c', '{"a":"first\\nsecond","b":"c"}'],
    ["a = it's\r\nb = x\r\n", '{"a":"it\'s","b":"x"}'],
    ["a =\nb = 0", '{"a":"b = 0"}'],
    ["# a remark\nfiles[] = x.inc\nfiles[] = y.inc", '{"# a remark\\nfiles":["x.inc"],"files":["y.inc"]}'],
    ["prose; [x\n y = 1]\nz = 2", '{"y":"1]","z":"2"}'],
    ["[x\n y = 1]\nz; = 2", '{"y":"1]"}'],
    ["no line of the format", "[]"],
    ['a = "never closed\nb = c', '{"a":"\\"never closed","b":"c"}'],
    ["a = x\na[] = y", '{"a":["y"]}'],
  ])("51: reads %j", (text, json) => expect(parse(text)).toBe(json));
});

describe("info files of any content", () => {
  it("51: take time in proportion to their size", () => {
    const started = performance.now();
    for (const piece of ["prose\n", "[\n]\n", "[\n", "'\n", "\\'", " \n", "=", "[\na = 1\n]\n"]) parseInfo(piece.repeat(200_000 / piece.length), new Map());
    expect(performance.now() - started).toBeLessThan(30_000);
  });

  const drupal = process.env["SHIM_TEST_DRUPAL7"];
  it.skipIf(drupal === undefined)("51: give what drupal_parse_info_format() gives (SHIM_TEST_DRUPAL7)", () => {
    const words = ["a", "b", "name", "files[]", "x[y][z]", "[", "]", "=", " = ", '"', "'", '\\"', "\\'", "\\", ";", "#", "\n", "\n", "\r\n", "\r", " ", "\t", "TRUE", "no", "VERSION"];
    const texts = fc.sample(fc.array(fc.constantFrom(...words), { maxLength: 25 }), 20_000).map((parts) => parts.join(""));
    put("texts.json", JSON.stringify(texts));
    const program = "define('VERSION','7.99'); include $argv[1]; echo serialize(array_map('drupal_parse_info_format', json_decode(file_get_contents($argv[2]))));";
    const told = execFileSync("php", ["-r", program, join(drupal ?? "", "includes/common.inc"), join(root, "texts.json")], { maxBuffer: 1 << 28, encoding: "utf8" });
    expect(phpSerialize(texts.map((text) => parseInfo(text, new Map([["VERSION", "7.99"]]))))).toBe(told);
  });
});

/** As PHP's serialize(), for what info files can hold. */
function phpSerialize(value: unknown): string {
  if (value === null) return "N;";
  if (typeof value === "boolean") return `b:${Number(value)};`;
  if (typeof value === "number") return `i:${value};`;
  if (typeof value === "string") return `s:${Buffer.byteLength(value)}:"${value}";`;
  const entries = value instanceof PhpArray ? [...value.entries()] : [...(value as unknown[]).entries()];
  return `a:${entries.length}:{${entries.map(([key, item]) => phpSerialize(key) + phpSerialize(item)).join("")}}`;
}

describe("schema versions", () => {
  const version = (text: string): unknown => {
    put("m.install", text);
    return schemaVersion(join(root, "m.install"));
  };

  it("49: is text of the highest update, of any module, comments included", () => {
    expect(version("<?php\nfunction m_update_7001() {\n}\nfunction other_update_7010(&$sandbox) {}\n")).toBe("7010");
    expect(version("<?php // function m_update_7099() {\r\nfunction m_update_7002()\r\n{\r\n}")).toBe("7099");
  });

  it("49: is 0 without updates or file", () => {
    expect([version("<?php function m_install() {}"), schemaVersion(join(root, "none.install"))]).toEqual([0, 0]);
  });

  it("does not count a declaration whose brackets span lines", () => {
    expect(version("<?php\nfunction m_update_7003(\n  $x) {\n}")).toBe(0);
  });
});

describe("platform packages of the stand-in", () => {
  const standIn = (): DrupalCore => readCore(standInRoot)!;

  it("47: base lists the modules of sites/all too, and sites-all repeats them", () => {
    const { packages } = findPlatformPackages(standIn());
    const all = names(at(packages, "sites-all", "modules"));
    expect(all.length).toBeGreaterThan(2);
    expect(names(at(packages, "base", "modules"))).toEqual(expect.arrayContaining([...all, "node", "system"]));
    expect(names(packages)).toEqual(["base", "profiles", "sites-all"]);
  });

  it("48: hidden modules and profiles are absent", () => {
    const { packages, profiles } = findPlatformPackages(standIn());
    const hidden = execFileSync("grep", ["-rlE", "^hidden *= *TRUE", standInRoot], { encoding: "utf8" }).trim().split("\n").map((file) => file.replace(/^.*\/|\.info$/g, ""));
    expect(hidden.length).toBeGreaterThan(1);
    for (const name of hidden) expect([...names(at(packages, "base", "modules")), ...profiles]).not.toContain(name);
  });

  it("50, 55: standard carries its old name, and all profiles speak English", () => {
    const { packages, profiles } = findPlatformPackages(standIn());
    expect(at(packages, "base", "profiles", "standard", "info", "old_short_name")).toBe("default");
    for (const profile of profiles) expect(jsonEncode(at(packages, "base", "profiles", profile, "info", "languages") as PhpArray)).toMatch(/^\["en"/);
    expect(jsonEncode(at(packages, "base", "profiles", "club", "info", "languages") as PhpArray)).toBe('["en","de","fr"]');
  });

  it("gives a package the fields that the front end reads, with defaults behind the file's own keys", () => {
    const module = at(findPlatformPackages(standIn()).packages, "base", "modules", "node") as PhpArray;
    expect([...module.keys()]).toEqual(["filename", "basename", "name", "info", "schema_version", "version"]);
    expect(at(module, "info", "php")).toBe("5.3.3");
    expect([...(at(module, "info") as PhpArray).keys()].slice(-1)).toEqual(["php"]);
    expect(module.get("version")).toBe("7.99");
  });

  it("53: a module of one site is in no platform list", () => {
    expect(JSON.stringify(jsonEncode(findPlatformPackages(standIn()).packages))).not.toContain("sites\\\\/example.test");
  });
});

describe("sites and profiles", () => {
  it("35: sites leave out default, links, and directories without settings", () => {
    core();
    for (const site of ["default", "a.test", "b.test"]) put(`sites/${site}/settings.php`, "<?php");
    mkdirSync(join(root, "sites/empty"));
    symlinkSync("a.test", join(root, "sites/link.test"));
    expect(findSites(root).sort()).toEqual(["a.test", "b.test"]);
  });

  it("a deeper module of the same name does not hide the shallower one, and a later place wins", () => {
    const drupal = core();
    put("modules/a/x/x.module", "");
    put("modules/x/x.module", "");
    put("sites/all/modules/contrib/y/y.module", "");
    put("modules/y/y.module", "");
    const { packages } = findPlatformPackages(drupal);
    expect(at(packages, "base", "modules", "x", "filename")).toBe(join(root, "modules/x/x.module"));
    expect(at(packages, "base", "modules", "y", "filename")).toBe(join(root, "sites/all/modules/contrib/y/y.module"));
  });

  it("a profile without .info is listed with what is known", () => {
    const drupal = core();
    mkdirSync(join(root, "profiles/bare"), { recursive: true });
    expect(jsonEncode(findProfiles(drupal).get("bare")!)).toBe('{"name":"bare","info":{"languages":["en"]},"filename":".\\/profiles\\/bare\\/bare.info","version":"7.99"}');
  });

  it("48: hidden by 1 and TRUE, not by words", () => {
    expect([true, 1, "1", "true", "yes", false, "", null].map(isLooselyOne)).toEqual([true, true, true, false, false, false, false, false]);
  });
});

function row(filename: string, more: Partial<SystemRow> = {}): SystemRow {
  const name = filename.replace(/^.*\/|\.[^.]*$/g, "");
  const type = filename.endsWith(".info") ? "theme" : "module";
  return { filename, name, type, owner: "", status: "1", bootstrap: "0", schema_version: "0", weight: "0", info: "a:0:{}", ...more };
}

describe("site packages", () => {
  it("53: code of the site itself has platform -1, that of sites/all not", () => {
    const drupal = core();
    for (const place of ["sites/x.test/modules/own", "sites/all/modules/shared"]) put(`${place}/${place.replace(/^.*\//, "")}.module`, "");
    const packages = sitePackages([row("sites/x.test/modules/own/own.module"), row("sites/all/modules/shared/shared.module")], drupal, "standard");
    expect([at(packages, "modules", "own", "platform"), at(packages, "modules", "shared", "platform")]).toEqual([-1, undefined]);
  });

  it("54: there is one profile, with status 1, and profiles are no modules", () => {
    const drupal = core();
    put("profiles/minimal/minimal.info", "name = Minimal\n");
    put("profiles/other/other.info", "name = Other\n");
    const packages = sitePackages([row("profiles/minimal/minimal.profile")], drupal, "minimal");
    expect(names(at(packages, "profiles"))).toEqual(["minimal"]);
    expect([at(packages, "profiles", "minimal", "status"), names(at(packages, "modules"))]).toEqual([1, []]);
  });

  it("keeps the columns as text, puts info in its place, and -1 becomes the number 0", () => {
    const drupal = core();
    put("modules/m/m.module", "");
    put("modules/m/m.info", "name = M\nversion = VERSION\n");
    const module = at(sitePackages([row("modules/m/m.module", { schema_version: "-1" })], drupal, "standard"), "modules", "m") as PhpArray;
    expect([...module.keys()]).toEqual(["filename", "name", "type", "owner", "status", "bootstrap", "schema_version", "weight", "info", "version"]);
    expect([module.get("status"), module.get("schema_version"), module.get("version")]).toEqual(["1", 0, "7.99"]);
    expect(module.get("filename")).toBe(join(root, "modules/m/m.module"));
  });

  it("a module whose file is gone has the filename false, as realpath() says", () => {
    expect(at(sitePackages([row("modules/gone/gone.module")], core(), "standard"), "modules", "gone", "filename")).toBe(false);
  });
});

describe("drift between disk and database", () => {
  const site = { uri: "x.test", profile: "standard" };

  beforeEach(() => {
    core();
    put("modules/a/a.module", "");
    put("modules/a/a.info", "name = A");
    put("themes/t/t.info", "name = T");
  });
  const agreed = [row("modules/a/a.module"), row("themes/t/t.info")];

  it("is none when both agree", () => {
    expect(extensionDrift(agreed, readCore(root)!, site)).toEqual({ drifted: [], drushFiles: [] });
  });

  it.each([
    ["a new module in sites/all", "sites/all/modules/new/new.module", "sites/all/modules/new/new.info"],
    ["a new module of the site", "sites/x.test/modules/new/new.module", "sites/x.test/modules/new/new.info"],
    ["a newer place of a module", "sites/all/modules/a/a.module", "sites/all/modules/a/a.info"],
  ])("sees %s", (_, file, info) => {
    put(file, "");
    put(info, "name = New");
    expect(extensionDrift(agreed, readCore(root)!, site).drifted).toEqual([file]);
  });

  it("sees an enabled module that is gone, not a disabled one", () => {
    const rows = [...agreed, row("modules/b/b.module"), row("modules/c/c.module", { status: "0" })];
    expect(extensionDrift(rows, readCore(root)!, site).drifted).toEqual(["modules/b/b.module"]);
  });

  it("does not look into other sites or profiles", () => {
    put("sites/y.test/modules/n/n.module", "");
    put("profiles/other/modules/n/n.module", "");
    expect(extensionDrift(agreed, readCore(root)!, site).drifted).toEqual([]);
  });

  it("finds drush command files of enabled modules only", () => {
    put("modules/a/drush/a.drush.inc", "<?php");
    put("modules/off/off.drush.inc", "<?php");
    expect(extensionDrift(agreed, readCore(root)!, site).drushFiles).toEqual([join(root, "modules/a/drush/a.drush.inc")]);
  });
});

describe("settings.php of Drupal 7", () => {
  const settings: Settings7 = {
    uri: "x.test", root: "/r", profile: "stan'dard", enabled: true, cloaked: true, utf8mb4: true, subdirs: false, includePath: "/inc", extra: [],
    db: { type: "mysql", host: "h", port: "3306", name: "n", user: "u", password: "p'\\w$" },
  };
  const server = { db_type: "mysql", db_name: "n", db_user: "u", db_passwd: "p", db_host: "h", db_port: 3306 };

  /** What the file sets when PHP runs it with these server variables. */
  function run(changes: Partial<Settings7>, variables: object = server): Record<string, unknown> {
    const file = join(root, "settings.php");
    writeFileSync(file, settings7Text({ ...settings, ...changes }));
    const code = `error_reporting(E_ALL); set_error_handler(function ($n, $m) { throw new ErrorException($m); }); foreach (json_decode($argv[2], TRUE) as $k => $v) $_SERVER[$k] = $v; include $argv[1];
      echo json_encode(array('left' => array_values(preg_grep('/db_/', array_keys($_SERVER))), 'umask' => umask(), 'life' => ini_get('session.gc_maxlifetime')) + array_diff_key(get_defined_vars(), array_flip(array('argv', 'argc', 'k', 'v', '_SERVER', '_GET', '_POST', '_COOKIE', '_FILES', '_ENV', '_REQUEST'))));`;
    return JSON.parse(execFileSync("php", ["-r", code, file, JSON.stringify(variables)], { encoding: "utf8" })) as Record<string, unknown>;
  }

  it("48: cloaked, it has no password, takes it from the server and leaves none there", () => {
    expect(settings7Text(settings)).not.toContain("w$");
    const got = run({}, { ...server, REDIRECT_db_name: "n" });
    expect(got["databases"]).toEqual({ default: { default: { driver: "mysql", database: "n", username: "u", password: "p", host: "h", port: "3306", charset: "utf8mb4", collation: "utf8mb4_general_ci" } } });
    expect(got["db_url"]).toEqual({ default: "mysql://u:p@h:3306/n" });
    expect([got["left"], got["umask"], got["life"], got["profile"], got["install_profile"], got["drupal_hash_salt"]]).toEqual([[], 2, "200000", "stan'dard", "stan'dard", ""]);
    expect(got["conf"]).toEqual({
      install_profile: "stan'dard", file_public_path: "sites/x.test/files", file_private_path: "sites/x.test/private/files", file_temporary_path: "sites/x.test/private/temp",
      clean_url: 1, aegir_api: 3, allow_authorize_operations: false, admin_menu_cache_client: false,
    });
  });

  it("48: uncloaked, it has the credentials and no charset", () => {
    const got = run({ cloaked: false }, {});
    expect(got["databases"]).toEqual({ default: { default: { driver: "mysql", database: "n", username: "u", password: "p'\\w$", host: "h", port: "3306" } } });
  });

  it("without credentials in the server's environment it sets no database", () => {
    expect(run({}, {})["databases"]).toBeUndefined();
  });

  it("49: a disabled site is site_offline", () => {
    expect((run({ enabled: false })["conf"] as Record<string, unknown>)["site_offline"]).toBe(1);
  });

  it("sub-folder sites get their base_url and cookie", () => {
    const got = run({ subdirs: true }, { ...server, SITE_SUBDIR: "foo", RAW_HOST: "example.com" });
    expect([got["base_url"], got["cookie_domain"]]).toEqual(["http://example.com/foo", ".example.com"]);
    expect(run({ subdirs: true }, { ...server, SITE_SUBDIR: "foo", RAW_HOST: "example.com", HTTPS: "on" })["base_url"]).toBe("https://example.com/foo");
  });

  it("47: reads the three files in order, each only if it is there", () => {
    for (const [place, value] of [["inc/global.inc", "global"], ["sites/all/platform.settings.php", "platform"], ["sites/x.test/local.settings.php", "local"]] as const) {
      put(place, `<?php $conf['order'][] = '${value}';`);
    }
    const got = run({ root, includePath: join(root, "inc") });
    expect((got["conf"] as Record<string, unknown>)["order"]).toEqual(["global", "platform", "local"]);
  });

  it("is the same text each time", () => {
    expect(settings7Text(settings)).toBe(settings7Text(settings));
  });
});
