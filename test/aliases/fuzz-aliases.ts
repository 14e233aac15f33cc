import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type PhpFile, readAsData, Refusal } from "../../src/aliases/reading/read-as-data.ts";
import { readPhpFile } from "../../src/aliases/reading/read-php-file.ts";
import { ShimError } from "../../src/errors/shim-error.ts";
import { PhpArray } from "../../src/php-values/php-array.ts";
import { bytesFromText } from "../../src/php-values/text.ts";
import { varExport } from "../../src/php-values/var-export.ts";
import { type FileForm, generateAliasFile, type GeneratedFile } from "./generate-alias-file.ts";

export const FUZZED_VARIABLES = ["aliases", "options", "command_specific", "override", "sites", "records"] as const;

export interface FuzzOptions {
  readonly files: number;
  readonly seed: number;
  /** Stops after this time, whatever the number of files. */
  readonly seconds?: number;
}

export interface FuzzFailure {
  readonly seed: number;
  readonly form: FileForm;
  readonly source: string;
  readonly ours: string;
  readonly php: string;
}

export interface FuzzReport {
  /** Files compared. */
  files: number;
  /** Files read in one pass, by the parser, and left to PHP. */
  readonly generated: number;
  readonly static: number;
  readonly leftToPhp: number;
  /** Of those left to PHP, a sample that our own way through PHP has read. */
  readonly throughPhp: number;
  /** Of all files, those that PHP calls broken. */
  readonly broken: number;
  /** What was read differently; also generated files that were not read in one pass, which is a loss of speed. */
  readonly failures: readonly FuzzFailure[];
}

/** Files that one PHP judges; the time limit is looked at in between. */
const BATCH = 500;
/** Each of our ways through PHP starts one, so only some files take it. */
const SAMPLE = 200;

/** Compares our reading of random files with PHP's own include, byte for byte as var_export() text. */
export async function fuzzAliases({ files, seed, seconds = Infinity }: FuzzOptions): Promise<FuzzReport> {
  const report = { files: 0, generated: 0, static: 0, leftToPhp: 0, throughPhp: 0, broken: 0, failures: [] as FuzzFailure[] };
  const end = Date.now() + seconds * 1000;
  const folder = mkdtempSync(join(tmpdir(), "fuzz-aliases-"));
  try {
    for (let start = 0; start < files && Date.now() < end; start += BATCH) {
      await compareBatch({ folder: join(folder, String(start)), first: seed + start, count: Math.min(BATCH, files - start) }, report);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  return report;
}

async function compareBatch(batch: { folder: string; first: number; count: number }, report: { -readonly [K in keyof FuzzReport]: FuzzReport[K] } & { failures: FuzzFailure[] }): Promise<void> {
  mkdirSync(batch.folder);
  const cases = Array.from({ length: batch.count }, (_, index) => writeCase(batch.folder, batch.first + index));
  const answers = askPhp(cases.map((one) => one.path), join(batch.folder, "list"));
  for (const [index, one] of cases.entries()) {
    const php = answers[index] ?? "broken";
    const { ours, readBy } = await ourReading(one.path);
    report.files += 1;
    if (php.startsWith("broken")) report.broken += 1;
    if (readBy === "generated form") report.generated += 1;
    else if (readBy === "static evaluation") report.static += 1;
    else report.leftToPhp += 1;
    const fail = (text: string): void => void report.failures.push({ seed: one.seed, form: one.file.form, source: one.file.bytes.toString("latin1"), ours: text, php });
    const slow = one.file.form === "generated" && readBy !== "generated form" && !/-[0-9]+ =>/.test(one.file.bytes.toString("latin1"));
    // PHP cannot read its own export of an object from before 7.3; we can.
    const better = php.includes("undefined method stdClass::__set_state()");
    if (slow || (ours !== undefined && ours !== php && !better)) fail(ours ?? "left to PHP");
    if (ours === undefined && report.leftToPhp % SAMPLE === 0) {
      report.throughPhp += 1;
      const text = await readingThroughPhp(one.path);
      if (text === UNSUPPORTED && php.includes("::__set_state(")) continue;
      if (text !== php.replace(/^broken:[^]*/, "broken")) fail(text);
    }
  }
  rmSync(batch.folder, { recursive: true });
}

function writeCase(folder: string, seed: number): { seed: number; path: string; file: GeneratedFile } {
  const stem = `f${seed}`;
  const file = generateAliasFile({ seed, folder, stem });
  const path = join(folder, `${stem}.php`);
  writeFileSync(path, file.bytes);
  for (const [name, bytes] of file.more) writeFileSync(name, bytes);
  return { seed, path, file };
}

/** `ok:` or `refused:` with the variables as text; undefined when only PHP can tell. An error here is one of ours. */
async function ourReading(path: string): Promise<{ ours: string | undefined; readBy: string }> {
  try {
    const read = await readAsData(path, FUZZED_VARIABLES);
    return read instanceof Refusal ? { ours: undefined, readBy: "" } : { ours: textOf(read), readBy: read.readBy };
  } catch (thrown) {
    return { ours: `threw:${String(thrown)}`, readBy: "" };
  }
}

/** As `ourReading`, by a PHP of our own; `broken` for all errors that name the file. */
async function readingThroughPhp(path: string): Promise<string> {
  const php = { program: "php", phpDir: join(import.meta.dirname, "../../php"), env: process.env, cwd: "/", userId: process.geteuid?.() };
  try {
    return textOf(await readPhpFile(path, { variables: FUZZED_VARIABLES, php }));
  } catch (thrown) {
    if (thrown instanceof ShimError && thrown.code === "PHP_FILE_UNSUPPORTED") return UNSUPPORTED;
    return thrown instanceof ShimError && thrown.code === "PHP_FILE_BROKEN" ? "broken" : `threw:${String(thrown)}`;
  }
}

/** A variable holds an object of a class, such as a function: PHP has a text for that, we have no value. */
const UNSUPPORTED = "unsupported";

function textOf(file: PhpFile): string {
  const text = varExport(PhpArray.of(file.values));
  return `${file.refused ? "refused" : "ok"}:${bytesFromText(text).toString("latin1")}`;
}

/** PHP's answer for each file: `broken:why`, `ok:` or `refused:` with the variables as text. A file that ends PHP is broken. */
export function askPhp(paths: readonly string[], listFile: string): string[] {
  const answers: string[] = [];
  while (answers.length < paths.length) {
    writeFileSync(listFile, paths.slice(answers.length).join("\n") + "\n");
    // With its own configuration, as readPhpFile() starts it: that decides on short open tags.
    const { stdout } = spawnSync("php", ["-d", "display_errors=0", "-d", "memory_limit=512M", join(import.meta.dirname, "php-oracle.php"), listFile, ...FUZZED_VARIABLES], { maxBuffer: 1 << 30 });
    const lines = stdout.toString("latin1").split("\n").filter((line) => /^[0-9]+\t/.test(line));
    for (const line of lines) {
      const [, status = "", base64 = ""] = line.split("\t");
      answers.push(`${status}:${Buffer.from(base64, "base64").toString("latin1")}`);
    }
    if (answers.length < paths.length) answers.push("broken:PHP ended");
  }
  return answers;
}

/** True when there is a PHP to compare with. */
export function hasPhp(): boolean {
  try {
    execFileSync("php", ["-n", "-v"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
