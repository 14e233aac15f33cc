import { basename, dirname, join } from "node:path";
import { entriesOf, filesByName } from "../files/scan.ts";
import { isFile, lookAt, readIfThere } from "../files/look.ts";
import { isTruthy, textOrUndefined } from "../php-values/convert.ts";
import { PhpArray } from "../php-values/php-array.ts";
import { textFromBytes } from "../php-values/text.ts";
import type { PhpValue } from "../php-values/value.ts";
import type { DrupalCore } from "./core.ts";
import { readInfoFile, readInfoWithDefaults } from "./info-file.ts";
import { findProfiles } from "./profiles.ts";

/** What `provision-verify` of a platform reports to the front end. */
export interface PlatformPackages {
  readonly packages: PhpArray;
  readonly profiles: readonly string[];
  readonly sites: readonly string[];
}

/** Scans a Drupal 7 platform: core, sites/all and each profile (as provision_find_packages() of Provision 7.x-3.x). */
export function findPlatformPackages(core: DrupalCore): PlatformPackages {
  const { root } = core;
  const profiles = findProfiles(core);
  const base = scope(core, [join(root, "%"), join(root, "sites/all/%")]);
  base.set("platforms", platformPackage(core));
  base.set("profiles", PhpArray.of(profiles));
  const ofProfiles = PhpArray.of([...profiles.keys()].map((name) => [name, scope(core, [join(root, "profiles", name, "%")])]));
  return {
    packages: PhpArray.of([["base", base], ["sites-all", scope(core, [join(root, "sites/all/%")])], ["profiles", ofProfiles]]),
    profiles: [...profiles.keys()],
    // The front end makes a site of each name. What has no host name is being moved by a task.
    sites: findSites(root).filter((name) => !name.startsWith(".")),
  };
}

/** The entry for Drupal itself. */
export function platformPackage(core: DrupalCore): PhpArray {
  const entry = PhpArray.of([
    ["short_name", "drupal"],
    ["version", core.version],
    ["description", `This platform is running Drupal ${core.version}`],
  ]);
  return PhpArray.of([["drupal", entry]]);
}

/** The site directories of the platform: those with a settings.php, without `default` and links. */
export function findSites(root: string): string[] {
  return entriesOf(join(root, "sites"))
    .map((entry) => entry.name)
    .filter((name) => name !== "default" && isFile(join(root, "sites", name, "settings.php")) && lookAt(join(root, "sites", name))?.isSymbolicLink() !== true);
}

/** Modules and themes below the directories; `%` stands for the type. A later directory beats an earlier one. */
function scope(core: DrupalCore, directories: readonly string[]): PhpArray {
  const inAll = (type: string, ending: string): Map<string, string> =>
    new Map(directories.flatMap((directory) => [...filesByName(directory.replace("%", type), ending)]));
  const modules = new PhpArray();
  for (const [name, file] of inAll("modules", ".module")) {
    const module = modulePackage(name, file, core);
    if (module !== undefined) modules.set(name, module);
  }
  const engines = new Map(directories.flatMap((directory) => [...filesByName(join(directory.replace("%", "themes"), "engines"), ".engine")]));
  const themes = PhpArray.of([...inAll("themes", ".info")].map(([name, file]) => [name, themePackage(name, file, engines, core)]));
  return PhpArray.of([["modules", modules], ["themes", themes]]);
}

function modulePackage(name: string, file: string, core: DrupalCore): PhpArray | undefined {
  const info = readInfoWithDefaults(join(dirname(file), `${name}.info`), core);
  if (isTruthy(info.get("hidden"))) return undefined;
  const version = info.get("version") ?? null;
  return PhpArray.of([
    ["filename", file],
    ["basename", basename(file)],
    ["name", name],
    ["info", info],
    ["schema_version", schemaVersion(join(dirname(file), `${name}.install`))],
    ["version", version === "VERSION" ? core.version : version],
  ]);
}

function themePackage(name: string, file: string, engines: ReadonlyMap<string, string>, core: DrupalCore): PhpArray {
  const info = readInfoFile(file, core);
  const humanName = textOrUndefined(info.get("name")) ?? name;
  const theme = PhpArray.of([["filename", file], ["basename", basename(file)], ["name", humanName], ["info", info]]);
  const engine = textOrUndefined(info.get("engine"));
  if (engine === undefined) {
    const owner = join(dirname(file), `${humanName}.theme`);
    if (isFile(owner)) theme.set("owner", owner).set("prefix", name);
  } else {
    const owner = engines.get(engine);
    if (owner !== undefined) theme.set("owner", owner).set("prefix", engine).set("template", true);
  }
  return theme.set("version", textOrUndefined(info.get("version")) ?? null);
}

/**
 * The highest number of an update function in the .install file, as text like the original gives it; 0 when there is none. Names and comments
 * are not looked at, so it is exactly what the front end compared before.
 */
export function schemaVersion(installFile: string): PhpValue {
  const bytes = readIfThere(installFile);
  if (bytes === undefined) return 0;
  const source = textFromBytes(bytes).replaceAll(/\r\n?/g, "\n");
  let highest: string | undefined;
  for (const [, number] of source.matchAll(/function\s*&?[a-zA-Z0-9_]+?_update_([0-9]+)\s*\(.*?\s*\{/g)) {
    if (number !== undefined && (highest === undefined || Number(number) > Number(highest))) highest = number;
  }
  return highest !== undefined && Number(highest) > 0 ? highest : 0;
}

