import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { examineBackup, keepLinksOf, type BackupOwner } from "../../src/backups/examine.ts";
import { headerAnew, paddingAfter, type MemberType, type TarMember } from "../../src/backups/tar-header.ts";
import type { Work } from "../../src/task/plan.ts";
import { openBench, type Bench } from "./archives.ts";

let bench: Bench;

beforeAll(() => {
  bench = openBench();
});
afterAll(() => bench.remove());
beforeEach(() => {
  execFileSync("sh", ["-c", "chmod -R u+rwX . ; find . -mindepth 1 -delete; mkdir site outside; echo secret > outside/file"], { cwd: bench.folder });
});

interface Made {
  readonly path: string;
  readonly type?: MemberType;
  readonly target?: string;
  readonly content?: string;
  readonly mode?: number;
}

/** An archive with exactly these members, as no tar would make it. */
function craft(name: string, members: readonly Made[], change: (tar: Buffer) => Buffer = (tar) => tar): string {
  const parts = members.flatMap(({ path, type = "file", target = "", content = "", mode = 0o644 }) => {
    const data = Buffer.from(content);
    const member: TarMember = { path, type, mode, uid: 0, gid: 0, size: data.length, mtime: 1_700_000_000, target, sparse: undefined, blocks: Buffer.alloc(0) };
    return [headerAnew(member), data, Buffer.alloc(paddingAfter(data.length))];
  });
  writeFileSync(bench.at(name), gzipSync(change(Buffer.concat([...parts, Buffer.alloc(1024)]))));
  return name;
}

/** Puts tar's letter for another type into the header of the first member. */
function asType(letter: string): (tar: Buffer) => Buffer {
  return (tar) => {
    tar.write(letter, 156, "latin1");
    let sum = 256;
    for (let at = 0; at < 512; at++) if (at < 148 || at > 155) sum += tar[at] ?? 0;
    tar.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
    return tar;
  };
}

const top: Made = { path: ".", type: "directory", mode: 0o755 };

describe("an archive that would write or lead out of the directory is refused, and nothing is made", () => {
  const cases: readonly (readonly [string, readonly Made[]])[] = [
    ["an absolute path", [top, { path: "/tmp/shim-evil", content: "x" }]],
    ["a path with ..", [top, { path: "./files/../../outside/file", content: "x" }]],
    ["a path that is ..", [top, { path: "..", type: "directory" }]],
    ["an absolute link", [top, { path: "./link", type: "link", target: "/etc/passwd" }]],
    ["a link to above", [top, { path: "./files/link", type: "link", target: "../../outside" }]],
    ["a link to the directory's own neighbour by a long way", [top, { path: "./a/b/link", type: "link", target: "../../x/../../outside" }]],
    ["a hard link to an absolute path", [top, { path: "./link", type: "hard link", target: "/etc/passwd" }]],
    ["a hard link to above", [top, { path: "./link", type: "hard link", target: "../outside/file" }]],
    ["a file behind a link", [top, { path: "./here", type: "link", target: "files" }, { path: "./here/file", content: "x" }]],
    ["a file behind a hard link to a link", [top, { path: "./one", type: "link", target: "files" }, { path: "./two", type: "hard link", target: "./one" }, { path: "./two/file", content: "x" }]],
    ["a hard link behind a link", [top, { path: "./here", type: "link", target: "files" }, { path: "./hard", type: "hard link", target: "here/file" }]],
    ["a directory where a link was", [top, { path: "./here", type: "link", target: "files" }, { path: "./here", type: "directory" }]],
    ["the directory itself as a link", [{ path: ".", type: "link", target: "outside" }]],
    ["the directory itself as a file", [{ path: ".", content: "x" }]],
  ];

  it.each(cases)("%s", async (_, members) => {
    const name = craft("evil.tar.gz", members);
    await expect(bench.unpack(name, "target", { keepLink: () => false })).rejects.toMatchObject({ code: "PROVISION_BACKUP_UNSAFE", message: expect.stringContaining(bench.at(name)) as string });
    expect(readdirSync(bench.folder).sort()).toEqual(["evil.tar.gz", "outside", "site"]);
    expect([readFileSync(bench.at("outside/file"), "utf8"), existsSync("/tmp/shim-evil")]).toEqual(["secret\n", false]);
    // The whole archive is examined before a task begins, with the same outcome.
    await expect(examineBackup(work(), bench.at(name), owner())).rejects.toMatchObject({ code: "PROVISION_BACKUP_UNSAFE" });
  });

  it.each([["3", "PROVISION_BACKUP_UNSAFE"], ["4", "PROVISION_BACKUP_UNSAFE"], ["D", "PROVISION_BACKUP_DAMAGED"], ["M", "PROVISION_BACKUP_DAMAGED"], ["V", "PROVISION_BACKUP_DAMAGED"]])("a member of tar's type %s", async (letter, code) => {
    const name = craft("evil.tar.gz", [{ path: "./device" }, top], asType(letter));
    await expect(bench.unpack(name, "target")).rejects.toMatchObject({ code });
    expect(existsSync(bench.at("target"))).toBe(false);
  });

  it.each([["path=../../outside/file", "PROVISION_BACKUP_UNSAFE"], ["GNU.sparse.name=/etc/x", "PROVISION_BACKUP_DAMAGED"], ["linkpath=", "PROVISION_BACKUP_OK"]])("what a pax header says: %s", async (setting, code) => {
    const record = `${setting}\n`;
    let length = record.length + 3;
    length = record.length + 1 + String(length).length;
    const text = `${length} ${record}`;
    const name = craft("pax.tar.gz", [{ path: "./pax", content: text }, { path: "./file", content: "x" }, top], asType("x"));
    const outcome = await bench.unpack(name, "target", { keepLink: () => false }).then(() => "PROVISION_BACKUP_OK", (thrown: unknown) => (thrown as { code: string }).code);
    expect(outcome).toBe(code);
    expect(readFileSync(bench.at("outside/file"), "utf8")).toBe("secret\n");
  });
});

