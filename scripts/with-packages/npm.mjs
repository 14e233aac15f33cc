import { spawnSync } from "node:child_process";
import { statSync } from "node:fs";
import { join } from "node:path";

/**
 * Installs what package-lock.json lists, when there is nothing yet or the list is newer. Throws when npm fails.
 */
export function bringNpmPackages(root) {
  if (isFresh(root)) return;
  console.error("with-packages: npm ci");
  const { status, error } = spawnSync("npm", ["ci", "--no-audit", "--no-fund"], { cwd: root, stdio: "inherit" });
  if (error !== undefined) throw new Error(`npm could not be started: ${error.message}`);
  if (status !== 0) throw new Error(`"npm ci" in ${root} ended with status ${status}.`);
}

/** npm writes node_modules/.package-lock.json last, so its time is that of the last whole installation. */
function isFresh(root) {
  const installed = statSync(join(root, "node_modules/.package-lock.json"), { throwIfNoEntry: false });
  const listed = statSync(join(root, "package-lock.json"));
  return installed !== undefined && installed.mtimeMs >= listed.mtimeMs;
}
