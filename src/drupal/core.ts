import { join } from "node:path";
import { readIfThere } from "../files/look.ts";
import { textFromBytes } from "../php-values/text.ts";

/** What a Drupal root says of itself, without running it. */
export interface DrupalCore {
  readonly root: string;
  /** For example `7.105`. */
  readonly version: string;
  readonly major: number;
  /** Scalar constants that the core's bootstrap file defines: .info files may use them. */
  readonly constants: ReadonlyMap<string, string>;
}

/** Where each family of cores keeps its version. */
const PLACES: readonly { readonly file: string; readonly pattern: RegExp }[] = [
  { file: "core/lib/Drupal.php", pattern: /const\s+VERSION\s*=\s*'([^']+)'/ },
  { file: "includes/bootstrap.inc", pattern: /define\(\s*'VERSION'\s*,\s*'([^']+)'/ },
  { file: "modules/system/system.module", pattern: /define\(\s*'VERSION'\s*,\s*'([^']+)'/ },
];

/** The Drupal in that directory, or undefined when there is none that can be recognised. */
export function readCore(root: string): DrupalCore | undefined {
  for (const { file, pattern } of PLACES) {
    const bytes = readIfThere(join(root, file));
    if (bytes === undefined) continue;
    const text = textFromBytes(bytes);
    const version = pattern.exec(text)?.[1];
    if (version !== undefined) return { root, version, major: Number.parseInt(version, 10), constants: definedConstants(text) };
  }
  return undefined;
}

/** True when the version is at least major.minor: `atLeast(core, 7, 50)`. */
export function atLeast(core: DrupalCore, major: number, minor: number): boolean {
  const [first = 0, second = 0] = core.version.split(".").map((part) => Number.parseInt(part, 10));
  return first > major || (first === major && second >= minor);
}

/** `define('NAME', 'text')` and `define('NAME', 12)`. */
function definedConstants(text: string): Map<string, string> {
  const constants = new Map<string, string>();
  for (const [, name, quoted, number] of text.matchAll(/^define\(\s*'([A-Za-z_]\w*)'\s*,\s*(?:'([^'\\]*)'|(\d+))\s*\)/gm)) {
    const value = quoted ?? number;
    if (name !== undefined && value !== undefined) constants.set(name, value);
  }
  return constants;
}
