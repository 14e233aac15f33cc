import type { Hash } from "node:crypto";
import { open, unlink, type FileHandle } from "node:fs/promises";
import { asShimError, ShimError } from "../errors/shim-error.ts";
import { errnoOf } from "../files/look.ts";
import { writeError } from "../files/write-whole.ts";
import { bytesOf, GrowingFile } from "./archive-source.ts";
import { checkArchive, type ArchiveCheck } from "./check-archive.ts";
import type { ByteSink } from "./gzip-writer.ts";
import { MANIFEST, manifestHead, manifestSeal, manifestTail, type BackupFacts } from "./manifest.ts";
import { MemberRows } from "./member-rows.ts";
import type { Packing } from "./packing.ts";
import { DUMP, SiteMembers } from "./site-members.ts";
import { readTree, type Steadiness } from "./steady-tree.ts";
import { BLOCK, fileHeader, paddingAfter } from "./tar-header.ts";
import { RECORD } from "./tar-parser.ts";
import { packingWriter } from "./writers.ts";

export interface BackupRequest {
  /** The site's directory. */
  readonly directory: string;
  /** The archive to make; nothing may be there. It is 0600 until the caller gives it its name and mode. */
  readonly target: string;
  readonly packing: Packing;
  readonly facts: BackupFacts;
  /** Members with other content than on disk: `./settings.php` with the credentials that the web server keeps from it. */
  readonly replaced: ReadonlyMap<string, Buffer>;
  /** The dump's file, asked for when all files are in the archive; undefined: the site has no database. */
  readonly dump: () => Promise<string | undefined>;
  readonly steadiness: Steadiness;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  /** Told of each child. */
  readonly onChild?: (pid: number) => void;
  /** How much has been read of the site: members, and bytes of archive. */
  readonly onProgress?: (members: number, bytes: number) => void;
  readonly log: (level: "warning" | "notice" | "debug", message: string) => void;
}

export interface MadeBackup {
  /** Bytes of the file. */
  readonly size: number;
  readonly members: number;
  readonly bytes: number;
  readonly unsteady: readonly string[];
}

/**
 * Makes the archive of a site: what its directory holds, its dump, and a manifest with a checksum of each member. While it is written it is read back, and every
 * checksum compared; when this returns it is whole, and the disk has it. Nothing is left of one that fails.
 *
 * @throws ShimError PROVISION_BACKUP_FAILED, FILE_NO_SPACE, PROVISION_INTERRUPTED
 */
export async function makeBackup(request: BackupRequest): Promise<MadeBackup> {
  const { target } = request;
  const handle = await create(target);
  try {
    const made = await new Making(request, handle).run();
    await handle.close();
    return made;
  } catch (thrown) {
    await handle.close().catch(() => undefined);
    await unlink(target).catch(() => undefined);
    if (request.signal.aborted) throw new ShimError("PROVISION_INTERRUPTED", "The backup was told to stop.", { cause: thrown });
    throw asShimError(thrown);
  }
}

class Making {
  readonly #request: BackupRequest;
  readonly #handle: FileHandle;
  /** Aborted when the task is, and when reading back finds a fault: then the rest would be in vain. */
  readonly #stop = new AbortController();
  #written = 0;
  #streamed = 0;

  constructor(request: BackupRequest, handle: FileHandle) {
    this.#request = request;
    this.#handle = handle;
  }

