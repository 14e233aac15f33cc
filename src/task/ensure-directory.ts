import { accessSync, constants, lstatSync } from "node:fs";
import { ShimError } from "../errors/shim-error.ts";
import { currentUser } from "../files/groups.ts";
import { isDirectory, lookAt, modeOf } from "../files/look.ts";
import { resolveOwnLink } from "../files/write-whole.ts";
import type { Work } from "./plan.ts";

/**
 * Makes sure of a directory of our own with that mode (as create_dir of Provision's file helper).
 *
 * @param label what it is, for people: "Client home directory for admin"
 * @throws ShimError DRUSH_PERM_ERROR when it cannot be made, belongs to another user, or cannot be written to
 */
export function ensureDirectory(work: Work, given: string, label: string, mode: number): void {
  // An administrator may have moved it to another disk and linked it.
  const path = resolveOwnLink(given);
  const there = lookAt(path);
  if (there !== undefined && !isDirectory(path)) throw refusal(`${label} path ${path} could not be created: something else has that name.`);
  if (work.files.directory(path)) work.log("success", `${label} path ${path} has been created.`);
  if (work.dryRun && there === undefined) return;
  const stats = lstatSync(path);
  if (stats.uid !== currentUser().uid) throw refusal(`${label} ownership of ${path} could not be changed to ${currentUser().name}.`);
  if (modeOf(stats) !== mode) {
    work.files.chmod(path, mode);
    work.log("success", `${label} permissions of ${path} have been changed to ${mode.toString(8)}.`);
  }
  if (work.dryRun) return;
  try {
    accessSync(path, constants.W_OK);
  } catch (cause) {
    throw refusal(`${label} path ${path} is not writable.`, cause);
  }
  work.log("debug", `${label} path ${path} is writable.`);
}

function refusal(message: string, cause?: unknown): ShimError {
  return new ShimError("DRUSH_PERM_ERROR", message, { hint: "it must be a directory that belongs to the backend's user", cause });
}
