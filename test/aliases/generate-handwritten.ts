import type { GeneratorContext } from "./generate-alias-file.ts";
import { numberText, quoted, type Random, scalarText, TEXTS } from "./generate-values.ts";

/** A file as people write it, of the forms that are evaluated as data (aliases.md §9.1). */
export function generateHandwritten(context: GeneratorContext): string {
  const { random } = context;
  const open = random.pick(["<?php\n", "<?php ", "  <?php\n", "\n<?php\n", "<?PHP\n", "<?php\r\n", "<?php\t"]);
  const statements = random.times(1, 10, () => blank(random) + statement(context));
  const close = random.weighted([["", 6], ["\n", 4], ["\n?>\n", 2], ["?>", 1], ["\n?>\n\n  <?php \n$options['late'] = 1;", 1], ["\n# end", 1], ["\nreturn;\n$options['never'] = 1;", 1], ["\nreturn FALSE;", 1], ["\nreturn array('x' => 1);\n", 1]]);
  return open + statements.join("") + close;
}

function statement(context: GeneratorContext): string {
  const { random } = context;
  const value = (): string => expression(random, 0);
  return random.weighted<() => string>([
    [() => `${target(random)} = ${value()};`, 40],
    [() => `${target(random)} = ${arrayText(random, 0)};`, 20],
    [() => `${target(random)} .= ${random.pick(["'x'", '"y"', "5", "$common"])};`, 2],
    [() => `${variable(random)} += ${arrayText(random, 0)};`, 3],
    [() => `${target(random)} ??= ${value()};`, 2],
    [() => `${variable(random)} = ${variable(random)} = ${value()};`, 2],
    [() => `unset(${reading(random)}${random.chance(0.3) ? `, ${reading(random)}` : ""});`, 3],
    [() => `if (${condition(random)}) { ${target(random)} = ${value()}; } else { ${target(random)} = ${value()}; }`, 3],
    [() => `if (${condition(random)}) ${target(random)} = ${value()};`, 2],
    [() => `if (${condition(random)}): ${target(random)} = ${value()}; elseif (${condition(random)}): ${target(random)} = 2; endif;`, 1],
    [() => `foreach (${arrayText(random, 1)} as $key => $item) { $aliases[$key] = array('uri' => $item) + $common; }`, 2],
    [() => `foreach (array('one', 'two') as $item) $aliases[$item]['uri'] = "$item.example.com";`, 2],
    [() => `foreach (${reading(random)} ${random.pick(["?: array('k' => 'v')", "?? array(1, 2)", "+ array('k')"])} as ${random.pick(["$item", "&$item", "$key => $item", "$options['k'] => $item", "$key => $aliases['last']"])}) { ${target(random)} = ${random.pick(["$item", "$key", value()])}; ${random.pick(["", "", "$item = 'z';", "unset($options['k']);", "break;", "continue;", "if ($key) break;"])} }`, 3],
    [() => `foreach ($options as $key => $item) { $options[${random.pick(["$key . 'x'", "$key", "", "'new'"])}] = $item; }`, 1],
    [() => random.pick(["$x = &$options['r'];", "&$x = 1;", "list($x, $common) = array(1, 2);", "[$x] = array('d');", "$x = $options['q']['w'] = array('t');", "$options['dev'] .= 'more';", "$x++;", "$options = NULL;", "$aliases = 'text';", "unset($aliases);", "static $x = 5;", "const C = 1;", "echo '';", "exit;", "return 0;", "{ return array(); }", "$$x = 1;", "${'x'} = 1;", "$x{0} = 1;", "$x->y = 1;", "goto end;", "use A\\B;", "namespace N;", "declare(strict_types=1);", "global $x;", "print 'a';", "isset($x) or $x = 1;", "$x and $options['a'] = 1;", "@$options['z'] = 'z';", "($options['p']) = 1;", "(array) $x;", "'$x';", "5;", "array();"]), 4],
    [() => includeStatement(context), 3],
    [() => `$_SERVER['x'] = ${scalarText(random)};`, 1],
    [() => random.pick([";", "{ }", "{ $options['b'] = 1; }", "?>\n<?php ", "$common;"]), 3],
  ])();
}

function includeStatement(context: GeneratorContext): string {
  const { random } = context;
  const text = random.pick([
    "<?php\n$options['from'] = 'include';\n", "<?php\nreturn array('a' => 1);\n", "<?php\n$common = array('remote-user' => 'u');\nreturn FALSE;\n$common = 1;\n",
    `<?php\n$aliases['inc'] = ${arrayText(random, 0)};\n`,
  ]);
  const path = random.chance(0.2) ? context.missing : context.include(text);
  const base = path.slice(path.lastIndexOf("/"));
  const file = random.pick([`'${path}'`, `"${path}"`, `__DIR__ . '${base}'`, `dirname(__FILE__) . '${base}'`, `('${path}')`]);
  const word = random.pick(["include", "include_once", "INCLUDE", ...(path === context.missing ? [] : ["require", "require_once"])]);
  return random.pick(["", "@", "$common = ", "$common = @"]) + `${word} ${file};`;
}

