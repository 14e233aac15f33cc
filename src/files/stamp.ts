import type { Stats } from "node:fs";

/** A file or folder that was changed so short a while ago may be changed again without its times telling. */
const UNSETTLED_MS = 2000;

/** Stands for what is there now: it changes with content, owner, mode and names, and when something else takes the place. */
export function stampFrom({ dev, ino, size, mtimeMs, ctimeMs }: Stats): string {
  return [dev, ino, size, mtimeMs, ctimeMs].join(":");
}

/** Whether the stamp will be another one after the next change, however soon that comes. */
export function isSettled({ mtimeMs, ctimeMs }: Stats): boolean {
  return Date.now() - Math.max(mtimeMs, ctimeMs) > UNSETTLED_MS;
}
