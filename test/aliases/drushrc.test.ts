import { describe, expect, it } from "vitest";
import type { BaseSets, DrushrcLoader } from "../../src/aliases/load-drushrc.ts";
import { readVariable } from "../../src/aliases/read-variable.ts";
import { effectiveOption, mergedOptions, OPTION_SET_NAMES } from "../../src/backend-protocol/option-sets.ts";
import { NeedsRealDrush } from "../../src/errors/needs-real-drush.ts";
import { PhpArray } from "../../src/php-values/php-array.ts";
import { jsonEncode } from "../../src/php-values/json-encode.ts";
import { type AliasHome, phpSettings, temporaryHomes } from "./alias-home.ts";

const home = temporaryHomes();

function sets(...names: readonly string[]): Record<string, string> {
  const places: Readonly<Record<string, string>> = {
    drush: "inst/drushrc.php", system: "etc/drush/drushrc.php", user: ".drushrc.php", "home.drush": ".drush/drushrc.php",
    parent: "p/drush/drushrc.php", all: "p/root/sites/all/drush/drushrc.php", root: "p/root/drush/drushrc.php", default: "p/root/sites/default/drushrc.php", site: "p/root/sites/s/drushrc.php",
  };
  return Object.fromEntries(names.map((name) => [places[name.replace(/8$/, "")]!.replace("drushrc", name.endsWith("8") ? "drush8rc" : "drushrc"), `<?php\n$options['who'] = '${name}';\n$options['${name}'] = 1;\n`]));
}

async function base(place: AliasHome, loader: DrushrcLoader = place.loader()): Promise<BaseSets> {
  return loader.loadBase({ home: place.path, etcPrefix: place.path, drushFolder: place.at("inst") });
}

function json(set: PhpArray, place: AliasHome): string {
  return jsonEncode(set).replaceAll("\\/", "/").replaceAll(place.path, "H");
}

