import { describe, expect, it } from "vitest";
import { aliasFileText } from "../../src/aliases/write-alias.ts";
import { siteDrushrcText } from "../../src/aliases/write-drushrc.ts";
import { phpFrom } from "../../src/php-values/convert.ts";
import type { PhpArray } from "../../src/php-values/php-array.ts";
import { jsonEncode } from "../../src/php-values/json-encode.ts";
import { temporaryHomes } from "./alias-home.ts";

const home = temporaryHomes();

/** Milliseconds of the fastest of five runs: the machine may be busy. */
async function fastest(run: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let count = 0; count < 5; count++) {
    const start = performance.now();
    await run();
    times.push(performance.now() - start);
  }
  return Math.min(...times);
}

function packages(count: number): PhpArray {
  const info = { name: "It's a module", description: "", package: "Core", version: "7.105", core: "7.x", dependencies: ["block", "dblog"], php: "5.3.3" };
  const modules = Object.fromEntries(Array.from({ length: count }, (_, index) => [`m${index}`, { filename: `/var/aegir/platforms/d7/sites/all/modules/m${index}/m${index}.module`, name: `m${index}`, type: "module", owner: "", status: "1", schema_version: 0, info, version: null }]));
  return phpFrom({ db_type: "mysql", packages: { modules } }) as PhpArray;
}

describe("speed", () => {
  it("(27) a site's drushrc.php of 5 MB is loaded in less than half a second, without PHP", async () => {
    const options = packages(9500);
    const text = siteDrushrcText(options, "/no/such/site");
    expect(text.length).toBeGreaterThan(5_000_000);
    const place = home({ "sites/s/drushrc.php": text });
    const loaded = await place.loader().loadSite(place.at("sites/s"));
    expect(jsonEncode(loaded.get("packages") ?? null)).toBe(jsonEncode(options.get("packages") ?? null));
    expect(await fastest(() => place.loader().loadSite(place.at("sites/s")))).toBeLessThan(2000);
  });

  it("an alias among 500 is found in less than 50 ms", async () => {
    const record = phpFrom({ context_type: "site", uri: "u", root: "/r" }) as PhpArray;
    const place = home(Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`.drush/site${index}.example.com.alias.drushrc.php`, aliasFileText(`site${index}.example.com`, record)])));
    expect(await fastest(() => place.aliases().find("site77.example.com"))).toBeLessThan(500);
  });
});
