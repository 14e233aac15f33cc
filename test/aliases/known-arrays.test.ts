import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseGenerated } from "../../src/aliases/reading/generated-form.ts";
import { KnownArrays } from "../../src/aliases/reading/known-arrays.ts";
import { readAsData } from "../../src/aliases/reading/read-as-data.ts";
import { siteDrushrcText } from "../../src/aliases/write-drushrc.ts";
import { Remembered } from "../../src/files/remembered.ts";
import { PhpArray } from "../../src/php-values/php-array.ts";
import type { PhpValue } from "../../src/php-values/value.ts";

let home: string;
let path: string;
let remembered: Remembered;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "shim-arrays-"));
  path = join(home, "drushrc.php");
  remembered = new Remembered(join(home, "cache"));
});
afterEach(() => rmSync(home, { recursive: true }));

function drushrc(name: string): PhpArray {
  const packages = PhpArray.of(Array.from({ length: 200 }, (_, index) => [`${name}_${index}`, PhpArray.of([["version", `7.${index}`], ["description", "It's \\ ä\n);\nodd"]])]));
  return PhpArray.of([["db_name", name], ["packages", packages], ["installed", true], ["list", PhpArray.list(["a", "b"])]]);
}

/** As a task replaces it. */
function write(name: string): void {
  writeFileSync(`${path}.new`, siteDrushrcText(drushrc(name), home));
  renameSync(`${path}.new`, path);
}

/** It counts once it has lain for a while. */
async function writeAndWait(name: string): Promise<void> {
  write(name);
  await new Promise((resolve) => setTimeout(resolve, 2050));
}

async function read(arrays?: KnownArrays): Promise<PhpValue | undefined> {
  const file = await readAsData(path, ["options"], arrays);
  return "values" in file ? file.values.get("options") : undefined;
}

function memory(): [string, ...[number, number][]] {
  return JSON.parse(remembered.get(`arrays-1 ${path}`) ?? "[]") as [string, ...[number, number][]];
}

/** Puts another place for the end of the large array into the memory, and reads. */
async function readWithEnd(change: (end: number) => number): Promise<PhpValue | undefined> {
  const [stamp, [start, end] = [0, 0]] = memory();
  remembered.set(`arrays-1 ${path}`, JSON.stringify([stamp, [start, change(end)]]));
  return read(new KnownArrays(remembered));
}

describe("large arrays in generated files", () => {
  it("are passed over while the file is the same, and are what they are when somebody looks", async () => {
    await writeAndWait("one");
    expect(await read(new KnownArrays(remembered))).toEqual(await read());
    const [, [start, end] = [0, 0], ...more] = memory();
    expect([more, end - start > 4096]).toEqual([[], true]);
    const options = (await read(new KnownArrays(remembered))) as PhpArray;
    expect([...options.keys()]).toEqual(["db_name", "packages", "installed", "list"]);
    const packages = options.get("packages") as PhpArray;
    expect([packages.size, packages.has("one_7"), packages.isList()]).toEqual([200, true, false]);
    expect(options).toEqual(await read());
    // It went by what it knew: with another end the rest is no drushrc file.
    expect(await readWithEnd((known) => known - 3)).toEqual(await read());
    expect(await readWithEnd(() => 1_000_000)).toEqual(await read());
  });

  it("are read anew when the file is another one, and of one that has just been written nothing is remembered", async () => {
    await writeAndWait("one");
    await read(new KnownArrays(remembered));
    write("two");
    const before = memory();
    expect(await read(new KnownArrays(remembered))).toEqual(await read());
    expect(memory()).toEqual(before);
  });

  it("a text is not scanned where an array is known to be", () => {
    const text = "<?php \n\n$options['packages'] = array ( WHATEVER );\n$options['x'] = 1;\n";
    expect(parseGenerated(text, home)).toBeUndefined();
    const start = text.indexOf("array");
    const statements = parseGenerated(text, home, { ends: new Map([[start, text.indexOf(")") + 1]]), learn: () => undefined });
    expect(statements?.map((statement) => (statement.kind === "assign" ? statement.target.steps : statement.kind))).toEqual([["packages"], ["x"]]);
  });

  it.each(["{", "null", '["x"]', '"x"', "[1,2,3]"])("a memory of %j is none", async (text) => {
    write("one");
    remembered.set(`arrays-1 ${path}`, text);
    expect(await read(new KnownArrays(remembered))).toEqual(await read());
  });
});
