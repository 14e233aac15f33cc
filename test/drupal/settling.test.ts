import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { connectDb, type Db } from "../../src/database/connection.ts";
import { runInDrupal, type BridgeRequest, type JsonValue } from "../../src/drupal/bridge.ts";
import { importFacts } from "../../src/drupal/import-facts.ts";
import { readCore, type DrupalCore } from "../../src/drupal/core.ts";
import { rewritePaths } from "../../src/drupal/path-rewriting.ts";
import { pendingUpdates } from "../../src/drupal/pending-updates.ts";
import { systemRows } from "../../src/drupal/site-packages.ts";
import { isVariableOn, siteVariable } from "../../src/drupal/variables.ts";
import { serveSite, URI, type ServedSite } from "../fixtures/served-site.ts";
import { repositoryRoot } from "../support/repository.ts";

let served: ServedSite;
let db: Db;
let core: DrupalCore;
let logs: string[];
let progress: number[];

beforeAll(async () => {
  served = await serveSite();
  core = readCore(served.root)!;
  const { port } = served.stage.mariadb;
  db = await connectDb({ host: "127.0.0.1", port, user: "example", password: "secret-1", database: "example" }, { timeoutMs: 60_000 });
}, 300_000);
afterAll(async () => {
  await db.close();
  await served.stage.strike();
});
beforeEach(() => {
  logs = [];
  progress = [];
});

function updates(): Promise<Readonly<Record<string, JsonValue>>> {
  const credentials = { type: "mysql", host: "127.0.0.1", port: String(served.stage.mariadb.port), name: "example", user: "example", password: "secret-1" };
  const request: BridgeRequest = { job: "updates-7", root: served.root, uri: URI, baseUrl: `http://${URI}`, credentials, data: {}, failure: "PROVISION_DRUPAL_UPDATE_FAILED" };
  return runInDrupal(request, {
    php: "php",
    folder: join(repositoryRoot, "php"),
    env: process.env,
    timeoutMs: 60_000,
    signal: new AbortController().signal,
    onStart: () => undefined,
    onLog: (level, message) => logs.push(`${level}: ${message}`),
    onProgress: (done, total) => progress.push(done / total),
  });
}

async function pending(): Promise<Record<string, readonly number[]>> {
  return Object.fromEntries((await pendingUpdates(await systemRows(db), core)).pending);
}

async function schema(module: string): Promise<number> {
  return Number((await db.rows("SELECT schema_version FROM `system` WHERE name = ?", [module]))[0]?.["schema_version"]);
}

/** A site that was made by older code. */
async function older(how = ""): Promise<void> {
  await db.run("UPDATE `system` SET status = 1, schema_version = 7000 WHERE name = 'test_helper'");
  await db.run("UPDATE `system` SET schema_version = 7100 WHERE name = 'calendar_lite'");
  await db.run("DELETE FROM variable WHERE name = 'test_helper_updates'");
  await served.setVariable("stand_in_update", `s:${how.length}:"${how}";`);
  await served.setVariable("menu_rebuild_needed", "b:1;");
}

