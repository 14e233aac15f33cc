import { basename, join } from "node:path";
import { lookBehind, readIfThere } from "../files/look.ts";
import type { Remembered } from "../files/remembered.ts";
import { entriesOf } from "../files/scan.ts";
import { possibleHooks } from "./hooks.ts";

/** A file of a drush extension that is not Provision's, with the hooks that it may implement. */
export interface ExtensionFile {
  readonly file: string;
  readonly hooks: readonly string[];
}

export interface ScanSettings {
  /** The folders that drush searches for extensions. */
  readonly folders: readonly string[];
  /** Names that drush skips: directories and extensions (options `exclude`, `ignored-modules`, `ignored-directories`). */
  readonly skipped: ReadonlySet<string>;
  readonly remembered: Remembered;
}

interface FolderMemory {
  readonly stamp: string;
  readonly folders: readonly string[];
  readonly files: readonly string[];
}

interface FileMemory {
  readonly stamp: string;
  readonly hooks: readonly string[];
}

interface Memory {
  folders: Record<string, FolderMemory>;
  files: Record<string, FileMemory>;
}

const MEMORY = "extensions-2";
const ALWAYS_SKIPPED = new Set(["CVS", ".svn", "tests", "examples", "node_modules", "bower_components", "cache", "gitcache", "drush_make"]);

/** Provision's own command files; what else lies in its folder is not. */
const PROVISION_FILES = new Set(["provision", "db", "http", "provision_drupal", "provision_tests", "provision_backupmigrate"]);

/**
 * Finds what drush extensions other than Provision's bring along. What was read is remembered by the times of folders and files, so an unchanged home costs
 * only looks at them.
 */
export function scanExtensions(settings: ScanSettings): ExtensionFile[] {
  const known = recall(settings.remembered);
  const now: Memory = { folders: {}, files: {} };
  const files: string[] = [];
  for (const folder of new Set(settings.folders)) walk(folder, { known, now, files, skipped: settings.skipped, inProvision: false });
  const found = files.map((file) => ({ file, hooks: hooksOf(file, known, now) })).filter(({ hooks }) => hooks.length > 0);
  if (!isSame(now.folders, known.folders) || !isSame(now.files, known.files)) settings.remembered.set(MEMORY, JSON.stringify(now));
  return found;
}

/** Whether what is remembered is as it was: what has not changed was taken over as it stood. */
function isSame<T>(now: Readonly<Record<string, T>>, known: Readonly<Record<string, T>>): boolean {
  const names = Object.keys(now);
  return names.length === Object.keys(known).length && names.every((name) => now[name] === known[name]);
}

interface Walk {
  readonly known: Memory;
  readonly now: Memory;
  readonly files: string[];
  readonly skipped: ReadonlySet<string>;
  readonly inProvision: boolean;
}

function walk(folder: string, walking: Walk): void {
  const content = contentOf(folder, walking);
  if (content === undefined) return;
  const inProvision = walking.inProvision || content.files.includes("provision.drush.inc");
  const names = content.files.filter((name) => !walking.skipped.has(name) && !walking.skipped.has(extensionName(name)));
  // An extension that somebody put into Provision's folder is still not Provision's.
  const isShared = names.some((name) => isCommandFile(name) && !PROVISION_FILES.has(extensionName(name)));
  const isProvisions = (name: string): boolean => inProvision && (PROVISION_FILES.has(extensionName(name)) || (!isCommandFile(name) && !isShared));
  for (const name of names) if (!isProvisions(name)) walking.files.push(join(folder, name));
  for (const name of content.folders) if (!walking.skipped.has(name)) walk(join(folder, name), { ...walking, inProvision: inProvision && !isShared });
}

/** Sub-folders and relevant files of the folder; undefined when there is none. */
function contentOf(folder: string, { known, now }: Walk): FolderMemory | undefined {
  if (folder in now.folders) return undefined;
  const stamp = stampOf(folder);
  if (stamp === undefined) return undefined;
  const memory = known.folders[folder];
  const content = memory?.stamp === stamp ? memory : asRemembered(memory, { stamp, ...readFolder(folder) });
  now.folders[folder] = content;
  return content;
}

/** What was remembered, where only the folder's time is another (each alias file written changes it): that is not worth a write. */
function asRemembered(memory: FolderMemory | undefined, present: FolderMemory): FolderMemory {
  const same = memory !== undefined && String(memory.folders) === String(present.folders) && String(memory.files) === String(present.files);
  return same ? memory : present;
}

function readFolder(folder: string): { folders: string[]; files: string[] } {
  const folders: string[] = [];
  const files: string[] = [];
  for (const entry of entriesOf(folder)) {
    const { name } = entry;
    if (name.startsWith(".") || ALWAYS_SKIPPED.has(name) || /^drush(?:[4-7]|9|1\d)$/.test(name)) continue;
    if (entry.isDirectory() || (entry.isSymbolicLink() && lookBehind(join(folder, name))?.isDirectory() === true)) folders.push(name);
    else if (isCommandFile(name) || name.endsWith(".provision.inc")) files.push(name);
  }
  return { folders: folders.sort(), files: files.sort() };
}

function isCommandFile(name: string): boolean {
  return /\.drush8?\.inc$/.test(name) || /(?:Commands|CommandFile)\.php$/.test(name);
}

/** `git` of git.drush.inc; the code of a command (verify.provision.inc) has no extension name of its own. */
function extensionName(file: string): string {
  return basename(file).replace(/\.drush8?\.inc$/, "");
}

/** The hooks in one file that lies beside or below an extension, read anew only when its times or size changed. */
function hooksOf(file: string, known: Memory, now: Memory): readonly string[] {
  const stamp = stampOf(file);
  if (stamp === undefined) return [];
  const memory = known.files[file];
  const current = memory?.stamp === stamp ? memory : { stamp, hooks: possibleHooks(readIfThere(file)?.toString("latin1") ?? "") };
  now.files[file] = current;
  return current.hooks;
}

function stampOf(path: string): string | undefined {
  const stats = lookBehind(path);
  return stats === undefined ? undefined : `${stats.ino}:${stats.mtimeMs}:${stats.ctimeMs}:${stats.size}`;
}

function recall(remembered: Remembered): Memory {
  try {
    const memory = JSON.parse(remembered.get(MEMORY) ?? "") as Partial<Memory>;
    return { folders: memory.folders ?? {}, files: memory.files ?? {} };
  } catch {
    return { folders: {}, files: {} };
  }
}

