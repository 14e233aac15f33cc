import { createHash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join, relative } from "node:path";

/** Our own state: locks and what is remembered come and go. */
const STATE = ".provision-shim";

/** Everything below a folder, with mode, owner, group and content, for "nothing has changed". Times are not in it. */
export function treeOf(folder: string): Record<string, string> {
  const tree: Record<string, string> = {};
  const walk = (path: string): void => {
    const { mode, uid, gid } = lstatSync(path);
    const kind = mode & 0o170000;
    const content = kind === 0o040000 ? "folder" : kind === 0o120000 ? `-> ${readlinkSync(path)}` : hashOf(path);
    tree[relative(folder, path)] = `${(mode & 0o7777).toString(8)} ${uid}:${gid} ${content}`;
    if (kind === 0o040000) for (const name of readdirSync(path).filter((entry) => entry !== STATE)) walk(join(path, name));
  };
  walk(folder);
  return tree;
}

/** Hashes of files that were seen before: nothing can write into a file and leave its change time as it was. */
const known = new Map<string, string>();

function hashOf(path: string): string {
  const { dev, ino, size, mtimeNs, ctimeNs } = lstatSync(path, { bigint: true });
  const key = `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`;
  let hash = known.get(key);
  if (hash === undefined) {
    hash = createHash("sha256").update(readFileSync(path)).digest("hex").slice(0, 16);
    known.set(key, hash);
  }
  return hash;
}

/** The permission bits in octal. */
export function modeOf(path: string): string {
  return (lstatSync(path).mode & 0o7777).toString(8);
}
