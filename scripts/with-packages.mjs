/**
 * node scripts/with-packages.mjs SCRIPT [ARGUMENT…]
 *
 * Runs another script of the repository when everything it needs is there: packages of npm, packages of Debian (only root can add those), and
 * the built program. Uses nothing but Node itself. The script has our standard streams, and its exit status is ours.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { bringDebianPackages } from "./with-packages/debian.mjs";
import { bringNpmPackages } from "./with-packages/npm.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const [script, ...scriptArguments] = process.argv.slice(2);
if (script === undefined) {
  console.error("Usage: node scripts/with-packages.mjs SCRIPT [ARGUMENT…]");
  process.exit(64);
}

try {
  bringNpmPackages(root);
  bringDebianPackages();
} catch (error) {
  console.error(error.message);
  process.exit(1);
}

const build = join(root, "scripts/build.mjs");
if (existsSync(build)) leaveUnlessFine(runNode([build]));
leaveUnlessFine(runNode([script, ...scriptArguments]));

function runNode(args) {
  return spawnSync(process.execPath, args, { stdio: "inherit" });
}

function leaveUnlessFine({ status, signal, error }) {
  if (error !== undefined) throw error;
  // A script that was killed must look killed to our caller, too.
  if (signal !== null) process.kill(process.pid, signal);
  if (status !== 0) process.exit(status ?? 1);
}
