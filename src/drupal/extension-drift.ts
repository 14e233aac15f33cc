import { join, relative } from "node:path";
import { filesByName } from "../files/scan.ts";
import { isFile } from "../files/look.ts";
import type { DrupalCore } from "./core.ts";
import type { SystemRow } from "./site-packages.ts";

/**
 * Extensions on disk that the site's table `system` does not know, and enabled ones that it looks for where they are not: then Drupal must rebuild
 * that table, which only its own code can do. Paths are relative to the root; empty when both agree.
 */
export function extensionDrift(rows: readonly SystemRow[], core: DrupalCore, site: { readonly uri: string; readonly profile: string }): string[] {
  const listed = new Set(rows.map((row) => row["filename"]));
  const moved = rows.filter((row) => row["status"] === "1" && !isFile(join(core.root, row["filename"] ?? ""))).map((row) => row["filename"] ?? "");
  const unknown: string[] = [];
  for (const [type, ending] of [["modules", ".module"], ["themes", ".info"]] as const) {
    // Where Drupal 7 looks, a later place beating an earlier one.
    const places = [type, `profiles/${site.profile}/${type}`, `sites/all/${type}`, `sites/${site.uri}/${type}`];
    const found = new Map(places.flatMap((place) => [...filesByName(join(core.root, place), ending)]));
    for (const [name, file] of found) {
      const isDescribed = ending === ".info" || isFile(file.slice(0, -ending.length) + ".info");
      const path = relative(core.root, file);
      if (isDescribed && /^[a-zA-Z_]\w*$/.test(name) && !listed.has(path)) unknown.push(path);
    }
  }
  return [...moved, ...unknown].sort();
}
