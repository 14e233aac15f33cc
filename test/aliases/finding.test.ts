import { mkdirSync, symlinkSync } from "node:fs";
import { dirname } from "node:path";
import { describe, expect, it } from "vitest";
import { needsRealDrush } from "../../src/aliases/find-alias.ts";
import { NeedsRealDrush } from "../../src/errors/needs-real-drush.ts";
import type { PhpArray } from "../../src/php-values/php-array.ts";
import { jsonEncode } from "../../src/php-values/json-encode.ts";
import { type AliasHome, phpSettings, recordOf, single, temporaryHomes } from "./alias-home.ts";

const home = temporaryHomes();

async function json(place: AliasHome, name: string): Promise<string> {
  return jsonEncode(await recordOf(place.aliases(), name)).replaceAll("\\/", "/").replaceAll(place.path, "HOME");
}

async function kind(place: AliasHome, name: string, places = {}): Promise<string> {
  return (await place.aliases(places).find(name)).kind;
}

function uriFile(name: string, uri: string): string {
  return `<?php $aliases['${name}'] = array('uri' => '${uri}');`;
}

describe("a single file", () => {
  it("(2, 37) is found by a name with dots; keys come as #name, file order, #file, path-aliases", async () => {
    const place = home(single("shop.example.com", "'context_type' => 'site', 'root' => '/r', 'uri' => 'shop.example.com'"));
    expect(await json(place, "shop.example.com")).toBe('{"#name":"shop.example.com","context_type":"site","root":"/r","uri":"shop.example.com","#file":"HOME/.drush/shop.example.com.alias.drushrc.php","path-aliases":{"%root":"/r"}}');
  });

  it("(32) keeps keys that nobody knows", async () => {
    expect(await json(home(single("x", "'custom' => array(1), '#peer' => '@y'")), "x")).toContain('"custom":[1],"#peer":"@y"');
  });

  it("(11) is missing when there is none, and when the file defines another name", async () => {
    const place = home({ ".drush/x.alias.drushrc.php": uriFile("y", "u") });
    expect([await kind(place, "x"), await kind(place, "y"), await kind(place, "z")]).toEqual(["missing", "missing", "missing"]);
  });

  it("(11) is missing when there is no .drush at all", async () => {
    expect(await kind(home({}), "x")).toBe("missing");
  });

  it("(12) may set $options only, when the name has no dot", async () => {
    const place = home({ ".drush/opt.alias.drushrc.php": "<?php $options['uri'] = 'u';", ".drush/opt.dot.alias.drushrc.php": "<?php $options['uri'] = 'u';" });
    expect(await json(place, "opt")).toContain('"uri":"u"');
    expect(await kind(place, "opt.dot")).toBe("missing");
  });

  it("(12) has nothing to say when $options has only what drush has given up", async () => {
    const place = home({ ".drush/opt.alias.drushrc.php": "<?php $options['site-aliases'] = array('x' => array());", ".drush/grp.aliases.drushrc.php": "<?php $options['site-aliases'] = array(); $aliases['n'] = NULL;" });
    expect(await kind(place, "opt")).toBe("missing");
    expect(await json(place, "grp.n")).toBe('{"#name":"grp.n","#group":"grp","#file":"HOME/.drush/grp.aliases.drushrc.php"}');
  });

  it("(18) has a plain root, and %root when there is a uri", async () => {
    const roots = { "/a/./b/../c//d/": "/a/c/d", "~/p": "HOME/p", "/": "/", "./": "", "a\\\\b": "a/b", "../x": "../x", "/..": "/" };
    for (const [given, plain] of Object.entries(roots)) {
      expect(await json(home(single("x", `'root' => '${given}', 'uri' => 'u'`)), "x")).toContain(`"root":"${plain}","uri":"u",`);
      expect(await json(home(single("x", `'root' => '${given}', 'uri' => 'u'`)), "x")).toContain(`{"%root":"${plain}"}`);
    }
    expect(await json(home(single("x", "'root' => '/a'")), "x")).not.toContain("path-aliases");
    expect(await json(home(single("x", "'uri' => NULL")), "x")).toContain('"uri":null,"#file":"HOME/.drush/x.alias.drushrc.php","path-aliases":[]');
  });

  it("(19) cannot change @none", async () => {
    const place = home(single("none", "'root' => '/evil', 'uri' => 'u'"));
    expect(await json(place, "none")).toBe('{"root":"","uri":"","#name":"none","path-aliases":{"%root":""}}');
  });

  it("(39) for @self is found as any other, so that a caller can see it", async () => {
    expect(await kind(home({ ".drush/myself.alias.drushrc.php": uriFile("self", "u") }), "self")).toBe("record");
  });

  it("that returns FALSE counts as not there", async () => {
    const place = home({ ".drush/x.alias.drushrc.php": `${uriFile("x", "u")} return FALSE;`, ".drush/y.alias.drushrc.php": `${uriFile("y", "u")} return 0;` });
    expect([await kind(place, "x"), await kind(place, "y")]).toEqual(["missing", "record"]);
  });
});

