import { chmodSync, symlinkSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { needsRealDrush } from "../../src/aliases/find-alias.ts";
import { jsonEncode } from "../../src/php-values/json-encode.ts";
import { type AliasHome, phpSettings, recordOf, single, temporaryHomes } from "./alias-home.ts";

const home = temporaryHomes();

async function json(place: AliasHome, name: string): Promise<string> {
  return jsonEncode(await recordOf(place.aliases(), name)).replaceAll("\\/", "/").replaceAll(place.path, "HOME");
}

async function kind(place: AliasHome, name: string): Promise<string> {
  return (await place.aliases().find(name)).kind;
}

function plain(code: string): AliasHome {
  return home({ ".drush/aliases.drushrc.php": `<?php\n${code}\n` });
}

describe("records", () => {
  it("have integer keys renumbered on their first level, as array_merge() does", async () => {
    expect(await json(home(single("x", "5 => 'five', 'k' => 1, 3 => array(7 => 'seven')")), "x")).toBe('{"#name":"x","0":"five","k":1,"1":{"7":"seven"},"#file":"HOME/.drush/x.alias.drushrc.php"}');
  });

  it("have those of $options in front, renumbered together", async () => {
    const place = home({ ".drush/aliases.drushrc.php": "<?php $options[4] = 'four'; $options['k'] = 1; $aliases['x'] = array(4 => 'own', 'k' => 2);" });
    expect(await json(place, "x")).toBe('{"#name":"x","0":"four","k":2,"1":"own","#file":"HOME/.drush/aliases.drushrc.php"}');
  });

  it("of NULL are empty in a group; anything else is broken, but only there", async () => {
    const group = home({ ".drush/g.aliases.drushrc.php": "<?php $aliases['n'] = NULL; $aliases['x'] = array('a' => 1);" });
    expect(await json(group, "n")).toBe('{"#name":"g.n","#group":"g","#hidden":true,"#file":"HOME/.drush/g.aliases.drushrc.php"}');
    const code = "<?php $aliases['t'] = 'text'; $aliases['x'] = array('a' => 1);";
    const broken = await home({ ".drush/g.aliases.drushrc.php": code }).aliases().find("x");
    expect([broken.kind, broken.warnings.map((warning) => warning.code)]).toEqual(["missing", ["PHP_FILE_BROKEN"]]);
    expect(await kind(home({ ".drush/aliases.drushrc.php": code }), "x")).toBe("record");
  });

  it("do not exist for names that PHP takes for empty", async () => {
    const place = plain("$aliases['0'] = array('a' => 1); $aliases[''] = array('a' => 1); $aliases['x.*'] = array('a' => '${env-name}'); $aliases['y.1'] = array();");
    expect(await Promise.all(["0", "", "x.0", "x.", "x.1", "y.1"].map((name) => kind(place, name)))).toEqual(["missing", "missing", "missing", "missing", "record", "record"]);
  });

  it("and groups do not come from a file that sets nothing", async () => {
    expect(await kind(home({ ".drush/g.aliases.drushrc.php": "<?php\n" }), "g")).toBe("missing");
  });

  it("take the text of a name as it is", async () => {
    expect(await json(plain("$aliases['x.*'] = array('a' => '[${env-name}]');"), "x.$&")).toContain('"a":"[$&]"');
  });
});

describe("lists", () => {
  it("name every hit that has another name than the one before", async () => {
    const place = home({
      ".drush/a/aliases.drushrc.php": "<?php $aliases['x'] = array('#name' => 'one');", ".drush/b/aliases.drushrc.php": "<?php $aliases['x'] = array('#name' => 'two');",
      ".drush/c/aliases.drushrc.php": "<?php $aliases['x'] = array('#name' => 'two');", ".drush/d/aliases.drushrc.php": "<?php $aliases['x'] = array('#name' => 'one');",
    });
    expect(await place.aliases().find("x")).toMatchObject({ kind: "list", members: ["@one", "@two", "@one"] });
  });

  it("(38) are refused when a list inside has no end, whichever it is", async () => {
    const place = home({
      ".drush/aliases.drushrc.php": "<?php $aliases['to-circle'] = array('site-list' => '@c1'); $aliases['c1'] = array('site-list' => '@c2'); $aliases['c2'] = array('site-list' => '@c1'); $aliases['to-twice'] = array('site-list' => '@fine,@twice'); $aliases['fine'] = array('uri' => 'u');",
      ".drush/g.aliases.drushrc.php": "<?php $aliases['twice'] = array('uri' => 'u');",
      ".drush/twice.alias.drushrc.php": "<?php $aliases['twice'] = array('uri' => 'u');",
    });
    await expect(place.aliases().find("to-circle")).rejects.toMatchObject({ code: "ALIAS_LIST_LOOP", message: expect.stringContaining("@c1 has @c2 has @c1") as string });
    await expect(place.aliases().find("to-twice")).rejects.toMatchObject({ code: "ALIAS_LIST_LOOP", message: expect.stringMatching(/@twice .*g\.aliases\.drushrc\.php and .*twice\.alias\.drushrc\.php/) as string });
  });

  it("may be met twice on different ways", async () => {
    expect(await kind(plain("$aliases['a'] = array('site-list' => '@b,@c'); $aliases['b'] = array('site-list' => '@c,@x'); $aliases['c'] = array('site-list' => '@x,user@host/x');"), "a")).toBe("list");
  });
});

describe("parents", () => {
  it("may be lists, which makes the child one", async () => {
    expect(await plain("$aliases['l'] = array('site-list' => '@x,@y'); $aliases['c'] = array('parent' => '@l', 'k' => 1);").aliases().find("c")).toMatchObject({ kind: "list", members: ["@x", "@y"] });
  });

  it("that are places leave the record to the real drush", async () => {
    const record = await recordOf(plain("$aliases['c'] = array('parent' => 'user@host/path', 'k' => 1);").aliases(), "c");
    expect(needsRealDrush(record, "provision-verify")).toBe("the entry parent");
  });

  it("hand on the warnings of their files", async () => {
    const place = home({ ".drush/aliases.drushrc.php": "<?php $aliases['c'] = array('parent' => '@p');", ".drush/my.p.alias.drushrc.php": "<?php $aliases = 5;", ...single("p", "'k' => 1") });
    expect((await place.aliases().find("c")).warnings.map((warning) => warning.code)).toEqual(["PHP_FILE_BROKEN"]);
  });
});

describe("(33) what only real drush can do", () => {
  it.each([["'alias-path' => array('/x')", "the entry alias-path"], ["'path-aliases' => array('%include' => '/x')", "the path alias %include"], ["'path-aliases' => array('%dump' => '/x')", undefined], ["'#env-vars' => array('A' => 'b')", "the entry #env-vars"], ["'db-url' => 'mysql://a'", "the entry db-url"], ["'from-list' => '@x'", "the entry from-list"]])("%s", async (body, reason) => {
    expect(needsRealDrush(await recordOf(home(single("x", body)).aliases(), "x"), "provision-verify")).toBe(reason);
  });
});

describe("folders", () => {
  it("that lead in a circle are searched once", async () => {
    const place = home({ ...single("x", "'l' => array(1)"), ".drush/a/b/y.alias.drushrc.php": "<?php $aliases['y'] = array('l' => array(1));", ".drush/g.aliases.drushrc.php": "<?php $aliases['z'] = array('l' => array(1));" });
    symlinkSync(place.at(".drush"), place.at(".drush/a/up"));
    symlinkSync(place.path, place.at(".drush/a/top"));
    symlinkSync("self", place.at(".drush/self"));
    symlinkSync("nowhere", place.at(".drush/dangling"));
    for (const name of ["x", "y", "z"]) expect(await json(place, name)).toContain('"l":[1]');
  });

  it("are followed over links", async () => {
    const place = home({ "else/where/x.alias.drushrc.php": "<?php $aliases['x'] = array('a' => 1);", ".drush/drushrc.php": "<?php\n" });
    symlinkSync(place.at("else"), place.at(".drush/link"));
    expect(await json(place, "x")).toBe('{"#name":"x","a":1,"#file":"HOME/.drush/link/where/x.alias.drushrc.php"}');
  });

  it.skipIf(process.geteuid?.() === 0)("that cannot be read are a warning", async () => {
    const place = home({ ...single("x", "'a' => 1"), ".drush/secret/y.alias.drushrc.php": "<?php $aliases['y'] = array();" });
    chmodSync(place.at(".drush/secret"), 0);
    const found = await place.aliases().find("x");
    chmodSync(place.at(".drush/secret"), 0o755);
    expect([found.kind, found.warnings.map((warning) => warning.code)]).toEqual(["record", ["PHP_FILE_UNREADABLE"]]);
  });

  it("a link to no file under the wanted name is an error", async () => {
    const place = home(single("y", ""));
    symlinkSync("nowhere", place.at(".drush/x.alias.drushrc.php"));
    await expect(place.aliases({}, phpSettings()).find("x")).rejects.toMatchObject({ code: "PHP_FILE_UNREADABLE" });
  });
});

it("a drushrc file counts once, under its real path, whatever links lead to it", async () => {
  const place = home({ "real/drushrc.php": "<?php $options['a'] = 1;", "p/root/x": "" });
  symlinkSync(place.at("real"), place.at("p/drush"));
  symlinkSync(place.at("real"), place.at("p/root/drush"));
  const { drupal } = await place.loader().loadRoot(place.at("p/root"));
  expect(jsonEncode(drupal).replaceAll("\\/", "/").replaceAll(place.path, "H")).toBe('{"a":1,"config-file":"H/real/drushrc.php","context-path":"H/real/drushrc.php"}');
});
