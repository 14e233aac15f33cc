import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DrupalCore } from "../../src/drupal/core.ts";
import { pendingUpdates } from "../../src/drupal/pending-updates.ts";
import type { SystemRow } from "../../src/drupal/site-packages.ts";

let core: DrupalCore;

beforeAll(() => {
  core = { root: mkdtempSync(join(tmpdir(), "shim-updates-")), version: "7.105", major: 7, constants: new Map() };
});
afterAll(() => {
  rmSync(core.root, { recursive: true });
});

/** A module with these files; its row has the schema version. */
function module(name: string, schema: number, files: Readonly<Record<string, string>>): SystemRow {
  const folder = join(core.root, "modules", name);
  for (const [file, content] of Object.entries({ [`${name}.module`]: "<?php\n", ...files })) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), content);
  }
  return { type: "module", name, filename: `modules/${name}/${name}.module`, schema_version: String(schema), status: "1" };
}

async function pending(...rows: SystemRow[]): Promise<unknown> {
  const found = await pendingUpdates(rows, core);
  return { ...Object.fromEntries(found.pending), ...(found.unsure.length === 0 ? {} : { unsure: found.unsure }) };
}

describe("the updates that are pending", () => {
  it("are the functions with a number above that of the database", async () => {
    const code = "<?php\nfunction a_update_7000() {}\nfunction a_update_7002(&$sandbox) {}\n  function  A_Update_7001 ($sandbox)\n{}\nfunction a_update_batch_7009() {}\n";
    expect(await pending(module("a", 7000, { "a.install": code }))).toEqual({ a: [7001, 7002] });
    expect(await pending(module("a", 7002, { "a.install": code }))).toEqual({});
    expect(await pending(module("a", -1, { "a.install": code }))).toEqual({});
  });

  it("are no comments or texts", async () => {
    const code = `<?php
/* function b_update_7001() {} */
// function b_update_7002() {}
# function b_update_7003() {}
$text = 'function b_update_7004() {}';
$more = <<<TEXT
function b_update_7005() {}
TEXT;
`;
    expect(await pending(module("b", 7000, { "b.install": code }))).toEqual({});
    expect(await pending(module("b", 7000, { "b.install": `${code}if (TRUE) { function b_update_7006() {} }\n` }))).toEqual({ b: [7006] });
  });

  it("may be when the code cannot be read as PHP", async () => {
    expect(await pending(module("c", 0, { "c.install": "<?php\n/* function c_update_7001() */ ) broken (" }))).toEqual({ c: [7001] });
  });

  it("are also found in the module, and in files that its .install includes, but not in others", async () => {
    expect(await pending(module("d", 0, { "d.module": "<?php\nfunction d_update_7001() {}\n" }))).toEqual({ d: [7001] });
    const beside = { "includes/e.updates.inc": "<?php\nfunction e_update_7101() {}\n" };
    expect(await pending(module("e", 0, { ...beside, "e.install": "<?php\nmodule_load_include('inc', 'e', 'includes/e.updates');\n" }))).toEqual({ e: [7101] });
    expect(await pending(module("e", 0, { ...beside, "e.install": "<?php\n" }))).toEqual({});
  });

  it("count for the module that they are named after", async () => {
    const f = module("f", 7000, { "f.install": "<?php\nfunction g_update_7001() {}\n" });
    expect(await pending(f)).toEqual({});
    expect(await pending(f, module("g", 7000, {}))).toEqual({ g: [7001] });
  });

  it("cannot be known of a module that is not where the database says", async () => {
    const row = { ...module("h", 7000, {}), filename: "sites/gone/modules/h/h.module" };
    expect(await pending(row)).toEqual({ unsure: ["h"] });
    expect(await pending({ ...row, schema_version: "-1" })).toEqual({});
    expect(await pending({ ...row, type: "theme" })).toEqual({});
  });

  it.skipIf(process.env["SHIM_TEST_DRUPAL7"] === undefined)("of a real Drupal 7 are none when its tables are as its code wants (SHIM_TEST_DRUPAL7)", async () => {
    const root = process.env["SHIM_TEST_DRUPAL7"] ?? "";
    const row = (name: string, schema: number): SystemRow => ({ type: "module", name, filename: `modules/${name}/${name}.module`, schema_version: String(schema), status: "1" });
    const real = await pendingUpdates([row("system", 7000)], { ...core, root });
    const latest = real.pending.get("system")?.at(-1) ?? 0;
    expect(latest).toBeGreaterThan(7080);
    expect((await pendingUpdates([row("system", latest)], { ...core, root })).pending.size).toBe(0);
  });
});
