import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, existsSync, lstatSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MANIFEST } from "../../src/backups/manifest.ts";
import { makeOddTree, odd, openBench, type Bench } from "./archives.ts";

let bench: Bench;

beforeAll(() => {
  bench = openBench();
  makeOddTree(bench.at("site"));
});
afterAll(() => bench.remove());

/** Everything below a folder by names as bytes: type, mode, link, content, and which names are one file. */
function picture(folder: string): string {
  const script = `cd "$0" && find . -printf '%y %m %p -> %l %s\\0' | LC_ALL=C sort -z | tr '\\0' '\\n'; find . -type f -links +1 -printf '%i %p\\n' | LC_ALL=C sort -k2 | awk '{ if (!($1 in n)) n[$1] = ++c; $1 = n[$1]; print }'; find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum`;
  return execFileSync("sh", ["-c", script, folder], { encoding: "latin1", maxBuffer: 1 << 26 });
}

const PACKINGS = ["a.tar.gz", "a.tar", "a.tar.bz2"];

describe.each(PACKINGS)("a backup %s", (name) => {
  it("commands 67: holds the tree as it is, for our own unpacking and for the old tools", async () => {
    const made = await bench.make(name);
    expect(statSync(bench.at(name)).mode & 0o777).toBe(0o600);
    expect(made.size).toBe(statSync(bench.at(name)).size);
    const before = picture(bench.at("site"));
    const unpacked = await bench.unpack(name, "ours");
    expect(statSync(bench.at("ours")).mode & 0o777).toBe(0o700);
    expect(unpacked.mode).toBe(0o755);
    chmodSync(bench.at("ours"), unpacked.mode);
    expect(picture(bench.at("ours"))).toBe(before);
    expect(existsSync(bench.at("ours", MANIFEST))).toBe(false);
    mkdirSync(bench.at("theirs"));
    // As Provision extracts: gunzip in a pipe, or tar that finds out itself.
    execFileSync("sh", ["-c", name.endsWith("gz") ? `gunzip -c ../${name} | tar pxf -` : `tar -pxf ../${name}`], { cwd: bench.at("theirs") });
    rmSync(bench.at("theirs", MANIFEST));
    expect(picture(bench.at("theirs"))).toBe(before);
    for (const folder of ["ours", "theirs"]) execFileSync("sh", ["-c", `chmod -R u+rwX ${folder}; rm -rf ${folder}`], { cwd: bench.folder });
  });

  it("is a plain one to tar, gzip and bzip2, without a word of complaint", () => {
    const listed = spawnSync("tar", ["-tvf", bench.at(name)], { encoding: "latin1" });
    expect([listed.status, listed.stderr]).toEqual([0, ""]);
    const names = execFileSync("tar", ["-tf", bench.at(name), "--quoting-style=literal"], { encoding: "latin1" }).split("\n");
    expect(names.filter((line) => line !== "" && !line.startsWith("./") && !line.startsWith("line : and"))).toEqual([]);
    expect(names.at(-2)).toBe(MANIFEST);
    const test = name.endsWith("gz") ? ["gzip", "-tv"] : name.endsWith("bz2") ? ["bzip2", "-tv"] : ["true"];
    const tested = spawnSync(test[0] ?? "", [...test.slice(1), bench.at(name)], { encoding: "utf8" });
    expect(tested.status).toBe(0);
  });

  it("is whole, says what it is of, and how much is in it", async () => {
    const check = await bench.verify(name);
    expect(check.manifest?.facts).toEqual({ site: "site.test", uri: "site.test", made: "2026-11-29T17:00:00.000Z", by: "test", profile: "standard", database: null });
    expect(check.members).toBe(Number(execFileSync("sh", ["-c", "find . -printf x | wc -c"], { cwd: bench.at("site"), encoding: "utf8" })));
    expect(check.manifest?.end).toEqual({ members: check.members, unsteady: [] });
  });

  it("has a manifest that anybody can check without us", () => {
    const text = execFileSync("tar", ["-xOf", bench.at(name), MANIFEST], { encoding: "utf8", maxBuffer: 1 << 26 });
    const manifest = JSON.parse(text) as { members: ([string, string, number, number, string] | null)[]; columns: string[]; sha256: string };
    expect(manifest.columns).toEqual(["type", "path", "mode", "size", "content"]);
    const row = manifest.members.find((member) => member?.[1] === "./files/block");
    const hash = (bytes: Buffer | string): string => createHash("sha256").update(bytes).digest("hex");
    expect(["file", "hard link"]).toContain(row?.[0]);
    expect(manifest.members.find((member) => member?.[1] === "./files/large")?.[4]).toBe(hash(readFileSync(bench.at("site/files/large"))));
    expect(manifest.sha256).toBe(hash(text.slice(0, text.lastIndexOf('"sha256"'))));
  });
});

