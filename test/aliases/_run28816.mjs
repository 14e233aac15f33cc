// ../../tmp/al-work/cmp.ts
import { mkdtempSync } from "node:fs";
import { execFileSync } from "node:child_process";

// test/aliases/alias-tree.ts
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
var ALIAS_TREE = {
  ".drush/server_master.alias.drushrc.php": "<?php \n$aliases['server_master'] = array (\n  'context_type' => 'server',\n  'remote_host' => 'localhost',\n  'master_db' => NULL,\n  'http_port' => 80,\n  'db_port' => '3306',\n  'ssl' => false,\n);\n",
  ".drush/shop.example.com.alias.drushrc.php": "<?php \n$aliases['shop.example.com'] = array (\n  'context_type' => 'site',\n  'uri' => 'shop.example.com',\n  'root' => '/r/./shop//x/../y/',\n  'aliases' => \n  array (\n    0 => 'a',\n    1 => 'b',\n    3 => 'c',\n  ),\n  'cron_key' => 'k3y\\'with\\\\odd$chars',\n  'list' => \n  array (\n  ),\n);\n",
  ".drush/www.shop.example.com.alias.drushrc.php": "<?php $aliases['www.shop.example.com'] = array('uri' => 'www'); $aliases['only.here'] = array('uri' => 'x');",
  ".drush/grp.aliases.drushrc.php": `<?php
    $options['remote-user'] = 'optuser'; $options['l'] = 'short';
    $aliases['dev'] = array('root' => '/r/dev/', 'uri' => 'dev.example.com', 'z' => array('q' => '\${env-name}'));
    $aliases['live'] = array('parent' => '@dev', 'uri' => 'live.example.com', 'root' => '/r/live');
    $aliases['w.*'] = array('root' => '/r/\${env-name}', 'uri' => '\${env-name}.example.com', 'deep' => array('a' => array('x-\${env-name}', 5)));
    $aliases['gb.x'] = array('uri' => 'dot'); $aliases['nothing'] = NULL; $aliases['empty'] = array(); $aliases[5] = array('uri' => 'five');`,
  ".drush/two.aliases.drushrc.php": "<?php $aliases['both'] = array('root' => '/r/two', 'only2' => 1, 'l' => array('a', 'b'), 'm' => array('k' => 1)); $aliases['two'] = array('root' => '/r/two2');",
  ".drush/aliases.drushrc.php": `<?php $aliases['plain'] = array('root' => '/r/plain'); $aliases['*'] = array('uri' => 's-\${env-name}'); $aliases['x.*'] = array('uri' => 'x-\${env-name}');
    $aliases['both'] = array('only1' => 1, 'root' => '/r/plain-both', 'uri' => 'x', 'l' => array('a', 'c'), 'm' => array('j' => 2));`,
  ".drush/a.b.aliases.drushrc.php": "<?php $aliases['c'] = array('root' => '/r/abc');",
  ".drush/eight.aliases.drush8rc.php": "<?php $aliases['g8'] = array('uri' => 'g8');",
  ".drush/opt.alias.drushrc.php": "<?php $options['root'] = '/opt'; $options['uri'] = 'u'; $options['b'] = 2;",
  ".drush/opt.dot.alias.drushrc.php": "<?php $options['root'] = '/optdot';",
  ".drush/opt3.alias.drush8rc.php": "<?php $options['uri'] = '3'; $options['site-aliases'] = array('zz' => array('uri' => 4));",
  ".drush/optgrp.aliases.drushrc.php": "<?php $options['a'] = 1; $options['uri'] = '2';",
  ".drush/v8.alias.drushrc.php": "<?php $aliases['v8'] = array('uri' => 'plain', 'a' => 1);",
  ".drush/v8.alias.drush8rc.php": "<?php $aliases['v8'] = array('uri' => 'eight', 'b' => 1);",
  ".drush/v7.alias.drush7rc.php": "<?php $aliases['v7'] = array('uri' => 'seven');",
  ".drush/X.ALIAS.drushrc.php": "<?php $aliases['X'] = array('uri' => 'x');",
  ".drush/mism.alias.drushrc.php": "<?php $aliases['other'] = array('uri' => 'x');",
  ".drush/none.alias.drushrc.php": "<?php $aliases['none'] = array('uri' => 'x');",
  ".drush/rf.alias.drushrc.php": "<?php $aliases['rf'] = array('uri' => 1); return FALSE;",
  ".drush/r0.alias.drushrc.php": "<?php $aliases['r0'] = array('uri' => 1); return 0;",
  ".drush/zaliases.drushrc.php": `<?php
    $aliases['p1'] = array('parent' => '@p2,@sub', 'uri' => 'p1', 'site-aliases' => array('a' => 1), 'command-specific' => array('rsync' => array('x' => 1)));
    $aliases['p2'] = array('k2' => '2', 'uri' => 'p2', 'l' => array(9), 'command-specific' => array('rsync' => array('y' => 1), 'sql' => array('z' => 1)), 'path-aliases' => array('%a' => 'b'));
    $aliases['p3'] = array('parent' => '@p1', 'own' => 1, 'path-aliases' => array('%c' => 'd'));
    $aliases['nopar'] = array('parent' => '@missing', 'uri' => '1');
    $aliases['parsp'] = array('parent' => '@p2 , @sub', 'k' => '1');
    $aliases['parplain'] = array('parent' => 'sub', 'k' => '1');
    $aliases['pargrp'] = array('parent' => '@dev', 'k' => '1');`,
  ".drush/yaliases.drushrc.php": `<?php
    $aliases['home'] = array('uri' => 'http://foo.example.com/', 'root' => '~/x/../y//z/');
    $aliases['rel'] = array('root' => 'foo/./bar/', 'uri' => 'r');
    $aliases['nullroot'] = array('root' => NULL, 'uri' => NULL); $aliases['emptyroot'] = array('root' => '', 'uri' => '');
    $aliases['pa'] = array('path-aliases' => array('%x' => 'y'), 'root' => '/q', 'uri' => 'z');
    $aliases['pa2'] = array('path-aliases' => array('%x' => 'y'), 'root' => '/q/', '%dump' => 'd');
    $aliases['named'] = array('#name' => 'other', 'uri' => '1', '!old' => 'p', '%new' => 'n');
    $aliases['dots'] = array('root' => '/a/b/../../../c', 'uri' => '1'); $aliases['slash'] = array('root' => '/', 'uri' => '1');
    $aliases['dot'] = array('root' => '.', 'uri' => '1'); $aliases['back'] = array('root' => '/a\\\\b//c', 'uri' => '1');
    $aliases['up'] = array('root' => '../x', 'uri' => '1'); $aliases['dotslash'] = array('root' => './', 'uri' => '1'); $aliases['tilde'] = array('root' => '~', 'uri' => '1');
    $aliases['user'] = array('root' => '~root/x', 'uri' => '1'); $aliases['slashes'] = array('root' => '//a', 'uri' => '1');
    $aliases['arr'] = array('uri' => array('a'), 'root' => '/x'); $aliases['nouri'] = array('root' => '/x/');`,
  ".drush/sub/sub.alias.drushrc.php": "<?php $aliases['sub'] = array('l' => array(1, 2), 'uri' => 'u', 'subkey' => 's');",
  ".drush/sub/plain.alias.drushrc.php": "<?php $aliases['plain'] = array('root' => '/r/sub-plain');",
  ".drush/plain.alias.drushrc.php": "<?php $aliases['plain'] = array('added' => 1);",
  ".drush/sub/files/f1.alias.drushrc.php": "<?php $aliases['f1'] = array('uri' => 'f');",
  ".drush/drush7/f2.alias.drushrc.php": "<?php $aliases['f2'] = array('uri' => 'f');",
  ".drush/drush8/f3.alias.drushrc.php": "<?php $aliases['f3'] = array('uri' => 'f');",
  ".drush/.hidden/f4.alias.drushrc.php": "<?php $aliases['f4'] = array('uri' => 'f');",
  ".drush/tests/f5.alias.drushrc.php": "<?php $aliases['f5'] = array('uri' => 'f');",
  ".drush/a/b/c/d/f6.alias.drushrc.php": "<?php $aliases['f6'] = array('uri' => 'f');",
  ".drush/examples/f7.alias.drushrc.php": "<?php $aliases['f7'] = array('uri' => 'f');",
  ".drush/node_modules/f8.alias.drushrc.php": "<?php $aliases['f8'] = array('uri' => 'f');",
  ".drush/cache/f9.alias.drushrc.php": "<?php $aliases['f9'] = array('uri' => 'f');",
  ".drush/ga.aliases.drushrc.php": "<?php $aliases['g1'] = array('uri' => 'a');",
  ".drush/gb.aliases.drushrc.php": "<?php $aliases['g1'] = array('uri' => 'b');",
  ".drush/lists.alias.drushrc.php": "<?php $aliases['lists'] = array('site-list' => '@plain,@sub , @x', 'uri' => 'u');",
  ".drush/alist.alias.drushrc.php": "<?php $aliases['alist'] = array('site-list' => array('@plain', '@sub'));",
  ".drush/dyn.alias.drushrc.php": "<?php foreach (array('a', 'b') as $x) { $aliases['dyn'][$x] = strtoupper(getenv('HOME') . $x); }",
  "extra/plain.alias.drushrc.php": "<?php $aliases['plain'] = array('root' => '/r/extra', 'extra' => TRUE);",
  "extra/site-aliases/ex.alias.drushrc.php": "<?php $aliases['ex'] = array('uri' => 'extra');",
  "etc/drush/site-aliases/etc1.alias.drushrc.php": "<?php $aliases['etc1'] = array('uri' => 'etc');",
  "etc/drush/etc2.alias.drushrc.php": "<?php $aliases['etc2'] = array('uri' => 'shadowed');",
  "etc/drush/site-aliases/plain.alias.drushrc.php": "<?php $aliases['plain'] = array('root' => '/etc', 'etc' => TRUE);"
};
var ALIAS_NAMES = [
  "server_master",
  "shop.example.com",
  "www.shop.example.com",
  "only.here",
  "dev",
  "grp.dev",
  "live",
  "grp.live",
  "grp",
  "w.foo",
  "grp.w.foo",
  "gb.x",
  "grp.gb.x",
  "nothing",
  "empty",
  "grp.empty",
  "5",
  "grp.5",
  "both",
  "two.both",
  "two",
  "plain",
  "qqq",
  "x.foo",
  "x.y.z",
  "c",
  "a.b.c",
  "a.b",
  "b.c",
  "g8",
  "eight.g8",
  "eight",
  "opt",
  "opt.dot",
  "opt3",
  "zz",
  "optgrp",
  "optgrp.optgrp",
  "v8",
  "v7",
  "X",
  "mism",
  "other",
  "none",
  "rf",
  "r0",
  "p2",
  "p1",
  "p3",
  "nopar",
  "parsp",
  "parplain",
  "pargrp",
  "home",
  "rel",
  "nullroot",
  "emptyroot",
  "pa",
  "pa2",
  "named",
  "dots",
  "slash",
  "dot",
  "back",
  "up",
  "dotslash",
  "tilde",
  "user",
  "slashes",
  "arr",
  "nouri",
  "sub",
  "f1",
  "f2",
  "f3",
  "f4",
  "f5",
  "f6",
  "f7",
  "f8",
  "f9",
  "g1",
  "ga.g1",
  "lists",
  "alist",
  "dyn",
  "ex",
  "etc1",
  "etc2",
  "missing"
];
function writeTree(folder, files) {
  for (const [name, text] of Object.entries(files)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
}

// src/aliases/find-alias.ts
import { basename as basename2, posix } from "node:path";

// src/errors/shim-error.ts
var ShimError = class extends Error {
  constructor(code, message, details = {}) {
    super(message, details.cause === void 0 ? {} : { cause: details.cause });
    this.code = code;
    this.hint = details.hint;
  }
  code;
  name = "ShimError";
  hint;
  /** Message and hint as one text, for readers that have a single line. */
  get fullText() {
    return this.hint === void 0 ? this.message : `${this.message} (${this.hint})`;
  }
};
function asShimError(thrown) {
  if (thrown instanceof ShimError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new ShimError("DRUSH_EXECUTION_EXCEPTION", message, { cause: thrown });
}

// src/php-values/php-array.ts
var INTEGER_KEY = /^(?:0|-?[1-9][0-9]{0,18})$/;
var INT64_MAX = 9223372036854775807n;
var INT64_MIN = -9223372036854775808n;
function phpKey(key) {
  if (typeof key === "string") {
    if (key.charCodeAt(0) > 57 || !INTEGER_KEY.test(key)) return key;
    const number = Number(key);
    if (Number.isSafeInteger(number)) return number;
    const big = BigInt(key);
    return big >= INT64_MIN && big <= INT64_MAX ? big : key;
  }
  if (typeof key === "bigint") {
    const number = Number(key);
    return Number.isSafeInteger(number) ? number : key;
  }
  return key;
}
var PhpArray = class _PhpArray {
  /** The values while the keys are 0, 1, 2 … in this order: a Map with integer keys is slow and takes ten times the room. */
  #list = [];
  /** All entries, from the first key on that does not continue a list. */
  #map;
  /** The key of the next push(); counts only beside `#map`. */
  #next = 0;
  /** A list with the keys 0, 1, 2 … */
  static list(values) {
    const array = new _PhpArray();
    array.#list = Array.from(values);
    return array;
  }
  static of(entries) {
    const array = new _PhpArray();
    for (const [key, value] of entries) array.set(key, value);
    return array;
  }
  get size() {
    return this.#list === void 0 ? this.#entries().size : this.#list.length;
  }
  get(key) {
    const real2 = phpKey(key);
    if (this.#list === void 0) return this.#entries().get(real2);
    return typeof real2 === "number" ? this.#list[real2] : void 0;
  }
  has(key) {
    const real2 = phpKey(key);
    if (this.#list === void 0) return this.#entries().has(real2);
    return typeof real2 === "number" && real2 >= 0 && real2 < this.#list.length;
  }
  set(key, value) {
    const real2 = phpKey(key);
    const list = this.#list;
    if (list !== void 0 && typeof real2 === "number" && real2 >= 0 && real2 <= list.length) {
      list[real2] = value;
    } else {
      this.#entries().set(real2, value);
      if (typeof real2 !== "string" && real2 >= this.#next) this.#next = after(real2);
    }
    return this;
  }
  delete(key) {
    return this.has(key) && this.#entries().delete(phpKey(key));
  }
  /** Appends as `$a[] = …`: the key is the highest integer key so far plus one, 0 if there was none. */
  push(value) {
    if (this.#list === void 0) return this.set(this.#next, value);
    this.#list.push(value);
    return this;
  }
  keys() {
    return (this.#list ?? this.#entries()).keys();
  }
  values() {
    return (this.#list ?? this.#entries()).values();
  }
  entries() {
    return (this.#list ?? this.#entries()).entries();
  }
  [Symbol.iterator]() {
    return this.entries();
  }
  /** True when the keys are 0, 1, 2 … in this order, as PHP's array_is_list(); also for the empty array. */
  isList() {
    if (this.#list !== void 0) return true;
    let expected = 0;
    for (const key of this.#entries().keys()) {
      if (key !== expected) return false;
      expected += 1;
    }
    return true;
  }
  /** A copy of this level; the values are shared, as they are in PHP until written to. */
  clone() {
    const copy = new _PhpArray();
    copy.#list = this.#list?.slice();
    copy.#map = this.#map && new Map(this.#map);
    copy.#next = this.#next;
    return copy;
  }
  /** A copy of all levels. */
  deepClone() {
    const copy = this.clone();
    for (const [key, value] of this) if (value instanceof _PhpArray) copy.set(key, value.deepClone());
    return copy;
  }
  /** As PHP's `$this + $other`: keys already here win. */
  union(other) {
    const result = this.clone();
    for (const [key, value] of other) if (!result.has(key)) result.set(key, value);
    return result;
  }
  /** As array_merge($this, $other): string keys are replaced in place, integer keys renumbered. */
  merge(other) {
    const result = new _PhpArray();
    for (const source of [this, other]) {
      for (const [key, value] of source) {
        if (typeof key === "string") result.set(key, value);
        else result.push(value);
      }
    }
    return result;
  }
  /** As array_replace($this, $other): every key of `other` is set here, integer keys included. */
  replace(other) {
    const result = this.clone();
    for (const [key, value] of other) result.set(key, value);
    return result;
  }
  /** The entries as a Map, which this array is from now on. */
  #entries() {
    if (this.#map === void 0) {
      this.#map = new Map(this.#list?.entries());
      this.#next = this.#map.size;
      this.#list = void 0;
    }
    return this.#map;
  }
};
function after(key) {
  return typeof key === "number" && key < Number.MAX_SAFE_INTEGER ? key + 1 : phpKey(BigInt(key) + 1n);
}

// src/php-values/float.ts
function formatFloat(value, exponent) {
  return format(value, exponent, 17);
}
function castFloat(value) {
  return format(Number.isFinite(value) ? Number(value.toPrecision(14)) : value, "E", 14);
}
function format(value, exponent, precision) {
  if (Number.isNaN(value)) return "NAN";
  if (!Number.isFinite(value)) return value > 0 ? "INF" : "-INF";
  if (value === 0) return Object.is(value, -0) ? "-0" : "0";
  if (precision === 17 && Math.abs(value) >= 1e-4 && Math.abs(value) < 1e17) return String(value);
  const sign = value < 0 ? "-" : "";
  const [mantissa = "0", power = "0"] = Math.abs(value).toExponential().split("e");
  const digits = mantissa.replace(".", "");
  const point = Number(power);
  if (point < -4 || point >= precision) {
    const fraction = digits.length > 1 ? digits.slice(1) : "0";
    return `${sign}${digits[0] ?? "0"}.${fraction}${exponent}${point < 0 ? "-" : "+"}${Math.abs(point)}`;
  }
  if (point < 0) return `${sign}0.${"0".repeat(-point - 1)}${digits}`;
  if (digits.length <= point + 1) return sign + digits + "0".repeat(point + 1 - digits.length);
  return `${sign}${digits.slice(0, point + 1)}.${digits.slice(point + 1)}`;
}

// src/php-values/value.ts
var PhpFloat = class {
  constructor(value) {
    this.value = value;
  }
  value;
};
var PhpObject = class {
  constructor(properties) {
    this.properties = properties;
  }
  properties;
};

// src/php-values/convert.ts
function isTruthy(value) {
  if (value === void 0 || value === null || value === false) return false;
  if (value instanceof PhpFloat) return value.value !== 0;
  if (value instanceof PhpArray) return value.size > 0;
  return value !== 0 && value !== 0n && value !== "" && value !== "0";
}
function scalarText(value) {
  if (value === void 0 || value === null || value === false) return "";
  if (value === true) return "1";
  if (value instanceof PhpFloat) return castFloat(value.value);
  if (value instanceof PhpArray || value instanceof PhpObject) return void 0;
  return String(value);
}

// src/aliases/alias-entries.ts
import { basename } from "node:path";
function entryFor(name, file) {
  if (file.refused) return void 0;
  const { aliases, options } = namedAliases(file);
  const found = aliases.get(name) ?? wildcard(name, aliases);
  if (!(found instanceof PhpArray)) return void 0;
  const record = options.replace(found).set("#file", file.path);
  return record.has("#name") ? record : record.set("#name", name);
}
function namedAliases(file) {
  const aliases = arrayOf(file.values.get("aliases"));
  const options = arrayOf(file.values.get("options"));
  options.delete("site-aliases");
  const base = basename(file.path);
  if (aliases.size === 0 && options.size > 0) {
    return { aliases: PhpArray.of([[base.slice(0, base.indexOf(".")), options]]), options: new PhpArray() };
  }
  const group = /^(.+)\.aliases\.drushrc\.php$/.exec(base)?.[1];
  if (group !== void 0 && !aliases.has(group)) addGroup(aliases, group);
  return { aliases, options };
}
function addGroup(aliases, group) {
  const members = [];
  for (const [name, value] of [...aliases]) {
    if (!(value instanceof PhpArray)) continue;
    const full = value.clone().set("#name", `${group}.${name}`).set("#group", group);
    aliases.set(`${group}.${name}`, full);
    aliases.set(name, full.clone().set("#hidden", true));
    members.push(`@${group}.${name}`);
  }
  aliases.set(group, PhpArray.of([["site-list", members.join(",")], ["#group", group], ["#name", group]]));
}
function wildcard(name, aliases) {
  const last = name.split(".").at(-1) ?? "";
  const pattern = name.slice(0, name.length - last.length) + "*";
  const found = aliases.get(pattern);
  return found instanceof PhpArray ? filled(found, last).set("#name", name) : void 0;
}
function filled(array, last) {
  const result = new PhpArray();
  for (const [key, value] of array) {
    if (value instanceof PhpArray) result.set(key, filled(value, last));
    else result.set(key, typeof value === "string" ? value.replaceAll("${env-name}", last) : value);
  }
  return result;
}
function arrayOf(value) {
  return value instanceof PhpArray ? value.clone() : new PhpArray();
}
function mergedEntries(earlier, later) {
  const merged = earlier.clone();
  for (const [key, value] of later) {
    const present = merged.get(key);
    merged.set(key, present instanceof PhpArray && value instanceof PhpArray ? present.merge(value) : value);
  }
  return merged;
}

// src/aliases/alias-files.ts
import { existsSync } from "node:fs";
import { join as join2 } from "node:path";

// src/files/look.ts
import { accessSync, constants, lstatSync, readFileSync, readdirSync, statSync } from "node:fs";
var ABSENT = /* @__PURE__ */ new Set(["ENOENT", "ENOTDIR"]);
function isAbsent(thrown) {
  return ABSENT.has(errnoOf(thrown));
}
function errnoOf(thrown) {
  const code = thrown?.code;
  return typeof code === "string" ? code : "";
}
function lookBehind(path) {
  return unlessAbsent(() => statSync(path, { throwIfNoEntry: false }));
}
function isDirectory(path) {
  return lookBehind(path)?.isDirectory() === true;
}
function unlessAbsent(look) {
  try {
    return look();
  } catch (thrown) {
    if (isAbsent(thrown)) return void 0;
    throw thrown;
  }
}

// src/files/scan.ts
import { opendirSync } from "node:fs";
function entriesOf(path) {
  let directory;
  try {
    directory = opendirSync(path);
  } catch (thrown) {
    if (isAbsent(thrown)) return [];
    throw thrown;
  }
  const entries = [];
  try {
    for (let entry = directory.readSync(); entry !== null; entry = directory.readSync()) entries.push(entry);
  } finally {
    directory.closeSync();
  }
  return entries;
}

// src/aliases/alias-files.ts
var SKIPPED = /* @__PURE__ */ new Set(["files", "drush_make", "examples", "tests", "disabled", "gitcache", "cache", "node_modules", "bower_components", "drush4", "drush5", "drush6", "drush7", "drush9", "drush10", "drush11"]);
function aliasFolders(places) {
  const { home: home2, etcPrefix, drushFolder, aliasPaths } = places;
  const folders = [
    { path: shadowed(`${etcPrefix}/etc/drush`), depth: places.depth },
    ...drushFolder === void 0 ? [] : [{ path: shadowed(drushFolder), depth: existsSync(join2(drushFolder, "site-aliases")) ? places.depth : 0 }],
    { path: shadowed(join2(home2, ".drush")), depth: places.depth },
    ...aliasPaths.map((path) => ({ path, depth: places.depth }))
  ];
  const seen = /* @__PURE__ */ new Set();
  return folders.filter(({ path }) => !seen.has(path) && seen.add(path)).map(({ path, depth }) => scan(path, depth, places.skipped));
}
function shadowed(folder) {
  const inside = join2(folder, "site-aliases");
  return isDirectory(inside) ? inside : folder;
}
function scan(folder, depth, skipped) {
  const [groups, singles] = [[], []];
  const [groupsHere, singlesHere] = [[], []];
  for (const entry of entriesOf(folder).sort((a2, b) => a2.name < b.name ? -1 : 1)) {
    const { name } = entry;
    if (name.startsWith(".") || SKIPPED.has(name) || skipped.has(name)) continue;
    const path = join2(folder, name);
    if (entry.isDirectory() || entry.isSymbolicLink() && isDirectory(path)) {
      if (depth <= 0) continue;
      const below = scan(path, depth - 1, skipped);
      groups.push(...below.groups);
      singles.push(...below.singles);
    } else if (/aliases\.drush8?rc\.php$/.test(name)) groupsHere.push(path);
    else if (/\.alias\.drush8?rc\.php$/.test(name)) singlesHere.push(path);
  }
  return { groups: [...groups, ...groupsHere], singles: [...singles, ...singlesHere] };
}

// src/aliases/reading/php-fallback.ts
import { join as join3 } from "node:path";

// src/files/unique-name.ts
var counter = 0;
function uniqueName() {
  counter += 1;
  return `${process.pid}.${process.hrtime.bigint().toString(36)}${Math.floor(Math.random() * 2147483647).toString(36)}.${counter}`;
}

// src/php-values/text.ts
import { isUtf8 } from "node:buffer";
function textFromBytes(bytes) {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (isUtf8(buffer)) return buffer.toString("utf8");
  let text = "";
  let start2 = 0;
  let at = 0;
  while (at < buffer.length) {
    const length = sequenceLength(buffer, at);
    if (length > 0) {
      at += length;
      continue;
    }
    text += buffer.toString("utf8", start2, at) + String.fromCharCode(56320 + (buffer[at] ?? 0));
    at += 1;
    start2 = at;
  }
  return text + buffer.toString("utf8", start2, at);
}
function bytesFromText(text) {
  if (!hasEscapedByte(text)) return Buffer.from(text, "utf8");
  const parts = [];
  let start2 = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code >= 55296 && code <= 56319 && isLowSurrogate(text.charCodeAt(at + 1))) {
      at += 1;
    } else if (code >= 56448 && code <= 56575) {
      parts.push(Buffer.from(text.slice(start2, at), "utf8"), Buffer.of(code - 56320));
      start2 = at + 1;
    }
  }
  parts.push(Buffer.from(text.slice(start2), "utf8"));
  return Buffer.concat(parts);
}
function joinText(left, right) {
  const joined = left + right;
  return hasEscapedByte(left) && hasEscapedByte(right) ? textFromBytes(bytesFromText(joined)) : joined;
}
function scrubText(text) {
  return text.isWellFormed() ? text : text.toWellFormed();
}
function hasEscapedByte(text) {
  return !text.isWellFormed();
}
function isLowSurrogate(code) {
  return code >= 56320 && code <= 57343;
}
function sequenceLength(bytes, at) {
  const first = bytes[at] ?? 0;
  if (first < 128) return 1;
  if (first < 194 || first > 244) return 0;
  const second = bytes[at + 1] ?? 0;
  const low = first === 224 ? 160 : first === 240 ? 144 : 128;
  const high = first === 237 ? 159 : first === 244 ? 143 : 191;
  if (second < low || second > high) return 0;
  const length = first < 224 ? 2 : first < 240 ? 3 : 4;
  for (let i = 2; i < length; i++) {
    const next = bytes[at + i] ?? 0;
    if (next < 128 || next > 191) return 0;
  }
  return length;
}

// src/processes/run-process.ts
var GRACE_MS = 250;
async function runProcess(request) {
  const { spawn } = await import("node:child_process");
  return new Promise((resolve, reject) => {
    const child = spawn(request.file, request.args, {
      cwd: request.cwd,
      env: { ...request.env },
      // Each pipe costs; a child without input reads from /dev/null.
      stdio: [request.input === void 0 ? "ignore" : "pipe", "pipe", "pipe"],
      detached: true
    });
    const ending = { timedOut: false, outputTooLong: false };
    const kill = () => killGroup(child.pid);
    const timer = setTimeout(() => {
      ending.timedOut = true;
      kill();
    }, request.timeoutMs);
    const tooLong = () => {
      ending.outputTooLong = true;
      kill();
    };
    const [out2, err] = [piped(child.stdout), piped(child.stderr)];
    const stdout = collect(out2, request.maxOutputBytes, tooLong);
    const stderr = collect(err, request.maxOutputBytes, tooLong);
    if (request.onOutput !== void 0) {
      out2.on("data", request.onOutput);
      err.on("data", request.onOutput);
    }
    child.stdin?.on("error", () => void 0);
    child.stdin?.end(request.input);
    child.on("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
    const end = (status, signal) => {
      clearTimeout(timer);
      out2.destroy();
      err.destroy();
      resolve({ status: status ?? void 0, signal: signal ?? void 0, stdout: stdout(), stderr: stderr(), ...ending });
    };
    child.on("close", end);
    child.on("exit", (status, signal) => void setTimeout(end, GRACE_MS, status, signal).unref());
  });
}
function piped(stream) {
  if (stream === null) throw new TypeError("The child was started without a pipe.");
  return stream;
}
function collect(stream, limit, tooLong) {
  const chunks = [];
  let length = 0;
  stream.on("data", (chunk) => {
    if (length + chunk.length > limit) {
      chunks.push(chunk.subarray(0, limit - length));
      length = limit;
      tooLong();
      return;
    }
    chunks.push(chunk);
    length += chunk.length;
  });
  return () => Buffer.concat(chunks);
}
function killGroup(pid) {
  if (pid === void 0) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
  }
}

// src/aliases/reading/integers.ts
var MAX = 9223372036854775807n;
var MIN = -9223372036854775808n;
function wholeNumber(exact) {
  if (exact < MIN || exact > MAX) return new PhpFloat(Number(exact));
  const number = Number(exact);
  return Number.isSafeInteger(number) ? number : exact;
}

// src/aliases/reading/generated-literals.ts
var OTHER_FORM = new Error("not in generated form");
var NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?(?![0-9A-Za-z_.])/y;
var NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
var OBJECT_STARTS = ["(object) array(", "stdClass::__set_state(array(", "\\stdClass::__set_state(array("];
var WORDS = /* @__PURE__ */ new Map([["true", true], ["false", false], ["null", null]]);
var MAX_DEPTH = 500;
var LiteralScanner = class {
  constructor(text, start2 = 0) {
    this.text = text;
    this.#at = start2;
  }
  text;
  #at;
  #depth = 0;
  /** Place of the next backslash at or after #at, so that a string without one is a plain slice. */
  #backslash = -1;
  get at() {
    return this.#at;
  }
  get ended() {
    return this.#at >= this.text.length;
  }
  value() {
    const code = this.text.charCodeAt(this.#at);
    if (code === 39 || code === 34) return this.string();
    if (code === 45 || code >= 48 && code <= 57) return this.#number();
    if (code === 91) return this.#elements("[", "]");
    const object = OBJECT_STARTS.find((start2) => this.take(start2));
    if (object !== void 0) return this.#object(object);
    return this.#word();
  }
  /** A string, also in the form `'a' . "\0" . 'b'` that var_export() gives to a NUL. */
  string() {
    let text = this.#piece();
    for (; ; ) {
      const before = this.#at;
      this.blank();
      if (!this.take(".")) {
        this.#at = before;
        return text;
      }
      this.blank();
      text = joinText(text, this.#piece());
    }
  }
  name() {
    NAME.lastIndex = this.#at;
    const name = NAME.exec(this.text)?.[0];
    if (name === void 0) throw OTHER_FORM;
    this.#at += name.length;
    return name;
  }
  key() {
    return keyOf(this.value());
  }
  /** Skips white space and comments. */
  blank() {
    for (; ; ) {
      const code = this.text.charCodeAt(this.#at);
      if (code === 32 || code === 10 || code === 9 || code === 13) this.#at += 1;
      else if (code === 35 || code === 47) this.#comment(code);
      else return;
    }
  }
  take(expected) {
    if (!this.text.startsWith(expected, this.#at)) return false;
    this.#at += expected.length;
    return true;
  }
  expect(expected) {
    this.blank();
    if (!this.take(expected)) throw OTHER_FORM;
  }
  #comment(first) {
    if (this.text.startsWith("/*", this.#at)) {
      const end2 = this.text.indexOf("*/", this.#at + 2);
      if (end2 < 0) throw OTHER_FORM;
      this.#at = end2 + 2;
      return;
    }
    const second = this.text[this.#at + 1];
    if (first === 35 ? second === "[" : second !== "/") throw OTHER_FORM;
    let end = this.#at;
    while (end < this.text.length && this.text[end] !== "\n" && this.text[end] !== "\r") end += 1;
    if (this.text.slice(this.#at, end).includes("?>")) throw OTHER_FORM;
    this.#at = end;
  }
  #piece() {
    const quote = this.text[this.#at];
    if (quote === '"') return this.#doubleQuoted();
    if (quote !== "'") throw OTHER_FORM;
    const start2 = this.#at + 1;
    let end = this.text.indexOf("'", start2);
    const escaped = this.#nextBackslash(start2) < end;
    while (end > 0 && this.#isEscaped(end)) end = this.text.indexOf("'", end + 1);
    if (end < 0) throw OTHER_FORM;
    this.#at = end + 1;
    const raw = this.text.slice(start2, end);
    return escaped ? raw.replace(/\\([\\'])/g, "$1") : raw;
  }
  /** True when an odd number of backslashes stands before the quote. */
  #isEscaped(quote) {
    let first = quote;
    while (this.text.charCodeAt(first - 1) === 92) first -= 1;
    return (quote - first) % 2 === 1;
  }
  #nextBackslash(from) {
    if (this.#backslash < from) {
      const found = this.text.indexOf("\\", from);
      this.#backslash = found < 0 ? Infinity : found;
    }
    return this.#backslash;
  }
  #doubleQuoted() {
    if (this.take('"\\0"')) return "\0";
    const end = this.text.indexOf('"', this.#at + 1);
    const raw = this.text.slice(this.#at + 1, end);
    if (end < 0 || /[\\$]/.test(raw)) throw OTHER_FORM;
    this.#at = end + 1;
    return raw;
  }
  #number() {
    NUMBER.lastIndex = this.#at;
    const match = NUMBER.exec(this.text);
    if (match === null && this.take("-INF")) return new PhpFloat(-Infinity);
    if (match === null) throw OTHER_FORM;
    this.#at += match[0].length;
    if (match[1] !== void 0 || match[2] !== void 0) return new PhpFloat(Number(match[0]));
    if (match[0] === "-9223372036854775807" && this.take("-1")) return -9223372036854775808n;
    if (match[0] === "-9223372036854775808") return new PhpFloat(-9223372036854776e3);
    return match[0].length < 16 ? Number(match[0]) + 0 : wholeNumber(BigInt(match[0]));
  }
  #word() {
    const name = this.name();
    const word = name.toLowerCase();
    const value = WORDS.get(word);
    if (value !== void 0) return value;
    if (word === "array") {
      this.blank();
      return this.#elements("(", ")");
    }
    if (name === "INF" || name === "NAN") return new PhpFloat(name === "INF" ? Infinity : NaN);
    throw OTHER_FORM;
  }
  #object(start2) {
    this.#at -= 1;
    const properties = this.#elements("(", ")");
    if (start2 !== "(object) array(") this.expect(")");
    return new PhpObject(properties);
  }
  #elements(open, close) {
    if (!this.take(open) || (this.#depth += 1) > MAX_DEPTH) throw OTHER_FORM;
    const array = new PhpArray();
    let negative = false;
    for (; ; ) {
      this.blank();
      if (this.take(close)) break;
      const value = this.value();
      this.blank();
      if (this.take("=>")) {
        const key = keyOf(value);
        this.blank();
        negative ||= typeof key !== "string" && (key < 0 || typeof key === "bigint");
        array.set(key, this.value());
        this.blank();
      } else {
        if (negative) throw OTHER_FORM;
        array.push(value);
      }
      if (this.take(",")) continue;
      this.expect(close);
      break;
    }
    this.#depth -= 1;
    return array;
  }
};
function keyOf(value) {
  if (typeof value === "string" || typeof value === "number" || typeof value === "bigint") return phpKey(value);
  if (value instanceof PhpFloat && value.value === -9223372036854776e3) return -9223372036854775808n;
  throw OTHER_FORM;
}

// src/aliases/reading/php-fallback.ts
var DEFAULT_TIMEOUT_MS = 1e4;
var MAX_OUTPUT_BYTES = 64 * 1024 * 1024;
async function runWithPhp(file, names, php2) {
  const helper = join3(php2.phpDir, "read-variables.php");
  const marker = `=== ${uniqueName()} ===`;
  const timeoutMs = php2.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const result = await start({
    file: php2.program,
    args: ["-d", "display_errors=stderr", "-d", "log_errors=0", "-d", "html_errors=0", helper, marker, file, ...names],
    env: withoutPrepend(php2.env),
    cwd: php2.cwd,
    timeoutMs,
    maxOutputBytes: MAX_OUTPUT_BYTES
  });
  if (result.timedOut) throw broken(file, { reason: `it did not end within ${timeoutMs / 1e3} seconds` });
  if (result.outputTooLong) throw broken(file, { reason: "it prints without end, or holds more than 64 MB" });
  return answerIn(result, { file, marker });
}
function broken(file, found) {
  const line = found.line === void 0 || found.line <= 0 ? "" : ` line ${found.line}`;
  return new ShimError("PHP_FILE_BROKEN", `The file ${file} is broken:${line} ${found.reason}`, {
    hint: `run php -l ${file}, and mend or remove the file`,
    cause: found.cause
  });
}
function withoutPrepend(env2) {
  const others = (env2["PHP_INI_SCAN_DIR"] ?? "").split(":").filter((folder) => !/\/lib\/php-ini\/?$/.test(folder));
  const rest = others.every((folder) => folder === "") ? void 0 : others.join(":");
  return { ...env2, PHP_INI_SCAN_DIR: rest, PROVISION_SHIM_LIB: void 0, PROVISION_SHIM_REAL: void 0, PROVISION_SHIM_HANDOVER: void 0 };
}
async function start(request) {
  try {
    return await runProcess(request);
  } catch (cause) {
    throw new ShimError("PHP_NOT_FOUND", `PHP cannot be started as ${request.file}: ${cause instanceof Error ? cause.message : String(cause)}`, {
      hint: "install the PHP command line interpreter, or name it by DRUSH_PHP",
      cause
    });
  }
}
function answerIn(result, request) {
  const output = result.stdout;
  const line = bytesFromText(`
${request.marker}
`);
  const start2 = output.indexOf(line);
  const end = output.lastIndexOf(line);
  if (start2 < 0 || end <= start2) {
    const said = textFromBytes(result.stderr).trim().slice(0, 500);
    throw broken(request.file, { reason: said === "" ? `PHP ended with status ${result.status ?? String(result.signal)}` : said });
  }
  const answer = parseAnswer(textFromBytes(output.subarray(start2 + line.length, end)), request.file);
  const error = answer.get("error");
  if (error instanceof PhpArray) throw reported(error, request.file);
  const [values, printed] = [answer.get("values"), answer.get("printed")];
  return { values: values instanceof PhpArray ? values : new PhpArray(), returned: answer.get("returned") ?? null, printed: typeof printed === "string" ? printed : "" };
}
function parseAnswer(text, file) {
  try {
    const value = new LiteralScanner(text).value();
    if (value instanceof PhpArray) return value;
  } catch {
  }
  throw new ShimError("PHP_FILE_UNSUPPORTED", `The file ${file} sets a variable to an object of a class, which is not data`, {
    hint: "only real drush can use this file"
  });
}
function reported(error, file) {
  const [message, where, line] = [error.get("message"), error.get("file"), error.get("line")];
  const reason = (typeof message === "string" ? message : "it cannot be run").replace(/^(?:ParseError|Error): /, "");
  const called = /undefined function (drush_\w+|_drush_\w+|dt)\(\)/.exec(reason)?.[1];
  if (called !== void 0) {
    return new ShimError("PHP_FILE_NEEDS_DRUSH", `The file ${file} calls ${called}(), which exists inside drush only`, {
      hint: "only real drush can use this file"
    });
  }
  return broken(typeof where === "string" && where !== "" ? where : file, { reason, ...typeof line === "number" ? { line } : {} });
}

// src/aliases/reading/evaluation.ts
import { readFileSync as readFileSync2, realpathSync, statSync as statSync2 } from "node:fs";
import { dirname as dirname3, isAbsolute } from "node:path";

// src/aliases/reading/not-static.ts
var NotStatic = class extends Error {
  constructor(reason) {
    super(reason);
    this.reason = reason;
  }
  reason;
  name = "NotStatic";
  /** Where it stands, as far as known. */
  file;
  line;
};

// src/aliases/reading/scope.ts
var APPEND = /* @__PURE__ */ Symbol("[]");
var IGNORED = /* @__PURE__ */ new Set(["_SERVER", "_ENV"]);
var FOREIGN = /* @__PURE__ */ new Set([...IGNORED, "GLOBALS", "_GET", "_POST", "_COOKIE", "_FILES", "_REQUEST", "_SESSION", "this"]);
var Scope = class _Scope {
  #variables = /* @__PURE__ */ new Map();
  /** A scope with copies of all variables. */
  clone() {
    const copy = new _Scope();
    for (const [name, value] of this.#variables) copy.#variables.set(name, value instanceof PhpArray ? value.deepClone() : value);
    return copy;
  }
  /** A copy of `$name[step]…`; NULL where there is nothing, as PHP says with a warning. */
  read(name, steps = []) {
    const value = this.find(name, steps) ?? null;
    return value instanceof PhpArray ? value.deepClone() : value;
  }
  /** The value itself, for looking only; undefined where PHP's isset() would be false because nothing is there. */
  find(name, steps = []) {
    if (FOREIGN.has(name)) throw new NotStatic(`it reads $${name}`);
    return lookInside(this.#variables.get(name), steps);
  }
  assign(name, steps, value) {
    const [first, ...rest] = steps;
    if (FOREIGN.has(name)) {
      if (IGNORED.has(name) && first !== void 0 && first !== APPEND) return;
      throw new NotStatic(`it writes to $${name}`);
    }
    if (first === void 0) {
      this.#variables.set(name, value);
      return;
    }
    let array = writable(this.#variables.get(name));
    this.#variables.set(name, array);
    let step = first;
    for (const next of rest) {
      const inner = writable(step === APPEND ? void 0 : array.get(step));
      put(array, step, inner);
      array = inner;
      step = next;
    }
    put(array, step, value);
  }
  unset(name, steps) {
    const last = steps.at(-1);
    if (last === void 0 && !FOREIGN.has(name)) {
      this.#variables.delete(name);
      return;
    }
    for (const count of steps.keys()) {
      const outer = this.find(name, steps.slice(0, count)) ?? null;
      if (outer === null) return;
      if (!(outer instanceof PhpArray)) throw new NotStatic("an unset() inside a value that is no array");
    }
    const array = this.find(name, steps.slice(0, -1));
    if (!(array instanceof PhpArray) || last === APPEND || last === void 0 || isNegative(last)) throw new NotStatic("an unset() that it cannot follow");
    array.delete(last);
  }
};
function append(array, value) {
  let highest;
  for (const key of array.keys()) {
    if (typeof key !== "string" && (highest === void 0 || key > highest)) highest = key;
  }
  if (highest !== void 0 && (highest < 0 || typeof highest === "bigint")) throw new NotStatic("an element whose key depends on the PHP version");
  array.push(value);
}
function keyFrom(value) {
  if (typeof value === "string" || typeof value === "bigint" || typeof value === "number") return phpKey(value);
  if (typeof value === "boolean") return value ? 1 : 0;
  if (value === null) return "";
  if (value instanceof PhpFloat) return keyFromFloat(value.value);
  throw new NotStatic("an array key that is neither integer nor text");
}
function keyFromFloat(value) {
  if (!Number.isInteger(value) || value < -(2 ** 63) || value >= 2 ** 63) throw new NotStatic("a float as array key");
  return phpKey(BigInt(value));
}
function lookInside(start2, steps) {
  let value = start2;
  for (const step of steps) {
    if (step === APPEND) throw new NotStatic("it reads []");
    if (typeof value === "string" || value instanceof PhpObject) throw new NotStatic("it reads a part of a text or object");
    value = value instanceof PhpArray ? value.get(step) : void 0;
  }
  return value;
}
function writable(value) {
  if (value instanceof PhpArray) return value;
  if (value === void 0 || value === null) return new PhpArray();
  throw new NotStatic("it writes into a value that is no array");
}
function put(array, step, value) {
  if (step === APPEND) append(array, value);
  else array.set(step, value);
}
function isNegative(key) {
  return typeof key !== "string" && key < 0;
}

// src/aliases/reading/generated-form.ts
var INCLUDE = /^(include|require)(_once)?$/i;
function parseGenerated(text, folder) {
  const start2 = /^\s*<\?php(?=\s)/i.exec(text);
  if (start2 === null) return void 0;
  const scanner = new LiteralScanner(text, start2[0].length);
  const statements = [];
  try {
    for (; ; ) {
      scanner.blank();
      if (scanner.ended) return statements;
      if (scanner.take("?>")) return /^\s*$/.test(text.slice(scanner.at)) ? statements : void 0;
      if (!scanner.take(";")) statements.push(statement(scanner, folder));
    }
  } catch (thrown) {
    if (thrown === OTHER_FORM) return void 0;
    throw thrown;
  }
}
function statement(scanner, folder) {
  const result = scanner.take("$") ? assignment(scanner) : include(scanner, folder);
  scanner.blank();
  if (!scanner.take(";") && !scanner.text.startsWith("?>", scanner.at)) throw OTHER_FORM;
  return result;
}
function assignment(scanner) {
  const target = reference(scanner);
  scanner.expect("=");
  scanner.blank();
  if (scanner.take("$")) return { kind: "copy", target, source: reference(scanner) };
  return { kind: "assign", target, value: scanner.value() };
}
function reference(scanner) {
  const variable = scanner.name();
  const steps = [];
  for (; ; ) {
    scanner.blank();
    if (!scanner.take("[")) return { variable, steps };
    scanner.blank();
    if (scanner.take("]")) {
      steps.push(APPEND);
    } else {
      steps.push(scanner.key());
      scanner.expect("]");
    }
  }
}
function include(scanner, folder) {
  if (scanner.take("@")) scanner.blank();
  const word = INCLUDE.exec(scanner.name());
  if (word === null) throw OTHER_FORM;
  scanner.blank();
  const path = parenthesized(scanner, () => includedPath(scanner, folder));
  if (!path.startsWith("/")) throw OTHER_FORM;
  return { kind: "include", path, once: word[2] !== void 0, required: word[1]?.toLowerCase() === "require" };
}
function parenthesized(scanner, inner) {
  const open = scanner.take("(");
  if (open) scanner.blank();
  const path = inner();
  if (open) scanner.expect(")");
  return path;
}
function includedPath(scanner, folder) {
  if (!scanner.take("dirname(__FILE__)") && !scanner.take("__DIR__")) return scanner.string();
  scanner.expect(".");
  scanner.blank();
  return folder + scanner.string();
}

// src/aliases/reading/static-expressions.ts
import { dirname as dirname2 } from "node:path";

// src/aliases/reading/static-operators.ts
function binary(operator, left, right) {
  if (operator === ".") return joinText(plainText(left), plainText(right));
  if (operator === "===" || operator === "!==") return identical(left, right) === (operator === "===");
  if (operator === "+" && left instanceof PhpArray && right instanceof PhpArray) return left.union(right);
  if (operator === "+" || operator === "-" || operator === "*" || operator === "/" || operator === "%") return arithmetic(operator, left, right);
  throw new NotStatic(`the operator ${operator}`);
}
function unary(operator, value) {
  if (operator === "!") return !isTruthy(value);
  if (operator === "+" && isNumber(value)) return value;
  if (operator === "-" && value instanceof PhpFloat) return new PhpFloat(-value.value);
  if (operator === "-" && isInteger(value)) return wholeNumber(-BigInt(value));
  throw new NotStatic(`the operator ${operator} on a value that is no number`);
}
function cast(type, value) {
  switch (type) {
    case "string":
      return plainText(value);
    case "bool":
      return isTruthy(value);
    case "int":
      return toInteger(value);
    case "array":
      return toArray(value);
    case "object":
      return toObject(value);
    default:
      throw new NotStatic(`the cast (${type})`);
  }
}
function plainText(value) {
  const text = value instanceof PhpFloat ? void 0 : scalarText(value);
  if (text === void 0) throw new NotStatic("a float, array or object used as text");
  return text;
}
function arithmetic(operator, left, right) {
  if (isInteger(left) && isInteger(right)) return wholeArithmetic(operator, BigInt(left), BigInt(right));
  if (!isNumber(left) || !isNumber(right) || operator === "%") throw new NotStatic(`the operator ${operator} on a value that is no number`);
  const [a2, b] = [toNumber(left), toNumber(right)];
  if (operator === "/" && b === 0) throw new NotStatic("a division by zero");
  return new PhpFloat(operator === "+" ? a2 + b : operator === "-" ? a2 - b : operator === "*" ? a2 * b : a2 / b);
}
function wholeArithmetic(operator, left, right) {
  if (operator === "+") return exactOrFloat(left + right, Number(left) + Number(right));
  if (operator === "-") return exactOrFloat(left - right, Number(left) - Number(right));
  if (operator === "*") return exactOrFloat(left * right, Number(left) * Number(right));
  if (right === 0n) throw new NotStatic("a division by zero");
  if (operator === "%") return wholeNumber(left % right);
  return left % right === 0n ? wholeNumber(left / right) : new PhpFloat(Number(left) / Number(right));
}
function exactOrFloat(exact, rounded) {
  const value = wholeNumber(exact);
  return value instanceof PhpFloat ? new PhpFloat(rounded) : value;
}
function identical(left, right) {
  if (typeof left === "object" && left !== null) throw new NotStatic("a comparison of floats, arrays or objects");
  return typeof right === "object" && right !== null ? binary("===", right, left) === true : left === right;
}
function toInteger(value) {
  if (isInteger(value)) return value;
  if (value === null || typeof value === "boolean") return value === true ? 1 : 0;
  if (value instanceof PhpFloat && Number.isSafeInteger(Math.trunc(value.value))) return Math.trunc(value.value) + 0;
  if (typeof value === "string" && /^-?[0-9]{1,15}$/.test(value)) return Number(value) + 0;
  throw new NotStatic("a cast to integer");
}
function toArray(value) {
  if (value instanceof PhpArray) return value;
  if (value instanceof PhpObject) return PhpArray.of(value.properties);
  return value === null ? new PhpArray() : PhpArray.list([value]);
}
function toObject(value) {
  if (value instanceof PhpObject) return value;
  if (value instanceof PhpArray) return new PhpObject(value);
  return new PhpObject(value === null ? new PhpArray() : PhpArray.of([["scalar", value]]));
}
function isInteger(value) {
  return typeof value === "number" || typeof value === "bigint";
}
function isNumber(value) {
  return isInteger(value) || value instanceof PhpFloat;
}
function toNumber(value) {
  return value instanceof PhpFloat ? value.value : Number(value);
}

// src/aliases/reading/static-functions.ts
function callPure(name, args) {
  const pure = FUNCTIONS[name.toLowerCase()];
  if (pure === void 0) throw new NotStatic(`it calls ${name}()`);
  return pure(args);
}
var FUNCTIONS = {
  dirname: ([path, levels = 1, ...more]) => {
    if (typeof path !== "string" || typeof levels !== "number" || levels < 1 || levels > 100 || more.length > 0) throw unusual("dirname");
    let result = path;
    for (let level = 0; level < levels; level++) result = parentOf(result);
    return result;
  },
  basename: ([path, ...more]) => {
    if (typeof path !== "string" || more.length > 0) throw unusual("basename");
    return path.replace(/\/+$/, "").replace(/^.*\//s, "");
  },
  array_merge: (args) => arrays("array_merge", args).reduce((left, right) => left.merge(right), new PhpArray()),
  array_replace: (args) => {
    const [first, ...others] = arrays("array_replace", args);
    if (first === void 0) throw unusual("array_replace");
    return others.reduce((left, right) => left.replace(right), first);
  },
  array_values: (args) => PhpArray.list(onlyArray("array_values", args).values()),
  array_keys: (args) => PhpArray.list(onlyArray("array_keys", args).keys()),
  array_unique: (args) => unique(onlyArray("array_unique", args)),
  implode,
  join: implode,
  sprintf: ([format2, ...args]) => {
    if (typeof format2 !== "string" || /%(?![s%])/.test(format2)) throw unusual("sprintf");
    const values = args.map(plainText);
    return rebuilt(format2.replace(/%([s%])/g, (_, kind) => kind === "%" ? "%" : values.shift() ?? refuse("sprintf")));
  },
  str_replace: ([search, replacement, subject, ...more]) => {
    if (typeof search !== "string" || typeof replacement !== "string" || typeof subject !== "string" || more.length > 0) throw unusual("str_replace");
    if (!(search + replacement + subject).isWellFormed()) throw unusual("str_replace");
    return search === "" ? subject : subject.replaceAll(search, () => replacement);
  },
  trim: ([text, ...more]) => {
    if (typeof text !== "string" || more.length > 0) throw unusual("trim");
    return text.replace(/^[ \t\n\r\v\0]+/, "").replace(/[ \t\n\r\v\0]+$/, "");
  },
  strtolower: ([text, ...more]) => {
    if (typeof text !== "string" || more.length > 0 || !isAscii(text)) throw unusual("strtolower");
    return text.toLowerCase();
  }
};
function implode([first, second, ...more]) {
  const [glue, pieces] = first instanceof PhpArray && second === void 0 ? ["", first] : [first, second];
  if (typeof glue !== "string" || !(pieces instanceof PhpArray) || more.length > 0) throw unusual("implode");
  return rebuilt([...pieces.values()].map(plainText).join(glue));
}
function rebuilt(text) {
  return text.isWellFormed() ? text : textFromBytes(bytesFromText(text));
}
function parentOf(path) {
  const trimmed = path.replace(/\/+$/, "");
  if (trimmed === "") return path === "" ? "" : "/";
  const slash = trimmed.lastIndexOf("/");
  if (slash < 0) return ".";
  return trimmed.slice(0, slash).replace(/\/+$/, "") || "/";
}
function unique(array) {
  const seen = /* @__PURE__ */ new Set();
  const result = array.clone();
  for (const [key, value] of array) {
    const text = plainText(value);
    if (seen.has(text)) result.delete(key);
    seen.add(text);
  }
  return result;
}
function arrays(name, args) {
  if (args.length === 0) throw unusual(name);
  return args.map((arg) => arg instanceof PhpArray ? arg : refuse(name));
}
function onlyArray(name, args) {
  const [array, ...more] = arrays(name, args);
  return array === void 0 || more.length > 0 ? refuse(name) : array;
}
function isAscii(text) {
  return Buffer.byteLength(text) === text.length;
}
function unusual(name) {
  return new NotStatic(`a use of ${name}() that it does not know`);
}
function refuse(name) {
  throw unusual(name);
}

// src/aliases/reading/static-numbers.ts
var DIGITS = /^(?:[0-9]+(?:_[0-9]+)*)$/;
var FLOAT = /^(?:[0-9]+(?:_[0-9]+)*)?(?:\.(?:[0-9]+(?:_[0-9]+)*)?)?(?:[eE][+-]?[0-9]+(?:_[0-9]+)*)?$/;
function numberLiteral(source) {
  const text = source.replaceAll("_", "");
  if (/^0[xX][0-9A-Fa-f_]+$/.test(source) || /^0[bB][01_]+$/.test(source)) return wholeNumber(BigInt(text.toLowerCase()));
  if (/^0[0-7_]+$/.test(source)) return wholeNumber(BigInt(`0o${text}`));
  if (DIGITS.test(source) && !/^0[0-9]/.test(text)) return wholeNumber(BigInt(text));
  if (FLOAT.test(source) && /[.eE]/.test(source)) return new PhpFloat(Number(text));
  throw new NotStatic(`the number ${source}`);
}

// src/aliases/reading/static-strings.ts
function decodeQuoted(raw) {
  const literal = /^[bB]/.test(raw) ? raw.slice(1) : raw;
  const inner = literal.slice(1, -1);
  if (literal.startsWith("'")) return fromLatin1(inner.replace(/\\([\\'])/g, "$1"));
  if (literal.startsWith('"')) return decodeEscapes(inner, '"');
  throw new NotStatic("a text in a form that it does not know");
}
var SIMPLE = { n: "\n", t: "	", r: "\r", v: "\v", e: "\x1B", f: "\f", "\\": "\\", $: "$" };
var ESCAPE = /\\(?:([ntrvef\\$"])|([0-7]{1,3})|x([0-9A-Fa-f]{1,2})|(u)\{([^}]*)(\}?))/g;
function decodeEscapes(raw, quote) {
  const bytes = raw.replace(ESCAPE, (whole, simple, octal, hex, unicode2, point, end) => {
    if (simple === '"') return quote === '"' ? '"' : whole;
    if (simple !== void 0) return SIMPLE[simple] ?? whole;
    if (octal !== void 0) return String.fromCharCode(Number.parseInt(octal, 8) & 255);
    if (hex !== void 0) return String.fromCharCode(Number.parseInt(hex, 16));
    return unicode2 === void 0 || point === void 0 ? whole : codePoint(end === "" ? "" : point);
  });
  return fromLatin1(bytes);
}
function fromLatin1(bytes) {
  return textFromBytes(Buffer.from(bytes, "latin1"));
}
function codePoint(hex) {
  const code = Number.parseInt(hex, 16);
  if (!/^[0-9A-Fa-f]+$/.test(hex) || code > 1114111) throw new NotStatic("a bad \\u{} escape");
  if (code >= 55296 && code <= 57343) {
    return String.fromCharCode(224 | code >> 12, 128 | code >> 6 & 63, 128 | code & 63);
  }
  return Buffer.from(String.fromCodePoint(code), "utf8").toString("latin1");
}

// src/aliases/reading/static-expressions.ts
var CONSTANTS = /* @__PURE__ */ new Map([
  ["PHP_EOL", "\n"],
  ["DIRECTORY_SEPARATOR", "/"],
  ["PATH_SEPARATOR", ":"],
  ["PHP_INT_MAX", 9223372036854775807n],
  ["PHP_INT_MIN", -9223372036854775808n],
  ["INF", new PhpFloat(Infinity)],
  ["NAN", new PhpFloat(NaN)]
]);
function evaluate(node, at) {
  const value = (inner) => evaluate(inner, at);
  switch (node.kind) {
    case "string":
      return decodeQuoted(node.raw);
    case "number":
      return numberLiteral(node.value);
    case "boolean":
      return node.value;
    case "nullkeyword":
      return null;
    case "array":
      return arrayLiteral(node.items, at);
    case "variable":
    case "offsetlookup":
      return read(node, at);
    case "encapsed":
      return encapsed(node, at);
    case "nowdoc":
      return nowdoc(node.raw, node.label);
    case "name":
      return constant(node.name);
    case "magic":
      return magic(node.value, node.loc?.start.line, at.file);
    case "unary":
      return unary(node.type, value(node.what));
    case "bin":
      return operation(node, at);
    case "cast":
      return cast(node.type, value(node.expr));
    case "silent":
      return value(node.expr);
    case "retif":
      return conditional(node, at);
    case "isset":
      return node.variables.map((variable) => (find(variable, at) ?? null) !== null).every(Boolean);
    case "empty":
      return !isTruthy(isReference(node.expression) ? find(node.expression, at) : value(node.expression));
    case "include":
      return at.include(plainText(value(node.target)), { once: node.once, required: node.require });
    case "call":
      return call(node.what, node.arguments, at);
    default:
      throw new NotStatic(`an expression of the kind "${node.kind}"`);
  }
}
function place(node, at) {
  if (node.kind === "variable" && typeof node.name === "string") return { variable: node.name, steps: [] };
  if (node.kind !== "offsetlookup") throw new NotStatic("a place that is no variable and no array element");
  const { variable, steps } = place(node.what, at);
  return { variable, steps: [...steps, node.offset === false ? APPEND : keyFrom(evaluate(node.offset, at))] };
}
function placeToWrite(node, at) {
  const found = place(node, at);
  for (let part = node; part.kind === "offsetlookup"; part = part.what) {
    if (part.offset !== false && mentions(part.offset, found.variable)) throw new NotStatic("a key that depends on the variable it is for");
  }
  return found;
}
function mentions(node, variable) {
  if (typeof node !== "object" || node === null) return false;
  if ("kind" in node && "name" in node && node.kind === "variable" && node.name === variable) return true;
  return Object.values(node).some((inner) => mentions(inner, variable));
}
function isReference(node) {
  return node.kind === "variable" || node.kind === "offsetlookup";
}
function read(node, at) {
  const { variable, steps } = place(node, at);
  return at.scope.read(variable, steps);
}
function find(node, at) {
  const { variable, steps } = place(node, at);
  return at.scope.find(variable, steps);
}
function arrayLiteral(items, at) {
  const array = new PhpArray();
  let usual = true;
  const push = (value) => {
    if (usual) array.push(value);
    else append(array, value);
  };
  for (const item of items) {
    if (item.kind === "noop" || item.byRef) throw new NotStatic("an array with a gap or a reference");
    if (item.unpack) {
      spread(evaluate(item.value, at)).forEach(push);
    } else if (item.key === null) {
      push(evaluate(item.value, at));
    } else {
      const key = keyFrom(evaluate(item.key, at));
      if (typeof key !== "string" && (key < 0 || typeof key === "bigint")) usual = false;
      array.set(key, evaluate(item.value, at));
    }
  }
  return array;
}
function spread(value) {
  if (!(value instanceof PhpArray) || [...value.keys()].some((key) => typeof key === "string")) throw new NotStatic("a spread that is no list");
  return [...value.values()];
}
function operation(node, at) {
  const { left, right, type } = node;
  if (type === "&&" || type === "and") return isTruthy(evaluate(left, at)) ? isTruthy(evaluate(right, at)) : skip(right, at, false);
  if (type === "||" || type === "or") return isTruthy(evaluate(left, at)) ? skip(right, at, true) : isTruthy(evaluate(right, at));
  if (type === "??") return coalesce(left, right, at);
  if (mixesDotAndSum(node)) throw new NotStatic("a mixture of . and + whose order depends on the PHP version");
  return binary(type, evaluate(left, at), evaluate(right, at));
}
function coalesce(left, right, at) {
  const value = isReference(left) ? find(left, at) ?? null : evaluate(left, at);
  if (value === null) return evaluate(right, at);
  return skip(right, at, value instanceof PhpArray ? value.deepClone() : value);
}
function skip(node, at, result) {
  evaluate(node, { scope: at.scope, file: at.file, include: refuseInclude });
  return result;
}
function refuseInclude() {
  throw new NotStatic("an include that is not reached");
}
function mixesDotAndSum(node) {
  const others = node.type === "." ? ["+", "-"] : node.type === "+" || node.type === "-" ? ["."] : [];
  return [node.left, node.right].some((side) => side.kind === "bin" && side.parenthesizedExpression !== true && others.includes(side.type));
}
function conditional(node, at) {
  for (const part of [node.test, node.trueExpr, node.falseExpr]) {
    if (part?.kind === "retif" && part.parenthesizedExpression !== true) throw new NotStatic("nested ?: without parentheses");
  }
  const test = evaluate(node.test, at);
  if (!isTruthy(test)) {
    const result = evaluate(node.falseExpr, at);
    return node.trueExpr === null ? result : skip(node.trueExpr, at, result);
  }
  return skip(node.falseExpr, at, node.trueExpr === null ? test : evaluate(node.trueExpr, at));
}
function call(what, args, at) {
  if (what.kind === "name" && what.resolution !== "rn") return callPure(what.name.replace(/^\\/, ""), args.map((arg) => evaluate(arg, at)));
  if (what.kind === "staticlookup" && what.what.kind === "name" && what.offset.kind === "identifier") {
    const isStdClass = /^\\?stdClass$/i.test(what.what.name) && what.offset.name.toLowerCase() === "__set_state";
    const [value, ...more] = args.map((arg) => evaluate(arg, at));
    if (isStdClass && value instanceof PhpArray && more.length === 0) return new PhpObject(value);
  }
  throw new NotStatic("a call of a method or of a computed function");
}
function constant(name) {
  const value = CONSTANTS.get(name.replace(/^\\/, ""));
  if (value === void 0) throw new NotStatic(`the constant ${name}`);
  return value;
}
function magic(name, line, file) {
  if (name.toUpperCase() === "__FILE__") return file;
  if (name.toUpperCase() === "__DIR__") return dirname2(file);
  if (name.toUpperCase() === "__LINE__" && line !== void 0) return line;
  throw new NotStatic(`the constant ${name}`);
}
function encapsed(node, at) {
  if (node.type !== "string" && node.type !== "heredoc") throw new NotStatic("a shell command");
  const quote = node.type === "string" ? '"' : "";
  if (quote === "" && hasIndentedEnd(node.raw, node.label)) throw new NotStatic("a heredoc with an indented end");
  let text = "";
  for (const [index, part] of node.value.entries()) {
    const { expression } = part;
    if (expression.kind === "string") {
      if (index < node.value.length - 1 && /(?<!\\)(?:\\\\)*\\$/.test(expression.raw)) throw new NotStatic("a text that it does not split as PHP does");
      const isEnd = quote === "" && index === node.value.length - 1;
      text = joinText(text, decodeEscapes(isEnd ? expression.raw.replace(/\r?\n$|\r$/, "") : expression.raw, quote));
    } else {
      if (part.curly) throw new NotStatic('"${name}"');
      text = joinText(text, plainText(part.syntax === "simple" ? simplePart(expression, at) : evaluate(expression, at)));
    }
  }
  return text;
}
function simplePart(node, at) {
  if (node.kind === "variable") return read(node, at);
  if (node.kind !== "offsetlookup" || node.what.kind !== "variable" || typeof node.what.name !== "string" || node.offset === false) {
    throw new NotStatic("a part of a text that it does not know");
  }
  const { offset } = node;
  if (offset.kind === "identifier") return at.scope.read(node.what.name, [fromLatin1(offset.name)]);
  if (offset.kind === "number" && /^(?:0|[1-9][0-9]{0,14})$/.test(offset.value)) return at.scope.read(node.what.name, [Number(offset.value)]);
  if (offset.kind === "variable") return at.scope.read(node.what.name, [keyFrom(read(offset, at))]);
  throw new NotStatic("a part of a text that it does not know");
}
function nowdoc(raw, label) {
  if (hasIndentedEnd(raw, label)) throw new NotStatic("a nowdoc with an indented end");
  const lines = raw.trimEnd().split(/(?<=\n)/);
  return fromLatin1(lines.slice(1, -1).join("").replace(/\r?\n$/, ""));
}
function hasIndentedEnd(raw, label = "") {
  return new RegExp(`[ \\t]${label}\\s*$`).test(raw);
}

// src/aliases/reading/static-statements.ts
var MAX_STEPS = 1e5;
var Interpreter = class _Interpreter {
  constructor(host, file) {
    this.file = file;
    this.#host = host;
    this.scope = host.scope;
  }
  file;
  scope;
  #host;
  #steps = 0;
  /** What the file returns: 1 when it does not say. */
  run(statements) {
    return this.#all(statements)?.value ?? 1;
  }
  include(path, kind) {
    return this.#host.include(path, kind);
  }
  #all(statements) {
    for (const [index, statement2] of statements.entries()) {
      const returned = this.#one(statement2);
      if (returned === void 0) continue;
      this.#skip(statements.slice(index + 1));
      return returned;
    }
    return void 0;
  }
  /** Statements that are not reached must be right all the same, because PHP compiles them: they are tried in a copy of the scope. */
  #skip(statements) {
    if (statements.length === 0) return;
    const trial = new _Interpreter({ scope: this.scope.clone(), include: refuseInclude }, this.file);
    trial.#steps = this.#steps;
    for (const statement2 of statements) trial.#one(statement2);
    this.#steps = trial.#steps;
  }
  #one(statement2) {
    this.#steps += 1;
    try {
      if (this.#steps > MAX_STEPS) throw new NotStatic("it takes many steps");
      return this.#execute(statement2);
    } catch (thrown) {
      if (!(thrown instanceof NotStatic)) throw thrown;
      thrown.file ??= this.file;
      thrown.line ??= statement2.loc.start.line;
      throw thrown;
    }
  }
  #execute(statement2) {
    switch (statement2.kind) {
      case "noop":
        return void 0;
      case "inline": {
        if (!/^\s*$/.test(statement2.raw)) throw new NotStatic("text outside of <?php");
        return void 0;
      }
      case "block":
        return this.#all(statement2.children);
      case "return":
        return { value: statement2.expr === null ? null : this.#valueOf(statement2.expr) };
      case "foreach":
        return this.#foreach(statement2);
      case "if": {
        const branches = [statement2.body, statement2.alternate];
        if (!isTruthy(evaluate(statement2.test, this))) branches.reverse();
        const [taken, skipped] = branches;
        if (skipped) this.#skip([skipped]);
        return taken ? this.#one(taken) : void 0;
      }
      case "unset": {
        for (const variable of statement2.variables) {
          const { variable: name, steps } = place(variable, this);
          this.scope.unset(name, steps);
        }
        return void 0;
      }
      case "expressionstatement": {
        this.#valueOf(statement2.expression);
        return void 0;
      }
      default:
        throw new NotStatic(`a statement of the kind "${statement2.kind}"`);
    }
  }
  #foreach(statement2) {
    const source = evaluate(statement2.source, this);
    if (!(source instanceof PhpArray)) throw new NotStatic("a foreach over a value that is no array");
    if (source.size === 0) this.#skip([statement2.body]);
    for (const [key, value] of source) {
      this.#assign(statement2.value, value);
      if (statement2.key !== null) this.#assign(statement2.key, key);
      const returned = this.#one(statement2.body);
      if (returned !== void 0) return returned;
    }
    return void 0;
  }
  /** An expression that stands alone, or on the right of an assignment: here assignments are allowed. */
  #valueOf(node) {
    if (node.kind !== "assign") return evaluate(node, this);
    const value = this.#newValue(node);
    this.#assign(node.left, value);
    return value instanceof PhpArray ? value.deepClone() : value;
  }
  #newValue(node) {
    if (node.operator === "=") return this.#valueOf(node.right);
    if (node.operator === ".=") return binary(".", evaluate(node.left, this), this.#valueOf(node.right));
    if (node.operator === "+=") return binary("+", evaluate(node.left, this), this.#valueOf(node.right));
    if (node.operator === "??=") return evaluate(node.left, this) ?? this.#valueOf(node.right);
    throw new NotStatic(`the operator ${node.operator}`);
  }
  #assign(target, value) {
    const { variable, steps } = placeToWrite(target, this);
    this.scope.assign(variable, steps, value);
  }
};

// src/aliases/reading/php-syntax.ts
var engine;
function isParserLoaded() {
  return engine !== void 0;
}
async function loadParser() {
  if (engine !== void 0) return;
  const { Engine: ParserEngine } = await import("php-parser");
  engine = new ParserEngine({ parser: { suppressErrors: false, extractDoc: false, version: 803 }, ast: { withPositions: true } });
}
function parsePhp(source) {
  if (engine === void 0) throw new Error("loadParser() was not called");
  refuseLenience(source);
  try {
    return withoutEnd(engine.parseCode(source + END, "").children);
  } catch (thrown) {
    if (thrown instanceof NotStatic) throw thrown;
    const problem = new NotStatic(thrown instanceof Error ? thrown.message : String(thrown));
    const line = thrown.lineNumber;
    problem.line = typeof line === "number" ? line : void 0;
    throw problem;
  }
}
function refuseLenience(source) {
  if (source.includes("#[")) throw new NotStatic("it has an attribute");
  if (/__halt_compiler/i.test(source)) throw new NotStatic("it has __halt_compiler");
}
var END = "\nif ('end of file');";
function withoutEnd(statements) {
  const last = statements.at(-1);
  const others = statements.slice(0, -1);
  if (last?.kind === "if" && last.test.kind === "string" && last.test.raw === "'end of file'") return others;
  if (last?.kind === "inline" && last.raw.endsWith(END)) return [...others, { ...last, raw: last.raw.slice(0, -END.length) }];
  throw new NotStatic("its last statement or comment has no end");
}

// src/aliases/reading/evaluation.ts
var ParserNeeded = class extends Error {
  name = "ParserNeeded";
};
var MAX_PARSED_BYTES = 512 * 1024;
var MAX_DEPTH2 = 50;
var Evaluation = class {
  scope = new Scope();
  /** Real paths of the files that took part. */
  files = /* @__PURE__ */ new Set();
  /** Whether all files had the generated form. */
  generated = true;
  #depth = 0;
  /**
   * Evaluates the file and gives what it returns: 1 unless it says something else.
   *
   * @throws NotStatic, ParserNeeded, or the system's error when the file cannot be read
   */
  run(file) {
    const real2 = realpathSync(file);
    if (!statSync2(real2).isFile()) throw new NotStatic(`${file} is not a plain file`);
    const bytes = readFileSync2(real2);
    this.files.add(real2);
    const statements = parseGenerated(textFromBytes(bytes), dirname3(real2));
    if (statements !== void 0) {
      for (const statement2 of statements) this.#execute(statement2);
      return 1;
    }
    this.generated = false;
    if (bytes.length > MAX_PARSED_BYTES) throw new NotStatic("it is long and not in generated form");
    if (!isParserLoaded()) throw new ParserNeeded();
    return new Interpreter(this, real2).run(parsePhp(bytes.toString("latin1")));
  }
  /** As PHP's include and require: what the file returns, or FALSE when it cannot be read. */
  include(path, kind) {
    if (!isAbsolute(path) || !path.isWellFormed() || path.includes("\0")) throw new NotStatic("it includes a path that is not absolute");
    if (kind.once && this.files.has(realOrSame(path))) return true;
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH2) throw new NotStatic("its includes have no end");
    try {
      return this.run(path);
    } catch (thrown) {
      if (!isSystemError(thrown)) throw thrown;
      if (kind.required) throw new NotStatic(`it requires ${path}, which cannot be read`);
      return false;
    } finally {
      this.#depth -= 1;
    }
  }
  #execute(statement2) {
    if (statement2.kind === "include") {
      this.include(statement2.path, statement2);
      return;
    }
    const { variable, steps } = statement2.target;
    const value = statement2.kind === "assign" ? statement2.value : this.scope.read(statement2.source.variable, statement2.source.steps);
    this.scope.assign(variable, steps, value);
  }
};
function realOrSame(path) {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
function isSystemError(thrown) {
  return thrown instanceof Error && "syscall" in thrown;
}

// src/aliases/reading/read-as-data.ts
var Refusal = class {
  constructor(reason, files) {
    this.reason = reason;
    this.files = files;
  }
  reason;
  files;
};
async function readAsData(path, variables) {
  try {
    return attempt(path, variables);
  } catch (thrown) {
    if (!(thrown instanceof ParserNeeded)) throw thrown;
    await loadParser();
    return attempt(path, variables);
  }
}
function attempt(path, variables) {
  const evaluation = new Evaluation();
  for (const name of variables) evaluation.scope.assign(name, [], new PhpArray());
  try {
    const returned = evaluation.run(path);
    return { path, values: wanted(evaluation, variables), refused: returned === false, printed: "", readBy: evaluation.generated ? "generated form" : "static evaluation" };
  } catch (thrown) {
    if (thrown instanceof ParserNeeded) throw thrown;
    if (thrown instanceof NotStatic) return new Refusal(thrown, evaluation.files);
    if (thrown instanceof RangeError) return new Refusal(new NotStatic("it is nested too deeply"), evaluation.files);
    throw unreadable(path, thrown);
  }
}
function wanted(evaluation, variables) {
  const values = /* @__PURE__ */ new Map();
  for (const name of variables) {
    const value = evaluation.scope.find(name);
    if (value !== void 0) values.set(name, value);
  }
  return values;
}
function unreadable(path, cause) {
  if (!(cause instanceof Error) || !("code" in cause)) return cause;
  return new ShimError("PHP_FILE_UNREADABLE", `The file ${path} cannot be read: ${cause.message}`, { hint: "look at its owner and mode", cause });
}

// src/aliases/reading/trust.ts
import { existsSync as existsSync2, realpathSync as realpathSync2, statSync as statSync3 } from "node:fs";
import { dirname as dirname4, join as join4 } from "node:path";
var DRUPAL_MARKS = ["includes/bootstrap.inc", "core/includes/bootstrap.inc"];
function reasonNotToRun(file, userId) {
  const { uid, mode } = statSync3(file);
  if ((mode & 2) !== 0) return "everybody may write to it";
  if (userId !== void 0 && uid !== userId && uid !== 0) return `it belongs to user ${uid}`;
  return void 0;
}
function drupalRootAround(file) {
  for (let folder = dirname4(realpathSync2(file)); ; folder = dirname4(folder)) {
    if (DRUPAL_MARKS.some((mark) => existsSync2(join4(folder, mark)))) return folder;
    if (folder === dirname4(folder)) return void 0;
  }
}

// src/aliases/reading/read-php-file.ts
async function readPhpFile(path, request) {
  const tried = await readAsData(path, request.variables);
  if (!(tried instanceof Refusal)) return tried;
  refuseUntrusted(path, tried, request);
  const answer = await runWithPhp(path, request.variables, request.php);
  const values = /* @__PURE__ */ new Map();
  for (const name of request.variables) {
    const value = answer.values.get(name);
    if (value !== void 0) values.set(name, value);
  }
  return { path, values, refused: answer.returned === false, printed: answer.printed, readBy: "PHP" };
}
function refuseUntrusted(path, { reason, files }, { php: php2, refuseBelowDrupal }) {
  for (const file of files.size === 0 ? [path] : files) {
    const root = refuseBelowDrupal === true ? drupalRootAround(file) : void 0;
    const objection = root === void 0 ? reasonNotToRun(file, php2.userId) : `it is below the Drupal root ${root}`;
    if (objection === void 0) continue;
    const place2 = reason.file === void 0 || reason.file === path ? path : `${path} (in ${reason.file})`;
    const line = reason.line === void 0 ? "" : ` line ${reason.line}`;
    throw new ShimError("PHP_FILE_NOT_TRUSTED", `The file ${place2}${line} is not plain data (${reason.reason}), and ${file} may not be run as PHP: ${objection}`, {
      hint: "write the values as plain literals, or give the file to the backend user with mode 0440"
    });
  }
}

// src/aliases/find-alias.ts
var Aliases = class {
  #places;
  #php;
  #found = /* @__PURE__ */ new Map();
  #files = /* @__PURE__ */ new Map();
  #folders;
  constructor(places, php2) {
    this.#places = places;
    this.#php = php2;
  }
  /**
   * @param name without `@`
   * @throws ShimError ALIAS_LIST_LOOP when it leads to a list that contains itself, on which drush would never end; and the errors of {@link readPhpFile} when the
   *   file that bears its name is broken
   */
  find(name) {
    let finding = this.#found.get(name);
    if (finding === void 0) {
      finding = this.#find(name, /* @__PURE__ */ new Set());
      this.#found.set(name, finding);
    }
    return finding;
  }
  async #find(name, children) {
    const warnings = [];
    const entries = await this.#entries(name, warnings);
    if (entries.length === 0) return { kind: "missing", warnings };
    const names = [...new Set(entries.map((entry) => scalarText(entry.get("#name")) ?? ""))];
    if (names.length > 1) return listOf(name, { members: names.map((member) => `@${member}`), entries, warnings });
    const merged = entries.slice(1).reduce(mergedEntries, entries[0] ?? new PhpArray());
    const list = listMembers(merged);
    if (list !== void 0) return listOf(name, { members: list, entries, warnings });
    const record = await this.#withParents(merged, /* @__PURE__ */ new Set([...children, name]));
    return { kind: "record", record: completed(record), warnings };
  }
  async #entries(name, warnings) {
    this.#folders ??= aliasFolders(this.#places);
    const entries = [];
    for (const { groups, singles } of this.#folders) {
      for (const path of [...groups, ...singles.filter((single) => isNamed(single, name))]) {
        try {
          const entry = entryFor(name, await this.#read(path));
          if (entry !== void 0) entries.push(entry);
        } catch (thrown) {
          if (!isNamed(path, name) || !basename2(path).startsWith(`${name}.alias.`)) warnings.push(asShimError(thrown));
          else throw thrown;
        }
      }
    }
    return entries;
  }
  #read(path) {
    let reading = this.#files.get(path);
    if (reading === void 0) {
      reading = readPhpFile(path, { variables: ["aliases", "options"], php: this.#php, refuseBelowDrupal: true });
      this.#files.set(path, reading);
    }
    return reading;
  }
  /** The deprecated key `parent`: the record's own values win, then those of the first parent named. */
  async #withParents(record, children) {
    const parents = scalarText(record.get("parent")) ?? "";
    if (parents === "") return record;
    let result = record.clone();
    result.delete("parent");
    for (const parent of parents.split(",").map((name) => name.trim().replace(/^@/, ""))) {
      if (children.has(parent)) continue;
      const found = await this.#find(parent, children);
      if (found.kind === "record") result = inherited(result, found.record);
    }
    return result;
  }
};
function isNamed(path, name) {
  return path.endsWith(`${name}.alias.drushrc.php`) || path.endsWith(`${name}.alias.drush8rc.php`);
}
function listMembers(record) {
  const list = record.get("site-list");
  if (list instanceof PhpArray) return [...list.values()].flatMap((item) => scalarText(item) ?? []);
  return typeof list === "string" ? list.split(",") : void 0;
}
function listOf(name, list) {
  if (list.members.includes(`@${name}`)) {
    const files = list.entries.map((entry) => scalarText(entry.get("#file")) ?? "").join(" and ");
    throw new ShimError("ALIAS_LIST_LOOP", `The alias @${name} is a list that contains itself, because ${files} define it under different names.`, {
      hint: "remove or rename it in one of them; drush itself would never end on it"
    });
  }
  return { kind: "list", members: list.members, warnings: list.warnings };
}
var NOT_INHERITED = /* @__PURE__ */ new Set(["#name", "#file", "#hidden", "parent"]);
var MERGED = /* @__PURE__ */ new Set(["command-specific", "site-aliases", "path-aliases"]);
function inherited(child, parent) {
  const result = child.clone();
  for (const [key, value] of parent) {
    if (NOT_INHERITED.has(String(key))) continue;
    const own = result.get(key);
    if (own === void 0) result.set(key, value);
    else if (MERGED.has(String(key)) && own instanceof PhpArray && value instanceof PhpArray) result.set(key, own.union(value));
  }
  return result;
}
function completed(record) {
  const name = record.get("#name") ?? null;
  const result = PhpArray.of([["#name", name]]).replace(record);
  const root = scalarText(result.get("root"));
  if (root !== void 0 && root !== "") result.set("root", plainPath(root));
  if (!result.has("uri")) return result;
  const given = result.get("path-aliases");
  const paths = given instanceof PhpArray ? given.clone() : new PhpArray();
  if (isTruthy(result.get("root"))) paths.set("%root", result.get("root") ?? null);
  return result.set("path-aliases", paths);
}
function plainPath(path) {
  const plain = posix.normalize(path.replaceAll("\\", "/"));
  return plain.length > 1 ? plain.replace(/\/+$/, "") : plain;
}

// src/php-values/json-encode.ts
function jsonEncode(value, known) {
  if (value === null) return "null";
  if (typeof value === "string") return jsonString(value);
  if (typeof value === "boolean" || typeof value === "number" || typeof value === "bigint") return String(value);
  if (value instanceof PhpFloat) return Number.isFinite(value.value) ? formatFloat(value.value, "e") : "0";
  if (value instanceof PhpObject) return encodeMap(value.properties);
  return known?.get(value) ?? (value.isList() ? encodeList(value, known) : encodeMap(value, known));
}
function encodeList(array, known) {
  let json = "[";
  for (const item of array.values()) json += (json === "[" ? "" : ",") + jsonEncode(item, known);
  return json + "]";
}
function encodeMap(array, known) {
  let json = "";
  for (const [key, item] of array) json += (json === "" ? "{" : ",") + jsonString(String(key)) + ":" + jsonEncode(item, known);
  return json === "" ? "{}" : json + "}";
}
function jsonString(text) {
  if (!SPECIAL.test(text)) return `"${text}"`;
  const escaped = JSON.stringify(scrubText(text)).split("/").join("\\/");
  return NOT_ASCII.test(escaped) ? escaped.replace(ALL_NOT_ASCII, unicode) : escaped;
}
var SPECIAL = /["\\/\u0000-\u001f\u0080-\uffff]/;
var NOT_ASCII = /[\u0080-\uffff]/;
var ALL_NOT_ASCII = /[\u0080-\uffff]/g;
function unicode(char) {
  return "\\u" + char.charCodeAt(0).toString(16).padStart(4, "0");
}

// ../../tmp/al-work/cmp.ts
var home = mkdtempSync("/tmp/al-work/home-");
writeTree(home, ALIAS_TREE);
var php = `foreach (json_decode('${JSON.stringify(ALIAS_NAMES)}') as $n) { echo "@@", $n, "\\t", json_encode(drush_sitealias_get_record('@' . $n)), "\\n"; }`;
var env = { PATH: process.env.PATH, HOME: home, TERM: "dumb", ETC_PREFIX: home };
var out = execFileSync("/opt/peers/drush/drush", ["@none", `--alias-path=${home}/extra`, "php-eval", php], { env, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"], cwd: "/" });
var real = new Map(out.split("\n").filter((l) => l.startsWith("@@")).map((l) => l.slice(2).split("	")));
var a = new Aliases({ home, etcPrefix: home, drushFolder: void 0, commandLinePaths: [`${home}/extra`], aliasPaths: [], skipped: /* @__PURE__ */ new Set(), depth: Infinity }, { program: "php", env, cwd: "/", userId: process.getuid() });
for (const n of ALIAS_NAMES) {
  let ours;
  try {
    const f = await a.find(n);
    ours = f.kind === "record" ? jsonEncode(f.record) : f.kind === "missing" ? "[]" : "LIST " + f.members.join();
    if (f.warnings.length) console.log(f.warnings.map(String));
  } catch (e) {
    ours = String(e);
  }
  if (ours !== real.get(n)) console.log(n, "\n  ours ", ours, "\n  drush", real.get(n));
}
