import { chmodSync, chownSync, copyFileSync, mkdirSync, readlinkSync, renameSync, rmdirSync, symlinkSync, unlinkSync, type Stats } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { errnoOf, lookAt, modeOf } from "../files/look.ts";
import { removeTree } from "../files/remove-tree.ts";
import type { UndoEntry } from "./journal.ts";
import type { UndoHandlers } from "./undo.ts";

/** Undo of the changes that {@link FileChanges} makes. Each looks first whether the path still is what the task left, and leaves it alone if not. */
export const fileUndoHandlers: UndoHandlers = {
  file: undoFile,
  directory: undoDirectory,
  "empty-directory": undoEmptyDirectory,
  mode: undoMode,
  group: undoGroup,
  link: undoLink,
  scratch: removeScratch,
  "new-tree": undoNewTree,
  "moved-tree": undoMovedTree,
  "remove-tree": removeOwnTree,
};

function undoFile(entry: UndoEntry, directory: string): string | undefined {
  const path = String(entry["path"]);
  const now = lookAt(path);
  const isOurs = entry["inode"] === null ? now === undefined : now !== undefined && isWritten(now, entry);
  if (!isOurs) {
    // Not changed yet when the task was stopped, or changed again by somebody else since.
    return now?.ino === entry["oldInode"] || (now === undefined && entry["oldInode"] === null) ? undefined : `left ${path} alone: it was changed by something else since`;
  }
  if (entry["saved"] === null) {
    if (now === undefined) return undefined;
    unlinkSync(path);
    return `removed ${path}`;
  }
  const kept = resolve(directory, String(entry["saved"]));
  if (lookAt(kept) === undefined) return undefined;
  try {
    renameSync(kept, path);
  } catch (thrown) {
    if (errnoOf(thrown) !== "EXDEV") throw thrown;
    putBackCopy(kept, path);
    copies.set(path, { of: entry["oldInode"], inode: lookAt(path)?.ino });
  }
  return `put back ${path}`;
}

/** Files that were put back as copies, and which file each stands for: an earlier change of the same task left that one. */
const copies = new Map<string, { readonly of: UndoEntry[string] | undefined; readonly inode: number | undefined }>();

/** True when the file is what that change has left, and nobody has written into it since. */
function isWritten({ ino, mtimeMs }: Stats, entry: UndoEntry): boolean {
  const copy = copies.get(String(entry["path"]));
  if (copy?.inode === ino) return copy.of === entry["inode"];
  return ino === entry["inode"] && (entry["written"] === undefined || entry["written"] === mtimeMs);
}

/** The kept copy is on another file system: it goes beside the file first, so that it appears whole. */
function putBackCopy(kept: string, path: string): void {
  const staged = join(dirname(path), `.${basename(path)}.${process.pid}.undo`);
  copyFileSync(kept, staged);
  const stats = lookAt(kept);
  if (stats !== undefined) {
    chownSync(staged, -1, stats.gid);
    chmodSync(staged, modeOf(stats));
  }
  renameSync(staged, path);
}

function undoDirectory(entry: UndoEntry): string | undefined {
  const path = String(entry["path"]);
  if (lookAt(path)?.isDirectory() !== true) return undefined;
  try {
    rmdirSync(path);
    return `removed ${path}`;
  } catch (thrown) {
    if (errnoOf(thrown) === "ENOTEMPTY" || errnoOf(thrown) === "EEXIST") return `left ${path}: it is not empty`;
    throw thrown;
  }
}

function undoEmptyDirectory(entry: UndoEntry): string | undefined {
  const path = String(entry["path"]);
  if (lookAt(path) !== undefined) return undefined;
  mkdirSync(path);
  chmodSync(path, Number(entry["mode"]));
  return `put back ${path}`;
}

function undoMode(entry: UndoEntry): string | undefined {
  const path = String(entry["path"]);
  const now = lookAt(path);
  if (now === undefined || modeOf(now) !== entry["after"] || isAnother(now, entry)) return undefined;
  chmodSync(path, Number(entry["before"]));
  return `put back the mode of ${path}`;
}

function undoGroup(entry: UndoEntry): string | undefined {
  const path = String(entry["path"]);
  const now = lookAt(path);
  if (now === undefined || now.gid !== entry["after"] || isAnother(now, entry)) return undefined;
  chownSync(path, -1, Number(entry["before"]));
  chmodSync(path, modeOf(now));
  return `put back the group of ${path}`;
}

function undoLink(entry: UndoEntry): string | undefined {
  const path = String(entry["path"]);
  const now = lookAt(path);
  const target = now?.isSymbolicLink() === true ? readlinkSync(path) : null;
  if (target !== entry["after"] || (target === null && now !== undefined)) return undefined;
  if (entry["before"] === null) {
    unlinkSync(path);
    return `removed ${path}`;
  }
  const staged = `${path}.${process.pid}.undo`;
  symlinkSync(String(entry["before"]), staged);
  renameSync(staged, path);
  return `put back ${path}`;
}

/** What a task had made for itself. It is mostly gone, or has got its name. */
async function removeScratch(entry: UndoEntry): Promise<undefined> {
  await removeTree(String(entry["path"]));
}

/**
 * A directory that the task made. Its name is free at once, for what it has replaced: that goes back even when something in the new one, such as what the web server has
 * made there, cannot be removed.
 */
async function undoNewTree(entry: UndoEntry): Promise<string | undefined> {
  const path = String(entry["path"]);
  const aside = join(dirname(path), `.${basename(path)}.${String(entry["inode"])}.undone`);
  const now = lookAt(path);
  if (now !== undefined && isSame(now, entry)) {
    try {
      renameSync(path, aside);
    } catch {
      // The directory above it lets nothing go; what is inside can be removed nevertheless.
      return removeOwnTree(entry);
    }
  }
  return (await removeOwnTree({ ...entry, path: aside }))?.replace(aside, path);
}

/** A directory that the task gives up: unless something else has its name by now. */
async function removeOwnTree(entry: UndoEntry): Promise<string | undefined> {
  const path = String(entry["path"]);
  const now = lookAt(path);
  if (now === undefined || !isSame(now, entry)) return undefined;
  const left = await removeTree(path);
  // As Provision's recursive delete: what the system does not allow to be removed is told and stays.
  return left.length === 0 ? `removed ${path}` : `removed ${path} but for ${left.length} files and directories (${left.slice(0, 3).join("; ")})`;
}

function undoMovedTree(entry: UndoEntry): string | undefined {
  const [path, aside] = [String(entry["path"]), String(entry["aside"])];
  const moved = lookAt(aside);
  if (moved === undefined || !isSame(moved, entry)) return undefined;
  if (lookAt(path) !== undefined) throw new Error(`${aside} cannot go back to ${path}: something else has that name`);
  renameSync(aside, path);
  return `put back ${path}`;
}

/** True when something else has got the path since. */
function isAnother(now: Stats, entry: UndoEntry): boolean {
  return entry["inode"] !== undefined && now.ino !== entry["inode"];
}

/** Whether it is the directory that the entry means. */
export function isSame(stats: Stats, entry: UndoEntry): boolean {
  return stats.dev === entry["device"] && stats.ino === entry["inode"] && (typeof entry["born"] !== "number" || stats.birthtimeMs === entry["born"]);
}
