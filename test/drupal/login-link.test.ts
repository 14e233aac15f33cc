import { createHash, createHmac } from "node:crypto";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Db, DbRow } from "../../src/database/connection.ts";
import { readCore, type DrupalCore } from "../../src/drupal/core.ts";
import { effectiveSalt, readGeneratedSettings } from "../../src/drupal/generated-settings.ts";
import { loginLink, readProofRecipe } from "../../src/drupal/login-link.ts";
import { settings7Text, type Settings7 } from "../../src/drupal/settings-php.ts";
import { standInRoot } from "../support/stand-in.ts";

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "shim-login-"));
  mkdirSync(join(folder, "modules/user"), { recursive: true });
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** A Drupal whose user_pass_rehash() ends with this. */
function coreWith(last: string): DrupalCore {
  writeFileSync(join(folder, "modules/user/user.module"), `<?php\nfunction user_pass_rehash($password, $timestamp, $login, $uid) {\n  // Something before.\n  ${last}\n}\n\nfunction other() {\n}\n`);
  return { root: folder, version: "7.50", major: 7, constants: new Map() };
}

describe("how a Drupal makes its proofs", () => {
  it.each([
    ["7.0", "$timestamp . $login", "12"],
    ["7.35", "$timestamp . $login . $uid", "121"],
    ["7.105", "$timestamp . ':' . $login . ':' . $uid . ':' . $mail", "1:2:1:m@x.test"],
  ])("is read from its code: %s", async (_, expression, data) => {
    const recipe = readProofRecipe(coreWith(`return drupal_hmac_base64(${expression}, drupal_get_hash_salt() . $password);`));
    const account: DbRow = { uid: "1", pass: "$S$hash", login: "2", mail: "m@x.test" };
    const db: Db = { rows: () => Promise.resolve([account]), run: () => Promise.resolve(), close: () => Promise.resolve() };
    const link = await loginLink(db, { uid: 1, baseUrl: "http://x.test", salt: "salt", recipe: recipe!, now: new Date(1000) });
    const proof = createHmac("sha256", "salt$S$hash").update(data).digest("base64url");
    expect(link).toBe(`http://x.test/user/reset/1/1/${proof}/login`);
  });

  it.each([
    ["another function", "return drupal_hash_base64($timestamp . $login . $password);"],
    ["another value", "return drupal_hmac_base64($timestamp . $login . $secret, drupal_get_hash_salt() . $password);"],
    ["a call", "return drupal_hmac_base64(implode($x), drupal_get_hash_salt() . $password);"],
    ["no time", "return drupal_hmac_base64($login . $uid, drupal_get_hash_salt() . $password);"],
    ["another key", "return drupal_hmac_base64($timestamp . $login, $password);"],
  ])("is not guessed: %s", (_, last) => {
    expect(readProofRecipe(coreWith(last))).toBeUndefined();
  });

  it("is known of the stand-in, and of a real Drupal 7 where one is given", () => {
    expect(readProofRecipe(readCore(standInRoot)!)).toHaveLength(7);
    const real = process.env["SHIM_TEST_DRUPAL7"];
    if (real !== undefined) expect(readProofRecipe(readCore(real)!)).toBeDefined();
  });

  it("needs an account", async () => {
    const db: Db = { rows: () => Promise.resolve([]), run: () => Promise.resolve(), close: () => Promise.resolve() };
    await expect(loginLink(db, { uid: 1, baseUrl: "", salt: "", recipe: [{ value: "timestamp" }], now: new Date() })).rejects.toMatchObject({ code: "DRUSH_USER_LOGIN_FAILED" });
  });
});

const DB = { type: "mysql", host: "127.0.0.1", port: "3307", name: "x", user: "xu", password: "p-w.1" };
const SERVER = { db_type: DB.type, db_host: DB.host, db_port: DB.port, db_name: DB.name, db_user: DB.user, db_passwd: DB.password };
const PLAIN: Settings7 = { uri: "x.test", root: "/srv/x", profile: "standard", enabled: true, cloaked: true, db: DB, utf8mb4: false, subdirs: false, includePath: "/srv/includes", extra: [] };

