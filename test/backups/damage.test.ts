import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { GrowingFile } from "../../src/backups/archive-source.ts";
import { crc32InScript, crc32Of } from "../../src/backups/crc32.ts";
import { makeOddTree, openBench, type Bench } from "./archives.ts";

const FLIPS = Number(process.env["SHIM_TEST_FLIPS"] ?? 60);
const NAMES = ["a.tar.gz", "a.tar", "a.tar.bz2"] as const;

let bench: Bench;

beforeAll(async () => {
  bench = openBench();
  mkdirSync(bench.at("site/files"), { recursive: true });
  writeFileSync(bench.at("site/settings.php"), "<?php\n# settings\n");
  writeFileSync(bench.at("site/files/text"), "some text of a site\n".repeat(300));
  writeFileSync(bench.at("site/files/picture"), Buffer.from(Array.from({ length: 9000 }, (_, index) => (index * index * 31 + (index >> 3) * 7) & 0xff)));
  writeFileSync(bench.at("site/files", "long".repeat(40)), "long name");
  for (const name of NAMES) await bench.make(name);
});
afterAll(() => bench.remove());

function write(name: string, bytes: Buffer): string {
  writeFileSync(bench.at(name), bytes);
  return name;
}

const DAMAGED = { code: "PROVISION_BACKUP_DAMAGED" };

describe.each(NAMES)("%s", (name) => {
  it("has no bit whose change is not found, in the headers, in the data and at the end", async () => {
    const whole = readFileSync(bench.at(name));
    const bits = whole.length * 8;
    // All over the file, and each of the bits of its first and last bytes, among which are those that say little.
    const everywhere = Array.from({ length: FLIPS }, (_, index) => Math.floor((index * bits) / FLIPS) + (index % 8));
    const ends = Array.from({ length: Math.min(FLIPS, 200) }, (_, index) => [index % 96, bits - 1 - index * 3]).flat();
    const missed: number[] = [];
    for (const bit of new Set([...everywhere, ...ends].filter((bit) => bit >= 0 && bit < bits))) {
      const flipped = Buffer.from(whole);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      try {
        await bench.verify(write(`flipped-${name}`, flipped));
        missed.push(bit);
      } catch (thrown) {
        expect(thrown).toMatchObject(DAMAGED);
      }
    }
    expect(missed).toEqual([]);
  }, 600_000);

  it.each([0.999, 0.9, 0.5, 0.1])("cut off at %d of its length is found", async (part) => {
    copyFileSync(bench.at(name), bench.at(`cut-${name}`));
    truncateSync(bench.at(`cut-${name}`), Math.floor(statSync(bench.at(name)).size * part));
    await expect(bench.verify(`cut-${name}`)).rejects.toMatchObject(DAMAGED);
  });

  it("with something behind its end is found", async () => {
    for (const more of [Buffer.from("x"), Buffer.alloc(1), readFileSync(bench.at(name))]) {
      await expect(bench.verify(write(`more-${name}`, Buffer.concat([readFileSync(bench.at(name)), more])))).rejects.toMatchObject(DAMAGED);
    }
  });

  it("with the error's name for the file, and a hint", async () => {
    await expect(bench.verify(write(`half-${name}`, readFileSync(bench.at(name)).subarray(0, 700)))).rejects.toMatchObject({ message: expect.stringContaining(`The backup ${bench.at(`half-${name}`)} cannot be used: `) as string, hint: expect.any(String) as string });
  });
});

describe("an archive whose members are not those of its manifest", () => {
  /** The archive with its tar changed by GNU tar, packed again by gzip. */
  function rewritten(name: string, change: (tar: string) => void): string {
    write("raw.tar", gunzipSync(readFileSync(bench.at("a.tar.gz"))));
    change(bench.at("raw.tar"));
    return write(name, gzipSync(readFileSync(bench.at("raw.tar"))));
  }

  it("is found: a member is missing", async () => {
    const name = rewritten("missing.tar.gz", (tar) => execFileSync("tar", ["--delete", "-f", tar, "./files/text"]));
    await expect(bench.verify(name)).rejects.toMatchObject({ ...DAMAGED, message: expect.stringContaining('manifest lists "./files/text"') as string });
  });

  it("is found: the last members are missing", async () => {
    const last = execFileSync("tar", ["-tf", bench.at("a.tar.gz")], { encoding: "utf8" }).trim().split("\n").at(-2) ?? "";
    const name = rewritten("last.tar.gz", (tar) => execFileSync("tar", ["--delete", "-f", tar, last]));
    await expect(bench.verify(name)).rejects.toMatchObject(DAMAGED);
  });

  it("is found: a member is too many, before the manifest or behind it", async () => {
    writeFileSync(bench.at("extra"), "x");
    const behind = rewritten("behind.tar.gz", (tar) => execFileSync("tar", ["-rf", tar, "-C", bench.folder, "./extra"]));
    await expect(bench.verify(behind)).rejects.toMatchObject({ ...DAMAGED, message: expect.stringContaining("follows the manifest") as string });
    const tree = bench.at("tree");
    mkdirSync(tree);
    execFileSync("tar", ["-xf", bench.at("a.tar.gz"), "-C", tree]);
    writeFileSync(`${tree}/extra`, "x");
    const names = execFileSync("tar", ["-tf", bench.at("a.tar.gz")], { encoding: "utf8" }).trim().split("\n");
    execFileSync("tar", ["--no-recursion", "-czf", bench.at("before.tar.gz"), "-C", tree, ...names.slice(0, -1), "./extra", names.at(-1) ?? ""]);
    await expect(bench.verify("before.tar.gz")).rejects.toMatchObject({ ...DAMAGED, message: expect.stringContaining("./extra") as string });
  });

  it("is found: a file has another content of the same length, with right checksums of tar and gzip", async () => {
    const tar = gunzipSync(readFileSync(bench.at("a.tar.gz")));
    const at = tar.indexOf("some text of a site");
    tar.write("SOME", at, "latin1");
    await expect(bench.verify(write("other.tar.gz", gzipSync(tar)))).rejects.toMatchObject({ ...DAMAGED, message: expect.stringContaining('"./files/text" is not as its manifest says') as string });
  });

  it("is found: its manifest says something else of the backup", async () => {
    const tar = gunzipSync(readFileSync(bench.at("a.tar.gz")));
    tar.write("other.te", tar.indexOf('"uri":"site.test"') + 7, "latin1");
    await expect(bench.verify(write("uri.tar.gz", gzipSync(tar)))).rejects.toMatchObject({ ...DAMAGED, message: expect.stringContaining("manifest") as string });
  });
});

