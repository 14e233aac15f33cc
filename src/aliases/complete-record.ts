import { posix } from "node:path";
import { scalarText } from "../php-values/convert.ts";
import { PhpArray } from "../php-values/php-array.ts";

/** The one alias that no file can change. */
export const NONE = PhpArray.of([["root", ""], ["uri", ""], ["#name", "none"], ["path-aliases", PhpArray.of([["%root", ""]])]]);

/**
 * What drush 8.4.12 adds when a record is read: its name in front, a plain root, and the root as a path alias when there is a uri.
 *
 * @param home what `~` stands for
 */
export function completed(record: PhpArray, home: string): PhpArray {
  const result = PhpArray.of([["#name", record.get("#name") ?? null]]).merge(record);
  const root = scalarText(result.get("root"));
  if (root !== undefined && root !== "") result.set("root", plainPath(root, home));
  if (!result.has("uri")) return result;
  const given = result.get("path-aliases");
  const paths = given instanceof PhpArray ? given.clone() : new PhpArray();
  const plain = result.get("root") ?? null;
  if (plain !== null) paths.set("%root", plain);
  return result.set("path-aliases", paths);
}

/** Dots and slashes settled as text, links kept, `~` replaced; the current folder is the empty text. */
function plainPath(path: string, home: string): string {
  const plain = posix.normalize(path.replace(/^~/, () => home).replaceAll("\\", "/"));
  if (plain === "." || plain === "./") return "";
  return plain.length > 1 ? plain.replace(/\/+$/, "") : plain;
}