describe("the sets before a root is known", () => {
  it("have their files, plain ones first", async () => {
    const place = home(sets("drush", "system", "user", "home.drush", "system8"));
    const loaded = await base(place);
    expect(json(loaded.drush, place)).toBe('{"who":"drush","drush":1,"config-file":"H/inst/drushrc.php","context-path":"H/inst/drushrc.php"}');
    expect(json(loaded.system, place)).toBe('{"who":"system8","system":1,"config-file":"H/etc/drush/drush8rc.php","context-path":["H/etc/drush/drush8rc.php","H/etc/drush/drushrc.php"],"system8":1}');
    expect(json(loaded.user, place)).toContain('"who":"user"');
    expect(json(loaded["home.drush"], place)).toContain('"who":"home.drush"');
  });

  it("(35) ~/.drush/drush8rc.php overrides ~/.drush/drushrc.php; other versions do not count", async () => {
    const place = home({ ...sets("home.drush", "home.drush8"), ".drush/drush9rc.php": "<?php $options['who'] = 'nine';" });
    expect((await base(place))["home.drush"].get("who")).toBe("home.drush8");
  });

  it("are empty without files, and leave no note", async () => {
    const place = home({ ".drush/drushrc.php": "<?php $aliases['x'] = array('uri' => 1); $anything = 1;" });
    expect(json((await base(place))["home.drush"], place)).toBe("[]");
  });

  it("a file with $override only is not empty", async () => {
    const place = home({ ".drush/drushrc.php": "<?php $override['x'] = 1;" });
    expect(json((await base(place))["home.drush"], place)).toBe('{"config-file":"H/.drush/drushrc.php","context-path":"H/.drush/drushrc.php"}');
  });

  it("(22) include local.drushrc.php of the home; a missing one is silent", async () => {
    const main = "<?php \n$options['a'] = 1;\n@include_once(dirname(__FILE__) . '/local.drushrc.php');\n";
    expect(json((await base(home({ ".drush/drushrc.php": main })))["home.drush"], home({}))).toContain('"a":1');
    const place = home({ ".drush/drushrc.php": main, ".drush/local.drushrc.php": "<?php\n$options['a'] = 2;\n$options['own'] = array('c' => FALSE);\n" });
    expect(json((await base(place))["home.drush"], place)).toContain('{"a":2,"own":{"c":false},');
  });

  it("(36) have neither $aliases nor what drush keeps elsewhere", async () => {
    const place = home({ ".drush/drushrc.php": "<?php $aliases['x'] = array('uri' => 1); $options['site-aliases'] = array('x' => 1); $options['shell-aliases'] = array('y' => 'z'); $options['command-specific'] = array('c' => array('o' => 1)); $options['kept'] = 1;" });
    expect(json((await base(place))["home.drush"], place)).toBe('{"kept":1,"config-file":"H/.drush/drushrc.php","context-path":"H/.drush/drushrc.php"}');
  });

  it("have long names for short ones; include and config join both", async () => {
    const place = home({ ".drush/drushrc.php": "<?php $options['l'] = 'short'; $options['uri'] = 'long'; $options['v'] = 0; $options['i'] = '/x'; $options['include'] = '/y';" });
    expect(json((await base(place))["home.drush"], place)).toBe('{"uri":"short","include":["/y","/x"],"config-file":"H/.drush/drushrc.php","context-path":"H/.drush/drushrc.php","verbose":0}');
  });

  it("start with empty $options in every file", async () => {
    const place = home({ ".drush/drushrc.php": "<?php $options['x'][] = 'a';", ".drush/drush8rc.php": "<?php $options['x'][] = 'b';" });
    expect(json((await base(place))["home.drush"], place)).toContain('"x":["b"]');
  });

  it("collect options for one command over all files, one by one", async () => {
    const place = home({
      ".drushrc.php": "<?php $command_specific['c']['a'] = 1; $command_specific['c']['z'] = array('u'); $command_specific['d']['e'] = 1;",
      ".drush/drushrc.php": "<?php $command_specific['c']['b'] = 2; $command_specific['c']['a'] = 2; $command_specific['c']['z'] = array('h');",
      ".drush/drush8rc.php": "<?php $options['command-specific']['c']['o'] = 2; $command_specific['c']['not'] = 2;",
    });
    const loader = place.loader();
    await base(place, loader);
    expect(json(loader.commandSpecific, place)).toBe('{"c":{"a":2,"z":["h"],"b":2,"o":2},"d":{"e":1}}');
  });

  it("a file that returns FALSE is passed over", async () => {
    const place = home({ ".drush/drushrc.php": "<?php $options['a'] = 1; return FALSE;" });
    expect(json((await base(place))["home.drush"], place)).toBe("[]");
  });

  it("a broken file, or one that makes $options no array, is an error", async () => {
    for (const code of ["<?php $options['a'] = ;", "<?php $options = 'text';", "<?php $options = NULL;"]) {
      const place = home({ ".drush/drushrc.php": code });
      await expect(base(place, place.loader(phpSettings()))).rejects.toMatchObject({ code: "PHP_FILE_BROKEN" });
    }
  });

  it("a file that calls drush is one for the real drush", async () => {
    const place = home({ ".drush/drushrc.php": "<?php $options['a'] = drush_server_home();" });
    await expect(base(place, place.loader(phpSettings()))).rejects.toThrow(NeedsRealDrush);
  });
});

