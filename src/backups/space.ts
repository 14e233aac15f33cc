import { lstat, readdir } from "node:fs/promises";
import { extname, join } from "node:path";

/** What a tree will take in an archive, about. */
export interface TreeEstimate {
  readonly members: number;
  /** Bytes of the archive before compression. */
  readonly bytes: number;
  /** Bytes of the archive after it, rather too many than too few. */
  readonly packed: number;
}

/** What is text and shrinks to a third or less; of all else nothing is hoped for. */
const SHRINKS: ReadonlySet<string> = new Set(
  [".php", ".inc", ".module", ".install", ".info", ".profile", ".theme", ".engine", ".js", ".css", ".less", ".scss", ".html", ".htm", ".xml", ".svg", ".txt", ".md", ".po", ".sql", ".json", ".yml", ".csv", ".log", ".map", ".test"],
);
const SHRINKAGE = 3;
/** A header, and half of the last block. */
const MEMBER_BYTES = 768;
/** A row of the manifest. */
const ROW_BYTES = 150;
const AT_ONCE = 64;

/** Looks at the sizes of everything below a directory. What cannot be looked at is for tar to complain of. */
export async function estimateTree(directory: string, packing: "gzip" | "bzip2" | "none", signal: AbortSignal): Promise<TreeEstimate> {
  const sum = { members: 1, bytes: MEMBER_BYTES, packed: MEMBER_BYTES };
  const folders = [directory];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    signal.throwIfAborted();
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
    const files: string[] = [];
    for (const entry of entries) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) folders.push(path);
      else if (entry.isFile()) files.push(path);
    }
    sum.members += entries.length;
    sum.bytes += entries.length * (MEMBER_BYTES + ROW_BYTES);
    sum.packed += entries.length * (packing === "none" ? MEMBER_BYTES + ROW_BYTES : ROW_BYTES);
    for (let at = 0; at < files.length; at += AT_ONCE) {
      await Promise.all(
        files.slice(at, at + AT_ONCE).map(async (path) => {
          const stats = await lstat(path).catch(() => undefined);
          if (stats === undefined) return;
          // The holes of a sparse file are not in the archive.
          const size = Math.min(stats.size, stats.blocks * 512 + 4096);
          sum.bytes += size;
          sum.packed += packing !== "none" && SHRINKS.has(extname(path).toLowerCase()) ? Math.ceil(size / SHRINKAGE) : size;
        }),
      );
    }
  }
  return sum;
}