describe("archives of the old backend", () => {
  it.each([
    ["old.tar.gz", "cpfz"],
    ["old.tar.bz2", "cpfj"],
    ["old.tar", "cpf"],
    ["old-posix.tar.gz", "--format=posix -czpf"],
    ["old-ustar.tar.gz", "--format=ustar -czpf"],
  ])("%s can be read, unpacked, and have no checksums", async (name, how) => {
    if (!name.includes("ustar")) makeOddTree(bench.at(name.replaceAll(".", "-")));
    else {
      mkdirSync(bench.at("old-ustar-tar-gz/sub"), { recursive: true });
      writeFileSync(bench.at("old-ustar-tar-gz/sub/file"), "x");
    }
    execFileSync("sh", ["-c", `tar ${how} "$0" .`, bench.at(name)], { cwd: bench.at(name.replaceAll(".", "-")) });
    const check = await bench.verify(name);
    expect(check.manifest).toBeUndefined();
    expect(check.members).toBeGreaterThan(2);
    await bench.unpack(name, `from-${name}`);
    const compared = execFileSync("sh", ["-c", `diff -r --no-dereference "$0" "$1" && echo same`, bench.at(name.replaceAll(".", "-")), bench.at(`from-${name}`)], { encoding: "utf8" });
    expect(compared).toBe("same\n");
  });

  it("cut off or broken is found all the same", async () => {
    const whole = readFileSync(bench.at("old.tar.gz"));
    await expect(bench.verify(write("old-cut.tar.gz", whole.subarray(0, -20)))).rejects.toMatchObject(DAMAGED);
    await expect(bench.verify(write("old-garbage.tar.gz", Buffer.concat([whole, Buffer.from("garbage")])))).rejects.toMatchObject(DAMAGED);
    whole[whole.length >> 1] = (whole[whole.length >> 1] ?? 0) ^ 16;
    await expect(bench.verify(write("old-flipped.tar.gz", whole))).rejects.toMatchObject(DAMAGED);
    await expect(bench.verify(write("old-cut.tar", readFileSync(bench.at("old.tar")).subarray(0, 30_000)))).rejects.toMatchObject(DAMAGED);
    await expect(bench.verify(write("none.tar.gz", Buffer.alloc(0)))).rejects.toMatchObject(DAMAGED);
    await expect(bench.verify(write("text.tar.gz", Buffer.from("this is no archive at all\n".repeat(100))))).rejects.toMatchObject(DAMAGED);
    await expect(bench.verify("not-there.tar.gz")).rejects.toMatchObject({ code: "PROVISION_BACKUP_NOT_FOUND" });
  });
});

describe("reading a file that grows", () => {
  it("waits for the writer, and ends with him", async () => {
    writeFileSync(bench.at("grows"), "");
    const [writing, reading] = [await open(bench.at("grows"), "r+"), await open(bench.at("grows"), "r")];
    const growing = new GrowingFile(reading);
    const read: string[] = [];
    const done = (async () => {
      for await (const bytes of growing.bytes()) read.push(bytes.toString());
    })();
    for (const text of ["one", "two", "three"]) {
      await writing.write(text);
      growing.grew(text.length);
      await new Promise((resolve) => setImmediate(resolve));
    }
    growing.end();
    await done;
    expect(read.join("")).toBe("onetwothree");
    await writing.close();
    await reading.close();
  });
});

it("the checksum of gzip is the same in JavaScript", () => {
  for (const length of [0, 1, 7, 8, 9, 100, 4097]) {
    const bytes = Buffer.from(Array.from({ length }, (_, index) => (index * 7919) & 0xff));
    const trailer = gzipSync(bytes).readUInt32LE(gzipSync(bytes).length - 8);
    expect([crc32InScript(bytes, 0), crc32Of(bytes, 0), crc32InScript(bytes.subarray(3), crc32InScript(bytes.subarray(0, 3), 0))]).toEqual([trailer, trailer, trailer]);
  }
});
