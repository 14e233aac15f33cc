import type { Hash } from "node:crypto";
import type { ArchiveSource } from "./archive-source.ts";
import { damaged } from "./damaged.ts";
import { MANIFEST, ManifestReader, type ReadManifest } from "./manifest.ts";
import { MemberRows } from "./member-rows.ts";
import { unpacked, type Children, type Packing } from "./packing.ts";
import { TarParser, type TarEvent } from "./tar-parser.ts";

/** What was found in an archive that is whole. */
export interface ArchiveCheck {
  readonly packing: Packing;
  /** How many members it has, the manifest not counted. */
  readonly members: number;
  /** Bytes of data in them. */
  readonly bytes: number;
  /** Undefined for the archive of an older backend, which has no checksums: then only its form was looked at. */
  readonly manifest: ReadManifest | undefined;
}

export interface CheckOptions extends Children {
  /** Told of each member and its data as they pass, but not of the manifest; may wait, or throw. */
  readonly onEvent?: (event: TarEvent) => void | Promise<void>;
  /** Told how much of the file has been read, bytes. */
  readonly onRead?: (bytes: number) => void;
}

/**
 * Reads the whole archive and checks it: its compression, the form of the tar in it, and with a manifest each member's checksum, and that none is missing
 * or too many. With a manifest a single changed bit anywhere in the file is found.
 *
 * @throws ShimError PROVISION_BACKUP_DAMAGED with what is wrong first; the reason of `signal`
 */
export async function checkArchive(source: ArchiveSource, options: CheckOptions): Promise<ArchiveCheck> {
  const { createHash } = await import("node:crypto");
  const newHash = (): Hash => createHash("sha256");
  const stream = await unpacked(counted(source, options.onRead), newHash, options);
  const parser = new TarParser();
  const rows = new MemberRows(newHash);
  let reader: ManifestReader | undefined;
  let manifest: ReadManifest | undefined;
  for await (const bytes of stream.bytes) {
    options.signal.throwIfAborted();
    for (const event of parser.push(bytes)) {
      if (event.kind === "member" && manifest !== undefined) throw damaged(`${event.member.path} follows the manifest, which is the last member`);
      if (event.kind === "member" && event.member.path === MANIFEST) reader = new ManifestReader(rows.rows, newHash(), event.member.size);
      if (reader === undefined) {
        rows.take(event);
        const waiting = options.onEvent?.(event);
        if (waiting !== undefined) await waiting;
      } else if (event.kind === "data") {
        reader.push(event.bytes);
      } else if (event.kind === "ended") {
        manifest = reader.end();
        reader = undefined;
      }
    }
  }
  parser.end();
  const oddity = parser.oddity ?? stream.oddity();
  // Others may write such an archive; from us it is a sign of damage.
  if (manifest !== undefined && oddity !== undefined) throw damaged(oddity);
  return { packing: stream.packing, members: rows.rows.count, bytes: rows.bytes, manifest };
}

async function* counted(source: ArchiveSource, onRead: CheckOptions["onRead"]): AsyncGenerator<Buffer> {
  let read = 0;
  for await (const bytes of source) {
    read += bytes.length;
    onRead?.(read);
    yield bytes;
  }
}
