import { join } from "node:path";
import type { SiteContext } from "../contexts/context.ts";
import type { Db } from "../database/connection.ts";
import { fingerprint } from "../files/fingerprint.ts";
import { lookAt, lookBehind, namesIn } from "../files/look.ts";
import type { Remembered } from "../files/remembered.ts";

/** What a site was like when it was last verified: another verify of the same would change nothing. */
export interface Verified {
  /** Stamp of all files that a verify reads or writes. */
  readonly files: string;
  readonly database: string;
  /** Of its table of modules. */
  readonly rows: string;
}

/** What the stamp of a site is made of, beside the site itself. */
export interface StampPlaces {
  /** Everything that decides for all sites: our version, drush's configuration, the contexts above the site. */
  readonly common: readonly string[];
  /** The site's virtual hosts. */
  readonly vhosts: readonly string[];
  /** The code of the site's platform, see {@link codeStamp}. */
  readonly code: string;
}

/** A stamp of the files of which a site consists for a verify; what visitors upload is not among them. */
export function siteStamp(site: SiteContext, { common, vhosts, code }: StampPlaces): string {
  const root = site.root ?? "";
  const shared = ["sites/sites.php", "sites/all/drush/drushrc.php", "sites/all/platform.settings.php", ".htaccess"].map((path) => join(root, path));
  const own = namesIn(site.sitePath).map((name) => join(site.sitePath, name));
  const inFiles = ["files", "private"].flatMap((name) => namesIn(join(site.sitePath, name)).map((inner) => join(site.sitePath, name, inner)));
  return fingerprint([
    ...[...common, ...vhosts, ...shared].map(contentStamp),
    ...[site.sitePath, ...own, ...inFiles].map(placeStamp),
    ...["modules", "themes", "libraries"].flatMap((name) => treeStamps(join(site.sitePath, name))),
    code,
  ].join("\n"));
}

/** A stamp of a platform's modules, themes and profiles: their folders, and the files that describe them. */
export function codeStamp(root: string): string {
  const folders = ["modules", "themes", "profiles", "sites/all/modules", "sites/all/themes", "sites/all/libraries", "sites/all/drush", "drush"].map((path) => join(root, path));
  return fingerprint([contentStamp(join(root, "includes/bootstrap.inc")), ...folders.flatMap((folder) => treeStamps(folder))].join("\n"));
}

/** A stamp of the rows of a site's table of modules; undefined when they cannot be read. */
export async function rowsStamp(db: Db, database: string): Promise<string | undefined> {
  try {
    const name = database.replaceAll("`", "``");
    const [row] = await db.rows(`SELECT CONCAT(COUNT(*), '-', COALESCE(SUM(CRC32(CONCAT_WS('|', filename, name, type, status, schema_version, info))), 0)) AS stamp FROM \`${name}\`.system`);
    return row === undefined ? undefined : String(row["stamp"]);
  } catch {
    // It is gone, or has a prefix: the verify finds out.
    return undefined;
  }
}

export function recallVerified(remembered: Remembered, site: string): Verified | undefined {
  try {
    return JSON.parse(remembered.get(memory(site)) ?? "") as Verified;
  } catch {
    return undefined;
  }
}

export function noteVerified(remembered: Remembered, site: string, verified: Verified): void {
  remembered.set(memory(site), JSON.stringify(verified));
}

function memory(site: string): string {
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
