import { realpathSync } from "node:fs";
import { join } from "node:path";
import { ShimError } from "../errors/shim-error.ts";
import { KnownFolders, type FolderEntry } from "../files/known-folders.ts";
import { isDirectory } from "../files/look.ts";
import type { Remembered } from "../files/remembered.ts";

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
  /** What is in the folders. */
  readonly known: KnownFolders;
}

/** The alias files of one folder, those below it first. */
export interface AliasFolder {
  /** `GROUP.aliases.drushrc.php` and the like, each of which drush reads at every lookup. */
  readonly groups: readonly string[];
  /** `NAME.alias.drushrc.php` and the like. */
  readonly singles: readonly string[];
  /** What could not be searched; drush passes over it. */
  readonly problems: readonly ShimError[];
}

const SKIPPED = new Set(["files", "drush_make", "examples", "tests", "disabled", "gitcache", "cache", "node_modules", "bower_components", "drush4", "drush5", "drush6", "drush7", "drush9", "drush10", "drush11"]);

/** What is in the folders that drush searches for aliases, and for its extensions: they are much the same. */
export function searchedFolders(remembered: Remembered): KnownFolders {
  return new KnownFolders(remembered, { name: "searched-folders-1", files: /rc\.php$|\.inc$|(?:Commands|CommandFile)\.php$/ });
}

/** All alias files in the order in which drush 8.4.12 finds them, as far as they are outside of Drupal roots (includes/sitealias.inc). */
export function aliasFolders(places: AliasPlaces): AliasFolder[] {
  const { home, etcPrefix, drushFolder, aliasPaths, depth } = places;
  const inDrush = drushFolder === undefined ? [] : [shadowed(drushFolder)];
  const folders = [
    { path: shadowed(`${etcPrefix}/etc/drush`), depth },
    ...inDrush.map((path) => ({ path, depth: path === drushFolder ? 0 : depth })),
    { path: shadowed(join(home, ".drush")), depth },
    ...aliasPaths.map((path) => ({ path, depth })),
  ];
  const seen = new Set<string>();
  return folders.filter(({ path }) => !seen.has(path) && seen.add(path)).map((folder) => searched(folder, places));
}

/** A folder `site-aliases` inside hides everything else in the folder. */
function shadowed(folder: string): string {
  const inside = join(folder, "site-aliases");
  return leadsToDirectory(inside) ? inside : folder;
}

function searched({ path, depth }: { readonly path: string; readonly depth: number }, { skipped, known }: AliasPlaces): AliasFolder {
  const found: Found = { groups: [], singles: [], problems: [] };
  if (leadsToDirectory(path)) scan(path, { real: [realpathSync(path)], depth, skipped, known }, found);
  return found;
}

interface Found {
  readonly groups: string[];
  readonly singles: string[];
  readonly problems: ShimError[];
}

interface Position {
  /** Real path of the folder, and before it those of the folders that led here. */
  readonly real: readonly string[];
  /** Levels that may still be searched. */
  readonly depth: number;
  readonly skipped: ReadonlySet<string>;
  readonly known: KnownFolders;
}

function scan(folder: string, { real, depth, skipped, known }: Position, found: Found): void {
  const [groupsHere, singlesHere]: [string[], string[]] = [[], []];
  for (const { name, kind } of candidates(folder, known, found)) {
    if (SKIPPED.has(name) || skipped.has(name)) continue;
    const path = join(folder, name);
    if (kind === "folder" || (kind === "link" && leadsToDirectory(path))) {
      const target = kind === "link" ? realpathSync(path) : join(real.at(-1) ?? folder, name);
      // Drush goes round a circle of links until the system stops it, and finds the same files again.
      if (depth > 0 && !real.includes(target)) scan(path, { real: [...real, target], depth: depth - 1, skipped, known }, found);
    } else if (/aliases\.drush8?rc\.php$/.test(name)) groupsHere.push(path);
    else if (/\.alias\.drush8?rc\.php$/.test(name)) singlesHere.push(path);
  }
  found.groups.push(...groupsHere);
  found.singles.push(...singlesHere);
}

/**
 * What may be, or lead to, an alias file. The original takes the file system's order; sorted, ties are settled the same way each time. A file for this version of drush comes
 * behind its plain twin, so that it wins as it does among drushrc files.
 */
function candidates(folder: string, known: KnownFolders, found: Found): readonly FolderEntry[] {
  let entries: readonly FolderEntry[];
  try {
    entries = known.entries(folder) ?? [];
  } catch (cause) {
    found.problems.push(new ShimError("PHP_FILE_UNREADABLE", `The folder ${folder} cannot be searched for aliases: ${cause instanceof Error ? cause.message : String(cause)}`, { hint: "look at its owner and mode", cause }));
    return [];
  }
  const relevant = entries.filter(({ name, kind }) => kind !== "file" || name.endsWith("rc.php"));
  const order = ({ name }: FolderEntry): string => name.replace(/\.drush8rc\.php$/, ".drushrc.php8");
  return relevant.map((entry) => ({ entry, order: order(entry) })).sort((one, two) => (one.order < two.order ? -1 : 1)).map(({ entry }) => entry);
}

/** As PHP's is_dir(): false also for what cannot be looked at, such as a link to itself. */
function leadsToDirectory(path: string): boolean {
  try {
    return isDirectory(path);
  } catch {
    return false;
  }
}
