import { describe, expect, it } from "vitest";
import { parseCommandLine } from "../../src/backend-protocol/arguments.ts";
import { GLOBAL_OPTIONS, globalOption } from "../../src/backend-protocol/global-options.ts";
import { effectiveOption, mergedOptions, type OptionSets } from "../../src/backend-protocol/option-sets.ts";
import { inheritedOptions } from "../../src/backend-protocol/propagation.ts";
import { parseStdinOptions } from "../../src/backend-protocol/stdin-options.ts";
import { phpFrom, type PlainRecord } from "../../src/php-values/convert.ts";
import { jsonEncode } from "../../src/php-values/json-encode.ts";
import { PhpArray } from "../../src/php-values/php-array.ts";

function set(record: PlainRecord): PhpArray {
  return phpFrom(record) as PhpArray;
}

describe("effectiveOption", () => {
  it("30, 31: the command line wins over stdin, stdin over the alias", () => {
    const sets: OptionSets = { alias: set({ x: "alias", y: "alias" }), stdin: set({ x: "stdin", y: "stdin" }), cli: set({ x: "cli" }) };
    expect([effectiveOption(sets, "x"), effectiveOption(sets, "y"), effectiveOption(sets, "z")]).toEqual(["cli", "stdin", undefined]);
    expect([mergedOptions(sets).get("x"), mergedOptions(sets).get("y")]).toEqual(["cli", "stdin"]);
  });

  it("93: a NULL on stdin does not hide the alias's value, but the context shows the NULL", () => {
    const sets: OptionSets = { alias: set({ x: "alias" }), stdin: parseStdinOptions(Buffer.from('{"x":null}')).options };
    expect(effectiveOption(sets, "x")).toBe("alias");
    expect(mergedOptions(sets).get("x")).toBeNull();
  });

  it("FALSE, empty text and 0 do hide a weaker value", () => {
    for (const value of [false, "", 0, "0"]) expect(effectiveOption({ alias: set({ x: "alias" }), stdin: set({ x: value }) }, "x")).toBe(value);
  });

  it("--no-x makes x FALSE from its set down, and stays in the context", () => {
    const sets: OptionSets = { stdin: set({ x: "stdin" }), cli: parseCommandLine(["c", "--no-x"]).options };
    expect(effectiveOption(sets, "x")).toBe(false);
    expect(jsonEncode(mergedOptions(sets))).toBe('{"x":"stdin","no-x":true}');
    expect(effectiveOption({ stdin: set({ "no-x": true }), cli: set({ x: "cli" }) }, "x")).toBe("cli");
  });

  it("looks several names up in one set before the next", () => {
    expect(effectiveOption({ cli: set({ pipe: true }), stdin: set({ yes: false }) }, "yes", "pipe")).toBe(true);
  });
});

describe("mergedOptions", () => {
  it("28, 29, 32: has every option of argv by its long name, of stdin with its type, and what the command set", () => {
    const sets: OptionSets = {
      process: set({ backup_file: "/x", a: 2 }),
      cli: parseCommandLine(["-y", "--before=1", "cmd", "--after", "-l", "u"]).options,
      stdin: parseStdinOptions(Buffer.from('{"a":1,"f":1.5,"n":null,"t":true,"l":[1,{"m":[]}],"before":"stdin"}')).options,
    };
    expect(jsonEncode(mergedOptions(sets))).toBe(
      '{"a":2,"f":1.5,"n":null,"t":true,"l":[1,{"m":[]}],"before":"1","after":true,"uri":"u","yes":true,"backup_file":"\\/x"}');
  });

  it("33: has the record of the alias and #name", () => {
    const sets: OptionSets = { alias: set({ "#name": "x", root: "/r" }), cli: set({ backend: "2" }) };
    expect(jsonEncode(mergedOptions(sets))).toBe('{"#name":"x","root":"\\/r","backend":"2"}');
  });

  it("renumbers integer keys: a list on stdin becomes the options 0, 1 …", () => {
    const sets: OptionSets = { stdin: parseStdinOptions(Buffer.from('["a","b"]')).options, alias: PhpArray.of([[7, "x"]]) };
    expect([...mergedOptions(sets)]).toEqual([[0, "x"], [1, "a"], [2, "b"]]);
  });
});

describe("the table of global options", () => {
  it("has every name once, and every short name once", () => {
    const names = GLOBAL_OPTIONS.map((option) => option.name);
    expect(new Set(names).size).toBe(names.length);
    const shorts = GLOBAL_OPTIONS.flatMap(({ short }) => short ?? []);
    expect(shorts.toSorted()).toEqual(["b", "c", "d", "h", "i", "ia", "l", "n", "p", "q", "r", "s", "u", "v", "y"]);
  });

  it("knows what never leaves the command line and what is never passed on", () => {
    const named = (flag: "neverPost" | "neverPropagate"): string[] => GLOBAL_OPTIONS.filter((option) => option[flag] === true).map(({ name }) => name);
    expect(named("neverPost")).toEqual(["root", "uri", "include", "exclude", "config", "drush-coverage"]);
    expect(named("neverPropagate")).toEqual(["simulate", "php", "interactive", "tty", "backend", "php-options", "shell-aliases", "path-aliases", "ssh-options", "editor", "bg", "redirect-port", "notify", "notify-audio"]);
    expect(globalOption("profile")).toBeUndefined();
  });
});

describe("inheritedOptions", () => {
  it("takes the effective value, the value of the command line or the switch, as each option wants", () => {
    const sets: OptionSets = {
      cli: set({ user: "1", debug: true, strict: "0", simulate: true, php: "/p", profile: "standard", exclude: "" }),
      stdin: set({ nocolor: true, local: true, user: "2" }),
    };
    expect(jsonEncode(inheritedOptions(sets, false))).toBe('{"verbose":true,"debug":true,"user":"1","strict":"0","local":true}');
  });

  it("yes is on in backend mode, unless --no", () => {
    expect([...inheritedOptions({}, true)]).toEqual([["yes", true]]);
    expect([...inheritedOptions({ cli: set({ no: true }) }, true)]).toEqual([["no", true]]);
    expect([...inheritedOptions({ cli: set({ pipe: true }) }, false)]).toEqual([["yes", true]]);
    expect([...inheritedOptions({}, false)]).toEqual([]);
  });
});