describe("the sets of a root and a site", () => {
  it("have all three places of the root, versions last", async () => {
    const place = home(sets("parent", "all", "root", "all8"));
    const { drupal } = await place.loader().loadRoot(place.at("p/root"));
    expect(json(drupal, place)).toBe('{"who":"all8","parent":1,"config-file":"H/p/root/sites/all/drush/drush8rc.php","context-path":["H/p/root/sites/all/drush/drush8rc.php","H/p/root/drush/drushrc.php","H/p/root/sites/all/drush/drushrc.php","H/p/drush/drushrc.php"],"all":1,"root":1,"all8":1}');
  });

  it("(24) sites/default counts for every site, and the site's own file is put over it", async () => {
    const place = home({ ...sets("default", "site"), "p/root/sites/s/drush8rc.php": "<?php $override['x'] = 1;" });
    const loader = place.loader();
    const { site } = await loader.loadRoot(place.at("p/root"));
    expect(json(site, place)).toBe('{"who":"default","default":1,"config-file":"H/p/root/sites/default/drushrc.php","context-path":"H/p/root/sites/default/drushrc.php"}');
    const both = site.replace(await loader.loadSite(place.at("p/root/sites/s")));
    expect(json(both, place)).toBe('{"who":"site","default":1,"config-file":"H/p/root/sites/s/drush8rc.php","context-path":["H/p/root/sites/s/drush8rc.php","H/p/root/sites/s/drushrc.php","H/p/root/sites/default/drushrc.php"],"site":1}');
  });

  it("are loaded once", async () => {
    const place = home(sets("all", "default"));
    const loader = place.loader();
    await loader.loadRoot(place.at("p/root"));
    const again = await loader.loadRoot(place.at("p/root"));
    expect([again.drupal.size, again.site.size, (await loader.loadSite(place.at("p/root/sites/default"))).size]).toEqual([0, 0, 0]);
  });

  it("(22) a site's own local.drushrc.php is honoured", async () => {
    const place = home({ "p/root/sites/s/local.drushrc.php": "<?php $options['db_name'] = 'local';" });
    place.write({ "p/root/sites/s/drushrc.php": `<?php \n\n\n$options['db_name'] = 'x';\n$_SERVER['db_name'] = $options['db_name'];\n$_SERVER['db_port'] = $options['db_port'];\n@include_once('${place.at("p/root/sites/s/local.drushrc.php")}');\n` });
    expect((await place.loader().loadSite(place.at("p/root/sites/s"))).get("db_name")).toBe("local");
  });
});

describe("(25) precedence", () => {
  const neighbours = OPTION_SET_NAMES.slice(1).map((weaker, index) => [OPTION_SET_NAMES[index]!, weaker] as const);

  it.each(neighbours)("%s beats %s", (stronger, weaker) => {
    const both = { [stronger]: PhpArray.of([["x", stronger]]), [weaker]: PhpArray.of([["x", weaker], ["y", weaker]]) };
    expect([effectiveOption(both, "x"), effectiveOption(both, "y")]).toEqual([stronger, weaker]);
    expect(mergedOptions(both).get("x")).toBe(stronger);
  });

  it("of loaded files: site, drupal, user, home.drush, system, drush", async () => {
    const place = home(sets("drush", "system", "user", "home.drush", "all", "site"));
    const loader = place.loader();
    const loaded = { ...(await base(place, loader)), ...(await loader.loadRoot(place.at("p/root"))), site: await loader.loadSite(place.at("p/root/sites/s")) };
    const names = ["site", "drupal", "user", "home.drush", "system", "drush"] as const;
    expect(names.map((_, index) => effectiveOption(Object.fromEntries(names.slice(index).map((name) => [name, loaded[name]])), "who"))).toEqual(["site", "all", "user", "home.drush", "system", "drush"]);
  });
});

describe("readVariable", () => {
  it("gives $sites of sites.php, an empty one when the file does not set it, and nothing without a file", async () => {
    const place = home({ "sites.php": "<?php\n/**\n * Map.\n */\n$sites = array (\n  'www.a' => 'a',\n);\n", "other.php": "<?php\n" });
    const read = (name: string): ReturnType<typeof readVariable> => readVariable(place.at(name), "sites", phpSettings());
    expect([jsonEncode((await read("sites.php")) ?? null), jsonEncode((await read("other.php")) ?? null), await read("none.php")]).toEqual(['{"www.a":"a"}', "[]", undefined]);
  });
});
