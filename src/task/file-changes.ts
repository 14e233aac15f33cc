import { chmodSync, chownSync, lstatSync, mkdirSync, readlinkSync, renameSync, rmdirSync, symlinkSync, unlinkSync, type Stats } from "node:fs";
import { dirname } from "node:path";
import { currentUser, groupNamed, groupNumbered } from "../files/groups.ts";
import { errnoOf, lookAt, modeOf, namesIn, readIfThere } from "../files/look.ts";
import { uniqueName } from "../files/unique-name.ts";
import { newDirectoryMode, newFileMode } from "../files/umask.ts";
import { resolveOwnLink, writeError, writeWhole } from "../files/write-whole.ts";
import { bytesFromText, textFromBytes } from "../php-values/text.ts";
import type { Change } from "./events.ts";
import type { Journal, UndoEntry } from "./journal.ts";
import { masked } from "./masked.ts";

export interface WriteRequest {
  readonly path: string;
  readonly content: string | Uint8Array;
  /** Permission bits, or "keep": those of the file that is there, for a new one what the umask leaves. */
  readonly mode: number | "keep";
  /** The umask for a new file with mode "keep"; default: the inherited one. */
  readonly umask?: number;
  /** Group that the file should get. It is left out where this user may not give it (see {@link groupProblem}). */
  readonly group?: string;
  readonly stagingDirectory?: string;
  /** There are passwords in it, which are not shown. */
  readonly secret?: boolean;
}

/** The changes to files that a task makes: each is written into the journal first, and in a dry run only told. */
export class FileChanges {
  constructor(
    readonly journal: Journal,
    readonly dryRun: boolean,
    readonly tell: (change: Change) => void,
  ) {}

  /** Writes the file as a whole unless it already is so. Returns whether something changed (or would). */
  write(request: WriteRequest): boolean {
    const path = resolveOwnLink(request.path);
    const content = typeof request.content === "string" ? bytesFromText(request.content) : Buffer.from(request.content);
    const there = lookAt(path);
    const before = there === undefined ? undefined : readIfThere(path);
    const behind = there?.isSymbolicLink() === true ? undefined : there;
    const mode = request.mode === "keep" ? (behind === undefined ? newFileMode(request.umask) : modeOf(behind)) : request.mode;
    const gid = request.group === undefined || groupProblem(request.group) !== undefined ? undefined : groupNamed(request.group)?.gid;
    if (before?.equals(content) === true && behind !== undefined) {
      const groupChanged = gid !== undefined && behind.gid !== gid && this.chgrp(path, gid);
      return (modeOf(behind) !== mode && this.chmod(path, mode)) || groupChanged;
    }
    this.tell(contentChange(path, { before, after: content, secret: request.secret === true }));
    if (this.dryRun) return true;
    const saved = before === undefined ? null : this.journal.keep(path);
    const old = before === undefined ? undefined : lookAt(path);
    writeWhole(path, content, {
      mode,
      // A group that the file has already is kept, as rewriting it in place would.
      ...(gid ?? behind?.gid) === undefined ? {} : { gid: gid ?? behind?.gid ?? -1 },
      ...(request.stagingDirectory === undefined ? {} : { stagingDirectory: request.stagingDirectory }),
      beforeStaging: (staged) => this.journal.scratch(staged),
      beforeSwap: (identity) => this.journal.record({ kind: "file", path, saved, oldInode: old?.ino ?? null, ...identity }),
    });
    return true;
  }

  /** Removes a file or link; nothing there is fine. Returns whether something was removed. */
  remove(path: string): boolean {
    const there = lookAt(path);
    if (there === undefined) return false;
    this.tell({ kind: "remove", path });
    if (this.dryRun) return true;
    guarded(path, () => {
      if (there.isSymbolicLink()) {
        this.journal.record({ kind: "link", path, before: readlinkSync(path), after: null });
        unlinkSync(path);
        return;
      }
      const place = this.journal.placeFor(path, there);
      const saved = place ?? this.journal.keep(path);
      this.journal.record({ kind: "file", path, saved, oldInode: there.ino, device: null, inode: null });
      if (place === undefined) unlinkSync(path);
      else renameSync(path, place);
    });
    return true;
  }

  /** Makes the directory and its missing parents (0775 without the umask, as Provision's mkdir). Returns whether one was made. */
  directory(path: string): boolean {
    if (lookAt(path) !== undefined) return false;
    if (dirname(path) !== path) this.directory(dirname(path));
    this.tell({ kind: "directory", path });
    if (this.dryRun) return true;
    guarded(path, () => {
      this.journal.record({ kind: "directory", path });
      mkdirSync(path, newDirectoryMode());
      // mkdir() leaves the set-group-id bit and the umask to the system; the mode asked for is meant.
      if ((modeOf(lstatSync(path)) & 0o777) !== newDirectoryMode()) chmodSync(path, newDirectoryMode());
    });
    return true;
  }

  /** Removes a directory in which nothing is (any more). Returns whether it was removed. */
  removeEmptyDirectory(path: string): boolean {
    const there = lookAt(path);
    if (there?.isDirectory() !== true || namesIn(path).length > 0) return false;
    this.tell({ kind: "remove", path });
    if (this.dryRun) return true;
    this.journal.record({ kind: "empty-directory", path, mode: modeOf(there) });
    try {
      rmdirSync(path);
      return true;
    } catch (thrown) {
      // Somebody has put something there at this moment.
      if (errnoOf(thrown) === "ENOTEMPTY" || errnoOf(thrown) === "EEXIST") return false;
      throw writeError(path, thrown);
    }
  }

