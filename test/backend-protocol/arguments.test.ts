import { describe, expect, it } from "vitest";
import { expandTilde, isAliasShape, parseCommandLine } from "../../src/backend-protocol/arguments.ts";
import { isBackendMode } from "../../src/backend-protocol/option-sets.ts";
import type { PhpValue } from "../../src/php-values/value.ts";
import { PhpArray } from "../../src/php-values/php-array.ts";

function parse(line: string): ReturnType<typeof parseCommandLine> {
  return parseCommandLine(line === "" ? [] : line.split(" "));
}

function options(line: string): [unknown, unknown][] {
  return [...parse(line).options].map(([key, value]) => [key, value instanceof PhpArray ? [...value.values()] : value]);
}

describe("options", () => {
  it.each<[string, [unknown, PhpValue][]]>([
    ["x --flag", [["flag", true]]],
    ["x --flag=", [["flag", ""]]],
    ["x --flag=a=b", [["flag", "a=b"]]],
    ["x --=x --k==y ---z=1", [["", "x"], ["k", "=y"], ["-z", "1"]]],
    ["x --", [["", true]]],
    ["x --12=a --07=b", [[12, "a"], ["07", "b"]]],
  ])("57: %s", (line, expected) => expect(options(line)).toEqual(expected));

  it("later wins, in the place of the first", () => {
    expect(options("x --aa=1 --bb --aa=2")).toEqual([["aa", "2"], ["bb", true]]);
  });

  it("62: --strict=0 and --strict= are both 'not strict', and neither is absent", () => {
    expect([options("--strict=0 x"), options("--strict= x")]).toEqual([[["strict", "0"]], [["strict", ""]]]);
  });

  it("--no-x is kept under that name", () => {
    expect(options("x --no-x --x")).toEqual([["no-x", true], ["x", true]]);
  });

  it("58: -r PATH -l URI equal --root=PATH --uri=URI", () => {
    expect(options("-r /p -l u x")).toEqual(options("--root=/p --uri=u x"));
    expect(parse("-r @p -l /@u x").command).toBe("x");
  });

  it("a value option as the last word has no value", () => {
    expect(options("x -c")).toEqual([["config", null]]);
  });

  it("letters in a group take no value, and three v make debug", () => {
    expect(options("x -rv /p")).toEqual([["root", true], ["verbose", true]]);
    expect(parse("x -rv /p").args).toEqual(["/p"]);
    expect(options("x -vvv")).toEqual([["debug", true], ["verbose", true]]);
    expect(options("x -vv -v")).toEqual([["verbose", true]]);
    expect(options("x -x=2")).toEqual([["x", true], ["=", true], [2, true]]);
  });

  it("short names are renamed also with two dashes, and win over the long one", () => {
    expect(options("x --q=1 --s --ia")).toEqual([["simulate", true], ["interactive", true], ["quiet", "1"]]);
    expect(options("x --v=2 --verbose=3")).toEqual([["verbose", "2"]]);
    expect(options("x -i /a --include=/b")).toEqual([["include", ["/b", "/a"]]]);
    expect(options("x --include=/b -i")).toEqual([["include", ["/b"]]]);
  });

  it("keeps the bytes of a group of letters that is not ASCII", () => {
    expect([...parse("x -é").options.keys()]).toEqual(["\udcc3", "\udca9"]);
  });

  it.each<[string, boolean]>([
    ["--backend x", true], ["--backend=2 x", true], ["-b x", true], ["x --backend", true], ["--backend=0 x", false], ["--backend= x", false], ["x", false],
  ])("55: backend mode of %s: %s", (line, expected) => expect(isBackendMode({ cli: parse(line).options })).toBe(expected));

  it("65, 66: the fork form is no backend call: --strict= in front, --quiet as the last word", () => {
    const line = parse("--strict= --uri=h --root=/r hosting-task 12 --quiet");
    expect([line.target, line.command, line.args]).toEqual([undefined, "hosting-task", ["12"]]);
    expect(line.options.get("quiet")).toBe(true);
    expect(isBackendMode({ cli: line.options })).toBe(false);
  });
});

describe("words", () => {
  it("56: options may stand before the alias, between it and the command, and after", () => {
    const line = parse("--aa @x --bb cmd --cc arg --dd");
    expect([line.target, line.command, line.args, [...line.options.keys()]]).toEqual(["@x", "cmd", ["arg"], ["aa", "bb", "cc", "dd"]]);
  });

  it("59: only the first word can be a target", () => {
    expect(parse("provision-save @x")).toMatchObject({ target: undefined, command: "provision-save", args: ["@x"] });
    expect(parse("@a @b c")).toMatchObject({ target: "@a", command: "@b", args: ["c"] });
  });

  it("- and the empty word are arguments, and 0 is one too", () => {
    expect(parseCommandLine(["c", "-", "", "0"]).args).toEqual(["-", "", "0"]);
  });

  it("97: a list is a target like any other; it is for others to refuse it", () => {
    expect(parse("@a,@b provision-verify").target).toBe("@a,@b");
  });

  it.each([["@x", true], ["#x", true], ["a,b", true], ["user@host/path", true], ["/a#b", true], ["", false], ["a@b", false], ["/a/b", false], ["a/b", false], ["cmd", false]])(
    "alias shape of %j: %s", (word, expected) => expect(isAliasShape(word)).toBe(expected));

  it("nothing is help, --version alone is version, a target alone has no command", () => {
    expect(parse("").command).toBe("help");
    expect(parse("--version").command).toBe("version");
    expect(parse("@x")).toMatchObject({ target: "@x", command: undefined, args: [] });
  });

  it("core-rsync: options after the command are not drush's", () => {
    const line = parse("-y @x core-rsync -v --backend a b");
    expect([[...line.options], line.args]).toEqual([[["yes", true]], ["a", "b"]]);
    expect([...parse("rsync --backend").options]).toEqual([]);
  });

  it.each([
    "/opt/drush/drush.php --php=/usr/bin/php --php-options= --backend=2 @x cmd",
    "-d memory_limit=-1 -dx=y -n /opt/drush/drush.php --php=/usr/bin/php --php-options= --backend=2 @x cmd",
    "-c /etc/php.ini drush.php --php=/usr/bin/php --php-options= --backend=2 @x cmd",
  ])("68: the interpreter's words in %s are ignored", (words) => {
    const line = parse(words);
    expect([line.target, line.command, line.args, [...line.options]]).toEqual(["@x", "cmd", [], [["php", "/usr/bin/php"], ["php-options", ""], ["backend", "2"]]]);
  });

  it("68: a drush.php further back is an argument", () => {
    expect(parse("@x cmd /opt/drush.php").args).toEqual(["/opt/drush.php"]);
    expect(parse("--y drush.php").command).toBe("drush.php");
  });
});

describe("expandTilde", () => {
  it("94: expands ~/ in option values and arguments of the command line", () => {
    const line = expandTilde(parseCommandLine(["cmd", "~/f", "a~/f", "~", "--x=~/f", "--w=~u/f", "--z"]), "/home/a");
    expect(line.args).toEqual(["/home/a/f", "a~/f", "~"]);
    expect([...line.options]).toEqual([["x", "/home/a/f"], ["w", "~u/f"], ["z", true]]);
  });

  it("leaves the words of strict commands alone", () => {
    expect(expandTilde(parseCommandLine(["rsync", "~/f"]), "/home/a").args).toEqual(["~/f"]);
  });
});
