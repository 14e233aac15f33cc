import { unsafe } from "./damaged.ts";
import { leadsOutside } from "./site-members.ts";
import type { TarMember } from "./tar-header.ts";

/** Decides on symbolic links that lead out of the site: true lets the link be made. */
export type KeepLink = (link: { readonly path: string; readonly target: string }) => boolean;

/**
 * Looks at each member of an archive in its order and refuses what could write, or lead, out of the directory that it is unpacked into. What has no content for a site
 * (pipes, devices) is refused too: no backup of ours or of the original has them but by hand.
 */
export class SafeMembers {
  readonly #keepLink: KeepLink;
  /** Paths that are links by now; nothing may be below one. */
  readonly #links = new Set<string>();

  constructor(keepLink: KeepLink) {
    this.#keepLink = keepLink;
  }

  /**
   * @returns false for a member that is left out (a pipe of an old backup)
   * @throws ShimError PROVISION_BACKUP_UNSAFE
   */
  check(member: TarMember): boolean {
    const { path, type, target } = member;
    const parts = partsOf(path, "the member");
    this.#refuseBelowLink(parts, path);
    const key = parts.join("/");
    if (type === "device") throw unsafe(`${path} is a device`);
    if (type === "fifo") return false;
    if (type === "hard link") {
      const linked = partsOf(target, `${path} is a hard link to`);
      this.#refuseBelowLink(linked, path);
      if (linked.length === 0) throw unsafe(`${path} is a hard link to a directory`);
      if (this.#links.has(linked.join("/"))) this.#links.add(key);
      else this.#links.delete(key);
      return true;
    }
    if (type === "link") {
      if (key === "") throw unsafe("the site's directory is a link in it");
      if (target === "" || target.includes("\0")) throw unsafe(`${path} is a link to nowhere`);
      if (leadsOutside(member) && !this.#keepLink({ path, target })) throw unsafe(`${path} is a link that leads out of the site, to ${target}`);
      this.#links.add(key);
      return true;
    }
    if (type === "file" && key === "") throw unsafe("the site's directory is a file in it");
    if (this.#links.has(key)) {
      // The later member takes the place of the link; a directory would be made behind it.
      if (type === "directory") throw unsafe(`${path} is a link first and a directory later`);
      this.#links.delete(key);
    }
    return true;
  }

  #refuseBelowLink(parts: readonly string[], path: string): void {
    if (this.#links.size === 0) return;
    for (let length = 1; length < parts.length; length++) {
      if (this.#links.has(parts.slice(0, length).join("/"))) throw unsafe(`${path} is behind the link ${parts.slice(0, length).join("/")}`);
    }
  }
}

/** The parts of a path that stays inside. */
function partsOf(path: string, what: string): string[] {
  if (path.startsWith("/")) throw unsafe(`${what} ${path} has an absolute path`);
  if (path.includes("\0")) throw unsafe(`${what} ${JSON.stringify(path)} is no path`);
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.includes("..")) throw unsafe(`${what} ${path} leads out of the site's directory`);
  return parts;
}
