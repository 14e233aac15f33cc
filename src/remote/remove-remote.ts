import { posix } from "node:path";
import { ShimError } from "../errors/shim-error.ts";
import type { RemoteHost, RemoteMeans } from "./remote-host.ts";
import { runRemote } from "./run-remote.ts";

/** A large tree takes its time, milliseconds. */
const LIMIT_MS = 3_600_000;

/** What holds more than one server, platform or site. */
const KEPT = ["config", "platforms", "clients", "backups", "config/includes", ".drush", ".ssh"];

/**
 * Removes paths on the other host with all that is in them.
 *
 * @throws ShimError PROVISION_REMOTE_REMOVAL_REFUSED before anything is removed, for a path that is not below its aegir_root; PROVISION_FILE_SYNC_FAILED when something
 *   stays; as {@link runRemote}
 */
export async function removeRemote(remote: RemoteHost, paths: readonly string[], means: RemoteMeans): Promise<void> {
  for (const path of paths) {
    if (!isRemovable(remote, path)) {
      throw new ShimError("PROVISION_REMOTE_REMOVAL_REFUSED", `${JSON.stringify(path)} is not removed on ${remote.host} (@${remote.server}): it is no place below ${remote.root} that a task may remove.`, { hint: "remove it there by hand if it is not needed" });
    }
  }
  const { status, output } = await runRemote(remote, { words: ["rm", "-rf", "--", ...paths], timeoutMs: LIMIT_MS }, means);
  if (status !== 0) throw new ShimError("PROVISION_FILE_SYNC_FAILED", `${paths.join(", ")} could not be removed from remote server ${remote.host}: ${output}`, { hint: "whose is it there?" });
}

/** Whether a task may remove the path there: it is absolute, says plainly where it leads, and is strictly below the home of Aegir. */
export function isRemovable({ root }: RemoteHost, path: string): boolean {
  if (!root.startsWith("/") || posix.normalize(root) !== root || root === "/") return false;
  const home = root.replace(/\/$/, "");
  const place = path.replace(/\/$/, "");
  if (posix.normalize(place) !== place || /[\0-\x1f\x7f]/.test(place)) return false;
  return place.startsWith(`${home}/`) && place.length > home.length + 1 && !KEPT.includes(place.slice(home.length + 1));
}
