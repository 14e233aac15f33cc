import { ShimError } from "../../errors/shim-error.ts";
import type { PhpValue } from "../../php-values/value.ts";
import type { KnownArrays } from "./known-arrays.ts";
import { runWithPhp, type PhpSettings } from "./php-fallback.ts";
import { readAsData, Refusal, type PhpFile } from "./read-as-data.ts";
import { drupalRootAround, reasonNotToRun } from "./trust.ts";

export interface ReadRequest {
  /** Names of the wanted variables. */
  readonly variables: readonly string[];
  readonly php: PhpSettings;
  /** Refuses to run a file below a Drupal root as PHP; as data it is read. */
  readonly refuseBelowDrupal?: boolean;
  /** Large arrays of files that have not changed, which are read when somebody looks into them. */
  readonly arrays?: KnownArrays | undefined;
}

/**
 * Reads a PHP file that holds data in variables: an alias file, drushrc.php, sites.php, a data store. Most are read without PHP.
 * The others are included by one PHP process, if they belong to the user or root and nobody else may change them.
 *
 * @throws ShimError PHP_FILE_UNREADABLE, PHP_FILE_BROKEN, PHP_FILE_NOT_TRUSTED, PHP_FILE_NEEDS_DRUSH, PHP_FILE_UNSUPPORTED or PHP_NOT_FOUND
 */
export async function readPhpFile(path: string, request: ReadRequest): Promise<PhpFile> {
  const tried = await readAsData(path, request.variables, request.arrays);
  if (!(tried instanceof Refusal)) return tried;
  refuseUntrusted(path, tried, request);
  const answer = await runWithPhp(path, request.variables, request.php);
  const values = new Map<string, PhpValue>();
  for (const name of request.variables) {
    // unset() by the file; elsewhere the helper gives at least the empty array.
    const value = answer.values.get(name);
    if (value !== undefined) values.set(name, value);
  }
  return { path, values, refused: answer.returned === false, printed: answer.printed, readBy: "PHP" };
}

/** @throws ShimError PHP_FILE_NOT_TRUSTED */
function refuseUntrusted(path: string, { reason, files }: Refusal, { php, refuseBelowDrupal }: ReadRequest): void {
  for (const file of files.size === 0 ? [path] : files) {
    const root = refuseBelowDrupal === true ? drupalRootAround(file) : undefined;
    const objection = root === undefined ? reasonNotToRun(file, php.userId) : `it is below the Drupal root ${root}`;
    if (objection === undefined) continue;
    const place = reason.file === undefined || reason.file === path ? path : `${path} (in ${reason.file})`;
    const line = reason.line === undefined ? "" : ` line ${reason.line}`;
    throw new ShimError("PHP_FILE_NOT_TRUSTED", `The file ${place}${line} is not plain data (${reason.reason}), and ${file} may not be run as PHP: ${objection}`, {
      hint: "write the values as plain literals, or give the file to the backend user with mode 0440",
    });
  }
}