/** The salt as PHP has it after it has read the file. */
function saltByPhp(text: string): string {
  const file = join(folder, "settings.php");
  writeFileSync(file, text);
  const code = `$_SERVER = json_decode(stream_get_contents(STDIN), true); include ${JSON.stringify(file)}; echo empty($drupal_hash_salt) ? hash('sha256', serialize($databases)) : $drupal_hash_salt;`;
  return execFileSync("php", ["-r", code], { input: JSON.stringify(SERVER), encoding: "utf8" });
}

/** The form in which Provision writes it. */
const BY_PROVISION = `<?php
if (isset($_SERVER['db_name'])) {
  /* The credentials are in the virtual host; $databases is set from there. */
  $databases['default']['default'] = array(
    'driver' => $_SERVER['db_type'],
    'database' => $_SERVER['db_name'],
    'username' => $_SERVER['db_user'],
    'password' => $_SERVER['db_passwd'],
    'host' => $_SERVER['db_host'],
    /* A comment on
     * two lines. */
    'port' => (string) $_SERVER['db_port'],
    'charset' => 'utf8mb4',
    'collation' => 'utf8mb4_general_ci',
  );
}
  $drupal_hash_salt = '';
`;

describe("the salt of a site", () => {
  it.each([
    ["ours", settings7Text(PLAIN)],
    ["ours, for four-byte characters", settings7Text({ ...PLAIN, utf8mb4: true })],
    ["ours with literal credentials", settings7Text({ ...PLAIN, cloaked: false })],
    ["Provision's", BY_PROVISION],
    ["Provision's with literal credentials", BY_PROVISION.replaceAll(/=> (?:\(string\) )?\$_SERVER\['db_(\w+)'\]/g, '=> "lit-$1"')],
    ["with a salt of its own", settings7Text(PLAIN).replace("$drupal_hash_salt = '';", "$drupal_hash_salt = 'own-salt';")],
  ])("is what PHP makes of its settings.php: %s", (_, text) => {
    const settings = readGeneratedSettings(text, SERVER, ["<?php # local settings.php \n", ""]);
    expect(settings).toBeDefined();
    expect(effectiveSalt(settings!)).toBe(saltByPhp(text));
    expect(effectiveSalt(settings!)).toMatch(text.includes("own-salt") ? /^own-salt$/ : /^[0-9a-f]{64}$/);
  });

  it.each([
    ["a second database", settings7Text(PLAIN) + "$databases['other']['default'] = array();\n", ""],
    ["another assignment", settings7Text(PLAIN) + "$drupal_hash_salt = file_get_contents('/x');\n", ""],
    ["an address", settings7Text({ ...PLAIN, subdirs: true }), ""],
    ["a database by hand", "<?php\n$databases = array('default' => array());\n$drupal_hash_salt = 'x';\n", ""],
    ["an odd value", BY_PROVISION.replace("$_SERVER['db_user']", "strtolower('X')"), ""],
    ["a file that says more", settings7Text(PLAIN), "<?php $drupal_hash_salt = 'x';"],
    ["a file that reads others", settings7Text(PLAIN), "<?php require 'more.php';"],
  ])("is PHP's business with %s", (_, text, included) => {
    expect(readGeneratedSettings(text, SERVER, [included])).toBeUndefined();
  });

  it("is a hash of what the web server has: the text of a value, with its length in bytes", () => {
    const database = [["driver", "mysql"], ["password", "pä%2F"]] as const;
    const inner = 'a:2:{s:6:"driver";s:5:"mysql";s:8:"password";s:6:"pä%2F";}';
    expect(effectiveSalt({ database, hashSalt: "" })).toBe(createHash("sha256").update(`a:1:{s:7:"default";a:1:{s:7:"default";${inner}}}`).digest("hex"));
  });
});
