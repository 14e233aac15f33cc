import { describe, expect, it } from "vitest";
import { drushCall, type DrushCall } from "../../src/backend-protocol/drush-call.ts";
import { phpFrom, type PlainRecord } from "../../src/php-values/convert.ts";
import { jsonDecode } from "../../src/php-values/json-decode.ts";
import { PhpArray } from "../../src/php-values/php-array.ts";
import { PhpFloat } from "../../src/php-values/value.ts";

function set(record: PlainRecord): PhpArray {
  return phpFrom(record) as PhpArray;
}

function call(options: PlainRecord, more: Partial<DrushCall> = {}): { argv: readonly string[]; stdin: string } {
  const { argv, stdin } = drushCall({ command: "cmd", options: set(options), ...more });
  return { argv, stdin: stdin.toString("latin1") };
}

describe("GET", () => {
  it("writes values as drush does", () => {
    const options = { t: true, f: false, e: "", z: 0, n: null, d: new PhpFloat(1.5), s: "a b'c\nd" };
    expect(call(options).argv).toEqual(["--backend=2", "cmd", "--t", "--f=", "--e=", "--z=0", "--d=1.5", "--s=a b'c\nd"]);
  });

  it("puts global options in front, the alias between, the others at the end", () => {
    expect(call({ x: "1", yes: true, root: "/r", profile: "p" }, { target: "@a", args: ["one", ""] }).argv).toEqual([
      "--backend=2", "--yes", "--root=/r", "@a", "cmd", "one", "", "--x=1", "--profile=p"]);
  });

  it("81: drops arrays", () => {
    expect(call({ a: [1], b: "x" })).toEqual({ argv: ["--backend=2", "cmd", "--b=x"], stdin: "" });
  });

  it("makes arguments of numbered options", () => {
    const options = PhpArray.of([[0, "--pipe"], ["a", "1"], [1, true], [2, null], ["1.5", "x"]]);
    expect(drushCall({ command: "core-status", args: ["drupal-version"], options }).argv).toEqual(["--backend=2", "core-status", "drupal-version", "--pipe", "1", "x", "--a=1"]);
  });

  it("drops # keys and what is never passed on, and joins path lists", () => {
    expect(call({ "#integrate": false, php: "/p", simulate: true, backend: "1", include: ["/a", "/b"], exclude: "/c" }).argv).toEqual(["--backend=2", "--include=/a:/b", "--exclude=/c", "cmd"]);
  });

  it("without backend mode has no --backend and nothing on stdin", () => {
    expect(call({ x: "1", root: "/r" }, { backend: false, method: "POST" })).toEqual({ argv: ["--root=/r", "cmd"], stdin: "" });
  });

  it("no word can hold a NUL", () => {
    expect(call({ x: "a\0b" }).argv).toContain("--x=a b");
  });
});

describe("POST", () => {
  it("81: sends all but the paths and the site as JSON, arrays intact", () => {
    expect(call({ root: "/r", uri: "", verbose: true, a: { b: [1, 2], c: {} }, n: null, f: false, include: ["/a", "/b"], "#x": 1 }, { method: "POST" })).toEqual({
      argv: ["--backend=2", "--root=/r", "--uri=", "--include=/a:/b", "cmd"],
      stdin: '{"verbose":true,"a":{"b":[1,2],"c":[]},"n":null,"f":false,"#x":1}',
    });
  });

  it("sends nothing at all without options", () => {
    expect(call({}, { method: "POST", target: "@a" })).toEqual({ argv: ["--backend=2", "@a", "cmd"], stdin: "" });
  });

  it("is valid UTF-8 whatever the options hold; drush would send nothing", () => {
    expect(call({ x: "a\udcff" }, { method: "POST" }).stdin).toBe('{"x":"a\\ufffd"}');
  });

  it("95: a call of 1 MB has every key", () => {
    const options = Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`key_${index}`, "x".repeat(40)]));
    const { stdin } = call(options, { method: "POST" });
    expect(stdin.length).toBeGreaterThan(1_000_000);
    expect((jsonDecode(Buffer.from(stdin)) as PhpArray).size).toBe(20_000);
  });
});

describe("a record", () => {
  const record = set({ root: "/r", uri: "u", "db-url": "d", "remote-host": "h", os: "Linux", "#name": "x", php: "/p", profile: "standard", "path-aliases": { "%root": "/r" } });

  it("gives its global options, except how to reach it", () => {
    expect(call({}, { record }).argv).toEqual(["--backend=2", "--root=/r", "--uri=u", "--db-url=d", "cmd"]);
  });

  it("gives way to the options of the call, but not to a NULL", () => {
    expect(call({ uri: "v", root: null }, { record }).argv).toEqual(["--backend=2", "--uri=v", "--root=/r", "--db-url=d", "cmd"]);
  });

  it("does not count when the child looks up an alias", () => {
    expect(call({}, { record, target: "@x" }).argv).toEqual(["--backend=2", "@x", "cmd"]);
  });

  it("comes after what is inherited", () => {
    expect(call({ a: "1" }, { record, inherited: set({ yes: true, a: "2" }) }).argv).toEqual(["--backend=2", "--yes", "--root=/r", "--uri=u", "--db-url=d", "cmd", "--a=1"]);
  });
});