describe("what is fine", () => {
  it("a link inside, one that the site has too, and one of a backup of one's own", async () => {
    symlinkSync("/mnt/uploads", bench.at("site/files"));
    const name = craft("fine.tar.gz", [top, { path: "./files", type: "link", target: "/mnt/uploads" }, { path: "./in", type: "link", target: "a/../b" }]);
    await bench.unpack(name, "one", { keepLink: keepLinksOf(bench.at("site")) });
    expect([readlinkSync(bench.at("one/files")), readlinkSync(bench.at("one/in"))]).toEqual(["/mnt/uploads", "a/../b"]);
    await bench.unpack(name, "two");
    expect(readlinkSync(bench.at("two/files"))).toBe("/mnt/uploads");
    await expect(bench.unpack(name, "three", { keepLink: keepLinksOf(bench.at("outside")) })).rejects.toMatchObject({ code: "PROVISION_BACKUP_UNSAFE" });
  });

  it("a pipe of an old backup is left out; a file that comes twice is the later one; the mode of a closed directory is kept", async () => {
    const name = craft("old.tar.gz", [top, { path: "./pipe", type: "fifo" }, { path: "./closed", type: "directory", mode: 0o555 }, { path: "./closed/file", content: "first" }, { path: "./closed/file", content: "second", mode: 0o440 }]);
    const { mode } = await bench.unpack(name, "old");
    expect([mode, lstatSync(bench.at("old/closed")).mode & 0o7777, lstatSync(bench.at("old/closed/file")).mode & 0o7777]).toEqual([0o755, 0o555, 0o440]);
    expect([readFileSync(bench.at("old/closed/file"), "utf8"), existsSync(bench.at("old/pipe"))]).toEqual(["second", false]);
  });

  it("nobody else sees into the directory, at no moment", async () => {
    writeFileSync(bench.at("site/file"), "x".repeat(2_000_000));
    chmodSync(bench.at("site"), 0o777);
    await bench.make("a.tar.gz");
    const modes = new Set<number>();
    await bench.unpack("a.tar.gz", "target", { work: { signal: new AbortController().signal, child: () => undefined, progress: () => void modes.add(lstatSync(bench.at("target")).mode & 0o777) } });
    modes.add(lstatSync(bench.at("target")).mode & 0o777);
    expect([...modes]).toEqual([0o700]);
  });
});

