import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** A home with every way of defining aliases that this program answers itself; the tests ask it and real drush for the same names. */
export const ALIAS_TREE: Readonly<Record<string, string>> = {
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
    $aliases['nouri'] = array('root' => '/x/');`,
  ".drush/xaliases.drushrc.php": `<?php
    $aliases['ints'] = array(5 => 'a', 'k' => 1, 3 => array(7 => 'x')); $aliases['lp'] = array('parent' => '@lists', 'k' => 1); $aliases['parints'] = array('parent' => '@ints', 9 => 'own');
    $aliases['w0.*'] = array('uri' => 'u-\${env-name}'); $aliases['0'] = array('uri' => 'zero'); $aliases['bad'] = 'text'; $aliases['onelist'] = array('site-list' => '', 'uri' => 'u');`,
  ".drush/nil.aliases.drushrc.php": "<?php",
  ".drush/optspec.alias.drushrc.php": "<?php $options['r'] = '/short//x'; $options['l'] = 'short'; $options['uri'] = 'long'; $options['i'] = '/inc';",
  ".drush/xgrp.aliases.drushrc.php": "<?php $options['i'] = '/a'; $options['include'] = array('/b'); $options[4] = 'four'; $options['r'] = '/short'; $aliases['xdev'] = array('root' => '/own', 7 => 'seven');",
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
  "etc/drush/site-aliases/plain.alias.drushrc.php": "<?php $aliases['plain'] = array('root' => '/etc', 'etc' => TRUE);",
};

/** All names worth asking for. */
export const ALIAS_NAMES: readonly string[] = [
  "server_master", "shop.example.com", "www.shop.example.com", "only.here", "dev", "grp.dev", "live", "grp.live", "grp", "w.foo", "grp.w.foo", "gb.x", "grp.gb.x", "nothing", "empty", "grp.empty", "5", "grp.5",
  "both", "two.both", "two", "plain", "qqq", "x.foo", "x.y.z", "c", "a.b.c", "a.b", "b.c", "g8", "eight.g8", "eight", "opt", "opt.dot", "opt3", "zz", "optgrp", "optgrp.optgrp", "v8", "v7", "X", "mism", "other", "none",
  "rf", "r0", "p2", "p1", "p3", "nopar", "parsp", "parplain", "pargrp", "home", "rel", "nullroot", "emptyroot", "pa", "pa2", "named", "dots", "slash", "dot", "back", "up", "dotslash", "tilde", "user", "slashes", "nouri",
  "sub", "f1", "f2", "f3", "f4", "f5", "f6", "f7", "f8", "f9", "g1", "ga.g1", "lists", "alist", "dyn", "ex", "etc1", "etc2", "missing", "ints", "lp", "parints", "w0.0", "w0.1", "w0.", "0", "nil", "onelist", "optspec", "xdev", "xgrp.xdev", "xgrp",
];

export function writeTree(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
}
