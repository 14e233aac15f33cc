import { dirname, join, relative } from "node:path";
import { isFile } from "../files/look.ts";
import { filesByEnding } from "../files/scan.ts";
import type { DrupalCore } from "./core.ts";
import type { SystemRow } from "./site-packages.ts";

export interface ExtensionDrift {
  /**
   * Extensions on disk that the site's table `system` does not know, and enabled ones that are not where it says: then Drupal must rebuild that table, which
   * only its own code can do. Relative to the root.
   */
  readonly drifted: readonly string[];
  /** Drush command files that come with the site's enabled modules; drush loads them once the site runs. */
  readonly drushFiles: readonly string[];
}

const MODULE_ENDINGS = [".module", ".drush.inc", ".drush8.inc"];

/** Compares the code that Drupal 7 would find for the site with what the site's database says. */
export function extensionDrift(rows: readonly SystemRow[], core: DrupalCore, site: { readonly uri: string; readonly profile: string }): ExtensionDrift {
  const places = (type: string): string[] => [type, `profiles/${site.profile}/${type}`, `sites/all/${type}`, `sites/${site.uri}/${type}`];
  const inModules = places("modules").map((place) => filesByEnding(join(core.root, place), MODULE_ENDINGS));
  const inThemes = places("themes").map((place) => filesByEnding(join(core.root, place), [".info"]));
  // A later place beats an earlier one.
  const modules = new Map(inModules.flatMap(([files]) => [...(files ?? [])])).values();
  const themes = new Map(inThemes.flatMap(([files]) => [...(files ?? [])])).values();
  const listed = new Set(rows.map((row) => row["filename"]));
  const described = [...modules].filter((file) => isFile(file.replace(/\.module$/, ".info")));
  const unknown = [...described, ...themes].map((file) => relative(core.root, file)).filter((path) => /\/[a-zA-Z_]\w*\.(?:module|info)$/.test(path) && !listed.has(path));
  const enabled = rows.filter((row) => row["status"] === "1").map((row) => row["filename"] ?? "");
  const moved = enabled.filter((path) => !isFile(join(core.root, path)));
  const enabledFolders = enabled.map((path) => join(core.root, dirname(path)) + "/");
  const drushFiles = inModules.flatMap(([, ...files]) => files.flatMap((map) => [...map.values()]));
  return {
    drifted: [...moved, ...unknown].sort(),
    drushFiles: drushFiles.filter((file) => enabledFolders.some((folder) => file.startsWith(folder))),
  };
}