function blank(random: Random): string {
  return random.weighted([["\n", 10], [" ", 3], ["", 3], ["\n# it's \"a\" comment\n", 2], ["\n// another $one\n", 2], ["/* a\n * block; */", 2], ["\n/** doc */\n", 1], ["\r\n", 1], ["\n\t", 1]]);
}

function variable(random: Random): string {
  return random.pick(["$aliases", "$options", "$common", "$command_specific", "$override", "$x", "$sites"]);
}

function target(random: Random): string {
  const steps = random.times(0, 3, () => `[${random.pick([...KEYS, ...KEYS, "", "true", "null", "1.0", "-5", "$x"])}]`);
  return variable(random) + steps.join("");
}

function reading(random: Random): string {
  return variable(random) + random.times(0, 2, () => `[${random.pick(KEYS)}]`).join("");
}

const KEYS = ["'dev'", '"live"', "'root'", "'uri'", "0", "1", "'5'", "'05'", "7", '"a\\x41"'];

function condition(random: Random): string {
  return random.pick([`isset(${reading(random)})`, `!isset(${reading(random)}, $x)`, `empty(${reading(random)})`, "TRUE", "0", "'0'", "!FALSE", `isset(${reading(random)}) && TRUE`, "1 || $x", `${scalarText(random)} === ${scalarText(random)}`, "array()"]);
}

function expression(random: Random, depth: number): string {
  if (depth > 3) return scalarText(random);
  const inner = (): string => expression(random, depth + 1);
  return random.weighted<() => string>([
    [() => literal(random), 40],
    [() => arrayText(random, depth + 1), 12],
    [() => reading(random), 8],
    [() => `${textOperand(random)} . ${textOperand(random)}`, 6],
    [() => `${inner()} . ${inner()}`, 1],
    [() => `(${inner()})`, 2],
    [() => `${random.pick(["-", "+", "!", "- "])}${numberText(random).replace(/^-/, "")}`, 2],
    [() => `${integer(random)} ${random.pick(["+", "-", "*", "/", "%"])} ${integer(random)}`, 4],
    [() => `${scalarText(random)} ${random.pick(["==", "!=", "<", "<=>", "**", "<<", "|", "&", "^", "and", "or", "xor", "&&", "||", "===", "!==", "??", "?:", "+", "-", "*", "."])} ${scalarText(random)}`, 3],
    [() => random.pick(["new stdClass", "function () { return 1; }", "fn() => 1", "PHP_VERSION", "E_ALL", "UNKNOWN_CONSTANT", "stdClass::class", "__NAMESPACE__", "__FUNCTION__", "__CLASS__", "$x[0]", "$x['a']['b']", "'abc'[1]", "array(1, 2)[1]", "(array(1))[0]", "\"$x[0]\"", "clone $x", "print 'x'", "`true`", "match(1) { 1 => 2 }", "$x?->y", "!$x instanceof stdClass", "~5", "(unset) $x", "(float) '1.5'", "(double) 1", "(binary) 'a'", "list($x)", "$x = 5", "($x = 5)", "-'5'", "+'a'", "-TRUE", "'5' + 5", "1 + 1.5", "0.1 + 0.2", "7 / 2", "6 / 2", "-7 % 3", "2 - - 2"]), 3],
    [() => `${integer(random)} ${random.pick(["+", "-", "*"])} ${integer(random)} ${random.pick(["+", "-", "*", "%"])} ${integer(random)}`, 3],
    [() => `${arrayText(random, 2)} + ${arrayText(random, 2)}`, 3],
    [() => `${condition(random)} ? ${inner()} : ${inner()}`, 3],
    [() => `${inner()} ?: ${inner()}`, 2],
    [() => `${reading(random)} ?? ${inner()}`, 3],
    [() => `(${random.pick(["string", "bool", "int", "array", "object", "boolean", "integer", " string "])}) ${inner()}`, 4],
    [() => random.pick(["__DIR__", "__LINE__", "PHP_EOL", "PHP_INT_MAX", "DIRECTORY_SEPARATOR", "INF", "\\PHP_EOL", "-INF"]), 3],
    [() => call(random, inner), 6],
    [() => random.pick(["(object) array('a' => 1, '5' => 2)", "(object) array()", "@$x['y']"]), 2],
    [() => heredoc(random), 4],
  ])();
}

function textOperand(random: Random): string {
  return random.weighted<() => string>([[() => quoted(random.pick(TEXTS)), 6], [() => doubleQuoted(random), 3], [() => random.pick(["5", "TRUE", "NULL", "__DIR__", "$x", "('a')", "@$x", "(string) 5", "PHP_EOL"]), 2]])();
}

