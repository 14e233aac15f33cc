import { closeSync, constants, openSync, unlinkSync, writeSync } from "node:fs";
import { join } from "node:path";
import { uniqueName } from "./unique-name.ts";
import { writeError } from "./write-whole.ts";

/** Linux's O_TMPFILE, which Node does not name: a file that has never had a name, of which a kill leaves nothing. */
const WITHOUT_NAME = 0o20000000 | constants.O_DIRECTORY;

/**
 * An open 0600 file with these bytes that has no name, or has lost it before they came in: what is in it may be passwords. It stands at
 * its beginning.
 *
 * @returns the descriptor; the caller closes it
 * @throws ShimError FILE_NO_SPACE, DRUSH_PERM_ERROR
 */
export function unnamedFile(bytes: Uint8Array, folder: string): number {
  let descriptor: number | undefined;
  try {
    descriptor = open(folder);
    for (let written = 0; written < bytes.length; ) written += writeSync(descriptor, bytes, written, undefined, written);
    return descriptor;
  } catch (thrown) {
    if (descriptor !== undefined) closeSync(descriptor);
    throw writeError(join(folder, "a temporary file"), thrown);
  }
}

function open(folder: string): number {
  try {
    return openSync(folder, WITHOUT_NAME | constants.O_RDWR, 0o600);
  } catch {
    // Not every file system can; one that is full says so again.
    const path = join(folder, `.provision-shim.${uniqueName()}`);
    const descriptor = openSync(path, "wx+", 0o600);
    unlinkSync(path);
    return descriptor;
  }
}
