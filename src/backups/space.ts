import { lstatSync, readdirSync, type Dirent } from "node:fs";
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
/** So many are looked at in one go; threads would be slower. */
const AT_ONCE = 500;

/** Looks at the sizes of everything below a directory. What cannot be looked at is for tar to complain of. */
export async function estimateTree(directory: string, packing: "gzip" | "bzip2" | "none", signal: AbortSignal): Promise<TreeEstimate> {
  const sum = { members: 1, bytes: MEMBER_BYTES, packed: MEMBER_BYTES };
  const folders = [directory];
  let looked = 0;
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const entry of entriesIn(folder)) {
      const path = join(folder, entry.name);
      sum.members += 1;
      sum.bytes += MEMBER_BYTES + ROW_BYTES;
      sum.packed += packing === "none" ? MEMBER_BYTES + ROW_BYTES : ROW_BYTES;
      if (entry.isDirectory()) folders.push(path);
      else if (entry.isFile()) {
        const size = sizeOf(path);
        sum.bytes += size;
        sum.packed += packing !== "none" && SHRINKS.has(extname(path).toLowerCase()) ? Math.ceil(size / SHRINKAGE) : size;
      }
      looked += 1;
      if (looked % AT_ONCE > 0) continue;
      await new Promise((resolve) => setImmediate(resolve));
      signal.throwIfAborted();
    }
  }
  return sum;
}

function entriesIn(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

function sizeOf(path: string): number {
  try {
    const { size, blocks } = lstatSync(path);
    // The holes of a sparse file are not in the archive.
    return Math.min(size, blocks * 512 + 4096);
  } catch {
    return 0;
  }
}
