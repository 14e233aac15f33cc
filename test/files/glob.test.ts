import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { shellGlob } from "../../src/files/glob.ts";

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "shim-glob-"));
  for (const file of ["conf/a.conf", "conf/b.conf", "conf/.hidden.conf", "conf/b.confx", "conf/a+b.conf", "other/c.conf", "conf/[x].conf"]) {
    mkdirSync(join(root, file, ".."), { recursive: true });
    writeFileSync(join(root, file), "");
  }
});
afterAll(() => rmSync(root, { recursive: true }));

describe("patterns", () => {
  it.each(["conf/*.conf", "*/*.conf", "conf/?.conf", "conf/[ab].conf", "conf/[!a].conf", "conf/.*.conf", "conf/a+b.*", "none/*.conf", "conf/*"])("%s matches what sh matches", (pattern) => {
    const shell = execFileSync("sh", ["-c", `for f in ${root}/${pattern}; do [ -e "$f" ] && echo "$f"; done; true`], { encoding: "utf8", env: { LC_ALL: "C" } }).trim().split("\n").filter((line) => line !== "" && !/\/\.\.?$/.test(line));
    expect(shellGlob(join(root, pattern)).sort()).toEqual(shell.sort());
  });

  it("a pattern without wildcards is itself", () => expect(shellGlob("/no/such")).toEqual(["/no/such"]));
});
