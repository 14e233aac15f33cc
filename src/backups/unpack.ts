import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { ShimError } from "../errors/shim-error.ts";
import { errnoOf, lookAt } from "../files/look.ts";
import { removeTree } from "../files/remove-tree.ts";
import { writeError } from "../files/write-whole.ts";
import { streamedProcess, type StreamedProcess } from "../processes/streamed-process.ts";
import type { Work } from "../task/plan.ts";
import { bytesOf } from "./archive-source.ts";
import { checkArchive, type ArchiveCheck } from "./check-archive.ts";
import { backupError, openBackup } from "./examine.ts";
import { SILENCE_MS } from "./packing.ts";
import { byPercent } from "./progress.ts";
import { SafeMembers, type KeepLink } from "./safe-members.ts";
import { headerAnew, paddingAfter } from "./tar-header.ts";
import { RECORD, type TarEvent } from "./tar-parser.ts";

export interface UnpackRequest {
  readonly archive: string;
  /** Directory to make, 0700; nothing may be there, and nobody else sees into it until the caller gives it its mode. */
  readonly target: string;
  readonly work: Pick<Work, "signal" | "progress" | "child">;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Default: every link is kept as it is, as in a backup that was made in the same task or has been examined. */
  readonly keepLink?: KeepLink;
}

export interface UnpackedSite extends ArchiveCheck {
  /** Permission bits that the archive gives the directory itself. */
  readonly mode: number;
}

/**
 * Unpacks a backup, with modes and times, into a directory of its own. Each byte is checked on the way; tar is given only what was understood, never the archive. What
 * fails leaves nothing.
 *
 * @throws ShimError PROVISION_BACKUP_NOT_FOUND, PROVISION_BACKUP_DAMAGED, PROVISION_BACKUP_UNSAFE, PROVISION_BACKUP_EXTRACTION_FAILED, FILE_NO_SPACE, PROVISION_INTERRUPTED
 */
export async function unpackSite(request: UnpackRequest): Promise<UnpackedSite> {
  const { archive, target, work } = request;
  const handle = await openBackup(archive);
  try {
    await makeDirectory(target);
    try {
      const { size } = await handle.stat();
      const tar = await startTar(request);
      const members = new MembersForTar(tar, new SafeMembers(request.keepLink ?? (() => true)));
      try {
        const check = await checkArchive(bytesOf(handle, work.signal), { env: request.env, signal: work.signal, onStart: (pid) => work.child(pid), onEvent: (event) => members.take(event), onRead: byPercent(size, (done, all) => work.progress(done, all, "bytes")) });
        await members.end();
        return { ...check, mode: members.mode };
      } finally {
        tar.kill();
        await tar.ended.catch(() => undefined);
      }
    } catch (thrown) {
      await removeTree(target);
      throw thrown;
    }
  } catch (thrown) {
    throw backupError(archive, thrown, work.signal);
  } finally {
    await handle.close();
  }
}

async function makeDirectory(target: string): Promise<void> {
  if (lookAt(target) !== undefined) {
    throw new ShimError("PROVISION_BACKUP_EXTRACTION_FAILED", `The backup could not be unpacked: ${target} exists.`, { hint: "move it away" });
  }
  try {
    await mkdir(target, { mode: 0o700 });
  } catch (thrown) {
    if (errnoOf(thrown) === "ENOSPC" || errnoOf(thrown) === "EDQUOT") throw writeError(target, thrown);
    throw new ShimError("PROVISION_BACKUP_EXTRACTION_FAILED", `The backup could not be unpacked: ${target} could not be made (${errnoOf(thrown)}).`, { hint: "owner and mode of the directory above it", cause: thrown });
  }
}

function startTar({ target, work, env }: UnpackRequest): Promise<StreamedProcess> {
  return streamedProcess({
    file: "tar",
    // A later copy of a file takes the place of an earlier one; directories get their modes and times when all is in them.
    args: ["--extract", "--file=-", "--preserve-permissions", "--no-same-owner", "--delay-directory-restore", "--blocking-factor=128"],
    cwd: target,
    env: { ...env, LC_ALL: "C", LANGUAGE: undefined, TAR_OPTIONS: undefined, POSIXLY_CORRECT: undefined, TAPE: undefined },
    stdin: "pipe",
    stdout: "nothing",
    signal: work.signal,
    silenceMs: SILENCE_MS,
    onStart: (pid) => work.child(pid),
  });
}

const PIECE = 1 << 18;

/** Gives tar the members of an archive anew. */
class MembersForTar {
  readonly #tar: StreamedProcess;
  readonly #safe: SafeMembers;
  #pieces: Buffer[] = [];
  #length = 0;
  #padding = 0;
  #skipping = false;
  #gone = false;
  #complete = false;
  mode = 0o755;

  constructor(tar: StreamedProcess, safe: SafeMembers) {
    this.#tar = tar;
    this.#safe = safe;
    void tar.ended.catch(() => undefined).then(() => {
      this.#gone = true;
    });
  }

  take(event: TarEvent): Promise<void> | undefined {
    if (event.kind === "member") {
      const { member } = event;
      // The directory itself is there; it gets its mode when it is complete.
      const isTop = member.type === "directory" && (member.path === "." || member.path === "./");
      if (isTop) this.mode = member.mode;
      this.#skipping = !this.#safe.check(member) || isTop;
      this.#padding = paddingAfter(member.size);
      return this.#skipping ? undefined : this.#write(headerAnew(member));
    }
    if (this.#skipping) return undefined;
    if (event.kind === "data") return this.#write(event.bytes);
    return this.#padding === 0 ? undefined : this.#write(Buffer.alloc(this.#padding));
  }

  /** @throws ShimError when tar did not like it */
  async end(): Promise<void> {
    await this.#write(Buffer.alloc(RECORD));
    // At the first zeros of the end tar may close its input.
    this.#complete = true;
    await this.#flush();
    this.#tar.stdin?.end();
    await this.#ended();
  }

  #write(bytes: Buffer): Promise<void> | undefined {
    this.#pieces.push(bytes);
    this.#length += bytes.length;
    return this.#length < PIECE ? undefined : this.#flush();
  }

  async #flush(): Promise<void> {
    const { stdin } = this.#tar;
    const bytes = this.#pieces.length === 1 ? (this.#pieces[0] ?? Buffer.alloc(0)) : Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#length = 0;
    this.#tar.alive();
    if (stdin === null || this.#gone || stdin.destroyed) await this.#ended();
    else if (!stdin.write(bytes)) await Promise.race([once(stdin, "drain").catch(() => undefined), this.#tar.ended.catch(() => undefined)]);
  }

  async #ended(): Promise<void> {
    let reason: string;
    let cause: unknown;
    try {
      const { status, stderr, signal } = await this.#tar.ended;
      if (status === 0) {
        if (this.#complete) return;
        reason = "tar ended before it had read all";
      } else if (/No space left on device|Disk quota exceeded/.test(stderr)) {
        throw new ShimError("FILE_NO_SPACE", "No space left to unpack the backup.", { hint: "free space on the file system of the platform and run the task again" });
      } else {
        reason = stderr === "" ? `tar was ended by ${signal ?? "itself"}` : stderr.split("\n").slice(0, 3).join("; ");
      }
    } catch (thrown) {
      if (thrown instanceof ShimError) throw thrown;
      reason = `tar could not be started (${errnoOf(thrown)})`;
      cause = thrown;
    }
    throw new ShimError("PROVISION_BACKUP_EXTRACTION_FAILED", `The backup could not be unpacked: ${reason}`, { hint: "owner and mode of the directory that it goes to", cause });
  }
}
