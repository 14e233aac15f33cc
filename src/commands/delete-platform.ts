import { realpathSync } from "node:fs";
import { basename, dirname, isAbsolute, join, relative, sep } from "node:path";
import type { PlatformContext } from "../contexts/context.ts";
import { readCore } from "../drupal/core.ts";
import { findSites } from "../drupal/platform-packages.ts";
import { asShimError, ShimError } from "../errors/shim-error.ts";
import { isAbsent, lookAt } from "../files/look.ts";
import { uniqueName } from "../files/unique-name.ts";
import { isTruthy } from "../php-values/convert.ts";
import { removeTreeLater } from "../task/file-changes.ts";
import { step, type Plan, type Work } from "../task/plan.ts";
import type { CommandCall } from "./command.ts";
import { invalidRoot, nativeServer } from "./native-reach.ts";
import { removeTreesLater } from "./remote-work.ts";
import { removeAliasFiles } from "./save-context.ts";
import { unservePlatform } from "./web-work.ts";

/** The original's code for it is a sentence. */
const HAS_SITES = "Existing sites were found on this platform. These sites will need to be deleted before this platform can be deleted.";

/**
 * `provision-delete` of a platform: the web server's file for it, its alias file, and at last its directory (Provision 7.x-3.x). With --force also one that has sites, or
 * in whose place there is no Drupal.
 */
export async function deletePlatform(platform: PlatformContext, call: CommandCall): Promise<Plan> {
  const { webServer } = platform;
  await nativeServer(webServer, call);
  const root = platform.root ?? "";
  if (!isTruthy(call.options.get("force"))) {
    if (readCore(root) === undefined) throw withForce(invalidRoot(platform, "no Drupal was found there"));
    refuseSites(platform, root);
  }
  await refuseForeignRoot(platform, call);
  return {
    title: `delete platform @${platform.name}`,
    context: platform.name,
    steps: [
      ...(webServer.http === undefined
        ? []
        : [step("remove the web server's file and reload it", (work) => unservePlatform(work, platform, call))]),
      step("remove the alias file", (work) => removeAliasFiles(work, platform, call.surroundings)),
      step("give up the platform's directory", async (work) => {
        giveUpRoot(work, platform, isTruthy(call.options.get("force")));
        if (root !== "") await removeTreesLater(work, webServer, root, call);
      }),
    ],
  };
}

/** Takes the directory away at once, so that nobody makes a site there while it is decided, and removes it when nothing can fail any more. */
function giveUpRoot(work: Work, platform: PlatformContext, force: boolean): void {
  const root = platform.root ?? "";
  if (!force) refuseSites(platform, root);
  if (root === "" || lookAt(root) === undefined) return;
  const place = work.dryRun ? root : movedAside(work, root);
  // One that came before the move is in it.
  if (!force) refuseSites(platform, place);
  const tree = removeTreeLater(place);
  if (tree !== undefined) work.afterwards(`remove ${root}`, tree);
}

/** Where the directory is now; a link, or one that is a file system of its own, stays. */
function movedAside(work: Work, root: string): string {
  if (lookAt(root)?.isDirectory() !== true) return root;
  const aside = join(dirname(root), `.${basename(root)}.${uniqueName()}.former`);
  try {
    work.files.moveTree(root, aside);
    return aside;
  } catch (thrown) {
    work.log("debug", `${root} is removed where it is: ${asShimError(thrown).message}`);
    return root;
  }
}

function refuseSites(platform: PlatformContext, root: string): void {
  const sites = findSites(root);
  if (sites.length > 0) throw new ShimError(HAS_SITES, `@${platform.name} has ${sites.length === 1 ? "the site" : "the sites"} ${sites.slice(0, 10).join(", ")}${sites.length > 10 ? ", …" : ""}.`, { hint: "delete or migrate them first" });
}

/**
 * A root that holds more than a platform: the home of Aegir, its backups, other platforms. The original would remove it all.
 *
 * @throws ShimError PROVISION_DELETE_ROOT_REFUSED
 */
async function refuseForeignRoot(platform: PlatformContext, call: CommandCall): Promise<void> {
  const { root } = platform;
  if (root === undefined) return;
  const master = await call.contexts.master();
  const hostmaster = await call.storedContexts.find("hostmaster");
  const frontEnd = hostmaster?.type === "site" && hostmaster.root !== undefined ? [hostmaster.root] : [];
  const kept = [call.surroundings.home, master.aegirRoot, master.backupPath, master.configPath, master.clientsPath, ...frontEnd].map(realPath);
  const inside = kept.find((path) => isBelow(path, realPath(root)));
  if (!isAbsolute(root) || inside !== undefined) {
    throw new ShimError("PROVISION_DELETE_ROOT_REFUSED", `The root ${root} of @${platform.name} is not removed${inside === undefined ? "" : `: ${inside} is, or is in it`}.`, { hint: "save the platform with its right root; what is there is untouched" });
  }
}

function isBelow(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch (thrown) {
    if (isAbsent(thrown)) return path;
    throw thrown;
  }
}

function withForce(error: ShimError): ShimError {
  return new ShimError(error.code, error.message, { hint: "--force deletes a platform whose directory is gone" });
}
