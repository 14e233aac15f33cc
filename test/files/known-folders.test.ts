import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { KnownFolders } from "../../src/files/known-folders.ts";
import { Remembered } from "../../src/files/remembered.ts";

let home: string;
let folder: string;
let remembered: Remembered;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "shim-folders-"));
  folder = join(home, "folder");
  mkdirSync(join(folder, "below"), { recursive: true });
  remembered = new Remembered(join(home, "cache"));
});
afterEach(() => rmSync(home, { recursive: true }));

function search(): KnownFolders {
  return new KnownFolders(remembered, { name: "test", files: /\.php$/ });
}

function names(known = search()): string[] | undefined {
  const found = known.entries(folder)?.map(({ name, kind }) => `${kind} ${name}`).sort();
  known.keep();
  return found;
}

/** As if it had been changed a while ago. The time of its change of times cannot be set, so it is waited for. */
async function settle(): Promise<void> {
  utimesSync(folder, new Date(1_600_000_000_000), new Date(1_600_000_000_000));
  await new Promise((resolve) => setTimeout(resolve, 2050));
}

function write(name: string): void {
  writeFileSync(join(folder, name), "x");
}

describe("what is in folders that are searched at each call", () => {
  it("are folders, links and the files that matter", () => {
    for (const name of ["a.php", "b.txt", ".hidden.php"]) write(name);
    symlinkSync("nowhere", join(folder, "link"));
    expect(names()).toEqual(["file a.php", "folder below", "link link"]);
    expect(search().entries(join(home, "none"))).toBeUndefined();
    expect(search().entries(join(folder, "a.php"))).toBeUndefined();
  });

  it("is remembered while nothing changes, and not read again", async () => {
    write("a.php");
    await settle();
    expect(names()).toEqual(["file a.php", "folder below"]);
    const told = JSON.parse(remembered.get("test") ?? "") as Record<string, { entries: { name: string }[] }>;
    remembered.set("test", JSON.stringify({ ...told, [folder]: { ...told[folder], entries: [{ name: "remembered.php", kind: "file" }] } }));
    expect(names()).toEqual(["file remembered.php"]);
  });

  it.each([
    ["added", () => write("b.php"), ["file a.php", "file b.php", "folder below"]],
    ["removed", () => rmSync(join(folder, "a.php")), ["folder below"]],
    ["renamed", () => renameSync(join(folder, "a.php"), join(folder, "c.php")), ["file c.php", "folder below"]],
  ])("is seen anew when something is %s, although the folder's time is put back", async (_, change, after) => {
    write("a.php");
    await settle();
    names();
    const { atime, mtime } = statSync(folder);
    change();
    utimesSync(folder, atime, mtime);
    expect(names()).toEqual(after);
    expect(names()).toEqual(after);
  });

  it("is not remembered of a folder that has just been changed: the next change may leave it the same times", () => {
    write("a.php");
    names();
    expect(remembered.get("test") ?? "{}").toBe("{}");
  });

  it("is looked at once in a search, until that is told to forget", async () => {
    await settle();
    const known = search();
    expect(names(known)).toEqual(["folder below"]);
    write("a.php");
    expect(names(known)).toEqual(["folder below"]);
    known.forget();
    expect(names(known)).toEqual(["file a.php", "folder below"]);
  });

  it.each(["{", "[]", "null", '{"x":1}', '"text"'])("is found out anew when what is remembered is %j", async (text) => {
    await settle();
    remembered.set("test", text);
    expect(names()).toEqual(["folder below"]);
  });

  it.skipIf(process.getuid?.() === 0)("of a folder that may not be read is the system's error, also where it was readable before", async () => {
    await settle();
    names();
    chmodSync(folder, 0o000);
    expect(() => search().entries(folder)).toThrow(/EACCES/);
    chmodSync(folder, 0o700);
  });
});
