import { join } from "node:path";
import { ShimError } from "../errors/shim-error.ts";
import { isDirectory, isFile, namesIn, readIfThere } from "../files/look.ts";
import { entriesOf } from "../files/scan.ts";
import { PhpArray } from "../php-values/php-array.ts";
import { textFromBytes } from "../php-values/text.ts";
import type { PhpValue } from "../php-values/value.ts";
import type { DrupalCore } from "./core.ts";
import { readInfoWithDefaults } from "./info-file.ts";

/** The install profiles of a Drupal 7 platform by machine name, hidden ones left out, in the order of the file system. */
export function findProfiles(core: DrupalCore): Map<string, PhpArray> {
  const profiles = new Map<string, PhpArray>();
  const directory = join(core.root, "profiles");
  if (!isDirectory(directory)) throw new ShimError("DRUSH_INVALID_DRUPAL_ROOT", `Cannot find profiles directory ${directory}.`);
  for (const { name } of entriesOf(directory)) {
    if (!isDirectory(join(directory, name))) continue;
    const profile = readProfile(name, core);
    if (profile !== undefined) profiles.set(name, profile);
  }
  return profiles;
}

/** True when the profile's PHP adds to its own description: only PHP can tell what then. */
export function describesItselfInPhp(core: DrupalCore, name: string): boolean {
  const bytes = readIfThere(join(core.root, "profiles", name, `${name}.profile`));
  return bytes !== undefined && textFromBytes(bytes).includes(`${name}_profile_details`);
}

/** The profile, or undefined when there is no such directory or it is hidden. */
export function readProfile(name: string, core: DrupalCore): PhpArray | undefined {
  const directory = join(core.root, "profiles", name);
  if (!isDirectory(directory)) return undefined;
  const file = join(directory, `${name}.info`);
  const info = isFile(file) ? readInfoWithDefaults(file, core) : new PhpArray();
  if (isLooselyOne(info.get("hidden"))) return undefined;
  info.set("languages", PhpArray.list(profileLanguages(directory)));
  // Drupal 7 renamed the profile `default`; the front end migrates sites by the old name.
  if (name === "standard") info.set("old_short_name", "default");
  return PhpArray.of([
    ["name", name],
    ["info", info],
    // Relative to the root, as the original reports it.
    ["filename", `./profiles/${name}/${name}.info`],
    ["version", core.version],
  ]);
}

/** As `$value == 1` on PHP 8. */
export function isLooselyOne(value: PhpValue | undefined): boolean {
  return value === true || value === 1 || (typeof value === "string" && Number(value) === 1 && value.trim() !== "");
}

/** `en` and the translations that come with the profile: the last part of each .po file's name. */
function profileLanguages(directory: string): string[] {
  const files = [join(directory, "translations"), directory].flatMap((place) => namesIn(place));
  return [...new Set(["en", ...files.flatMap((name) => /(?:^|\.)([^.]+)\.po$/.exec(name)?.[1] ?? [])])];
}
