import { basename, join } from "node:path";
import type { KnownFolders } from "../files/known-folders.ts";
import { lookBehind, readIfThere } from "../files/look.ts";
import type { Remembered } from "../files/remembered.ts";
import { stampFrom } from "../files/stamp.ts";
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
  /** What is in the folders. */
  readonly known: KnownFolders;
  readonly remembered: Remembered;
}

interface FolderContent {
  readonly folders: readonly string[];
  readonly files: readonly string[];
}

interface FileMemory {
  readonly stamp: string;
  readonly hooks: readonly string[];
}

/** By file. */
type Memory = Record<string, FileMemory>;

const MEMORY = "extensions-3";
const ALWAYS_SKIPPED = new Set(["CVS", ".svn", "tests", "examples", "node_modules", "bower_components", "cache", "gitcache", "drush_make"]);

/** Provision's own command files; what else lies in its folder is not. */
const PROVISION_FILES = new Set(["provision", "db", "http", "provision_drupal", "provision_tests", "provision_backupmigrate"]);

/**
 * Finds what drush extensions other than Provision's bring along. What was read is remembered by the times of folders and files, so an unchanged home costs
 * only looks at them.
 */
export function scanExtensions(settings: ScanSettings): ExtensionFile[] {
  const before = settings.remembered.record(MEMORY) as Memory;
  const now: Memory = {};
  const files: string[] = [];
  const walking: Walk = { known: settings.known, seen: new Set(), files, skipped: settings.skipped, inProvision: false };
  for (const folder of settings.folders) walk(folder, walking);
  const found = files.map((file) => ({ file, hooks: hooksOf(file, before, now) })).filter(({ hooks }) => hooks.length > 0);
  if (!isSame(now, before)) settings.remembered.set(MEMORY, JSON.stringify(now));
  return found;
}

/** Whether what is remembered is as it was: what has not changed was taken over as it stood. */
function isSame(now: Memory, before: Memory): boolean {
  const names = Object.keys(now);
  return names.length === Object.keys(before).length && names.every((name) => now[name] === before[name]);
}

interface Walk {
  readonly known: KnownFolders;
  readonly seen: Set<string>;
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

/** Sub-folders and relevant files of the folder; undefined when there is none, or it was seen already. */
function contentOf(folder: string, { known, seen }: Walk): FolderContent | undefined {
  if (seen.has(folder)) return undefined;
  seen.add(folder);
  const entries = known.entries(folder)?.filter(({ name }) => !ALWAYS_SKIPPED.has(name) && !/^drush(?:[4-7]|9|1\d)$/.test(name));
  if (entries === undefined) return undefined;
  const folders: string[] = [];
  const files: string[] = [];
  for (const { name, kind } of entries) {
    if (kind === "folder" || (kind === "link" && lookBehind(join(folder, name))?.isDirectory() === true)) folders.push(name);
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
function hooksOf(file: string, before: Memory, now: Memory): readonly string[] {
  const stamp = stampOf(file);
  if (stamp === undefined) return [];
  const memory = before[file];
  const current = memory?.stamp === stamp && Array.isArray(memory.hooks) ? memory : { stamp, hooks: possibleHooks(readIfThere(file)?.toString("latin1") ?? "") };
  now[file] = current;
  return current.hooks;
}

function stampOf(path: string): string | undefined {
  const stats = lookBehind(path);
  return stats === undefined ? undefined : stampFrom(stats);
}
