import { unlinkSync } from "node:fs";
import { lookAt } from "./files/look.ts";
import type { UndoEntry } from "./task/journal.ts";

/** Undo handler `forget-context`: the alias file of a site that could not be installed goes with it (as Provision's child `provision-save --delete`). */
export function forgetContext(entry: UndoEntry): string | undefined {
  const path = String(entry["path"]);
  if (lookAt(path) === undefined) return undefined;
  unlinkSync(path);
  return `removed ${path}`;
}
