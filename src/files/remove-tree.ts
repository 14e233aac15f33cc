import { errnoOf, isAbsent } from "./look.ts";

/**
 * Removes a file or directory with all that is in it, never through a link. Directories that their owner has made read-only, as Drupal does with a
 * site's, are opened first. What cannot be removed stays.
 *
 * @returns why something stayed, a text for each; empty: all is gone
 */
export async function removeTree(path: string): Promise<string[]> {
  // More than a millisecond of start-up, which most calls need not pay.
  const { rm } = await import("node:fs/promises");
  try {
    await rm(path, { recursive: true, force: true });
    return [];
  } catch {
    const left: string[] = [];
    await removeOpening(path, left);
    return left;
  }
}

async function removeOpening(path: string | Buffer, left: string[]): Promise<void> {
  const { chmod, lstat, readdir, rmdir, unlink } = await import("node:fs/promises");
  try {
    const stats = await lstat(path);
    if (!stats.isDirectory()) {
      await unlink(path);
      return;
    }
    if ((stats.mode & 0o700) !== 0o700 && stats.uid === process.geteuid?.()) await chmod(path, stats.mode | 0o700);
    for (const name of await readdir(path, { encoding: "buffer" })) await removeOpening(Buffer.concat([Buffer.from(path), Buffer.from("/"), name]), left);
    await rmdir(path);
  } catch (thrown) {
    if (isAbsent(thrown)) return;
    // A directory that is not empty has been told of by what is in it.
    if (errnoOf(thrown) !== "ENOTEMPTY" || left.length === 0) left.push(thrown instanceof Error ? thrown.message : String(thrown));
  }
}
