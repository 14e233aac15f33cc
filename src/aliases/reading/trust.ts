import { existsSync, realpathSync, statSync } from "node:fs";
import { dirname, join } from "node:path";

/** Files that only a Drupal root has, by core version: 6 and 7, then 8 and later. */
const DRUPAL_MARKS = ["includes/bootstrap.inc", "core/includes/bootstrap.inc"] as const;

/**
 * Why the file may not be run as PHP, or undefined when it may. What anybody can write is data for us, never a program, and so is
 * what belongs to somebody else than us or root.
 *
 * @param userId effective user; undefined where the system has no users
 */
export function reasonNotToRun(file: string, userId: number | undefined): string | undefined {
  const { uid, mode } = statSync(file);
  if ((mode & 0o002) !== 0) return "everybody may write to it";
  if (userId !== undefined && uid !== userId && uid !== 0) return `it belongs to user ${uid}`;
  return undefined;
}

/** The Drupal root that the file is in, links resolved: code in there is chosen by whoever may write to a site. */
export function drupalRootAround(file: string): string | undefined {
  for (let folder = dirname(realpathSync(file)); ; folder = dirname(folder)) {
    if (DRUPAL_MARKS.some((mark) => existsSync(join(folder, mark)))) return folder;
    if (folder === dirname(folder)) return undefined;
  }
}
