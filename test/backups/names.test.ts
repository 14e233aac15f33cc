import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execFileSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { phpTimeZone, suggestedName, timeText } from "../../src/backups/backup-name.ts";
import { listBackups } from "../../src/backups/list.ts";
import { byPercent } from "../../src/backups/progress.ts";
import { estimateTree } from "../../src/backups/space.ts";
import { openBench } from "./archives.ts";

let folder: string;
const at = (...path: string[]): string => join(folder, ...path);
const moment = new Date("2026-11-29T23:05:09Z");

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "shim-names-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("the name of a backup", () => {
  it("commands 66: has the time in PHP's time zone", () => {
    expect([timeText(moment, "UTC"), timeText(moment, "Europe/Berlin"), timeText(moment, "America/New_York"), timeText(moment, "No/Where")]).toEqual(["20261129.230509", "20261130.000509", "20261129.180509", "20261129.230509"]);
  });

  it("commands 66: is the first that is free", () => {
    const backup = { uri: "a.test", suffix: ".tar.gz", at: moment, zone: "UTC" };
    expect(suggestedName(folder, backup)).toBe(at("a.test-20261129.230509.tar.gz"));
    writeFileSync(at("a.test-20261129.230509.tar.gz"), "");
    symlinkSync("nowhere", at("a.test-20261129.230509_1.tar.gz"));
    expect(suggestedName(folder, backup)).toBe(at("a.test-20261129.230509_2.tar.gz"));
  });

  it("PHP's time zone is what PHP itself says", () => {
    const php = execFileSync("php", ["-r", "echo date_default_timezone_get();"], { encoding: "utf8" });
    expect([phpTimeZone("php", process.env["PATH"] ?? ""), phpTimeZone("/no/php", ""), phpTimeZone("php", "/nowhere")]).toEqual([php, "UTC", "UTC"]);
  });
});

describe("listing", () => {
  it("finds archives by their names, oldest first, and says which have checksums", async () => {
    const bench = openBench();
    mkdirSync(bench.at("site"));
    mkdirSync(bench.at("b"));
    for (const name of ["b/site.test-20260102.030405.tar.gz", "b/site.test-20250102.030405_1.tar", "b/other-site.test-20240102.030405.tar.bz2"]) await bench.make(name);
    execFileSync("tar", ["-czf", bench.at("b/site.test-20230102.030405.tar.gz"), "-C", bench.at("site"), "."]);
    execFileSync("tar", ["-cf", bench.at("b/by hand.tar"), "-C", bench.at("site"), "."]);
    utimesSync(bench.at("b/by hand.tar"), 1_000_000_000, 1_000_000_000);
    for (const name of ["notes.txt", ".site.test-20260102.030405.tar.gz", "x.tar.gz.part"]) writeFileSync(bench.at("b", name), "");
    mkdirSync(bench.at("b/folder.tar.gz"));
    writeFileSync(bench.at("b/empty.tar.gz"), "");
    utimesSync(bench.at("b/empty.tar.gz"), 1_100_000_000, 1_100_000_000);
    const found = listBackups(bench.at("b"));
    expect(found.map(({ file, uri, date, checksums }) => [file.slice(bench.at("b").length + 1), uri, date.slice(0, 19), checksums])).toEqual([
      ["by hand.tar", undefined, "2001-09-09T01:46:40", false],
      ["empty.tar.gz", undefined, "2004-11-09T11:33:20", false],
      ["site.test-20230102.030405.tar.gz", "site.test", "2023-01-02T03:04:05", false],
      ["other-site.test-20240102.030405.tar.bz2", "other-site.test", "2024-01-02T03:04:05", true],
      ["site.test-20250102.030405_1.tar", "site.test", "2025-01-02T03:04:05", true],
      ["site.test-20260102.030405.tar.gz", "site.test", "2026-01-02T03:04:05", true],
    ]);
    expect(listBackups(bench.at("b"), "site.test").map(({ uri }) => uri)).toEqual(["site.test", "site.test", "site.test"]);
    expect(listBackups(bench.at("nowhere"))).toEqual([]);
    bench.remove();
  });
});

describe("the estimate of space", () => {
  it("counts text a third when it is compressed, other files whole, holes not at all", async () => {
    mkdirSync(at("tree/deep"), { recursive: true });
    writeFileSync(at("tree/page.php"), "x".repeat(300_000));
    writeFileSync(at("tree/deep/picture.jpg"), "x".repeat(100_000));
    execFileSync("truncate", ["-s", "1G", at("tree/deep/sparse")]);
    mkdirSync(at("tree/closed"));
    chmodSync(at("tree/closed"), 0);
    const { signal } = new AbortController();
    const packed = await estimateTree(at("tree"), "gzip", signal);
    const plain = await estimateTree(at("tree"), "none", signal);
    expect([packed.members, packed.packed > 200_000, packed.packed < 230_000, plain.packed > 400_000, plain.packed < 430_000]).toEqual([6, true, true, true, true]);
    chmodSync(at("tree/closed"), 0o755);
    expect(existsSync(at("tree/closed"))).toBe(true);
  });
});

it("progress is told a hundred times at most, and at the beginning", () => {
  const told: (readonly [number, number])[] = [];
  const tell = byPercent(10_000, (done, total) => told.push([done, total]));
  for (let done = 1; done <= 20_000; done++) tell(done);
  expect([told.length, told[0], told.at(-1)?.[1]]).toEqual([200, [1, 10_000], told.at(-1)?.[0]]);
});
