import { ShimError } from "../errors/shim-error.ts";
import type { PhpArray } from "../php-values/php-array.ts";
import { varExport } from "../php-values/var-export.ts";

/**
 * The text of `NAME.alias.drushrc.php`, byte for byte as Provision 7.x-3.x writes it: a blank behind `<?php`, the record as var_export() gives it.
 *
 * @throws ShimError PROVISION_BAD_CONTEXT_NAME: the name stands unescaped in a PHP string and in a file name
 */
export function aliasFileText(name: string, record: PhpArray): string {
  if (name === "" || /[/'"\\\x00-\x1f\x7f-\x9f]/.test(name)) {
    throw new ShimError("PROVISION_BAD_CONTEXT_NAME", `${JSON.stringify(name)} cannot be the name of an alias.`, { hint: "slashes, quotes, backslashes and control characters are refused" });
  }
  return `<?php \n$aliases['${name}'] = ${varExport(record)};\n`;
}