describe("what fails", () => {
  it("because the target is there leaves that alone", async () => {
    await bench.make("a.tar.gz");
    mkdirSync(bench.at("target"));
    await expect(bench.unpack("a.tar.gz", "target")).rejects.toMatchObject({ code: "PROVISION_BACKUP_EXTRACTION_FAILED" });
    expect(existsSync(bench.at("target"))).toBe(true);
    await expect(bench.unpack("a.tar.gz", "none/target")).rejects.toMatchObject({ code: "PROVISION_BACKUP_EXTRACTION_FAILED" });
    await expect(bench.unpack("none.tar.gz", "new")).rejects.toMatchObject({ code: "PROVISION_BACKUP_NOT_FOUND" });
  });

  it("because the archive is damaged at its very end leaves nothing", async () => {
    writeFileSync(bench.at("site/file"), "x".repeat(2_000_000));
    await bench.make("a.tar.gz");
    const bytes = readFileSync(bench.at("a.tar.gz"));
    bytes[bytes.length - 30] = (bytes[bytes.length - 30] ?? 0) ^ 1;
    writeFileSync(bench.at("a.tar.gz"), bytes);
    await expect(bench.unpack("a.tar.gz", "target")).rejects.toMatchObject({ code: "PROVISION_BACKUP_DAMAGED" });
    expect(existsSync(bench.at("target"))).toBe(false);
  });

  it.each([
    ["tar ends early", "head -c 20000 >/dev/null; exit 0", "PROVISION_BACKUP_EXTRACTION_FAILED"],
    ["tar complains", "cat >/dev/null; echo 'tar: ./x: Cannot open: Permission denied' >&2; exit 2", "PROVISION_BACKUP_EXTRACTION_FAILED"],
    ["tar fails at once", "echo 'tar: ./x: Cannot write: No space left on device' >&2; exit 2", "FILE_NO_SPACE"],
  ])("because %s leaves nothing", async (_, script, code) => {
    writeFileSync(bench.at("site/file"), "x".repeat(3_000_000));
    await bench.make("a.tar.gz");
    mkdirSync(bench.at("bin"));
    writeFileSync(bench.at("bin/tar"), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    await expect(bench.unpack("a.tar.gz", "target", { env: { PATH: `${bench.at("bin")}:${process.env["PATH"] ?? ""}` } })).rejects.toMatchObject({ code });
    expect(existsSync(bench.at("target"))).toBe(false);
  });

  it("because it was told to stop leaves nothing", async () => {
    writeFileSync(bench.at("site/file"), Buffer.from(Array.from({ length: 600_000 }, (_, index) => (index * index * 17) >> 5)));
    await bench.make("a.tar.gz");
    const stop = new AbortController();
    await expect(bench.unpack("a.tar.gz", "target", { work: { signal: stop.signal, child: () => undefined, progress: () => stop.abort() } })).rejects.toMatchObject({ code: "PROVISION_INTERRUPTED" });
    expect(existsSync(bench.at("target"))).toBe(false);
  });
});

describe("whose backup it is", () => {
  it("is told by its manifest: another site's is refused, one of a site that is no more is not", async () => {
    await bench.make("a.tar.gz");
    expect((await examineBackup(work(), bench.at("a.tar.gz"), owner())).manifest?.facts.uri).toBe("site.test");
    await expect(examineBackup(work(), bench.at("a.tar.gz"), owner({ name: "other.test", uri: "other.test" }))).rejects.toMatchObject({ code: "PROVISION_BACKUP_OTHER_SITE" });
    await examineBackup(work(), bench.at("a.tar.gz"), owner({ name: "other.test", uri: "other.test", isNobody: () => Promise.resolve(true) }));
    execFileSync("tar", ["-czf", bench.at("old.tar.gz"), "-C", bench.at("site"), "."]);
    expect((await examineBackup(work(), bench.at("old.tar.gz"), owner({ name: "other.test", uri: "other.test" }))).manifest).toBeUndefined();
  });
});

function owner(changed: Partial<BackupOwner> = {}): BackupOwner {
  return { name: "site.test", uri: "site.test", sitePath: join(bench.folder, "site"), isNobody: () => Promise.resolve(false), ...changed };
}

function work(): Work {
  return { signal: new AbortController().signal, child: () => undefined, progress: () => undefined, log: () => undefined } as unknown as Work;
}
