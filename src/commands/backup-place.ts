import { closeSync, fsyncSync, linkSync, lstatSync, openSync, realpathSync, renameSync, unlinkSync } from "node:fs";
import { dirname, isAbsolute, join, relative } from "node:path";
import { phpTimeZone, suggestedName } from "../backups/backup-name.ts";
import type { ServerContext, SiteContext } from "../contexts/context.ts";
import { ShimError } from "../errors/shim-error.ts";
import { errnoOf, isDirectory, lookAt, lookBehind, modeOf } from "../files/look.ts";
import { uniqueName } from "../files/unique-name.ts";
import { writeError } from "../files/write-whole.ts";
import type { Work } from "../task/plan.ts";
import type { CommandCall } from "./command.ts";
import { textOption } from "./native-reach.ts";

/** Where a backup goes: a name that the caller has given, or one that is found anew should it be taken in the end. */
export interface BackupPlace {
  readonly file: string;
  /** The next free name; undefined when the caller has given it. */
  readonly another: (() => string) | undefined;
}

/**
 * The file for a backup of the site.
 *
 * @param given absolute; undefined: a name of our own in the backup directory
 * @throws ShimError PROVISION_BACKUP_PATH_NOT_FOUND, PROVISION_BACKUP_ALREADY_EXISTS, PROVISION_BACKUP_PATH_REFUSED
 */
export function backupPlace(site: SiteContext, call: CommandCall, { given, master }: { readonly given: string | undefined; readonly master: ServerContext }): BackupPlace {
  const directory = given === undefined || !isAbsolute(given) ? master.backupPath : dirname(given);
  if (given !== undefined && (!isAbsolute(given) || /[\0\n]/.test(given))) {
    // The original looked for it in one directory and wrote it into another: into the site, and so into its own archive.
    throw new ShimError("PROVISION_BACKUP_PATH_REFUSED", `The backup file ${JSON.stringify(given)} has no absolute path.`, { hint: `name it like ${join(master.backupPath, "name.tar.gz")}, or leave it out` });
  }
  if (!isDirectory(directory)) {
    throw new ShimError("PROVISION_BACKUP_PATH_NOT_FOUND", `Backup directory does not exist: ${directory}`, { hint: "a verify of the server makes it" });
  }
  if (given !== undefined) {
    if (lookAt(given) !== undefined) throw alreadyThere(given);
    refuseInside(given, site);
    return { file: given, another: undefined };
  }
  const suffix = textOption(call, "provision_backup_suffix", ".tar.gz");
  if (/[/\0\n]/.test(suffix)) throw new ShimError("PROVISION_BACKUP_PATH_REFUSED", `The option provision_backup_suffix is ${JSON.stringify(suffix)}, which is no ending of a file's name.`, { hint: ".tar.gz, .tar.bz2 or .tar" });
  const { php, variables } = call.surroundings;
  const zone = phpTimeZone(php.program, variables["PATH"] ?? "");
  const another = (): string => suggestedName(directory, { uri: (site.uri ?? site.name).replaceAll("/", "."), suffix, at: new Date(), zone });
  return { file: another(), another };
}

/** An archive below the directory that it is made of would be part of itself. */
function refuseInside(file: string, site: SiteContext): void {
  if (!isDirectory(site.sitePath)) return;
  const below = relative(realpathSync(site.sitePath), realpathSync(dirname(file)));
  if (below === "" || (!below.startsWith("..") && !isAbsolute(below))) {
    throw new ShimError("PROVISION_BACKUP_PATH_REFUSED", `The backup file ${file} would be in the site's own directory, and so a part of itself.`, { hint: "name a file outside of it, or leave it out" });
  }
}

function alreadyThere(file: string): ShimError {
  return new ShimError("PROVISION_BACKUP_ALREADY_EXISTS", `Back up file ${file} already exists.`, { hint: "choose another name" });
}

/**
 * Gives the finished archive its name, which nothing may have by now; undone, it is removed.
 *
 * @returns the name it got
 */
export function placeBackup(work: Work, staged: string, place: BackupPlace): string {
  const { dev, ino } = lstatSync(staged);
  for (let file = place.file; ; ) {
    work.files.journal.record({ kind: "file", path: file, saved: null, oldInode: null, device: dev, inode: ino });
    try {
      giveName(staged, file);
      work.files.tell({ kind: "create", path: file });
      syncDirectory(dirname(file));
      return file;
    } catch (thrown) {
      if (errnoOf(thrown) !== "EEXIST") throw writeError(file, thrown);
      if (place.another === undefined) throw alreadyThere(file);
      file = place.another();
    }
  }
}

function giveName(staged: string, file: string): void {
  try {
    // Unlike a rename this never replaces something.
    linkSync(staged, file);
    unlinkSync(staged);
  } catch (thrown) {
    if (!["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"].includes(errnoOf(thrown))) throw thrown;
    // A file system without hard links.
    closeSync(openSync(file, "wx", 0o600));
    renameSync(staged, file);
  }
}

/** The name is on disk as the content is: what follows may remove the site. */
function syncDirectory(directory: string): void {
  const descriptor = openSync(directory, "r");
  try {
    fsyncSync(descriptor);
  } catch {
    // Not every file system can.
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Mode of a backup, which holds passwords: 0644 as in the original where the directory keeps everybody else out, as the backup directory does; in any other
 * directory nobody else may read it.
 */
export function backupMode(file: string): number {
  const directory = lookBehind(dirname(file));
  return directory !== undefined && (modeOf(directory) & 0o077) === 0 ? 0o644 : 0o600;
}

/** A name beside the backup's own, which no listing shows; not made of that, which may be as long as a name can be. */
export function beside(file: string, ending: string): string {
  return join(dirname(file), `.provision-backup.${uniqueName()}.${ending}`);
}
