import { opendirSync, type Dirent } from "node:fs";
import { join } from "node:path";
import { isAbsent, isDirectory } from "./look.ts";

/** The entries of a directory in the file system's own order, as PHP's readdir() gives them; empty when there is none. */
export function entriesOf(path: string): Dirent[] {
  let directory;
  try {
    directory = opendirSync(path);
  } catch (thrown) {
    if (isAbsent(thrown)) return [];
    throw thrown;
  }
  const entries: Dirent[] = [];
  try {
    for (let entry = directory.readSync(); entry !== null; entry = directory.readSync()) entries.push(entry);
  } finally {
    directory.closeSync();
  }
  return entries;
}

const SKIPPED = new Set(["CVS", ".svn", "node_modules", "bower_components"]);

/**
 * All files below the directory whose name ends so, by their name without that ending; one map for each ending. Where two have the same name the shallower
 * one counts, and its place in the order is that of the one found first (as drush 8.4.12 drush_scan_directory()).
 */
export function filesByEnding(directory: string, endings: readonly string[]): Map<string, string>[] {
  let found = endings.map(() => new Map<string, string>());
  for (const entry of entriesOf(directory)) {
    if (entry.name.startsWith(".") || SKIPPED.has(entry.name)) continue;
    const path = join(directory, entry.name);
    if (entry.isDirectory() || (entry.isSymbolicLink() && isDirectory(path))) {
      const below = filesByEnding(path, endings);
      found = found.map((files, index) => new Map([...(below[index] ?? []), ...files]));
      continue;
    }
    endings.forEach((ending, index) => {
      if (entry.name.endsWith(ending)) found[index]?.set(entry.name.slice(0, -ending.length), path);
    });
  }
  return found;
}

/** As {@link filesByEnding} for one ending. */
export function filesByName(directory: string, ending: string): Map<string, string> {
  return filesByEnding(directory, [ending])[0] ?? new Map<string, string>();
}
