import { open } from "node:fs/promises";
import { lstatSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { asShimError, ShimError } from "../errors/shim-error.ts";
import { errnoOf } from "../files/look.ts";
import type { Work } from "../task/plan.ts";
import { bytesOf } from "./archive-source.ts";
import { checkArchive, type ArchiveCheck, type CheckOptions } from "./check-archive.ts";
import { inArchive } from "./damaged.ts";
import { byPercent } from "./progress.ts";
import { SafeMembers, type KeepLink } from "./safe-members.ts";

/**
 * Reads a backup from its first to its last byte and checks all that can be checked (`provision backup verify`).
 *
 * @throws ShimError PROVISION_BACKUP_NOT_FOUND, PROVISION_BACKUP_DAMAGED, PROVISION_INTERRUPTED
 */
export async function verifyBackup(file: string, options: CheckOptions): Promise<ArchiveCheck & { readonly size: number }> {
  const handle = await openBackup(file);
  try {
    const { size } = await handle.stat();
    return { ...(await checkArchive(bytesOf(handle, options.signal), options)), size };
  } catch (thrown) {
    throw backupError(file, thrown, options.signal);
  } finally {
    await handle.close();
  }
}

/** What decides whether a backup is one of this site. */
export interface BackupOwner {
  /** Context name, without `@`. */
  readonly name: string;
  readonly uri: string | undefined;
  /** Its directory as it is now: a link that it has too brings nothing new. */
  readonly sitePath: string;
  /** True when there is no context of that name any more: a backup of it may be this site's own, from before it was renamed. */
  readonly isNobody?: (site: string) => Promise<boolean>;
}

/**
 * Reads a backup through before a task touches anything: it is whole, nothing in it leads out of the site, and it is this site's.
 *
 * @throws ShimError PROVISION_BACKUP_DAMAGED, PROVISION_BACKUP_UNSAFE, PROVISION_BACKUP_OTHER_SITE
 */
export async function examineBackup(work: Work, file: string, owner: BackupOwner): Promise<ArchiveCheck> {
  const safe = new SafeMembers(keepLinksOf(owner.sitePath));
  const total = await sizeOf(file);
  const check = await verifyBackup(file, {
    env: { PATH: process.env["PATH"] },
    signal: work.signal,
    onStart: (pid) => work.child(pid),
    onEvent: (event) => {
      if (event.kind === "member") safe.check(event.member);
    },
    onRead: byPercent(total, (done, all) => work.progress(done, all, "bytes")),
  });
  if (check.manifest === undefined) {
    work.log("notice", `${file} has no checksums, as it was not made by this program: it can be read to its end, and its ${check.members} members are in order`);
    return check;
  }
  const { site, uri } = check.manifest.facts;
  if (uri !== owner.uri && site !== owner.name && (await owner.isNobody?.(site)) !== true) {
    throw new ShimError("PROVISION_BACKUP_OTHER_SITE", `${file} is a backup of ${uri} (@${site}), not of @${owner.name}.`, { hint: "to make a copy of a site under another name, clone it" });
  }
  work.log("success", `${file} is whole: the checksums of its ${check.members} members are right`);
  return check;
}

/** Lets a link out of the site be made where the site has the same one now. */
export function keepLinksOf(sitePath: string): KeepLink {
  return ({ path, target }) => {
    const place = join(sitePath, path);
    try {
      return lstatSync(place).isSymbolicLink() && readlinkSync(place) === target;
    } catch {
      return false;
    }
  };
}

export async function openBackup(file: string): ReturnType<typeof open> {
  try {
    return await open(file, "r");
  } catch (thrown) {
    throw new ShimError("PROVISION_BACKUP_NOT_FOUND", `Could not open the backup file ${file} (${errnoOf(thrown)}).`, { hint: "`provision backups list` shows those that there are", cause: thrown });
  }
}

/** The error of reading a backup, with the file's name; told to stop, it is that. */
export function backupError(file: string, thrown: unknown, signal: AbortSignal): ShimError {
  if (signal.aborted) return new ShimError("PROVISION_INTERRUPTED", `Reading ${file} was told to stop.`, { cause: thrown });
  return asShimError(inArchive(file, thrown));
}

async function sizeOf(file: string): Promise<number> {
  const handle = await openBackup(file);
  try {
    return (await handle.stat()).size;
  } finally {
    await handle.close();
  }
}
