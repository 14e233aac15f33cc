import { execFileSync } from "node:child_process";
import { chownSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { jsonEncode } from "../../src/php-values/json-encode.ts";
import { PhpArray } from "../../src/php-values/php-array.ts";
import { bytesFromText } from "../../src/php-values/text.ts";
import { PhpFloat } from "../../src/php-values/value.ts";
import { varExport } from "../../src/php-values/var-export.ts";
import { aliasFileText } from "../../src/aliases/write-alias.ts";
import { NO_SUCH_PHP, openToAll, phpSettings, recordOf, temporaryHomes } from "./alias-home.ts";
import { hasPhp } from "./fuzz-aliases.ts";

const home = temporaryHomes();
const FIXTURES = join(import.meta.dirname, "../../fixtures/drush-aliases");
const PHP = phpSettings();

function generated(name: string, body: string): Record<string, string> {
  return { [`.drush/${name}.alias.drushrc.php`]: `<?php \n$aliases['${name}'] = array (\n${body});\n` };
}

async function values(body: string): Promise<PhpArray> {
  const file = await home(generated("x", body)).read(".drush/x.alias.drushrc.php");
  expect(file.readBy).toBe("generated form");
  return (file.values.get("aliases") as PhpArray).get("x") as PhpArray;
}

async function handwritten(code: string, variable = "options"): Promise<unknown> {
  const file = await home({ "x.php": code }).read("x.php");
  return file.values.get(variable);
}

describe("a file in generated form", () => {
  it.skipIf(!hasPhp())("(1) gives the record that PHP reads, key order included", async () => {
    const name = "server_master";
    const file = join(FIXTURES, `${name}.alias.drushrc.php`);
    const theirs = execFileSync("php", ["-n", "-r", `include $argv[1]; var_export($aliases['${name}']);`, file], { encoding: "utf8" });
    const ours = await home({ [`.drush/${name}.alias.drushrc.php`]: readFileSync(file, "utf8") }).read(`.drush/${name}.alias.drushrc.php`);
    expect(ours.readBy).toBe("generated form");
    expect(varExport((ours.values.get("aliases") as PhpArray).get(name) ?? null)).toBe(theirs);
  });

  it("(3) keeps the types of booleans, NULL, integers, floats and numeric texts", async () => {
    const record = await values("  't' => true,\n  'f' => false,\n  'n' => NULL,\n  'i' => 80,\n  's' => '80',\n  'd' => 1.0,\n  'm' => -9223372036854775807-1,\n  'b' => 9007199254740993,\n");
    expect([...record.values()]).toEqual([true, false, null, 80, "80", new PhpFloat(1), -9223372036854775808n, 9007199254740993n]);
  });

  it("(4) decodes only \\\\ and \\' in a text with single quotes", async () => {
    const record = await values("  'cron_key' => 'k3y\\'with\\\\odd$chars',\n  'n' => 'a\\nb',\n");
    expect([...record.values()]).toEqual(["k3y'with\\odd$chars", "a\\nb"]);
  });

  it("(5) keeps a list with gaps as a map with these keys, an object in JSON", async () => {
    const aliases = (await values("  'aliases' => \n  array (\n    0 => 'a',\n    1 => 'b',\n    3 => 'd',\n  ),\n")).get("aliases") as PhpArray;
    expect([...aliases.keys()]).toEqual([0, 1, 3]);
    expect(jsonEncode(aliases)).toBe('{"0":"a","1":"b","3":"d"}');
  });

  it("(6) has an empty array as [] on the wire", async () => {
    expect(jsonEncode((await values("  'e' => \n  array (\n  ),\n")).get("e") ?? null)).toBe("[]");
  });

  it("(7) decodes a NUL and writes it again", async () => {
    const text = "<?php \n$aliases['x'] = array (\n  'n' . \"\\0\" . '' => 'a' . \"\\0\" . 'b',\n);\n";
    const file = await home({ "x.php": text }).read("x.php");
    const record = (file.values.get("aliases") as PhpArray).get("x") as PhpArray;
    expect([...record]).toEqual([["n\0", "a\0b"]]);
    expect(file.readBy).toBe("generated form");
    expect(aliasFileText("x", record)).toBe(text);
  });

  it("(9) keeps the order of keys that look like integers", async () => {
    const record = await values("  'b' => 1,\n  '10' => 2,\n  2 => 3,\n  '05' => 4,\n  '-0' => 5,\n  -5 => 6,\n  '9223372036854775808' => 7,\n");
    expect([...record.keys()]).toEqual(["b", 10, 2, "05", "-0", -5, "9223372036854775808"]);
  });

  it("is read whatever bytes are in it", async () => {
    const bytes = Buffer.concat([Buffer.from("<?php \n$aliases['x'] = array (\n  'k' => '"), Buffer.from([0xff, 0xc3, 0x0a, 0xe2, 0x82]), Buffer.from("',\n);\n")]);
    const own = home({});
    writeFileSync(own.at("x.php"), bytes);
    const file = await own.read("x.php");
    expect(bytesFromText(aliasFileText("x", (file.values.get("aliases") as PhpArray).get("x") as PhpArray)).equals(bytes)).toBe(true);
  });

  it("may hold objects as var_export() writes them, new and old", async () => {
    const record = await values("  'o' => \n  (object) array(\n     'a' => 1,\n  ),\n  'p' => \n  stdClass::__set_state(array(\n     'a' => 1,\n  )),\n");
    expect(record.get("o")).toEqual(record.get("p"));
    expect(jsonEncode(record)).toBe('{"o":{"a":1},"p":{"a":1}}');
  });
});

describe("a file that people wrote", () => {
  it("(23) may copy a variable: $options['ignored-modules'] = $options['exclude']", async () => {
    const file = await home({ "x.php": "<?php\n$options['exclude'] = array(0 => 'cron', 1 => 'ssl');\n$options['ignored-modules'] = $options['exclude'];\n$options['exclude'][] = 'late';\n" }).read("x.php");
    expect(file.readBy).toBe("generated form");
    expect(jsonEncode(file.values.get("options") ?? null)).toBe('{"exclude":["cron","ssl","late"],"ignored-modules":["cron","ssl"]}');
  });

  it("(23) does so in the other static way as well", async () => {
    const file = await home({ "x.php": "<?php\n$common = ['a' => \"b$x\"];\nforeach (array('one', 'two') as $n) $options[$n] = $common + array('uri' => \"$n.example.com\");\n" }).read("x.php");
    expect(file.readBy).toBe("static evaluation");
    expect(jsonEncode(file.values.get("options") ?? null)).toBe('{"one":{"a":"b","uri":"one.example.com"},"two":{"a":"b","uri":"two.example.com"}}');
  });

  it.skipIf(!hasPhp())("(28) with a loop over something unknown and getenv() is read by PHP to the same record", async () => {
    const own = home({ ".drush/dyn.alias.drushrc.php": "<?php\nforeach (range(1, 2) as $i) $aliases['dyn']['n'][] = getenv('HOME') . $i;\n$aliases['dyn']['float'] = 1.0;\n$aliases['dyn']['null'] = NULL;\n" });
    const php = phpSettings({ env: { PATH: process.env["PATH"], HOME: own.path } });
    const file = await own.read(".drush/dyn.alias.drushrc.php", ["aliases"], php);
    expect(file.readBy).toBe("PHP");
    const record = await recordOf(own.aliases({}, php), "dyn");
    expect(jsonEncode(record)).toBe(jsonEncode(PhpArray.of([
      ["#name", "dyn"], ["n", PhpArray.list([`${own.path}1`, `${own.path}2`])], ["float", new PhpFloat(1)], ["null", null], ["#file", own.at(".drush/dyn.alias.drushrc.php")],
    ])));
  });

  it.skipIf(!hasPhp())("(29) may print text, which goes nowhere", async () => {
    const written = vi.spyOn(process.stdout, "write");
    const own = home({ "x.php": "<html>\n<?php\n$options['a'] = 1;\necho 'printed';\n?>\n</html>\n", "y.php": "  <?php\n$options['a'] = 1;\n", "z.php": "<?php\n$options['a'] = 1;\n?>\n<p>\n" });
    const file = await own.read("x.php", ["options"], PHP);
    expect([file.printed, jsonEncode(file.values.get("options") ?? null)]).toEqual(["<html>\nprinted</html>\n", '{"a":1}']);
    expect((await own.read("z.php", ["options"], PHP)).printed).toBe("<p>\n");
    // Blanks outside of PHP are no reason to start it.
    expect((await own.read("y.php")).readBy).not.toBe("PHP");
    expect(written).not.toHaveBeenCalled();
    written.mockRestore();
  });

  it("may name constants and functions only without a namespace", async () => {
    for (const code of ["NULL\\", "true\\", "INF\\", "dirname\\('/a')", "namespace\\NULL"]) {
      await expect(handwritten(`<?php\n$options['a'] = array(${code}\n);\n`), code).rejects.toMatchObject({ code: "PHP_NOT_FOUND" });
    }
    expect(jsonEncode((await handwritten("<?php\n$options = array(\\PHP_EOL, TRUE, Null, \\dirname('/a/b'));\n")) as PhpArray)).toBe('["\\n",true,null,"\\/a"]');
  });

  it("may have no reference, wherever php-parser takes one", async () => {
    for (const code of ["& $options['a'] = 5;", "$options['a'] = 1 + &$b;", "$options['a'] = dirname(&$b);", "include_once(&dirname(__FILE__) . '/x');", "$options['a'] = isset(&$b);", "foreach (array(1) as &$b) { }"]) {
      await expect(handwritten(`<?php\n${code}\n`), code).rejects.toMatchObject({ code: "PHP_NOT_FOUND" });
    }
  });

  it("is left to PHP where php-parser takes what PHP refuses or orders differently", async () => {
    const codes = ["$x{0} = 1;", "$options['a'] = $x['b']{0};", "foreach (array(1) as $x) ?>", "foreach (array() as item) { }", "foreach (array() as key => $x) { }", "$options['a'] = TRUE ? 'a' : 'b' and 42;", "$options['a'] = TRUE and FALSE ? 1 : 2;", "$options['a'] = (object) array('' . \"\\0\" . 'a' => 1);"];
    for (const code of codes) await expect(handwritten(`<?php\n${code}\n`), code).rejects.toMatchObject({ code: "PHP_NOT_FOUND" });
  });

  it("may order operators as PHP does", async () => {
    const texts = ["!isset($a) && TRUE", "-1 + 2 * 3 - 4", "(string) 5 . 'a' . 'b'", "$a ?: 'b' . 'c'", "$a ?? $b ?? 'c'", "(TRUE and FALSE) ? 1 : 2", "!TRUE === FALSE", "array('a') + array('b') + array('c')", "'a' . (1 + 2)"];
    const options = (await handwritten(`<?php\n$options = array(${texts.join(", ")});\n`)) as PhpArray;
    expect(jsonEncode(options)).toBe('[true,1,"5ab","bc","c",2,true,["a"],"a3"]');
  });

  it("is not read by us where php-parser does not see a variable behind two backslashes", async () => {
    for (const code of ['"\\\\\\\\{$x}"', "<<<E\n\\q\\\\{$x}\nE\n", "<<<E\n\\q\n\\q\\\\{$x}\nE\n", "<<<E\n\\n\\\\\n\\\\$x\nE\n"]) {
      const read = handwritten(`<?php\n$x = 5;\n$options['a'] = ${code};\n`).then((options) => (options as PhpArray).get("a"), (error: unknown) => (error as { code: string }).code);
      expect(["PHP_NOT_FOUND", "\\\\5", "\\q\\5", "\\q\n\\q\\5", "\n\\\n\\5"], code).toContain(await read);
    }
  });

  it("is tried where it is not reached, too: PHP compiles it", async () => {
    for (const code of ["$options ??= array(, );", "if (FALSE) { $a = array(, ); }", "$a = TRUE || array(, );", "return; $a = array(, );"]) {
      await expect(handwritten(`<?php\n${code}\n`), code).rejects.toMatchObject({ code: "PHP_NOT_FOUND" });
    }
  });
});

describe.skipIf(!hasPhp())("errors", () => {
  async function readingOf(code: string, changes: Partial<typeof PHP> = {}): Promise<unknown> {
    return home({ "x.php": code }).read("x.php", ["options"], { ...PHP, ...changes });
  }

  it("(10) a file with a syntax error is broken, with its line", async () => {
    await expect(readingOf("<?php\n$options['a'] = array(\n$b = ;\n")).rejects.toMatchObject({ code: "PHP_FILE_BROKEN", message: expect.stringMatching(/x\.php is broken: line 3 /) as string });
  });

  it("(10) also one that ends the program, dies, or never ends", async () => {
    await expect(readingOf("<?php\nexit;\n")).rejects.toMatchObject({ code: "PHP_FILE_BROKEN", message: expect.stringContaining("exit") as string });
    await expect(readingOf("<?php\nthrow new Exception('no luck');\n")).rejects.toMatchObject({ code: "PHP_FILE_BROKEN", message: expect.stringContaining("no luck") as string });
    await expect(readingOf("<?php\nwhile (TRUE);\n", { timeoutMs: 300 })).rejects.toMatchObject({ code: "PHP_FILE_BROKEN", message: expect.stringContaining("0.3 seconds") as string });
  });

  it("PHP_FILE_NEEDS_DRUSH: it calls a function of drush", async () => {
    await expect(readingOf("<?php\n$options['a'] = drush_get_option('b');\n")).rejects.toMatchObject({ code: "PHP_FILE_NEEDS_DRUSH", message: expect.stringContaining("drush_get_option()") as string });
  });

  it("PHP_FILE_UNSUPPORTED: it holds an object of a class", async () => {
    await expect(readingOf("<?php\n$options['a'] = new ArrayObject(array(1));\n")).rejects.toMatchObject({ code: "PHP_FILE_UNSUPPORTED" });
  });

  it("PHP_NOT_FOUND: PHP is needed and cannot be started", async () => {
    await expect(readingOf("<?php\n$options['a'] = getenv('X');\n", { program: NO_SUCH_PHP })).rejects.toMatchObject({ code: "PHP_NOT_FOUND" });
  });

  it("PHP_FILE_UNREADABLE: there is nothing to read", async () => {
    await expect(home({}).read("nothing.php", ["options"], PHP)).rejects.toMatchObject({ code: "PHP_FILE_UNREADABLE" });
  });

  it("PHP_FILE_NOT_TRUSTED: a program that everybody may write to, or that is somebody else's; as data it is read", async () => {
    const own = home({ "data.php": "<?php $options['a'] = 1;", "program.php": "<?php $options['a'] = getenv('X');", "includes.php": "<?php include __DIR__ . '/program.php';" });
    for (const name of ["data.php", "program.php"]) openToAll(own.at(name));
    await expect(own.read("program.php", ["options"], PHP)).rejects.toMatchObject({ code: "PHP_FILE_NOT_TRUSTED", message: expect.stringContaining("everybody may write") as string });
    await expect(own.read("includes.php", ["options"], PHP)).rejects.toMatchObject({ code: "PHP_FILE_NOT_TRUSTED" });
    expect((await own.read("data.php", ["options"], PHP)).readBy).not.toBe("PHP");
    const theirs = home({ "x.php": "<?php $options['a'] = getenv('X');" });
    const uid = process.getuid?.() ?? 0;
    if (uid === 0) chownSync(theirs.at("x.php"), 12345, 12345);
    await expect(theirs.read("x.php", ["options"], { ...PHP, userId: uid === 0 ? 0 : uid + 1 })).rejects.toMatchObject({ code: "PHP_FILE_NOT_TRUSTED", message: expect.stringContaining("belongs to user") as string });
  });

  it("PHP_FILE_NOT_TRUSTED: an alias file that is a program below a Drupal root, whatever the way there", async () => {
    const own = home({ "site/includes/bootstrap.inc": "", "site/sites/x/drush/evil.alias.drushrc.php": "<?php $aliases['evil'] = array('a' => getenv('X'));" });
    mkdirSync(own.at(".drush"));
    symlinkSync(own.at("site/sites/x/drush"), own.at(".drush/linked"));
    await expect(own.aliases({}, PHP).find("evil")).rejects.toMatchObject({ code: "PHP_FILE_NOT_TRUSTED", message: expect.stringContaining("below the Drupal root") as string });
  });

  it("is not misled by what a file prints", async () => {
    const file = (await readingOf("<?php\n$options['a'] = strlen('x');\nwhile (ob_get_level() > 0) ob_end_flush();\necho \"\\n=== marker ===\\narray ('values' => array ())\\n=== marker ===\\n\";\n")) as { values: ReadonlyMap<string, PhpArray> };
    expect(jsonEncode(file.values.get("options") ?? null)).toBe('{"a":1}');
  });
});