describe("a group file", () => {
  const place = home({
    ".drush/grp.aliases.drushrc.php": "<?php $options['remote-user'] = 'ou'; $options['l'] = 'from-options'; $aliases['dev'] = array('root' => '/r/dev/', 'z' => array('q' => '${env-name}')); $aliases['w.*'] = array('root' => '/r/${env-name}', 'deep' => array('x-${env-name}', 5));",
    ".drush/two.aliases.drushrc.php": "<?php $aliases['two'] = array('root' => '/t'); $aliases['other'] = array('root' => '/o');",
    ".drush/eight.aliases.drush8rc.php": uriFile("g8", "8"),
    ".drush/aliases.drushrc.php": `${uriFile("plain", "p")} $aliases['*'] = array('uri' => 'any');`,
  });

  it("(13) gives a short name, a full name and a list", async () => {
    expect(await json(place, "dev")).toBe('{"#name":"grp.dev","remote-user":"ou","uri":"from-options","root":"/r/dev","z":{"q":"${env-name}"},"#group":"grp","#hidden":true,"#file":"HOME/.drush/grp.aliases.drushrc.php","path-aliases":{"%root":"/r/dev"}}');
    expect(await json(place, "grp.dev")).not.toContain("#hidden");
    expect(await place.aliases().find("grp")).toMatchObject({ kind: "list", members: ["@grp.dev", "@grp.w.*"] });
  });

  it("(13) makes no group when it has an alias of the group's name, is for a version, or has no group", async () => {
    expect([await kind(place, "two"), await kind(place, "other"), await kind(place, "two.other")]).toEqual(["record", "record", "missing"]);
    expect([await kind(place, "g8"), await kind(place, "eight.g8"), await kind(place, "eight"), await kind(place, "plain")]).toEqual(["record", "missing", "missing", "record"]);
  });

  it("(17) has options for all, and wildcards for the last part of a name", async () => {
    expect(await json(place, "w.foo")).toBe('{"#name":"w.foo","remote-user":"ou","uri":"from-options","root":"/r/foo","deep":["x-foo",5],"#group":"grp","#hidden":true,"#file":"HOME/.drush/grp.aliases.drushrc.php","path-aliases":{"%root":"/r/foo"}}');
    expect([await kind(place, "anything"), await kind(place, "w.a.b"), await kind(place, "wx")]).toEqual(["missing", "missing", "missing"]);
  });
});

describe("(17) a parent", () => {
  const place = home({
    ".drush/aliases.drushrc.php": `<?php
      $aliases['p2'] = array('k2' => '2', 'uri' => 'p2', 'l' => array(9), 'command-specific' => array('a' => array('y' => 1), 'b' => 1), '#name' => 'p2');
      $aliases['p3'] = array('l' => array(1), 'uri' => 'p3');
      $aliases['child'] = array('parent' => '@p2,@p3', 'uri' => 'c', 'command-specific' => array('a' => array('x' => 1)));
      $aliases['loose'] = array('parent' => 'p2, @p3,xp2', 'own' => 1);
      $aliases['round'] = array('parent' => '@trip', 'own' => 1); $aliases['trip'] = array('parent' => '@round', 'theirs' => 2);`,
  });

  it("comes first and loses; of two the first one named wins", async () => {
    expect(await json(place, "child")).toBe('{"#name":"child","l":[9],"uri":"c","path-aliases":[],"k2":"2","command-specific":{"a":{"x":1},"b":1},"#file":"HOME/.drush/aliases.drushrc.php"}');
  });

  it("must be written as an alias; drush does not trim", async () => {
    expect(await json(place, "loose")).toBe('{"#name":"loose","own":1,"#file":"HOME/.drush/aliases.drushrc.php"}');
  });

  it("may lead in a circle", async () => {
    expect(await json(place, "round")).toContain('"theirs":2,"own":1');
  });
});

