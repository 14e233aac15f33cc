import { bytesFromText } from "../../src/php-values/text.ts";
import { generateDynamic } from "./generate-dynamic.ts";
import { generateHandwritten } from "./generate-handwritten.ts";
import { exportedArray, Random, quoted, TEXTS } from "./generate-values.ts";

export type FileForm = "generated" | "handwritten" | "dynamic" | "damaged";

/** One random PHP data file. `more` has the files that it includes, by path. */
export interface GeneratedFile {
  readonly form: FileForm;
  readonly bytes: Buffer;
  readonly more: ReadonlyMap<string, Buffer>;
}

export interface GeneratorOptions {
  readonly seed: number;
  /** Absolute folder that the file will be in, and its name without extension; included files get names that begin with it. */
  readonly folder: string;
  readonly stem: string;
}

/** A random file: mostly as Provision writes them, else hand-written data, programs, or either with damage. The same for the same options. */
export function generateAliasFile(options: GeneratorOptions): GeneratedFile {
  const random = new Random(options.seed);
  const more = new Map<string, Buffer>();
  const include = (text: string): string => {
    const path = `${options.folder}/${options.stem}-${more.size + 1}.inc`;
    more.set(path, bytesFromText(text));
    return path;
  };
  const form = random.weighted<FileForm>([["generated", 35], ["handwritten", 35], ["damaged", 25], ["dynamic", 5]]);
  const text = textOf(form, { random, include, missing: `${options.folder}/no-such-file.php` });
  return { form, bytes: form === "damaged" ? damage(bytesFromText(text), random) : bytesFromText(text), more };
}

/** What the generators of the several forms work with. */
export interface GeneratorContext {
  readonly random: Random;
  /** Makes a file of that text to be included, and gives its path. */
  include(text: string): string;
  /** Path of a file that does not exist. */
  readonly missing: string;
}

function textOf(form: FileForm, context: GeneratorContext): string {
  if (form === "handwritten") return generateHandwritten(context);
  if (form === "dynamic") return generateDynamic(context);
  if (form === "damaged" && context.random.chance(0.5)) return generateHandwritten(context);
  return context.random.pick([aliasFile, drushrcFile, homeDrushrcFile, sitesFile, recordsFile])(context);
}

function aliasFile({ random }: GeneratorContext): string {
  return `<?php \n$aliases[${quoted(random.pick(TEXTS))}] = ${exportedArray(random, 0)};\n`;
}

function drushrcFile(context: GeneratorContext): string {
  const { random } = context;
  const lines = random.times(0, 8, () => `\n$options[${quoted(random.pick(TEXTS))}] = ${exportedArray(random, 0)};`);
  const copies = random.times(0, 3, () => `$_SERVER['db_type'] = $options[${quoted(random.pick(TEXTS))}];\n`);
  const local = random.chance(0.5) ? context.missing : context.include(aliasFile(context));
  const end = random.chance(0.3) ? "" : `\n# Additions.\n${copies.join("")}\n# Local additions.\n@include_once('${local}');\n`;
  return `<?php \n\n${lines.join("")}${end}`;
}

function homeDrushrcFile(context: GeneratorContext): string {
  const { random } = context;
  const name = context.random.chance(0.5) ? context.include(drushrcFile({ ...context, random })) : context.missing;
  const base = name.slice(name.lastIndexOf("/"));
  const folder = random.pick(["dirname(__FILE__)", "__DIR__"]);
  return `<?php \n\n# Features\n$options['exclude'] = ${exportedArray(random, 0)};\n$options['ignored-modules'] = $options['exclude'];\n@include_once(${folder} . '${base}');\n`;
}

function sitesFile({ random }: GeneratorContext): string {
  return `<?php\n/**\n * Map of ${random.pick(TEXTS).replaceAll("*/", "")}.\n */\n$sites = ${exportedArray(random, 0)};\n`;
}

function recordsFile({ random }: GeneratorContext): string {
  const records = random.times(1, 4, () => `$records[${quoted(random.pick(TEXTS))}] = ${exportedArray(random, 0)};\n`);
  return `<?php \n${records.join("")}`;
}

/** One to three small changes of bytes: what half-written files and slips of the hand look like. */
function damage(bytes: Buffer, random: Random): Buffer {
  let result = bytes;
  for (let count = random.integer(1, 3); count > 0; count--) {
    const at = random.integer(0, result.length);
    const rest = result.subarray(random.pick([at, at + 1, at + random.integer(0, 20)]));
    const inserted = random.chance(0.6) ? random.pick(["'", '"', "$", ";", ",", "(", ")", "[", "]", "}", "{", "=>", "=", "\\", "\n", " ", "?>", "#", "//", "/*", "0", "5", ".", "-", "+", "@", "\0", "é", "<?php ", "array", "x", "\\\\", "{$", "${", "&", "`", "<<<E\n", "...", "!", "?", ":", "\f", "\r", "__LINE__", "=>array(", "$x"]) : "";
    result = random.chance(0.15) ? result.subarray(0, at) : Buffer.concat([result.subarray(0, at), Buffer.from(inserted), rest]);
  }
  return result;
}
