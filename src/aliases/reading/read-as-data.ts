import { ShimError } from "../../errors/shim-error.ts";
import { PhpArray } from "../../php-values/php-array.ts";
import type { PhpValue } from "../../php-values/value.ts";
import { Evaluation, ParserNeeded } from "./evaluation.ts";
import type { KnownArrays } from "./known-arrays.ts";
import { NotStatic } from "./not-static.ts";
import { loadParser } from "./php-syntax.ts";

/** What a PHP data file says. */
export interface PhpFile {
  readonly path: string;
  /** The wanted variables. One that the file does not mention is an empty array, as drush prepares it. */
  readonly values: ReadonlyMap<string, PhpValue>;
  /** The file returned FALSE: drush takes that as "not there". */
  readonly refused: boolean;
  /** Text that the file printed; only PHP can find that. */
  readonly printed: string;
  readonly readBy: "generated form" | "static evaluation" | "PHP";
}

/** The file is not data, or not as far as can be told without PHP. */
export class Refusal {
  constructor(
    readonly reason: NotStatic,
    /** The files that were read until then. */
    readonly files: ReadonlySet<string>,
  ) {}
}

/**
 * Evaluates the file without PHP: in one pass if it has the form that Provision generates, else with a parser.
 *
 * @throws ShimError PHP_FILE_UNREADABLE
 */
export async function readAsData(path: string, variables: readonly string[], arrays?: KnownArrays): Promise<PhpFile | Refusal> {
  try {
    return attempt(path, variables, arrays);
  } catch (thrown) {
    if (!(thrown instanceof ParserNeeded)) throw thrown;
    await loadParser();
    return attempt(path, variables, arrays);
  }
}

function attempt(path: string, variables: readonly string[], arrays: KnownArrays | undefined): PhpFile | Refusal {
  const evaluation = new Evaluation(arrays);
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

function wanted(evaluation: Evaluation, variables: readonly string[]): Map<string, PhpValue> {
  const values = new Map<string, PhpValue>();
  for (const name of variables) {
    const value = evaluation.scope.find(name);
    if (value !== undefined) values.set(name, value);
  }
  return values;
}

function unreadable(path: string, cause: unknown): unknown {
  if (!(cause instanceof Error) || !("code" in cause)) return cause;
  return new ShimError("PHP_FILE_UNREADABLE", `The file ${path} cannot be read: ${cause.message}`, { hint: "look at its owner and mode", cause });
}