describe("(14) several files for one name", () => {
  it("are merged in the order of the places, the later one wins, arrays are joined", async () => {
    const place = home({
      "etc/drush/x.alias.drushrc.php": "<?php $aliases['x'] = array('etc' => 1, 'uri' => 'etc', 'l' => array('a'), 'm' => array('k' => 1));",
      ".drush/x.alias.drushrc.php": "<?php $aliases['x'] = array('uri' => 'home', 'l' => array('b'), 'm' => array('k' => 2, 'j' => 3), 'home' => 1);",
      "extra/x.alias.drushrc.php": "<?php $aliases['x'] = array('uri' => 'extra');",
    });
    const record = await recordOf(place.aliases({ aliasPaths: [place.at("extra")] }), "x");
    expect(jsonEncode(record).replaceAll("\\/", "/").replaceAll(place.path, "H")).toBe('{"#name":"x","etc":1,"uri":"extra","l":["a","b"],"m":{"k":2,"j":3},"#file":"H/extra/x.alias.drushrc.php","home":1,"path-aliases":[]}');
  });

  it("in one folder: those below it first, a single file after a group, a file for this version last", async () => {
    const place = home({
      ".drush/sub/x.alias.drushrc.php": uriFile("x", "sub"), ".drush/aliases.drushrc.php": uriFile("x", "group"), ".drush/x.alias.drushrc.php": uriFile("x", "single"),
      ".drush/y.alias.drushrc.php": uriFile("y", "plain"), ".drush/y.alias.drush8rc.php": uriFile("y", "eight"), ".drush/zz/aliases.drushrc.php": uriFile("y", "group"),
    });
    expect(await json(place, "x")).toContain('"uri":"single"');
    expect(await json(place, "y")).toContain('"uri":"eight"');
  });

  it("are a list when they are in two groups", async () => {
    const place = home({ ".drush/ga.aliases.drushrc.php": uriFile("x", "a"), ".drush/gb.aliases.drushrc.php": uriFile("x", "b") });
    expect(await place.aliases().find("x")).toMatchObject({ kind: "list", members: ["@ga.x", "@gb.x"] });
  });

  it("(38) one in a group file and one of its own are refused: both files are named", async () => {
    const place = home({ ".drush/grp.aliases.drushrc.php": uriFile("x", "a"), ".drush/x.alias.drushrc.php": uriFile("x", "b") });
    await expect(place.aliases().find("x")).rejects.toMatchObject({ code: "ALIAS_LIST_LOOP", message: expect.stringMatching(/grp\.aliases\.drushrc\.php and .*\.drush\/x\.alias\.drushrc\.php/) as string });
  });
});

describe("a list", () => {
  it("has its members from an array or from a text that is not trimmed", async () => {
    const place = home({ ".drush/aliases.drushrc.php": "<?php $aliases['a'] = array('site-list' => array('@x', '@y')); $aliases['b'] = array('site-list' => '@x, @y');" });
    expect(await place.aliases().find("a")).toMatchObject({ kind: "list", members: ["@x", "@y"] });
    expect(await place.aliases().find("b")).toMatchObject({ kind: "list", members: ["@x", " @y"] });
  });

  it("(38) that contains itself, at once or over others, is refused", async () => {
    const place = home({ ".drush/aliases.drushrc.php": "<?php $aliases['a'] = array('site-list' => '@b,@c'); $aliases['b'] = array('site-list' => array('@a')); $aliases['s'] = array('site-list' => '@s'); $aliases['ok'] = array('site-list' => '@c,@c');" });
    for (const name of ["a", "b", "s"]) await expect(place.aliases().find(name)).rejects.toMatchObject({ code: "ALIAS_LIST_LOOP" });
    expect(await kind(place, "ok")).toBe("list");
  });
});

