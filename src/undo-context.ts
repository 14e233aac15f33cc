import { unlinkSync } from "node:fs";
import { lookAt } from "./files/look.ts";
import type { UndoEntry } from "./task/journal.ts";

/**
 * Undo handler `forget-context`: the alias file of a site that could not be installed goes with it (as Provision's child `provision-save --delete`). One that was saved anew
 * since is somebody else's.
 */
export function forgetContext(entry: UndoEntry): string | undefined {
  const path = String(entry["path"]);
  const there = lookAt(path);
  if (there === undefined || there.ino !== entry["inode"] || there.mtimeMs !== entry["written"]) return undefined;
  unlinkSync(path);
  return `removed ${path}`;
}
