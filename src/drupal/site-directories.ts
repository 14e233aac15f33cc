import { join } from "node:path";
import { groupNamed } from "../files/groups.ts";
import { lookAt, modeOf } from "../files/look.ts";
import { entriesOf } from "../files/scan.ts";
import { groupProblem } from "../task/file-changes.ts";
import type { Work } from "../task/plan.ts";

/** The directories of a site below its own, in Provision's order. `web`: the web server writes there. */
const DIRECTORIES: readonly { readonly path: string; readonly mode: number; readonly web?: true; readonly recursive?: true }[] = [
  { path: "", mode: 0o755 },
  { path: "themes", mode: 0o2775, recursive: true },
  { path: "modules", mode: 0o2775, recursive: true },
  { path: "libraries", mode: 0o2775, recursive: true },
  ...["files", "files/tmp", "files/images", "files/pictures", "files/css", "files/js", "files/ctools", "files/imagecache", "files/locations"].map(webDirectory),
  ...["private", "private/files", "private/temp", "files/styles", "private/config", "private/config/sync"].map(webDirectory),
];

function webDirectory(path: string) {
  return { path, mode: 0o2770, web: true } as const;
}

/**
 * Brings the directories of a site into Provision's shape: first all exist, then the group, then the mode (a change of group clears the
 * set-group-id bit). Contents of themes, modules and libraries get their mode too, files included.
 *
 * @throws ShimError DRUSH_PERM_ERROR when a directory cannot be made; group and mode that cannot be set are warnings, as in the original
 */
export function arrangeSiteDirectories(work: Work, sitePath: string, webGroup: string): void {
  const { files } = work;
  openSiteDirectory(work, sitePath);
  for (const { path } of DIRECTORIES) files.directory(join(sitePath, path));
  const problem = groupProblem(webGroup);
  const gid = groupNamed(webGroup)?.gid;
  for (const { path, web } of DIRECTORIES) {
    const directory = join(sitePath, path);
    if (web === undefined || gid === undefined || lookAt(directory)?.gid === gid) continue;
    attempt(work, `Could not change group ownership of ${directory} to ${webGroup}`, () => {
      if (problem !== undefined) throw new Error(problem);
      files.chgrp(directory, gid);
    });
  }
  for (const { path, mode, recursive } of DIRECTORIES) {
    const directory = join(sitePath, path);
    attempt(work, `Could not change permissions of ${directory} to ${mode.toString(8)}`, () => {
      if (recursive === true) chmodBelow(work, directory, mode);
      files.chmod(directory, mode);
    });
  }
  work.log("success", `The directories of the site are in place below ${sitePath}`);
}

/** Drupal's status report takes the site's directory the right to be written to, which a verify gives back; new files need it at once. */
export function openSiteDirectory(work: Work, sitePath: string): void {
  const stats = lookAt(sitePath);
  if (stats === undefined || (modeOf(stats) & 0o200) !== 0) return;
  attempt(work, `Could not change permissions of ${sitePath} to 755`, () => work.files.chmod(sitePath, 0o755));
}

function chmodBelow(work: Work, directory: string, mode: number): void {
  for (const entry of entriesOf(directory)) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) chmodBelow(work, path, mode);
    // One foreign file does not keep the others from their mode.
    attempt(work, `Could not change permissions of ${path} to ${mode.toString(8)}`, () => work.files.chmod(path, mode), "debug");
  }
}

function attempt(work: Work, failure: string, change: () => unknown, level: "warning" | "debug" = "warning"): void {
  try {
    change();
  } catch (thrown) {
    work.log(level, `${failure} (${thrown instanceof Error ? thrown.message : String(thrown)})`);
  }
}

/** Writes a file that the web server reads, 0440 and of its group. */
export function writeForWebServer(work: Work, file: { readonly path: string; readonly content: string; readonly webGroup: string; readonly secret?: boolean }): void {
  const { webGroup, ...rest } = file;
  work.files.write({ ...rest, mode: 0o440, group: webGroup });
  warnOfGroup(work, file.path, webGroup);
}

/** Gives a file that is there, the administrator's own, mode and group of {@link writeForWebServer}; a link is left alone. */
export function giveToWebServer(work: Work, path: string, webGroup: string): void {
  const gid = groupNamed(webGroup)?.gid;
  if (gid !== undefined && groupProblem(webGroup) === undefined) attempt(work, `Could not change group ownership of ${path} to ${webGroup}`, () => work.files.chgrp(path, gid));
  attempt(work, `Could not change permissions of ${path} to 440`, () => work.files.chmod(path, 0o440));
  warnOfGroup(work, path, webGroup);
}

function warnOfGroup(work: Work, path: string, webGroup: string): void {
  const problem = groupProblem(webGroup);
  const there = lookAt(path);
  if (problem === undefined || work.dryRun || there === undefined || there.isSymbolicLink() || there.gid === groupNamed(webGroup)?.gid) return;
  work.log("warning", `Could not change group ownership of ${path} to ${webGroup} (${problem})`);
}