describe("updates of a site's database", () => {
  it("are seen as data", async () => {
    expect(await pending()).toEqual({});
    await older();
    expect(await pending()).toEqual({ calendar_lite: [7101, 7102], test_helper: [7001, 7002] });
  });

  it("are applied by Drupal in the order that modules ask for, and shown in a page", async () => {
    await older();
    const names = ["calendar_lite_update_7101", "calendar_lite_update_7102", "test_helper_update_7001", "test_helper_update_7002"];
    expect(await updates()).toEqual({ applied: names, failed: null });
    expect(logs.filter((log) => !log.startsWith("info"))).toEqual([
      "notice: Executing calendar_lite_update_7101", "ok: Dates have places now.", "notice: Executing calendar_lite_update_7102",
      "notice: Executing test_helper_update_7001", "notice: Executing test_helper_update_7002", "ok: The helper is up to date.",
    ]);
    expect([progress.at(-1), progress.every((part, index) => index === 0 || part >= (progress[index - 1] ?? 0))]).toEqual([1, true]);
    expect([await schema("calendar_lite"), await schema("test_helper"), await pending()]).toEqual([7102, 7002, {}]);
    expect((await served.get("/test-helper")).body).toContain('<p class="updates">test_helper_update_7001 test_helper_update_7002</p>');
  });

  it("are none the second time", async () => {
    expect(await updates()).toEqual({ applied: [], failed: null });
  });

  it("end with the first that fails; what was done before is noted", async () => {
    await older("throw");
    expect(await updates()).toEqual({
      applied: ["calendar_lite_update_7101", "calendar_lite_update_7102", "test_helper_update_7001"],
      failed: { update: "test_helper_update_7002", message: "Exception: The update goes wrong: <em>it</em> is told to." },
    });
    expect([await schema("test_helper"), await pending()]).toEqual([7001, { test_helper: [7002] }]);
  });

  it.each([
    ["fatal", /stand_in_no_such_function/],
    ["exit", /ended the program/],
    ["memory", /Allowed memory size/],
  ])("fail with PHP's reason: %s", async (how, message) => {
    await older(how);
    await expect(updates()).rejects.toMatchObject({ code: "PROVISION_DRUPAL_UPDATE_FAILED", message: expect.stringMatching(message) as string });
    expect(await schema("test_helper")).toBe(7001);
  });

  it("that lack what they need are left for later, with a warning", async () => {
    await older();
    await db.run("UPDATE `system` SET status = 0, schema_version = -1 WHERE name = 'calendar_lite'");
    expect(await updates()).toEqual({ applied: [], failed: null });
    expect(logs.filter((log) => log.startsWith("warning"))).toEqual([expect.stringMatching(/test_helper_update_7001 is left for later: it needs calendar_lite_update_7102/), expect.stringContaining("test_helper_update_7002")]);
    await db.run("UPDATE `system` SET status = 1, schema_version = 7102 WHERE name = 'calendar_lite'");
    expect(await schema("test_helper")).toBe(7000);
  });
});

