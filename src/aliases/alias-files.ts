import { existsSync } from "node:fs";
import { join } from "node:path";
import { isDirectory } from "../files/look.ts";
import { entriesOf } from "../files/scan.ts";

/** Where alias files may be. */
export interface AliasPlaces {
  readonly home: string;
  /** Environment variable ETC_PREFIX; "" for the real /etc. */
  readonly etcPrefix: string;
  /** Folder of the real drush, when known. Looked into, not searched below: drush's own code is there. */
  readonly drushFolder: string | undefined;
  /** Option `alias-path` of the drushrc files. */
  readonly aliasPaths: readonly string[];
  /** Names that are not searched: options `exclude` and `ignored-directories`. */
  readonly skipped: ReadonlySet<string>;
  /** Option `alias-search-depth`: how many levels below each folder. */
  readonly depth: number;
}

/** The alias files of one folder, those below it first. */
export interface AliasFolder {
  /** `GROUP.aliases.drushrc.php` and the like, each of which drush reads at every lookup. */
  readonly groups: readonly string[];
  /** `NAME.alias.drushrc.php` and the like. */
  readonly singles: readonly string[];
}

const SKIPPED = new Set(["files", "drush_make", "examples", "tests", "disabled", "gitcache", "cache", "node_modules", "bower_components", "drush4", "drush5", "drush6", "drush7", "drush9", "drush10", "drush11"]);

/** All alias files in the order in which drush 8.4.12 finds them, as far as they are outside of Drupal roots (includes/sitealias.inc). */
export function aliasFolders(places: AliasPlaces): AliasFolder[] {
  const { home, etcPrefix, drushFolder, aliasPaths } = places;
  const folders = [
    { path: shadowed(`${etcPrefix}/etc/drush`), depth: places.depth },
    ...(drushFolder === undefined ? [] : [{ path: shadowed(drushFolder), depth: existsSync(join(drushFolder, "site-aliases")) ? places.depth : 0 }]),
    { path: shadowed(join(home, ".drush")), depth: places.depth },
    ...aliasPaths.map((path) => ({ path, depth: places.depth })),
  ];
  const seen = new Set<string>();
  return folders.filter(({ path }) => !seen.has(path) && seen.add(path)).map(({ path, depth }) => scan(path, depth, places.skipped));
}

/** A folder `site-aliases` inside hides everything else in the folder. */
function shadowed(folder: string): string {
  const inside = join(folder, "site-aliases");
  return isDirectory(inside) ? inside : folder;
}

function scan(folder: string, depth: number, skipped: ReadonlySet<string>): AliasFolder {
  const [groups, singles]: [string[], string[]] = [[], []];
  const [groupsHere, singlesHere]: [string[], string[]] = [[], []];
  // The original takes the file system's order; sorted, ties are settled the same way each time.
  for (const entry of entriesOf(folder).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const { name } = entry;
    if (name.startsWith(".") || SKIPPED.has(name) || skipped.has(name)) continue;
    const path = join(folder, name);
    if (entry.isDirectory() || (entry.isSymbolicLink() && isDirectory(path))) {
      if (depth <= 0) continue;
      const below = scan(path, depth - 1, skipped);
      groups.push(...below.groups);
      singles.push(...below.singles);
    } else if (/aliases\.drush8?rc\.php$/.test(name)) groupsHere.push(path);
    else if (/\.alias\.drush8?rc\.php$/.test(name)) singlesHere.push(path);
  }
  return { groups: [...groups, ...groupsHere], singles: [...singles, ...singlesHere] };
}