describe("where aliases are looked for", () => {
  it("(15) a folder site-aliases hides the default place around it, and no other", async () => {
    const files = { ".drush/x.alias.drushrc.php": uriFile("x", "u"), "extra/y.alias.drushrc.php": uriFile("y", "u"), "etc/drush/z.alias.drushrc.php": uriFile("z", "u"), "drush/d.alias.drushrc.php": uriFile("d", "u") };
    const inside = { ".drush/site-aliases/a.alias.drushrc.php": uriFile("a", "u"), "extra/site-aliases/b.alias.drushrc.php": uriFile("b", "u"), "etc/drush/site-aliases/c.alias.drushrc.php": uriFile("c", "u"), "drush/site-aliases/e/f.alias.drushrc.php": uriFile("f", "u") };
    const place = home({ ...files, ...inside });
    const places = { aliasPaths: [place.at("extra")], drushFolder: place.at("drush") };
    const found = await Promise.all(["x", "y", "z", "d", "a", "b", "c", "f"].map((name) => kind(place, name, places)));
    expect(found).toEqual(["missing", "record", "missing", "missing", "record", "record", "record", "record"]);
  });

  it.each(["files", "drush_make", "examples", "tests", "disabled", "gitcache", "cache", "drush4", "drush7", "drush9", "drush11", "node_modules", ".hidden", "excluded"])("(16) not in %s", async (folder) => {
    const place = home({ [`.drush/a/${folder}/b/x.alias.drushrc.php`]: uriFile("x", "u") });
    expect(await kind(place, "x", { skipped: new Set(["excluded"]) })).toBe("missing");
  });

  it.each(["drush8", "provision", "a/b/c/d/e/f", "file"])("(16) but in %s", async (folder) => {
    expect(await kind(home({ [`.drush/${folder}/x.alias.drushrc.php`]: uriFile("x", "u") }), "x")).toBe("record");
  });

  it("(16) in files for drush 8, not in those for other versions", async () => {
    const place = home({ ".drush/x.alias.drush8rc.php": uriFile("x", "u"), ".drush/y.alias.drush7rc.php": uriFile("y", "u"), ".drush/z.alias.drush9rc.php": uriFile("z", "u"), ".drush/W.ALIAS.DRUSHRC.PHP": uriFile("W", "u") });
    expect(await Promise.all(["x", "y", "z", "W"].map((name) => kind(place, name)))).toEqual(["record", "missing", "missing", "missing"]);
  });

  it("as deep as the option says", async () => {
    const place = home({ ".drush/a/b/x.alias.drushrc.php": uriFile("x", "u") });
    expect([await kind(place, "x", { depth: 1 }), await kind(place, "x", { depth: 2 }), await kind(place, "x", { depth: 0 })]).toEqual(["missing", "record", "missing"]);
  });

  it("behind links, and not for ever", async () => {
    const place = home({ "real/x.alias.drushrc.php": uriFile("x", "u"), ".drush/y.alias.drushrc.php": "<?php $aliases['y'] = array('l' => array(1));" });
    symlinkSync(place.at("real"), place.at(".drush/link"));
    symlinkSync(place.at(".drush"), place.at("real/back"));
    symlinkSync("itself", place.at(".drush/itself"));
    symlinkSync("/no/such/folder", place.at(".drush/nowhere"));
    expect(await kind(place, "x")).toBe("record");
    expect(await json(place, "y")).toContain('"l":[1],');
  });

  it("(31) by the name as it is: nothing outside of the folders can be named", async () => {
    const place = home({ "x.alias.drushrc.php": uriFile("../x", "u"), ".drush/s/x.alias.drushrc.php": uriFile("s/x", "u") });
    expect(await kind(place, "../x")).toBe("missing");
  });

  it("(40) not below the root of the site", async () => {
    const place = home({ ...single("site", "'root' => '/r', 'uri' => 's'"), ...single("server_master", "'remote_host' => 'right'"), "r/sites/s/server_master.alias.drushrc.php": "<?php $aliases['server_master'] = array('remote_host' => 'wrong');", "r/drush/aliases.drushrc.php": "<?php $aliases['server_master'] = array('remote_host' => 'wrong');" });
    const aliases = place.aliases();
    await aliases.find("site");
    expect(jsonEncode(await recordOf(aliases, "server_master"))).toContain('"remote_host":"right"');
  });
});

