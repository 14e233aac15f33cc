import { accessSync, constants, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { isFile, isProgram, lookAt, namesIn, readIfThere } from "../files/look.ts";
import { textFromBytes } from "../php-values/text.ts";

/** What a drush path is recognised by: any spelling of these files. */
export interface DrushFiles {
  readonly drush: string;
  readonly script: string;
  readonly launcher: string;
  /** Paths that are replaced themselves, so texts that name them lead to us as they are. */
  readonly swapped: ReadonlySet<string>;
}

/** A text in which drush paths are fixed, with those replaced by ours. */
export interface TextPlace {
  readonly path: string;
  readonly what: string;
  readonly before: string;
  readonly after: string;
  readonly replaced: readonly (readonly [from: string, to: string])[];
}

/** Folders and files that start drush on Debian and its relatives: the daemon's unit, its older init script, cron, supervisor. */
const FOLDERS: readonly { readonly folder: string; readonly name: RegExp; readonly what: string }[] = [
  { folder: "/etc/cron.d", name: /./, what: "cron table" },
  { folder: "/etc/systemd/system", name: /\.service$/, what: "systemd unit" },
  { folder: "/usr/lib/systemd/system", name: /^hosting.*\.service$/, what: "systemd unit" },
  { folder: "/lib/systemd/system", name: /^hosting.*\.service$/, what: "systemd unit" },
  { folder: "/etc/init.d", name: /^hosting/, what: "init script" },
  { folder: "/etc/default", name: /^hosting/, what: "settings of the init script" },
  { folder: "/etc/supervisor/conf.d", name: /\.conf$/, what: "supervisor program" },
];

/** All system files below `etcRoot` ("" for the real ones) in which a drush path is fixed. */
export function systemPlaces(files: DrushFiles, etcRoot = ""): TextPlace[] {
  const seen = new Set<string>();
  const places: TextPlace[] = [];
  const look = (path: string, what: string): void => {
    const real = realPath(path);
    if (real === undefined || seen.has(real) || !isFile(real)) return;
    seen.add(real);
    const place = textPlace(real, what, files);
    if (place !== undefined) places.push(place);
  };
  look(`${etcRoot}/etc/crontab`, "cron table");
  for (const { folder, name, what } of FOLDERS) for (const found of namesIn(etcRoot + folder)) if (name.test(found)) look(join(etcRoot + folder, found), what);
  return places;
}

/** Alias files that name a drush program of their own (`%drush-script`). */
export function aliasPlaces(home: string, files: DrushFiles): TextPlace[] {
  const folder = join(home, ".drush");
  return namesIn(folder).filter((name) => /\.alias(?:es)?\.drush8?rc\.php$/.test(name)).flatMap((name) => {
    const place = textPlace(join(folder, name), "alias with %drush-script", files);
    return place?.before.includes("%drush-script") === true ? [place] : [];
  });
}

function textPlace(path: string, what: string, files: DrushFiles): TextPlace | undefined {
  const bytes = readIfThere(path);
  if (bytes === undefined) return undefined;
  const before = textFromBytes(bytes);
  const replacement = replaceDrushPaths(before, files);
  return replacement === undefined ? undefined : { path, what, before, ...replacement };
}

/** The text with every path that really is drush replaced by the launcher; undefined when there is none. */
export function replaceDrushPaths(text: string, files: DrushFiles): { readonly after: string; readonly replaced: TextPlace["replaced"] } | undefined {
  const drush = new Set([realPath(files.drush), realPath(files.script)]);
  const replaced = new Map<string, string>();
  const after = text.replace(/(?<![\w./-])\/[\w./+@-]+/g, (path) => {
    if (!/drush/i.test(path) || files.swapped.has(path) || lookAt(path) === undefined || !drush.has(realPath(path))) return path;
    replaced.set(path, files.launcher);
    return files.launcher;
  });
  return replaced.size === 0 ? undefined : { after, replaced: [...replaced] };
}

/** A drush that drush 8.4 would start instead of us for calls on that root (backend-protocol §3.1, rule 3). */
export function ownDrush(root: string): string | undefined {
  const folders = isFile(join(root, "index.php"))
    ? ["", "vendor/bin", "../vendor/bin", "sites/all/vendor/bin", "sites/all/vendor/drush/drush", "sites/all/drush/drush", "drush/drush"]
    : ["", "vendor/bin"];
  for (const folder of folders) for (const name of ["drush.launcher", "drush.wrapper", "drush"]) if (isFile(join(root, folder, name))) return join(root, folder, name);
  return undefined;
}

/** The `drush` that a shell finds, or undefined. */
export function drushInPath(path: readonly string[]): string | undefined {
  return path.map((folder) => join(folder, "drush")).find(isProgram);
}

/** Whether this user may replace the file: what counts is its directory. */
export function mayReplace(file: string): boolean {
  return mayAccess(dirname(file), constants.W_OK);
}

function mayAccess(path: string, how: number): boolean {
  try {
    accessSync(path, how);
    return true;
  } catch {
    return false;
  }
}

export function realPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}
