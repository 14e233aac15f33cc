import { isFile } from "../files/look.ts";
import { PhpArray } from "../php-values/php-array.ts";
import type { PhpSettings } from "./reading/php-fallback.ts";
import { readPhpFile } from "./reading/read-php-file.ts";

/** One array that a PHP data file sets, such as `$sites` of sites.php; undefined when there is no such file. */
export async function readVariable(path: string, name: string, php: PhpSettings): Promise<PhpArray | undefined> {
  if (!isFile(path)) return undefined;
  const { values } = await readPhpFile(path, { variables: [name], php });
  const value = values.get(name);
  return value instanceof PhpArray ? value : new PhpArray();
}