describe("what is in a backup", () => {
  it("commands 69: a replaced file has its new content with the old mode and owner; the dump is a member of its own, 0600", async () => {
    writeFileSync(bench.at("dump"), "-- dump\n".repeat(1000), { mode: 0o600 });
    await bench.make("r.tar.gz", { replaced: new Map([["./settings.php", Buffer.from("<?php # literal\n")]]), dump: () => Promise.resolve(bench.at("dump")) });
    await bench.unpack("r.tar.gz", "r");
    expect(readFileSync(bench.at("r/settings.php"), "utf8")).toBe("<?php # literal\n");
    expect(readFileSync(bench.at("site/settings.php"), "utf8")).toBe("<?php # cloaked\n");
    expect(lstatSync(bench.at("r/settings.php")).mode & 0o7777).toBe(0o440);
    expect(readFileSync(bench.at("r/database.sql"), "utf8")).toBe("-- dump\n".repeat(1000));
    expect(lstatSync(bench.at("r/database.sql")).mode & 0o7777).toBe(0o600);
    const owners = execFileSync("tar", ["-tvf", bench.at("r.tar.gz"), "./settings.php", "./database.sql", "./"], { encoding: "utf8" }).split("\n").map((line) => line.split(/\s+/)[1]).filter(Boolean);
    expect(new Set(owners).size).toBe(1);
  });

  it("sockets, pipes and devices stay out, and each is told", async () => {
    execFileSync("sh", ["-c", `mkfifo files/pipe; python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("files/so:cket")' 2>/dev/null || perl -MIO::Socket::UNIX -e 'IO::Socket::UNIX->new(Local => "files/so:cket", Listen => 1)'`], { cwd: bench.at("site") });
    bench.logs.length = 0;
    await bench.make("s.tar.gz");
    expect(bench.logs.filter((line) => line.startsWith("warning")).sort()).toEqual(["warning: ./files/pipe is a fifo and is not in the backup", "warning: ./files/so:cket is not in the backup: socket ignored"]);
    expect(execFileSync("tar", ["-tf", bench.at("s.tar.gz")], { encoding: "latin1" })).not.toMatch(/pipe|cket/);
    rmSync(bench.at("site/files/pipe"));
    rmSync(bench.at("site/files/so:cket"));
  });

  it("commands 70: a stale database.sql and manifest in the site's directory are not in it", async () => {
    writeFileSync(bench.at("site/database.sql"), "stale");
    writeFileSync(bench.at("site", MANIFEST), "stale");
    mkdirSync(bench.at("site/files/sub"));
    writeFileSync(bench.at("site/files/sub/database.sql"), "the site's own");
    await bench.make("t.tar.gz");
    await bench.unpack("t.tar.gz", "t");
    expect([existsSync(bench.at("t/database.sql")), readFileSync(bench.at("t/files/sub/database.sql"), "utf8"), readFileSync(bench.at("site/database.sql"), "utf8")]).toEqual([false, "the site's own", "stale"]);
    for (const path of ["database.sql", MANIFEST, "files/sub"]) rmSync(bench.at("site", path), { recursive: true });
  });

  it("settings of tar in the environment change nothing", async () => {
    await bench.make("e.tar.gz", { env: { PATH: process.env["PATH"], TAR_OPTIONS: "--exclude=files --checkpoint-action=exec=false", GZIP: "-9", LC_ALL: "de_DE.UTF-8" } });
    expect((await bench.verify("e.tar.gz")).members).toBe((await bench.verify("a.tar.gz")).members);
  });
});

