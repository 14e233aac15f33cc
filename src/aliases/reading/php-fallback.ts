import { join } from "node:path";
import { ShimError } from "../../errors/shim-error.ts";
import { uniqueName } from "../../files/unique-name.ts";
import { PhpArray } from "../../php-values/php-array.ts";
import { bytesFromText, textFromBytes } from "../../php-values/text.ts";
import type { PhpValue } from "../../php-values/value.ts";
import { runProcess, type ProcessResult } from "../../processes/run-process.ts";
import { LiteralScanner } from "./generated-literals.ts";

/** How PHP is started for files that only PHP can read. */
export interface PhpSettings {
  /** The interpreter, a path or a name in PATH. */
  readonly program: string;
  /** Folder of this program's own PHP files. */
  readonly phpDir: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Effective user; files of others are not run. */
  readonly userId: number | undefined;
  /** 10 seconds unless it says something else. */
  readonly timeoutMs?: number;
}

export interface PhpAnswer {
  readonly values: PhpArray;
  readonly returned: PhpValue;
  readonly printed: string;
}

const DEFAULT_TIMEOUT_MS = 10_000;
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

/**
 * Lets PHP include the file in a scope of its own and tell its variables. What the file prints is captured.
 *
 * @throws ShimError PHP_FILE_BROKEN, PHP_FILE_NEEDS_DRUSH, PHP_FILE_UNSUPPORTED or PHP_NOT_FOUND
 */
export async function runWithPhp(file: string, names: readonly string[], php: PhpSettings): Promise<PhpAnswer> {
  const helper = join(php.phpDir, "read-variables.php");
  const marker = `=== ${uniqueName()} ===`;
  const timeoutMs = php.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const result = await start({
    file: php.program,
    args: ["-d", "display_errors=stderr", "-d", "log_errors=0", "-d", "html_errors=0", helper, marker, file, ...names],
    env: withoutPrepend(php.env),
    cwd: php.cwd,
    timeoutMs,
    maxOutputBytes: MAX_OUTPUT_BYTES,
  });
  if (result.timedOut) throw broken(file, { reason: `it did not end within ${timeoutMs / 1000} seconds` });
  if (result.outputTooLong) throw broken(file, { reason: "it prints without end, or holds more than 64 MB" });
  return answerIn(result, { file, marker });
}

/** The error of a file that PHP cannot run to its end. */
export function broken(file: string, found: { readonly reason: string; readonly line?: number; readonly cause?: unknown }): ShimError {
  const line = found.line === undefined || found.line <= 0 ? "" : ` line ${found.line}`;
  return new ShimError("PHP_FILE_BROKEN", `The file ${file} is broken:${line} ${found.reason}`, {
    hint: `run php -l ${file}, and mend or remove the file`,
    cause: found.cause,
  });
}

/** The environment without our setting for drush, which must not take part here. PHP_INI_SCAN_DIR may have other folders; an empty one is PHP's own. */
function withoutPrepend(env: PhpSettings["env"]): Record<string, string | undefined> {
  const others = (env["PHP_INI_SCAN_DIR"] ?? "").split(":").filter((folder) => !/\/lib\/php-ini\/?$/.test(folder));
  const rest = others.every((folder) => folder === "") ? undefined : others.join(":");
  return { ...env, PHP_INI_SCAN_DIR: rest, PROVISION_SHIM_LIB: undefined, PROVISION_SHIM_REAL: undefined, PROVISION_SHIM_HANDOVER: undefined };
}

async function start(request: Parameters<typeof runProcess>[0]): Promise<ProcessResult> {
  try {
    return await runProcess(request);
  } catch (cause) {
    throw new ShimError("PHP_NOT_FOUND", `PHP cannot be started as ${request.file}: ${cause instanceof Error ? cause.message : String(cause)}`, {
      hint: "install the PHP command line interpreter, or name it by DRUSH_PHP",
      cause,
    });
  }
}

function answerIn(result: ProcessResult, request: { readonly file: string; readonly marker: string }): PhpAnswer {
  const output = result.stdout;
  const line = bytesFromText(`\n${request.marker}\n`);
  const start = output.indexOf(line);
  const end = output.lastIndexOf(line);
  if (start < 0 || end <= start) {
    const said = textFromBytes(result.stderr).trim().slice(0, 500);
    throw broken(request.file, { reason: said === "" ? `PHP ended with status ${result.status ?? String(result.signal)}` : said });
  }
  const answer = parseAnswer(textFromBytes(output.subarray(start + line.length, end)), request.file);
  const error = answer.get("error");
  if (error instanceof PhpArray) throw reported(error, request.file);
  const [values, printed] = [answer.get("values"), answer.get("printed")];
  return { values: values instanceof PhpArray ? values : new PhpArray(), returned: answer.get("returned") ?? null, printed: typeof printed === "string" ? printed : "" };
}

function parseAnswer(text: string, file: string): PhpArray {
  try {
    const value = new LiteralScanner(text).value();
    if (value instanceof PhpArray) return value;
  } catch {
    // var_export() writes objects of a class as a call of that class.
  }
  throw new ShimError("PHP_FILE_UNSUPPORTED", `The file ${file} sets a variable to an object of a class, which is not data`, {
    hint: "only real drush can use this file",
  });
}

function reported(error: PhpArray, file: string): ShimError {
  const [message, where, line] = [error.get("message"), error.get("file"), error.get("line")];
  const reason = (typeof message === "string" ? message : "it cannot be run").replace(/^(?:ParseError|Error): /, "");
  const called = /undefined function (drush_\w+|_drush_\w+|dt)\(\)/.exec(reason)?.[1];
  if (called !== undefined) {
    return new ShimError("PHP_FILE_NEEDS_DRUSH", `The file ${file} calls ${called}(), which exists inside drush only`, {
      hint: "only real drush can use this file",
    });
  }
  return broken(typeof where === "string" && where !== "" ? where : file, { reason, ...(typeof line === "number" ? { line } : {}) });
}