function integer(random: Random): string {
  return random.pick(["0", "1", "60", "24", "1024", "0x1F", "0755", "0b101", "1_000", "9223372036854775807", "0xFFFFFFFFFFFFFFFF", "7", "1.5"]);
}

function literal(random: Random): string {
  return random.weighted<() => string>([
    [() => scalarText(random), 50],
    [() => doubleQuoted(random), 30],
    [() => integer(random), 10],
    [() => random.pick(["True", "FALSE", "null", "Null", "1.", ".5", "1e3", "1E-7", "6.", "017", "b'x'", "007"]), 10],
  ])();
}

const ESCAPED = ["a", " ", "é", "\\n", "\\t", "\\\\", "\\$x", '\\"', "\\x41", "\\xC3\\xA9", "\\xe9", "\\u{e9}", "\\u{1F600}", "\\101", "\\0", "\\777", "\\q", "\\'", "'", "\\e\\v\\f\\r", "$", "{", "}", "\n", "$ ", "\\x", "\\u", "\\8"];
const PARTS = ["$x", "{$x}", "$options[dev]", "$options[0]", "{$options['dev']}", "${x}", "$aliases[5]", "$x[$x]", "$options[-1]", "{$aliases['dev']['uri']}", "$x->y"];

function doubleQuoted(random: Random): string {
  const parts = random.times(0, 5, () => (random.chance(0.2) ? random.pick(PARTS) : random.pick(ESCAPED)));
  return `"${parts.join("")}"`;
}

function heredoc(random: Random): string {
  const lines = random.times(0, 4, () => random.times(0, 4, () => random.pick([...ESCAPED, ...PARTS.slice(0, 5), '"'])).join(""));
  const label = random.pick(["E", "'E'", '"E"']);
  return `<<<${label}\n${lines.map((line) => `${line}\n`).join("")}${random.pick(["", "", "", "  "])}E\n`;
}

function arrayText(random: Random, depth: number): string {
  const [open, close] = random.pick([["array(", ")"], ["[", "]"], ["array (", ")"], ["Array(", ")"], ["array(\n  ", "\n)"]] as const);
  const elements = random.times(0, 4, () => (random.chance(0.6) ? `${key(random)}${random.pick([" => ", "=>", "\n=> "])}` : "") + (depth > 2 ? scalarText(random) : expression(random, depth + 1)));
  if (random.chance(0.05)) elements.push("...array(1, 2)");
  const separator = random.pick([", ", ",", ",\n  ", ", /* c */ ", ", # c\n"]);
  return open + elements.join(separator) + (elements.length > 0 && random.chance(0.3) ? "," : "") + close;
}

function key(random: Random): string {
  return random.weighted<() => string>([[() => random.pick(KEYS), 70], [() => quoted(random.pick(TEXTS)), 20], [() => random.pick(["true", "false", "null", "1.0", "'a' . 'b'"]), 8], [() => random.pick(["-3", "1.7"]), 2]])();
}

function call(random: Random, inner: () => string): string {
  const text = (): string => quoted(random.pick(TEXTS));
  return random.weighted<() => string>([
    [() => `dirname(${quoted(random.pick(["/a/b/c", "/a//b/", "a", "", "/", "//", "/a", "a/b", "./x"]))}${random.chance(0.3) ? ", 2" : ""})`, 3],
    [() => `basename(${quoted(random.pick(["/a/b/c", "/a//b/", "a", "", "/", "//", "é/ü"]))})`, 2],
    [() => `array_merge(${arrayText(random, 2)}, ${arrayText(random, 2)})`, 3],
    [() => `array_replace(${arrayText(random, 2)}, ${arrayText(random, 2)})`, 2],
    [() => `array_unique(array(${random.times(0, 6, () => scalarText(random)).join(", ")}))`, 2],
    [() => `array_values(${arrayText(random, 2)})`, 1],
    [() => `array_keys(${arrayText(random, 2)})`, 1],
    [() => `${random.pick(["implode", "join", "IMPLODE"])}(${text()}, array(${random.times(0, 4, () => scalarText(random)).join(", ")}))`, 2],
    [() => `sprintf(${quoted(random.pick(["%s", "%s.example.com", "%%", "a%sb%s", "none"]))}, ${text()}, ${text()})`, 2],
    [() => `str_replace(${text()}, ${text()}, ${text()})`, 2],
    [() => `trim(${quoted(random.pick([" a ", "\n\ta\0", "\u00a0a", "a\v", "\fa"]))})`, 1],
    [() => `${random.pick(["strtolower", "\\strtolower", "StrToLower"])}(${quoted(random.pick(["ABC", "É", "a-Z"]))})`, 1],
    [() => `stdClass::__set_state(array('k' => ${inner()}))`, 0.3],
  ])();
}
