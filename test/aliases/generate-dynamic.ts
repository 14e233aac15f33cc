import type { GeneratorContext } from "./generate-alias-file.ts";
import { generateHandwritten } from "./generate-handwritten.ts";

const PROGRAMS = [
  "$aliases['h'] = array('home' => getenv('HOME'));",
  "if (php_sapi_name() == 'cli') { $options['cli'] = TRUE; }",
  "foreach (range(1, 3) as $i) { $aliases['n' . $i] = array('uri' => \"n$i.example.com\"); }",
  "for ($i = 0; $i < 3; $i++) $options['list'][] = $i;",
  "echo 'printed';",
  "?>text outside<?php",
  "$options['host'] = strlen(gethostname()) > 0;",
  "$options['file'] = file_exists(__FILE__);",
  "list($options['a'], $options['b']) = array(1, 2);",
  "$options['r'] = &$options['s']; $options['s'] = 5;",
  "$options['json'] = json_decode('{\"a\":[1,2]}', TRUE);",
  "$options['f'] = function_exists('drush_main');",
  "switch (1) { case 1: $options['case'] = 'one'; }",
  "try { $options['t'] = 1; } catch (Exception $e) { }",
  "$options['c'] = array_map('strtoupper', array('a'));",
  "$options['u'] = strtoupper('x') . ucfirst('y');",
  "while (!isset($options['w'])) $options['w'] = 1;",
  "$name = 'dyn'; $$name = 1; $options['v'] = $dyn;",
];

/** A program: something in it cannot be told without running PHP. */
export function generateDynamic(context: GeneratorContext): string {
  const before = context.random.chance(0.5) ? "$options['first'] = 1;\n" : "";
  const after = context.random.chance(0.3) ? `\n${generateHandwritten(context).replace(/^\s*<\?php\s*/i, "").replace(/\?>[^]*$/, "")}` : "";
  return `<?php\n${before}${context.random.pick(PROGRAMS)}${after}`;
}