describe("a file that changes while it is read", () => {
  /** A tar that does something to the site when it has read a part: what a writer might do at the worst moment. */
  function meddlingTar(script: string): Record<string, string> {
    mkdirSync(bench.at("bin"), { recursive: true });
    const real = execFileSync("sh", ["-c", "command -v tar"], { encoding: "utf8" }).trim();
    writeFileSync(bench.at("bin/tar"), `#!/bin/sh\nset -e\ncase "$*" in *--create*) ;; *) exec ${real} "$@" ;; esac\ncd '${bench.at("site")}'\n${script}\n`, { mode: 0o755 });
    return { PATH: `${bench.at("bin")}:${process.env["PATH"] ?? ""}`, REAL: real };
  }

  /** Runs the real tar, whose place is in $REAL, and says that this file changed, after `change` has run. */
  const complaining = (path: string, change: string): string => `"$REAL" "$@"\n${change}\necho "tar: ${path}: file changed as we read it" >&2\nexit 1`;

  it("is read again until it holds still; the last copy counts", async () => {
    writeFileSync(bench.at("site/files/page"), "first\n");
    const env = meddlingTar(complaining("./files/page", `n=$(cat '${bench.at("count")}' 2>/dev/null || echo 0); echo $((n + 1)) > '${bench.at("count")}'; [ $n -ge 2 ] || echo "state $n" > files/page`));
    await bench.make("c.tar.gz", { env });
    await bench.unpack("c.tar.gz", "c");
    expect(readFileSync(bench.at("c/files/page"), "utf8")).toBe("state 1\n");
    expect((await bench.verify("c.tar.gz")).manifest?.end.unsteady).toEqual([]);
    rmSync(bench.at("count"));
  });

  it("is read again whatever bytes its name has", async () => {
    const name = odd(bench.at("site/files"), "busy-");
    writeFileSync(name, "first");
    const env = meddlingTar(`"$REAL" "$@"\n[ -e '${bench.at("once")}' ] && exit 0\n: > '${bench.at("once")}'\nprintf 'second' > "$(printf 'files/busy-\\377\\351')"\nprintf 'tar: ./files/busy-\\\\377\\\\351: file changed as we read it\\n' >&2\nexit 1`);
    await bench.make("o.tar.gz", { env });
    await bench.unpack("o.tar.gz", "o");
    expect(readFileSync(odd(bench.at("o/files"), "busy-"), "utf8")).toBe("second");
    rmSync(name);
  });

  it("to which only something was added is in the backup as it was at first", async () => {
    writeFileSync(bench.at("site/files/access.log"), "one\n");
    const env = meddlingTar(complaining("./files/access.log", "echo more >> files/access.log"));
    await bench.make("l.tar.gz", { env });
    expect(execFileSync("tar", ["-xOf", bench.at("l.tar.gz"), "./files/access.log"], { encoding: "utf8" })).toBe("one\n");
  });

  it("at each attempt fails the backup, is put up with by force, and needs none in a place that the site makes anew", async () => {
    writeFileSync(bench.at("site/files/busy"), "x");
    const busy = meddlingTar(complaining("./files/busy", "date +%s%N > files/busy"));
    await expect(bench.make("b.tar.gz", { env: busy })).rejects.toMatchObject({ code: "PROVISION_BACKUP_FAILED", message: expect.stringContaining("./files/busy: it changed each of the 5 times") as string });
    expect(existsSync(bench.at("b.tar.gz"))).toBe(false);
    bench.logs.length = 0;
    expect((await bench.make("b.tar.gz", { env: busy, steadiness: { force: true } })).unsteady).toEqual(["./files/busy"]);
    expect(bench.logs).toContainEqual(expect.stringMatching(/^warning: \.\/files\/busy changed each/));
    expect((await bench.verify("b.tar.gz")).manifest?.end.unsteady).toEqual(["./files/busy"]);
    mkdirSync(bench.at("site/files/css"), { recursive: true });
    writeFileSync(bench.at("site/files/css/a.css"), "x");
    expect((await bench.make("d.tar.gz", { env: meddlingTar(complaining("./files/css/a.css", "date +%s%N > files/css/a.css")) })).unsteady).toEqual(["./files/css/a.css"]);
  });

  it("all the time: the archive is whole and holds one state of it", async () => {
    writeFileSync(bench.at("site/files/rotating"), "a".repeat(200_000));
    const stop = keepChanging(bench.at("site/files/rotating"));
    try {
      for (let round = 0; round < 5; round++) {
        await bench.make("w.tar.gz", { steadiness: { force: true } });
        await bench.unpack("w.tar.gz", "w");
        expect(["a".repeat(200_000), "b".repeat(200_000)]).toContain(readFileSync(bench.at("w/files/rotating"), "latin1"));
        execFileSync("sh", ["-c", "chmod -R u+rwX w; rm -rf w w.tar.gz"], { cwd: bench.folder });
      }
    } finally {
      stop();
    }
  });

  it("and is gone is not in the backup; a directory that changed does not matter", async () => {
    const env = meddlingTar(`"$REAL" "$@"\nprintf 'tar: ./files/x\\\\:y\\\\n: File removed before we read it\\ntar: ./files: file changed as we read it\\ntar: .: file changed as we read it\\n' >&2\nexit 1`);
    bench.logs.length = 0;
    expect((await bench.make("g.tar.gz", { env })).unsteady).toEqual([]);
    expect(bench.logs.filter((line) => !line.startsWith("debug"))).toEqual(["notice: ./files/x:y\n was removed while the backup was made, and is not in it"]);
  });

  it("or that cannot be read fails the backup unless forced; so does a tar that fails otherwise, in any case", async () => {
    const env = meddlingTar(`"$REAL" "$@"\necho 'tar: ./files/secret: Cannot open: Permission denied' >&2\necho 'tar: Exiting with failure status due to previous errors' >&2\nexit 2`);
    await expect(bench.make("p.tar.gz", { env })).rejects.toMatchObject({ code: "PROVISION_BACKUP_FAILED", message: expect.stringContaining("./files/secret: Cannot open: Permission denied") as string });
    expect((await bench.make("p.tar.gz", { env, steadiness: { force: true } })).unsteady).toEqual(["./files/secret"]);
    const broken = meddlingTar(`echo 'tar: fatal: something else' >&2\nexit 2`);
    await expect(bench.make("q.tar.gz", { env: broken, steadiness: { force: true } })).rejects.toMatchObject({ code: expect.stringMatching(/^PROVISION_BACKUP_/) as string });
    expect(existsSync(bench.at("q.tar.gz"))).toBe(false);
  });
});

/** Puts another file in its place, again and again, until the answer is called. */
function keepChanging(path: string): () => void {
  let stopped = false;
  const turn = (letter: string): void => {
    if (stopped) return;
    writeFileSync(`${path}.new`, letter.repeat(200_000));
    renameSync(`${path}.new`, path);
    setImmediate(turn, letter === "a" ? "b" : "a");
  };
  turn("b");
  return () => {
    stopped = true;
  };
}
