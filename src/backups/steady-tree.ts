import type { Hash } from "node:crypto";
import { open } from "node:fs/promises";
import { ShimError } from "../errors/shim-error.ts";
import { isAbsent } from "../files/look.ts";
import { bytesFromText } from "../php-values/text.ts";
import type { FileRow } from "./manifest.ts";
import type { MemberRows } from "./member-rows.ts";
import type { Children } from "./packing.ts";
import type { SiteMembers } from "./site-members.ts";
import { tarOf, type Complaint } from "./tar-child.ts";
import { TarParser } from "./tar-parser.ts";

export interface Steadiness {
  /** Puts up with files that cannot be read, or that never hold still. */
  readonly force: boolean;
}

export interface TreeReading {
  readonly directory: string;
  readonly members: SiteMembers;
  readonly rows: MemberRows;
  readonly children: Children;
  readonly steadiness: Steadiness;
  readonly newHash: () => Hash;
  readonly log: (level: "warning" | "notice" | "debug", message: string) => void;
  readonly onProgress: () => void;
}

/** How often a file is read that changes each time. */
const ATTEMPTS = 5;

/** Places whose files a site makes anew when they are missing. */
const MAKES_ANEW = /^\.\/(?:files\/(?:css|js|tmp|styles|imagecache|ctools)|private\/temp)\//;

/**
 * Reads the tree of a live site. A file that something writes to meanwhile is read again until what was read is one state of it; the later copy in an archive is the one
 * that counts.
 *
 * @returns paths of what was put up with: it changed at each attempt, or could not be read
 * @throws ShimError PROVISION_BACKUP_FAILED when there is such a file, and neither force nor its place excuses it
 */
export async function readTree(reading: TreeReading): Promise<string[]> {
  let open = await pass(reading, undefined);
  const unreadable = open.filter(({ kind }) => kind === "unreadable");
  let changed = await unsettled(reading, open);
  for (let attempt = 1; attempt < ATTEMPTS && changed.length > 0; attempt++) {
    reading.log("debug", `Reading ${changed.length} files again that changed while they were read`);
    open = await pass(reading, changed.map(({ path }) => path));
    unreadable.push(...open.filter(({ kind }) => kind === "unreadable"));
    changed = await unsettled(reading, open);
  }
  return putUpWith(reading, changed, unreadable);
}

/** One run of tar over everything, or over these members; what it had to say of them. */
async function pass({ directory, members, children, onProgress }: TreeReading, only: readonly string[] | undefined): Promise<Complaint[]> {
  const complaints: Complaint[] = [];
  const parser = new TarParser();
  for await (const bytes of tarOf({ directory, children, ...(only === undefined ? {} : { only }) }, complaints)) {
    for (const event of parser.push(bytes)) await members.take(event);
    onProgress();
  }
  parser.end();
  return complaints;
}

/** The files of which what is in the archive may be half of one state and half of another. */
async function unsettled({ directory, rows, newHash, log }: TreeReading, complaints: readonly Complaint[]): Promise<Complaint[]> {
  const files: Complaint[] = [];
  const rowOf = complaints.some(({ kind }) => kind === "changed") ? rows.rows.finder() : undefined;
  for (const complaint of complaints) {
    const { path, kind, message } = complaint;
    if (kind === "skipped") log("warning", `${path} is not in the backup: ${message}`);
    if (kind === "gone") log("notice", `${path} was removed while the backup was made, and is not in it`);
    // Of a directory it means that names were added or removed: each is in the archive or not, as if the backup had been made a moment before or after.
    const row = kind === "changed" ? rowOf?.(path) : undefined;
    if (row !== undefined && !(await isOneState(path, row, { directory, newHash }))) files.push(complaint);
  }
  return files;
}

/**
 * True when the file still begins with what was read of it: something was added behind, as to a log, or only its times changed. A file that is not
 * there any more is as it was when it was read.
 */
async function isOneState(path: string, row: FileRow, { directory, newHash }: Pick<TreeReading, "directory" | "newHash">): Promise<boolean> {
  let handle;
  try {
    handle = await open(Buffer.concat([bytesFromText(directory), Buffer.from("/"), bytesFromText(path)]), "r");
  } catch (thrown) {
    return isAbsent(thrown);
  }
  try {
    const hash = newHash();
    for (let at = 0; at < row.size; ) {
      const wanted = Math.min(1 << 18, row.size - at);
      const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(wanted), 0, wanted, at);
      if (bytesRead === 0) return false;
      hash.update(buffer.subarray(0, bytesRead));
      at += bytesRead;
    }
    return hash.digest("hex") === row.digest;
  } finally {
    await handle.close();
  }
}

function putUpWith({ steadiness, log }: TreeReading, changed: readonly Complaint[], unreadable: readonly Complaint[]): string[] {
  const worse = changed.filter(({ path }) => !MAKES_ANEW.test(path));
  const bad = [...unreadable, ...worse];
  const [first] = bad;
  if (first !== undefined && !steadiness.force) {
    const more = bad.length === 1 ? "" : ` (and ${bad.length - 1} more)`;
    const reason = first.kind === "unreadable" ? first.message : `it changed each of the ${ATTEMPTS} times it was read`;
    const hint = first.kind === "unreadable" ? "give the backend's user the right to read it, or use --force" : "find out what writes to it, or use --force";
    throw new ShimError("PROVISION_BACKUP_FAILED", `Could not back up sites directory for drupal: ${first.path}: ${reason}${more}.`, { hint });
  }
  for (const { path, message } of unreadable) log("warning", `${path} could not be read and is not in the backup as it is: ${message}`);
  for (const { path } of worse) log("warning", `${path} changed each of the ${ATTEMPTS} times it was read: in the backup it may be half old and half new`);
  for (const { path } of changed.filter((complaint) => !worse.includes(complaint))) log("notice", `${path}, which the site makes anew, changed each of the ${ATTEMPTS} times it was read`);
  return [...new Set([...changed, ...unreadable].map(({ path }) => path))];
}
