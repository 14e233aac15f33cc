import { statSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { readPhpFile } from "../../src/aliases/reading/read-php-file.ts";
import { aliasFileText } from "../../src/aliases/write-alias.ts";
import { siteDrushrcText } from "../../src/aliases/write-drushrc.ts";
import { PhpArray } from "../../src/php-values/php-array.ts";
import { NO_SUCH_PHP, phpSettings, recordOf, temporaryHomes } from "./alias-home.ts";

const home = temporaryHomes();
const FIXTURES = join(import.meta.dirname, "../../fixtures");

async function variable(path: string, name: string): Promise<PhpArray> {
  const { values } = await readPhpFile(join(FIXTURES, path), { variables: [name], php: phpSettings({ program: NO_SUCH_PHP }) });
  return values.get(name) as PhpArray;
}

/** The shortest of three times, milliseconds: what a busy machine adds does not count. */
async function shortest(work: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run < 3; run++) {
    const began = performance.now();
    await work();
    times.push(performance.now() - began);
  }
  return Math.min(...times);
}

it("(27) a site's drushrc.php of 5 MB is loaded in less than half a second", async () => {
  const options = await variable("drushrc/site.drushrc.php", "options");
  const packages = options.get("packages") as PhpArray;
  const [module] = [...(packages.get("modules") as PhpArray).values()];
  const modules = PhpArray.of(Array.from({ length: 8400 }, (_, number) => [`module_${number}`, module ?? null] as const));
  const place = home({});
  place.write({ "site/drushrc.php": siteDrushrcText(options.clone().set("packages", packages.clone().set("modules", modules)), place.at("site")) });
  expect(statSync(place.at("site/drushrc.php")).size).toBeGreaterThan(5_000_000);
  const time = await shortest(async () => {
    const loaded = (await place.loader().loadSite(place.at("site"))).get("packages") as PhpArray;
    expect((loaded.get("modules") as PhpArray).size).toBe(8400);
  });
  expect(time).toBeLessThan(500);
});

it("one alias among 500 is found in less than a tenth of a second", async () => {
  const record = (await variable("drush-aliases/shop.example.com.alias.drushrc.php", "aliases")).get("shop.example.com") as PhpArray;
  const place = home(Object.fromEntries(Array.from({ length: 500 }, (_, number) => [`.drush/site${number}.example.com.alias.drushrc.php`, aliasFileText(`site${number}.example.com`, record)])));
  const time = await shortest(async () => expect((await recordOf(place.aliases(), "site250.example.com")).get("context_type")).toBe("site"));
  expect(time).toBeLessThan(100);
});