describe("paths in the database of a site that has moved", () => {
  const LONGER = `${URI}.new`;
  const TEXT = `<a href="/sites/${URI}/files/a">a</a> <img src='//${URI}/sites/${URI}/files/b'> sites/${URI}.au/x sites/${URI}-old/x /sites/default/files/c sites/all/d sites/${URI}`;
  const MOVED = `<a href="/sites/${LONGER}/files/a">a</a> <img src='//${LONGER}/sites/${LONGER}/files/b'> sites/${URI}.au/x sites/${URI}-old/x /sites/${LONGER}/files/c sites/all/d sites/${LONGER}`;
  const PLACES = ["SELECT body AS t FROM block_custom WHERE info = 'Moved'", ...["data", "revision"].flatMap((kind) => ["value", "summary"].map((part) => `SELECT body_${part} AS t FROM field_${kind}_body WHERE entity_id = 1`))];

  beforeEach(async () => {
    await db.run("REPLACE INTO block_custom (bid, body, info) VALUES (77, ?, 'Moved')", [TEXT]);
    for (const kind of ["data", "revision"]) await db.run(`UPDATE field_${kind}_body SET body_value = ?, body_summary = ?`, [TEXT, TEXT]);
    await db.run("UPDATE `system` SET filename = REPLACE(filename, ?, ?)", [`sites/${LONGER}/`, `sites/${URI}/`]);
    await served.setVariable("site_name", `s:${URI.length + 8}:"Site at ${URI}";`);
  });

  const texts = async (): Promise<unknown[]> => (await Promise.all(PLACES.map((sql) => db.rows(sql)))).map(([row]) => row?.["t"]);
  const files = async (): Promise<unknown[]> => (await db.rows("SELECT filename FROM `system` WHERE name IN ('guest_book', 'calendar_lite') ORDER BY name")).map(({ filename }) => filename);

  it("81: are replaced, also when the new name begins with the old one, and no longer name is", async () => {
    expect(await rewritePaths(db, { from: URI, to: LONGER })).toEqual([`sites/${URI}`, "sites/default"]);
    expect(await texts()).toEqual(PLACES.map(() => MOVED));
    expect(await files()).toEqual(["sites/all/modules/contrib/calendar_lite/calendar_lite.module", `sites/${LONGER}/modules/guest_book/guest_book.module`]);
    expect(await siteVariable(db, "site_name")).toBe(`Site at ${LONGER}`);
  });

  it.each([[undefined], [""], [LONGER]])("81, 82: are left alone when the old name is %j", async (from) => {
    expect(await rewritePaths(db, { from, to: LONGER })).toEqual([]);
    expect([await texts(), await siteVariable(db, "site_name")]).toEqual([PLACES.map(() => TEXT), `Site at ${URI}`]);
    expect((await files())[1]).toBe(`sites/${URI}/modules/guest_book/guest_book.module`);
  });

  it("are seen in a page", async () => {
    await rewritePaths(db, { from: URI, to: LONGER });
    await db.run("DELETE FROM cache_bootstrap");
    const { body } = await served.get("/node/1");
    expect(body).toContain(`/sites/${LONGER}/files/a`);
    expect(body).toContain(`Site at ${LONGER}`);
  });

  it("are replaced in many pieces of content, a slice at a time", async () => {
    const row = (id: number): string => `('node', 'page', 0, ${id}, ${id}, 'und', 0, 'sites/${URI}/files/${id}', '', NULL)`;
    for (let from = 10; from < 5010; from += 1000) {
      const rows = Array.from({ length: 1000 }, (_, index) => row(2 * (from + index)));
      await db.run(`INSERT INTO field_data_body (entity_type, bundle, deleted, entity_id, revision_id, language, delta, body_value, body_summary, body_format) VALUES ${rows.join(", ")}`);
    }
    await rewritePaths(db, { from: URI, to: LONGER });
    const count = "SELECT SUM(body_value = CONCAT('sites/', ?, '/files/', entity_id)) AS moved, COUNT(*) AS n FROM field_data_body WHERE entity_id > 1";
    expect(await db.rows(count, [LONGER])).toEqual([{ moved: "5000", n: "5000" }]);
    await db.run("DELETE FROM field_data_body WHERE entity_id > 1");
  });
});

describe("what a site says of itself", () => {
  it("comes from its variables, and what settings.php says wins", async () => {
    expect(await importFacts(db, {})).toEqual({ profile: "standard", language: "en" });
    await served.setVariable("install_profile", 's:4:"club";');
    await served.setVariable("language_default", 'O:8:"stdClass":2:{s:8:"language";s:7:"zh-hans";s:4:"name";s:2:"en";}');
    expect(await importFacts(db, {})).toEqual({ profile: "club", language: "zh-hans" });
    expect(await importFacts(db, { install_profile: 's:7:"minimal";', language_default: null })).toEqual({ profile: "minimal", language: "zh-hans" });
    await db.run("DELETE FROM variable WHERE name IN ('install_profile', 'language_default')");
    expect(await importFacts(db, {})).toEqual({ profile: "standard", language: "en" });
  });

  it.each([["b:1;", true], ["b:0;", false], ["i:1;", true], ["i:0;", false], ['s:1:"1";', true], ['s:1:"0";', false], ['s:0:"";', false], ["N;", false]])("is true or not as for PHP: %s", async (serialized, on) => {
    await served.setVariable("some_switch", serialized);
    expect(await isVariableOn(db, "some_switch")).toBe(on);
    expect(await isVariableOn(db, "no_such_switch")).toBe(false);
  });
});
