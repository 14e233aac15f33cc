import { join } from "node:path";
import type { SiteContext } from "../contexts/context.ts";
import type { Db } from "../database/connection.ts";
import { fingerprint } from "../files/fingerprint.ts";
import { lookAt, lookBehind, namesIn } from "../files/look.ts";
import type { Remembered } from "../files/remembered.ts";

/** What a site was like when it was last verified: another verify of the same would change nothing. */
export interface Verified {
  /** Stamp of all files that its verify has read or written, as it left them. */
  readonly files: string;
  /** Stamp of those that were written with other sites' at the end. */
  readonly shared: string;
  readonly database: string;
  /** Of its table of modules. */
  readonly rows: string;
}

/** What the stamp of a site is made of, beside the site itself. */
export interface StampPlaces {
  /** Files that decide for several sites: drush's configuration, the contexts above the site, certificates. */
  readonly files: readonly string[];
  /** Folders and links that need only be there or not. */
  readonly places: readonly string[];
  /** Stamps of what is the same for all sites of a platform: our version and configuration, extensions, see {@link codeStamp}. */
  readonly common: readonly string[];
}

/** A stamp of the files of which a site consists for a verify; what visitors upload is not among them. */
export function siteStamp(site: SiteContext, { files, places, common }: StampPlaces): string {
  const root = site.root ?? "";
  const ofPlatform = ["sites/all/drush/drushrc.php", "sites/all/platform.settings.php", ".htaccess"].map((path) => join(root, path));
  const own = namesIn(site.sitePath).map((name) => join(site.sitePath, name));
  const inFiles = ["files", "private"].flatMap((name) => namesIn(join(site.sitePath, name)).map((inner) => join(site.sitePath, name, inner)));
  return fingerprint([
    ...[...files, ...ofPlatform].map(contentStamp),
    ...places.map(presence),
    ...[site.sitePath, ...own, ...inFiles].map(placeStamp),
    ...["modules", "themes", "libraries"].flatMap((name) => treeStamps(join(site.sitePath, name))),
    ...common,
  ].join("\n"));
}

/** A stamp of files that several sites' verifies write. */
export function sharedStamp(files: readonly string[]): string {
  return fingerprint(files.map(contentStamp).join("\n"));
}

/** A stamp of drush's extensions in the folders, which may have something to say in a verify. */
export function extensionsStamp(folders: readonly string[]): string {
  return fingerprint(folders.flatMap((folder) => extensionStamps(folder)).join("\n"));
}

/** Each alias file that is written changes its folder's time, so that does not count. @param depth how deep links may lead in circles */
function extensionStamps(folder: string, depth = 20): string[] {
  if (depth === 0 || lookBehind(folder)?.isDirectory() !== true) return [];
  return namesIn(folder).flatMap((name) => {
    const path = join(folder, name);
    if (/\.(?:inc|php)$/.test(name)) return name.endsWith(".alias.drushrc.php") ? [] : [contentStamp(path)];
    return name.startsWith(".") || name === "cache" ? [] : extensionStamps(path, depth - 1);
  });
}

function presence(path: string): string {
  const stats = lookAt(path);
  return `${path} ${stats === undefined ? "-" : stats.isSymbolicLink() ? "link" : "there"}`;
}

/** A stamp of a platform's modules, themes and profiles: their folders, and the files that describe them. */
export function codeStamp(root: string): string {
  const folders = ["modules", "themes", "profiles", "sites/all/modules", "sites/all/themes", "sites/all/libraries", "sites/all/drush", "drush"].map((path) => join(root, path));
  return fingerprint([contentStamp(join(root, "includes/bootstrap.inc")), ...folders.flatMap((folder) => treeStamps(folder))].join("\n"));
}

/** A stamp of the rows of a site's table of modules, and of the other rows that a verify reads; undefined when they cannot be read. */
export async function rowsStamp(db: Db, database: string): Promise<string | undefined> {
  try {
    const name = database.replaceAll("`", "``");
    const [row] = await db.rows(`SELECT CONCAT(COUNT(*), '-', COALESCE(SUM(CRC32(CONCAT_WS('|', filename, name, type, status, schema_version, info))), 0), '-', COALESCE((SELECT CRC32(value) FROM \`${name}\`.variable WHERE name = 'cron_key'), 0)) AS stamp FROM \`${name}\`.system`);
    return row === undefined ? undefined : String(row["stamp"]);
  } catch {
    // It is gone, or has a prefix: the verify finds out.
    return undefined;
  }
}

export function recallVerified(remembered: Remembered, site: string): Verified | undefined {
  try {
    return JSON.parse(remembered.get(verifiedMemory(site)) ?? "") as Verified;
  } catch {
    return undefined;
  }
}

export function noteVerified(remembered: Remembered, site: string, verified: Verified): void {
  remembered.set(verifiedMemory(site), JSON.stringify(verified));
}

/** The name under which it is remembered what was verified of the site. */
export function verifiedMemory(site: string): string {
  return `verified:${site}`;
}

/** Tells whether the bytes of the file may be others. */
function contentStamp(path: string): string {
  const stats = lookBehind(path);
  return stats === undefined ? `${path} -` : `${path} ${stats.ino} ${stats.size} ${stats.mtimeMs} ${stats.ctimeMs} ${stats.mode}`;
}

/** A file as above; of a folder who may do what in it, because what is in it changes every day. */
function placeStamp(path: string): string {
  const stats = lookAt(path);
  if (stats === undefined) return `${path} -`;
  return stats.isDirectory() ? `${path} ${stats.ino} ${stats.mode} ${stats.uid} ${stats.gid}` : contentStamp(path);
}

/** @param depth how deep links may lead in circles */
function treeStamps(folder: string, depth = 20): string[] {
  const stats = lookBehind(folder);
  if (stats?.isDirectory() !== true || depth === 0) return [`${folder} -`];
  const inside = namesIn(folder).flatMap((name) => {
    const path = join(folder, name);
    if (DESCRIPTION.test(name)) return [contentStamp(path)];
    return lookBehind(path)?.isDirectory() === true ? treeStamps(path, depth - 1) : [];
  });
  return [`${folder} ${stats.ino} ${stats.mtimeMs} ${stats.ctimeMs}`, ...inside];
}

const DESCRIPTION = /\.(?:info|drush\.inc|drush8\.inc|profile|make)$/;
