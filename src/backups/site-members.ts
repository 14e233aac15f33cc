import { posix } from "node:path";
import type { ByteSink } from "./gzip-writer.ts";
import { MANIFEST } from "./manifest.ts";
import type { MemberRows } from "./member-rows.ts";
import { fileHeader, paddingAfter, type TarMember } from "./tar-header.ts";
import type { TarEvent } from "./tar-parser.ts";

/** Where a site's dump is in its archive. */
export const DUMP = "./database.sql";

export interface Passing {
  readonly out: ByteSink;
  readonly rows: MemberRows;
  /** Members whose content is another one in the archive than on disk. */
  readonly replaced: ReadonlyMap<string, Buffer>;
  readonly notice: (level: "warning" | "notice", message: string) => void;
}

/**
 * Lets the members of a site's tree pass into its archive: what has no content (pipes, devices) stays out, as do a dump and a manifest that an
 * earlier backup or restore has left; some files get other content.
 */
export class SiteMembers {
  readonly #passing: Passing;
  #left = 0;
  #mode: "pass" | "skip" = "pass";
  #padding = 0;
  /** The site's directory itself: what is added belongs to its owner. */
  top: TarMember | undefined;

  constructor(passing: Passing) {
    this.#passing = passing;
  }

  get skipped(): number {
    return this.#left;
  }

  async take(event: TarEvent): Promise<void> {
    const { out, rows } = this.#passing;
    if (event.kind === "member") {
      if (event.member.path === ".") this.top = event.member;
      await this.#begin(event.member);
      return;
    }
    if (this.#mode === "skip") return;
    rows.take(event);
    if (event.kind === "data") await out.write(event.bytes);
    else if (this.#padding > 0) await out.write(Buffer.alloc(this.#padding));
  }

  async #begin(member: TarMember): Promise<void> {
    const { out, rows, replaced, notice } = this.#passing;
    this.#mode = "skip";
    if (member.path === MANIFEST || member.path === DUMP) {
      if (member.path === DUMP) notice("notice", `${DUMP} of the site's directory, left by something else, is not in the backup: the new dump takes its place`);
      return;
    }
    if (member.type === "fifo" || member.type === "device") {
      this.#left += 1;
      notice("warning", `${member.path} is a ${member.type} and is not in the backup`);
      return;
    }
    const content = member.type === "file" ? replaced.get(member.path) : undefined;
    if (content !== undefined) {
      await this.file({ path: member.path, mode: member.mode, mtime: member.mtime, size: content.length, owner: member }, [content]);
      return;
    }
    if (member.type === "link" && leadsOutside(member)) notice("notice", `${member.path} leads to ${member.target}, outside of the site: the link is in the backup, what it leads to is not`);
    this.#mode = "pass";
    this.#padding = paddingAfter(member.size);
    rows.take({ kind: "member", member });
    await out.write(member.blocks);
  }

  /** Adds a file that is not on disk so. */
  async file(file: Parameters<typeof fileHeader>[0], content: Iterable<Buffer> | AsyncIterable<Buffer>): Promise<void> {
    const { out, rows } = this.#passing;
    const blocks = fileHeader(file);
    const member: TarMember = { path: file.path, type: "file", mode: file.mode, uid: 0, gid: 0, size: file.size, mtime: file.mtime, target: "", sparse: undefined, blocks };
    rows.take({ kind: "member", member });
    await out.write(blocks);
    let written = 0;
    for await (const bytes of content) {
      rows.take({ kind: "data", bytes });
      await out.write(bytes);
      written += bytes.length;
    }
    if (written !== file.size) throw new Error(`${file.path} has ${written} bytes, not ${file.size}`);
    rows.take({ kind: "ended" });
    await out.write(Buffer.alloc(paddingAfter(file.size)));
  }
}

/** A symbolic link whose target is not below the directory that the archive is of. */
export function leadsOutside({ path, target }: Pick<TarMember, "path" | "target">): boolean {
  if (target.startsWith("/")) return true;
  const place = posix.normalize(posix.join(posix.dirname(path), target));
  return place === ".." || place.startsWith("../");
}