  /**
   * Puts a whole directory that this task has made in its place, where nothing may be; undone, it is removed with all that is in it.
   *
   * @param staged beside the place, on the same file system, noted by {@link Journal.scratch}
   */
  placeTree(staged: string, path: string): void {
    this.tell({ kind: "create", path });
    if (this.dryRun) return;
    guarded(path, () => {
      const identity = treeIdentity(lstatSync(staged));
      if (lookAt(path) !== undefined) throw new Error("it exists");
      this.journal.record({ kind: "new-tree", path, ...identity });
      renameSync(staged, path);
    });
  }

  /** Moves a directory away, to a name where nothing may be; undone, it comes back. */
  moveTree(path: string, aside: string): void {
    this.tell({ kind: "remove", path });
    if (this.dryRun) return;
    guarded(path, () => {
      const identity = treeIdentity(lstatSync(path));
      if (lookAt(aside) !== undefined) throw new Error(`${aside} exists`);
      this.journal.record({ kind: "moved-tree", path, aside, ...identity });
      renameSync(path, aside);
    });
  }

  /** Sets the permission bits. Links are left alone. Returns whether something changed. */
  chmod(path: string, mode: number): boolean {
    const there = lookAt(path);
    if (there === undefined ? !this.dryRun : there.isSymbolicLink() || modeOf(there) === mode) return false;
    const before = there === undefined ? "" : modeOf(there).toString(8);
    this.tell({ kind: "mode", path, before, after: mode.toString(8) });
    if (this.dryRun || there === undefined) return true;
    guarded(path, () => {
      this.journal.record({ kind: "mode", path, before: modeOf(there), after: mode, inode: there.ino });
      chmodSync(path, mode);
    });
    return true;
  }

  /** Gives the path to the group, which this user must be allowed to. Links are left alone. Returns whether something changed. */
  chgrp(path: string, gid: number): boolean {
    const there = lookAt(path);
    if (there === undefined ? !this.dryRun : there.isSymbolicLink() || there.gid === gid) return false;
    const before = there === undefined ? "" : groupName(there);
    this.tell({ kind: "group", path, before, after: groupNumbered(gid)?.name ?? String(gid) });
    if (this.dryRun || there === undefined) return true;
    guarded(path, () => {
      this.journal.record({ kind: "group", path, before: there.gid, after: gid, inode: there.ino });
      const mode = modeOf(there);
      chownSync(path, -1, gid);
      // The system clears the set-id bits when the group changes.
      if (modeOf(lstatSync(path)) !== mode) chmodSync(path, mode);
    });
    return true;
  }

  /** Makes or turns a symbolic link, whole or not at all. Something else at the path is an error. Returns whether something changed. */
  link(path: string, target: string): boolean {
    const there = lookAt(path);
    const before = there?.isSymbolicLink() === true ? readlinkSync(path) : undefined;
    if (before === target) return false;
    if (there !== undefined && before === undefined) throw writeError(path, new Error("it exists and is no link"));
    this.tell({ kind: "link", path, ...(before === undefined ? {} : { before }), after: target });
    if (this.dryRun) return true;
    guarded(path, () => {
      this.journal.record({ kind: "link", path, before: before ?? null, after: target });
      const staged = `${path}.${uniqueName()}`;
      this.journal.scratch(staged);
      symlinkSync(target, staged);
      try {
        renameSync(staged, path);
      } catch (thrown) {
        // Who calls may put up with it, and the task end well.
        unlinkSync(staged);
        throw thrown;
      }
    });
    return true;
  }
}

/** The entry for `work.afterwards` that removes a directory, as it is now, with all that is in it; undefined when there is none. */
export function removeTreeLater(path: string): UndoEntry | undefined {
  const there = lookAt(path);
  return there === undefined ? undefined : { kind: "remove-tree", path, ...treeIdentity(there) };
}

/**
 * Which directory it is. The number of one that is gone is used again at once, but not with the same time of birth; where the system does not know that, it gives the
 * time of the last change in its place, which does not stay.
 */
export function treeIdentity({ dev, ino, birthtimeMs, ctimeMs }: Stats): { readonly device: number; readonly inode: number; readonly born: number | null } {
  return { device: dev, inode: ino, born: birthtimeMs < ctimeMs ? birthtimeMs : null };
}

/**
 * Why this user may not give a file to the group, or undefined when he may. Provision wants the user listed as a member; that he has it as
 * primary group does not count (Provision 7.x-3.x, file helper).
 */
export function groupProblem(name: string): string | undefined {
  const group = groupNamed(name);
  if (group === undefined) return "the group does not exist";
  const user = currentUser().name;
  return group.members.includes(user) ? undefined : `${user} is not in ${name} group`;
}

function groupName(stats: Stats): string {
  return groupNumbered(stats.gid)?.name ?? String(stats.gid);
}

function contentChange(path: string, content: { readonly before: Buffer | undefined; readonly after: Buffer; readonly secret: boolean }): Change {
  const text = (bytes: Buffer): string => (content.secret ? masked(textFromBytes(bytes)) : textFromBytes(bytes));
  const { before } = content;
  return {
    ...(before === undefined ? { kind: "create" as const, path } : { kind: "replace" as const, path, before: text(before) }),
    after: text(content.after),
    ...(content.secret ? { secret: true } : {}),
  };
}

function guarded(path: string, change: () => void): void {
  try {
    change();
  } catch (thrown) {
    throw writeError(path, thrown);
  }
}
