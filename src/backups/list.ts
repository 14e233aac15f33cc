import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { basename, join } from "node:path";
import { lookBehind, namesIn } from "../files/look.ts";
import { bzip2Seal, gzipSeal } from "./seals.ts";

export interface ListedBackup {
  readonly file: string;
  /** Host name of the site, as the file's name has it; undefined for a name of the caller's own. */
  readonly uri: string | undefined;
  /** ISO 8601: of the name, without a time zone as the name has none; else when the file was last written. */
  readonly date: string;
  /** Bytes. */
  readonly size: number;
  /** It has a manifest with checksums; undefined: it cannot be read. */
  readonly checksums: boolean | undefined;
}

const ARCHIVE = /\.(?:tar|tar\.gz|tgz|tar\.bz2)$/;
const NAMED = /^(.+)-(\d{4})(\d{2})(\d{2})\.(\d{2})(\d{2})(\d{2})(?:_\d+)?\.[a-z0-9.]+$/;

/** The archives in a backup directory, oldest first; of one site, by the host name in the file's name, or of all. */
export function listBackups(directory: string, uri?: string): ListedBackup[] {
  return namesIn(directory)
    .filter((name) => ARCHIVE.test(name) && !name.startsWith("."))
    .flatMap((name) => listed(join(directory, name)))
    .filter((backup) => uri === undefined || backup.uri === uri)
    .sort((one, two) => (one.date < two.date ? -1 : one.date > two.date ? 1 : one.file < two.file ? -1 : 1));
}

function listed(file: string): ListedBackup[] {
  const stats = lookBehind(file);
  // Removed in this moment, or something of another kind.
  if (stats?.isFile() !== true) return [];
  const [, uri, year, month, day, hour, minute, second] = NAMED.exec(basename(file)) ?? [];
  const date = uri === undefined ? stats.mtime.toISOString() : `${year ?? ""}-${month ?? ""}-${day ?? ""}T${hour ?? ""}:${minute ?? ""}:${second ?? ""}`;
  return [{ file, uri, date, size: stats.size, checksums: hasChecksums(file) }];
}

/** Looks at the end of the file only. */
function hasChecksums(file: string): boolean | undefined {
  const seal = file.endsWith("gz") ? gzipSeal : file.endsWith("bz2") ? bzip2Seal : undefined;
  let descriptor;
  try {
    descriptor = openSync(file, "r");
  } catch {
    return undefined;
  }
  try {
    const { size } = fstatSync(descriptor);
    const end = Buffer.alloc(Math.min(size, seal?.length ?? TAR_END));
    readSync(descriptor, end, 0, end.length, size - end.length);
    return seal === undefined ? /"sha256":"[0-9a-f]{64}"\}\n\0*$/.test(end.toString("latin1")) : seal.is(end);
  } catch {
    return undefined;
  } finally {
    closeSync(descriptor);
  }
}

/** The end of a tar: at most a record of zeros, and before it the last line of the manifest. */
const TAR_END = 1 << 15;
