import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";
import { readPhpFile } from "../../src/aliases/reading/read-php-file.ts";
import { aliasFileText } from "../../src/aliases/write-alias.ts";
import { platformDrushrcText, siteDrushrcText, sitesPhpText } from "../../src/aliases/write-drushrc.ts";
import { PhpArray } from "../../src/php-values/php-array.ts";
import { bytesFromText } from "../../src/php-values/text.ts";
import { varExport } from "../../src/php-values/var-export.ts";
import { NO_SUCH_PHP, phpSettings } from "./alias-home.ts";

const FIXTURES = join(import.meta.dirname, "../../fixtures");
const SITE_PATH = "/var/aegir/platforms/drupal-7.105/sites/shop.example.com";

async function variable(path: string, name: string): Promise<PhpArray> {
  const file = await readPhpFile(path, { variables: [name], php: phpSettings({ program: NO_SUCH_PHP }) });
  return file.values.get(name) as PhpArray;
}

function sameBytes(text: string, path: string): void {
  // The texts first: their difference can be read.
  expect(text).toBe(readFileSync(path, "utf8"));
  expect(bytesFromText(text).equals(readFileSync(path))).toBe(true);
}

describe("(8) what was read is written again byte for byte", () => {
  const aliasFiles = readdirSync(join(FIXTURES, "drush-aliases"));

  it("finds the samples", () => {
    expect(aliasFiles.length).toBeGreaterThanOrEqual(16);
  });

  it.each(aliasFiles)("%s", async (file) => {
    const path = join(FIXTURES, "drush-aliases", file);
    const name = basename(file, ".alias.drushrc.php");
    sameBytes(aliasFileText(name, (await variable(path, "aliases")).get(name) as PhpArray), path);
  });

  it.each(["site.drushrc.php", "site-fresh.drushrc.php"])("%s", async (file) => {
    const path = join(FIXTURES, "drushrc", file);
    sameBytes(siteDrushrcText(await variable(path, "options"), SITE_PATH), path);
  });

  it("platform.drushrc.php", async () => {
    const path = join(FIXTURES, "drushrc/platform.drushrc.php");
    sameBytes(platformDrushrcText(await variable(path, "options")), path);
  });

  it("sites.php, but for the comment, which is our own", async () => {
    const path = join(FIXTURES, "drushrc/sites.php");
    const withoutComment = (text: string): string => text.replace(/\/\*\*[^]*?\*\/\n/, "");
    expect(withoutComment(sitesPhpText(await variable(path, "sites")))).toBe(withoutComment(readFileSync(path, "utf8")));
  });

  it("the values of home.drushrc.php, which only the front end writes", async () => {
    const path = join(FIXTURES, "drushrc/home.drushrc.php");
    const options = await variable(path, "options");
    const text = readFileSync(path, "utf8");
    for (const name of ["hosting_features", "exclude", "include"]) expect(text).toContain(`\n$options['${name}'] = ${varExport(options.get(name) ?? null)};\n`);
  });

  it("the rest is read, too: a hand-written file and one without values", async () => {
    expect([...(await variable(join(FIXTURES, "drushrc/home.local.drushrc.php"), "options")).keys()]).toEqual(["provision_backup_suffix", "provision_composer_install_platforms", "global_sync_options"]);
    expect((await variable(join(FIXTURES, "drushrc/global.inc"), "options")).size).toBe(0);
    expect(readdirSync(join(FIXTURES, "drushrc")).sort()).toEqual(["global.inc", "home.drushrc.php", "home.local.drushrc.php", "platform.drushrc.php", "site-fresh.drushrc.php", "site.drushrc.php", "sites.php"]);
  });

  it("keys and paths that need escapes do not break a file", () => {
    const options = PhpArray.of([["it's", 1], ["a\\", "b\0c"], [5, null]]);
    const text = siteDrushrcText(options, "/sites/it's");
    expect(text).toContain("\n$options['it\\'s'] = 1;\n$options['a\\\\'] = 'b' . \"\\0\" . 'c';\n$options['5'] = NULL;\n");
    expect(text).toContain("@include_once('/sites/it\\'s/local.drushrc.php');\n");
  });
});

describe("(31) the name of an alias", () => {
  it("stands in the file as it is", () => {
    expect(aliasFileText("shop.example.com", new PhpArray())).toBe("<?php \n$aliases['shop.example.com'] = array (\n);\n");
  });

  it.each(["", "a/b", "../x", "a'b", 'a"b', "a\\b", "a\nb", "a\0b", "\u0085"])("%j is refused", (name) => {
    expect(() => aliasFileText(name, new PhpArray())).toThrow(expect.objectContaining({ code: "PROVISION_BAD_CONTEXT_NAME" }) as Error);
  });
});