  async run(): Promise<MadeBackup> {
    const request = this.#request;
    const { createHash } = await import("node:crypto");
    const newHash = (): Hash => createHash("sha256");
    const stop = (): void => this.#stop.abort(request.signal.reason);
    request.signal.addEventListener("abort", stop);
    const reading = await open(request.target, "r");
    const growing = new GrowingFile(reading);
    const children = { env: request.env, signal: this.#stop.signal, onStart: request.onChild };
    const checking = checkArchive(growing.bytes(), children);
    let fault: unknown;
    checking.catch((thrown: unknown) => {
      fault = thrown;
      this.#stop.abort(thrown);
    });
    const writer = await packingWriter(request.packing, (bytes) => this.#append(bytes, growing), { newHash, children });
    try {
      const wrote = await this.#members(writer, newHash);
      growing.end();
      const [check] = await Promise.all([checking, this.#handle.sync().catch((thrown: unknown) => this.#noWrite(thrown))]);
      this.#compare(wrote, check);
      return { size: this.#written, members: check.members, bytes: check.bytes, unsteady: wrote.unsteady };
    } catch (thrown) {
      // What stopped the writer may be what the reader has found; what the reader says after the writer has failed is of no interest.
      const found = fault;
      growing.fail(thrown instanceof Error ? thrown : new Error(String(thrown)));
      await checking.catch(() => undefined);
      throw found === undefined ? thrown : readBackFailed(found);
    } finally {
      request.signal.removeEventListener("abort", stop);
      writer.stop();
      await reading.close();
    }
  }

  async #members(writer: Awaited<ReturnType<typeof packingWriter>>, newHash: () => Hash): Promise<{ readonly members: number; readonly bytes: number; readonly seal: string; readonly unsteady: readonly string[] }> {
    const { directory, replaced, steadiness, env, facts, dump, log, onChild, onProgress } = this.#request;
    const rows = new MemberRows(newHash);
    const counted: ByteSink = {
      write: (bytes: Buffer): Promise<void> => {
        this.#streamed += bytes.length;
        return writer.write(bytes);
      },
      pause: () => writer.pause(),
      end: () => writer.end(),
    };
    const members = new SiteMembers({ out: counted, rows, replaced, notice: log });
    const unsteady = await readTree({
      directory,
      members,
      rows,
      children: { env, signal: this.#stop.signal, onStart: onChild },
      steadiness,
      newHash,
      log,
      onProgress: () => onProgress?.(rows.rows.count, this.#streamed),
    });
    await counted.pause();
    const dumped = await dump();
    if (dumped !== undefined) await this.#dump(members, dumped);
    const seal = await this.#manifest(counted, { rows, members, hash: newHash(), facts, unsteady });
    await counted.write(Buffer.alloc(2 * BLOCK));
    await counted.write(Buffer.alloc((RECORD - (this.#streamed % RECORD)) % RECORD));
    await counted.end();
    return { members: rows.rows.count, bytes: rows.bytes, seal, unsteady };
  }

  async #dump(members: SiteMembers, path: string): Promise<void> {
    const file = await open(path, "r");
    try {
      const { size, mtimeMs } = await file.stat();
      await members.file({ path: DUMP, mode: 0o600, size, mtime: Math.floor(mtimeMs / 1000), owner: members.top }, bytesOf(file, this.#stop.signal));
    } finally {
      await file.close();
    }
  }

  /** Answers the checksum that the manifest ends with. */
  async #manifest(
    out: { write(bytes: Buffer): Promise<void> },
    of: { readonly rows: MemberRows; readonly members: SiteMembers; readonly hash: Hash; readonly facts: BackupFacts; readonly unsteady: readonly string[] },
  ): Promise<string> {
    const { rows } = of.rows;
    const parts = [manifestHead(of.facts), ...rows.pieces(), manifestTail({ members: rows.count, unsteady: of.unsteady })];
    for (const part of parts) of.hash.update(part);
    const seal = of.hash.digest("hex");
    parts.push(manifestSeal(seal));
    const size = parts.reduce((sum, part) => sum + part.length, 0);
    await out.write(fileHeader({ path: MANIFEST, mode: 0o600, size, mtime: Math.floor(Date.parse(of.facts.made) / 1000), owner: of.members.top }));
    for (const part of parts) await out.write(part);
    await out.write(Buffer.alloc(paddingAfter(size)));
    return seal;
  }

  async #append(bytes: Buffer, growing: GrowingFile): Promise<void> {
    this.#stop.signal.throwIfAborted();
    for (let at = 0; at < bytes.length; ) {
      const { bytesWritten } = await this.#handle.write(bytes, at, bytes.length - at, this.#written).catch((thrown: unknown) => this.#noWrite(thrown));
      at += bytesWritten;
      this.#written += bytesWritten;
      growing.grew(bytesWritten);
    }
  }

  #noWrite(thrown: unknown): never {
    throw writeError(this.#request.target, thrown);
  }

  /** The manifest that was read back is the one that was written, byte for byte, and its members are those that were read of the disk. */
  #compare(wrote: { readonly members: number; readonly bytes: number; readonly seal: string }, check: ArchiveCheck): void {
    if (check.manifest?.seal === wrote.seal && check.members === wrote.members && check.bytes === wrote.bytes) return;
    throw readBackFailed(new Error("it holds something else"));
  }
}

function readBackFailed(cause: unknown): ShimError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new ShimError("PROVISION_BACKUP_FAILED", `The backup was written, but read back it is not what was written: ${reason}`, { hint: "the disk or the memory of this machine may be faulty", cause });
}

async function create(target: string): Promise<FileHandle> {
  try {
    const handle = await open(target, "wx", 0o600);
    await handle.chmod(0o600);
    return handle;
  } catch (thrown) {
    const errno = errnoOf(thrown);
    if (errno === "ENOSPC" || errno === "EDQUOT") throw writeError(target, thrown);
    throw new ShimError("PROVISION_BACKUP_FAILED", `Could not back up sites directory for drupal: ${target} could not be made (${thrown instanceof Error ? thrown.message : errno}).`, { hint: "owner and mode of the backup directory", cause: thrown });
  }
}
