import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { searchedFolders } from "../../src/aliases/alias-files.ts";
import { Remembered } from "../../src/files/remembered.ts";
import { scanExtensions } from "../../src/real-drush/extension-scan.ts";
import { isDoneHere, possibleHooks, takesPart } from "../../src/real-drush/hooks.ts";

describe("which functions take part", () => {
  it.each([
    ["drush_git_provision_verify", "provision-verify", true],
    ["drush_git_pre_provision_verify", "provision-verify", true],
    ["drush_git_post_provision_verify", "provision-verify", true],
    ["drush_git_provision_verify_validate", "provision-verify", true],
    ["drush_git_provision_verify_pre_validate", "provision-verify", true],
    ["drush_git_pre_provision_verify_rollback", "provision-verify", true],
    ["drush_provision_verify", "provision-verify", true],
    ["drush_git_provision_verify", "provision-save", false],
    ["drush_git_pre_updatedb", "updatedb", true],
    ["drush_git_pre_updatedb", "provision-deploy", false],
    ["drush_git_provision_backup_delete", "provision-backup-delete", true],
    ["drush_git_provision_backup", "provision-backup-delete", false],
    ["x_provision_services", "provision-save", true],
    ["x_provision_context_alter", "provision-lock", true],
    ["x_provision_apache_vhost_config", "provision-disable", true],
    ["x_provision_apache_vhost_config", "provision-save", false],
    ["x_provision_drupal_config", "provision-verify", true],
    ["x_provision_drupal_config", "provision-enable", false],
    ["x_provision_drupal_create_directories_alter", "provision-verify", true],
    ["x_provision_config_variables_alter", "provision-lock", true],
    ["x_drush_init", "provision-save", true],
    ["x_drush_invoke_alter", "provision-save", true],
    ["x_provision_mysql_regex_alter", "provision-verify", false],
    ["@hook provision-verify", "provision-verify", true],
    ["@hook core-status", "provision-verify", false],
  ])("%s in %s: %s", (hook, command, expected) => expect(takesPart(hook, command)).toBe(expected));

  it.each([
    ["letsencrypt_drush_init", "/h/hosting_https/submodules/letsencrypt/drush/letsencrypt.drush.inc", true],
    ["certificate_provision_services", "/h/hosting_https/submodules/certificate/drush/certificate.drush.inc", true],
    ["drush_certificate_provision_verify", "/h/hosting_https/submodules/certificate/drush/certificate.drush.inc", true],
    ["drush_letsencrypt_post_provision_install", "/h/hosting_https/submodules/letsencrypt/drush/install.provision.inc", true],
    ["letsencrypt_provision_apache_vhost_config", "/h/hosting_https/submodules/letsencrypt/drush/letsencrypt.drush.inc", false],
    ["drush_letsencrypt_provision_delete", "/h/hosting_https/submodules/letsencrypt/drush/delete.provision.inc", false],
    ["letsencrypt_drush_init", "/h/.drush/mine/letsencrypt.drush.inc", false],
  ])("%s in %s is done here: %s", (hook, file, expected) => expect(isDoneHere(hook, file)).toBe(expected));

  it("are found in PHP text", () => {
    const php = "<?php\nfunction helper() {}\nfunction  &drush_x_provision_verify (array $a) {}\nclass A { static function x_drush_init() {} }\n/** @hook validate provision-save */";
    expect(possibleHooks(php)).toEqual(["drush_x_provision_verify", "x_drush_init", "@hook provision-save"]);
  });
});

describe("the scan of extension folders", () => {
  let home: string;
  beforeEach(() => void (home = mkdtempSync(join(tmpdir(), "shim-scan-"))));
  afterEach(() => rmSync(home, { recursive: true }));

  function put(path: string, text = "<?php function x_drush_init() {}"): void {
    mkdirSync(join(home, path, ".."), { recursive: true });
    writeFileSync(join(home, path), text);
  }

  function found(skipped: string[] = []): string[] {
    const remembered = new Remembered(join(home, "cache"));
    const known = searchedFolders(remembered);
    const files = scanExtensions({ folders: [join(home, "drush")], skipped: new Set(skipped), known, remembered });
    known.keep();
    return files.map(({ file }) => file.slice(home.length + "/drush/".length)).sort();
  }

  it.each(["{", "null", "[]", '{"x":1}'])("is made anew when what is remembered of it is %j", (text) => {
    put("drush/x/x.drush.inc");
    new Remembered(join(home, "cache")).set("extensions-3", text);
    expect(found()).toEqual(["x/x.drush.inc"]);
  });

  it("passes over Provision's own files, wherever it is installed", () => {
    for (const file of ["provision/provision.drush.inc", "provision/db/db.drush.inc", "provision/http/http.drush.inc", "provision/platform/provision_drupal.drush.inc", "provision/platform/verify.provision.inc", "provision/platform/backupmigrate/provision_backupmigrate.drush.inc"]) put(`drush/${file}`);
    expect(found()).toEqual([]);
  });

  it("sees other extensions, also inside Provision's folder", () => {
    put("drush/provision/provision.drush.inc");
    put("drush/provision/foreign/foreign.drush.inc");
    put("drush/provision/foreign/verify.provision.inc");
    put("drush/git/provision_git.drush.inc");
    put("drush/git/verify.provision.inc", "<?php function drush_provision_git_post_provision_verify() {}");
    put("drush/deep/er/x.drush8.inc");
    put("drush/src/FooCommands.php", "<?php /** @hook post-command provision-verify */");
    expect(found()).toEqual(["deep/er/x.drush8.inc", "git/provision_git.drush.inc", "git/verify.provision.inc", "provision/foreign/foreign.drush.inc", "provision/foreign/verify.provision.inc", "src/FooCommands.php"]);
  });

  it("passes over what drush passes over", () => {
    for (const folder of ["tests", "drush7", "drush10", ".git", "cache", "node_modules", "hidden"]) put(`drush/${folder}/x.drush.inc`);
    put("drush/y.drush7.inc");
    put("drush/off.drush.inc");
    put("drush/harmless.drush.inc", "<?php function harmless_drush_command() {}");
    expect(found(["hidden", "off"])).toEqual([]);
  });

  it("notices a file that changed, came or went, and remembers the rest", () => {
    put("drush/a/a.drush.inc", "<?php");
    expect(found()).toEqual([]);
    put("drush/a/a.drush.inc", "<?php function a_drush_exit() {}");
    put("drush/b/b.drush.inc");
    expect(found()).toEqual(["a/a.drush.inc", "b/b.drush.inc"]);
    rmSync(join(home, "drush/b/b.drush.inc"));
    expect(found()).toEqual(["a/a.drush.inc"]);
    // The same size and times: even then the change time tells.
    writeFileSync(join(home, "drush/a/a.drush.inc"), "<?php function a_drush_oxit() {}");
    utimesSync(join(home, "drush/a/a.drush.inc"), 1, 1);
    expect(found()).toEqual([]);
  });

  it("is as right with a broken memory", () => {
    put("drush/a/a.drush.inc");
    new Remembered(join(home, "cache")).set("extensions-1", "{broken");
    expect(found()).toEqual(["a/a.drush.inc"]);
  });
});
