import { closeSync, fchmodSync, fchownSync, fstatSync, fsyncSync, openSync, readlinkSync, renameSync, unlinkSync, writeSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { ShimError } from "../errors/shim-error.ts";
import { errnoOf, lookAt } from "./look.ts";
import { uniqueName } from "./unique-name.ts";

export interface WriteOptions {
  /** Final permission bits. The umask does not touch them. */
  readonly mode: number;
  /** Group that the file gets; unset: the group that the system gives a new file. */
  readonly gid?: number;
  /** Owner, for root who changes another user's file. */
  readonly uid?: number;
  /**
   * Where the temporary file is made, for directories whose every file is read by a server; must be on the same file system. Others may look into it where they may not look into
   * the file's own, so the file is only ours until it is in place. Default: the directory of the file.
   */
  readonly stagingDirectory?: string;
  /** Not to be waited for until the disk has it: after a loss of power the file may be empty. */
  readonly fleeting?: boolean;
  /** Called with the name of the temporary file before it is made. */
  readonly beforeStaging?: (staged: string) => void;
  /** Called with the temporary file's identity when it is complete, just before it takes the place of the old one. */
  readonly beforeSwap?: (identity: FileIdentity) => void;
}

/** Which file it is, whatever its name: a rename keeps this. */
export interface FileIdentity {
  readonly device: number;
  readonly inode: number;
  /** When its content was written, milliseconds since 1970. Numbers of files are used again, and a file may be written in place. */
  readonly written: number;
}

/**
 * Puts a file in place as a whole: an exclusive temporary file with the final mode and group, synced, then renamed over the old one. A
 * reader sees the old or the new content and never another mode.
 *
 * @throws ShimError DRUSH_PERM_ERROR when the system refuses, FILE_NO_SPACE when the disk is full; then nothing has changed
 */
export function writeWhole(path: string, content: Uint8Array, options: WriteOptions): FileIdentity {
  const target = resolveOwnLink(path);
  const staged = join(options.stagingDirectory ?? dirname(target), `.${basename(target)}.${uniqueName()}`);
  const opensLater = options.stagingDirectory !== undefined;
  let descriptor: number | undefined;
  try {
    options.beforeStaging?.(staged);
    // 0600 until the content is in: what nobody may see is never readable for a moment.
    descriptor = openSync(staged, "wx", 0o600);
    const identity = fill(descriptor, content, opensLater ? { ...options, mode: options.mode & 0o700 } : options);
    options.beforeSwap?.(identity);
    renameSync(staged, target);
    if (opensLater) fchmodSync(descriptor, options.mode);
    return identity;
  } catch (thrown) {
    removeQuietly(staged);
    throw writeError(path, thrown);
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** The error for a change to the file system that the system refused. */
export function writeError(path: string, thrown: unknown): ShimError {
  if (thrown instanceof ShimError) return thrown;
  const errno = errnoOf(thrown);
  if (errno === "ENOSPC" || errno === "EDQUOT") {
    return new ShimError("FILE_NO_SPACE", `No space left to write ${path}.`, { hint: "free space on that file system and run the task again", cause: thrown });
  }
  const reason = thrown instanceof Error ? thrown.message : String(thrown);
  return new ShimError("DRUSH_PERM_ERROR", `Could not write ${path}: ${reason}.`, { hint: "check owner and mode of the directory", cause: thrown });
}

function fill(descriptor: number, content: Uint8Array, options: WriteOptions): FileIdentity {
  for (let written = 0; written < content.length; ) written += writeSync(descriptor, content, written);
  const { uid, gid } = fstatSync(descriptor);
  const [owner, group] = [options.uid ?? uid, options.gid ?? gid];
  if (owner !== uid || group !== gid) fchownSync(descriptor, owner, group);
  fchmodSync(descriptor, options.mode);
  if (options.fleeting !== true) fsyncSync(descriptor);
  const { dev, ino, mtimeMs } = fstatSync(descriptor);
  return { device: dev, inode: ino, written: mtimeMs };
}

/**
 * An administrator may keep a file elsewhere and link to it: such a link (his or root's own) is kept and its target written. A link of any
 * other user is replaced, never followed.
 */
export function resolveOwnLink(path: string): string {
  let target = path;
  for (let hops = 0; hops < 8; hops++) {
    const stats = lookAt(target);
    if (stats?.isSymbolicLink() !== true) return target;
    if (stats.uid !== 0 && stats.uid !== process.getuid?.()) return path;
    target = resolve(dirname(target), readlinkSync(target));
  }
  return path;
}

function removeQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // It was never made, or it is in place already.
  }
}