describe("a broken file", () => {
  const php = phpSettings();

  it("(10) under the wanted name is an error, not a missing alias", async () => {
    const place = home({ ".drush/x.alias.drushrc.php": "<?php\n$aliases['x'] = array(\n  'a' => 'b'\n  'c' => 'd');" });
    await expect(place.aliases({}, php).find("x")).rejects.toMatchObject({ code: "PHP_FILE_BROKEN", message: expect.stringMatching(/x\.alias\.drushrc\.php is broken: line 4 /) as string });
  });

  it("(10) as the group of the wanted name is an error too", async () => {
    const place = home({ ".drush/grp.aliases.drushrc.php": "<?php $aliases['x'] = array(" });
    for (const name of ["grp", "grp.x"]) await expect(place.aliases({}, php).find(name)).rejects.toMatchObject({ code: "PHP_FILE_BROKEN" });
  });

  it("of another name is a warning", async () => {
    const place = home({ ...single("x", "'uri' => 'u'"), ".drush/grp.aliases.drushrc.php": "<?php $aliases['x'] = array(", ".drush/mod/my.x.alias.drushrc.php": "<?php $aliases = 5;" });
    const found = await place.aliases({}, php).find("x");
    expect(found.kind).toBe("record");
    expect(found.warnings.map((warning) => warning.code)).toEqual(["PHP_FILE_BROKEN", "PHP_FILE_BROKEN"]);
  });

  it("is also one whose alias is no record", async () => {
    const place = home({ ".drush/x.alias.drushrc.php": "<?php $aliases['x'] = 'text';" });
    await expect(place.aliases().find("x")).rejects.toMatchObject({ code: "PHP_FILE_BROKEN" });
  });
});

describe("what only real drush can do", () => {
  it("(33) is recognised in a record", async () => {
    const reasons: Readonly<Record<string, string | undefined>> = {
      "'remote-host' => 'h'": "the entry remote-host", "'remote-host' => 'localhost'": undefined, "'remote_host' => 'h'": undefined, "'php' => '/usr/bin/php5'": "the entry php", "'php' => ''": undefined,
      "'php-options' => '-d x=1'": "the entry php-options", "'config' => '/x'": "the entry config", "'path-aliases' => array('%drush-script' => '/d')": "the path alias %drush-script",
      "'command-specific' => array('provision-verify' => array('x' => 1))": "the options for provision-verify", "'command-specific' => array('rsync' => array('x' => 1))": undefined,
    };
    for (const [body, reason] of Object.entries(reasons)) {
      const record: PhpArray = await recordOf(home(single("x", body)).aliases(), "x");
      expect([body, needsRealDrush(record, "provision-verify")]).toEqual([body, reason]);
    }
  });

  it("is a file that calls drush: wanted, or perhaps the one that has the name", async () => {
    const code = "<?php $aliases['x'] = array('uri' => drush_get_option('u'));";
    const php = phpSettings();
    await expect(home({ ".drush/x.alias.drushrc.php": code }).aliases({}, php).find("x")).rejects.toThrow(NeedsRealDrush);
    await expect(home({ ".drush/grp.aliases.drushrc.php": code }).aliases({}, php).find("x")).rejects.toThrow(NeedsRealDrush);
    expect(await home({ ".drush/grp.aliases.drushrc.php": code, ...single("x", "'uri' => 'u'") }).aliases({}, php).find("x")).toMatchObject({ kind: "record", warnings: [{ code: "PHP_FILE_NEEDS_DRUSH" }] });
  });
});

it("(30) a file that was rewritten is read again when the aliases are told to forget", async () => {
  const place = home(single("x", "'uri' => 'before'"));
  const aliases = place.aliases();
  await aliases.find("x");
  place.write(single("x", "'uri' => 'after1'"));
  mkdirSync(dirname(place.at(".drush/new/y")));
  place.write({ ".drush/new/y.alias.drushrc.php": uriFile("y", "u") });
  expect(jsonEncode(await recordOf(aliases, "x"))).toContain("before");
  aliases.forget();
  expect(jsonEncode(await recordOf(aliases, "x"))).toContain("after1");
  expect((await aliases.find("y")).kind).toBe("record");
});
