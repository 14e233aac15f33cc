import { join } from "node:path";
import { listProperty, property, type PlatformContext, type SiteContext } from "../contexts/context.ts";
import { contextName } from "../contexts/names.ts";
import { withEnabled } from "../contexts/site.ts";
import { ShimError } from "../errors/shim-error.ts";
import { lookAt } from "../files/look.ts";
import { PhpArray } from "../php-values/php-array.ts";
import type { PhpValue } from "../php-values/value.ts";
import { removeTreeLater } from "../task/file-changes.ts";
import { step, type Plan, type Work } from "../task/plan.ts";
import type { CommandCall } from "./command.ts";
import { deployedSite, DUMP_UMASK } from "./deploy-site.ts";
import { refreshFrontEnd } from "./front-end-task.ts";
import { changedByOptions, recordScalars, rewrittenAliases, rewrittenRedirection, siteWith, targetPlatformOf } from "./moving.ts";
import { refuseMissingCode } from "./missing-code.ts";
import { nativeCore, switchOption, targetSite } from "./native-reach.ts";
import { newSiteName, refuseTakenTarget } from "./new-site-name.ts";
import { backupForTask } from "./provision-backup.ts";
import { dropSiteAliases, siteGoneLater } from "./remote-work.ts";
import { aliasPath, writeAliasFiles } from "./save-context.ts";
import { aliasesInSitesPhp } from "./site-aliases.ts";
import { dropDatabaseLater } from "./site-database.ts";
import { examineMovable, refuseForeignTarget } from "./site-examination.ts";
import { forgetSite } from "./site-memory.ts";
import { SETTINGS_UMASK } from "./site-settings.ts";
import { takeOffline } from "./take-offline.ts";
import { siteCredentials, unserveSite } from "./web-work.ts";

/** What a migrate changes of a site: at least one of platform, name and database server, or the place in which it is unpacked anew. */
interface Move {
  readonly source: SiteContext;
  /** As it is to be saved. */
  readonly target: SiteContext;
  readonly renamed: boolean;
  readonly otherPlatform: boolean;
  readonly call: CommandCall;
}

/**
 * `provision-migrate @platform [@new_name]`: moves a site to another platform, name or database server (Provision 7.x-3.x). It either happens or does not: the old
 * site, its database and directory go only after the new one was deployed and verified.
 */
export async function prepare(call: CommandCall): Promise<Plan> {
  const source = targetSite(call);
  const [platformName, newName] = call.args;
  if (platformName === undefined || platformName === "") throw new ShimError("PROVISION_NO_CONTEXT", "provision-migrate was called without a platform.", { hint: "drush @site provision-migrate @platform [@new_name]" });
  const { rows, core } = await examineMovable(source, call);
  const platform = await targetPlatformOf(call, contextName(platformName));
  const name = newName === undefined || newName === "" ? source.name : newSiteName(newName);
  const renamed = name !== source.name;
  const target = await targetOf({ call, source, platform, name, renamed });
  if (target.sitePath !== source.sitePath) await refuseTakenTarget(target, call, { site: source, renamed });
  const targetCore = nativeCore(target.platform);
  refuseMissingCode(rows, { site: source, core }, { site: target, core: targetCore });
  await refuseForeignTarget(target, targetCore, call);
  const move: Move = { source, target, renamed, otherPlatform: platform.name !== source.platform.name, call };
  return { title: `migrate site @${source.name} to @${platform.name}${renamed ? ` as @${name}` : ""}`, context: source.name, ...(renamed ? { alsoLocks: [name] } : {}), steps: steps(move) };
}

/** The context of the site as it is to be. The site keeps its state: one that is disabled stays so. */
async function targetOf({ call, source, platform, name, renamed }: { readonly call: CommandCall; readonly source: SiteContext; readonly platform: PlatformContext; readonly name: string; readonly renamed: boolean }): Promise<SiteContext> {
  if (!renamed) return siteWith(call, name, sameName(source, platform, call));
  const place = placeOn(platform);
  const from = source.uri ?? source.name;
  const present = listProperty(source, "aliases");
  const aliases = rewrittenAliases(present.length > 0 ? present : await aliasesInSitesPhp(source, call), from, name).filter((alias) => alias !== name);
  const redirection = rewrittenRedirection(source, name);
  const lists: [string, PhpValue][] = [["aliases", PhpArray.list(aliases)], ["drush_aliases", PhpArray.list(listProperty(source, "drush_aliases"))]];
  const carried = recordScalars(source).filter(([key]) => key !== "redirection");
  const options = [...carried, ...lists, ...(redirection === undefined ? [] : [["redirection", redirection] as [string, PhpValue]]), ["uri", name] as [string, PhpValue], ...place, ...changedByOptions(call)];
  return withEnabled(await siteWith(call, name, options), source.enabled);
}

function placeOn(platform: PlatformContext): [string, PhpValue][] {
  return [["platform", `@${platform.name}`], ["root", platform.root ?? null]];
}

/** What the original saves of a site that keeps its name; all else is as its alias has it. */
function sameName(source: SiteContext, platform: PlatformContext, call: CommandCall): [string, PhpValue][] {
  return [["uri", source.uri ?? source.name], ...placeOn(platform), ...changedByOptions(call)];
}

/** The context as it is to be saved; its alias may be another one by now than when the task was planned, as the front end saves a site before it verifies it. */
async function presentTarget({ source, target, renamed, call }: Move, dryRun: boolean): Promise<SiteContext> {
  return renamed || dryRun ? target : siteWith(await call.on(source.name, call.command), target.name, sameName(source, target.platform, call));
}

function steps(move: Move): Plan["steps"] {
  const { source, target, renamed, otherPlatform, call } = move;
  let archive = "";
  const platforms = otherPlatform && switchOption(call, "provision_verify_platforms_before_migrate", true) ? [source.platform, target.platform] : [];
  const deploy = step(`deploy the site on @${target.platform.name}`, async (work) => {
    await deployedSite(work, call, { name: target.name, enabled: target.enabled, archive, oldUri: source.uri ?? "", fresh: target.sitePath !== source.sitePath, former: source, vhostUmask: renamed ? DUMP_UMASK : SETTINGS_UMASK });
  });
  return [
    // Its verify writes virtual host and settings: it comes before the site is taken offline.
    ...(renamed ? [] : [step("have the front end look at the site", (work) => refreshFrontEnd(work, source.name, call))]),
    // A platform's verify reports the sites that it finds, of which the front end makes nodes: it comes before there is a new one.
    [
      ...platforms.map((platform) => step(`have the front end verify @${platform.name}`, (work) => refreshFrontEnd(work, platform.name, call))),
      step("take the site offline and back it up", (work) =>
        work.include({
          steps: [
            step("take the site offline", (inner) => takeOffline(inner, source, call)),
            step("back the site up", async (inner) => {
              archive = await backupForTask(inner, source, call);
            }),
          ],
        }),
      ),
    ],
    step("save the context", async (work) => writeAliasFiles(work, await presentTarget(move, work.dryRun), call.surroundings)),
    deploy,
    step("clear the former place", (work) => clearFormerPlace(work, move)),
    step("look at the moved site", async () => {
      await report(move);
    }),
  ];
}

/** What the site has left: its entries and links at once, so that they come back if something fails; its directory and database once nothing can fail any more. */
async function clearFormerPlace(work: Work, move: Move): Promise<void> {
  const { source, target, renamed, otherPlatform, call } = move;
  if (renamed || otherPlatform) await dropSiteAliases(work, source, call);
  await unserveSite(work, source, call, { butOn: target.platform.webServer });
  if (renamed) {
    const { home } = call.surroundings;
    const kept = new Set([target.name, ...listProperty(target, "drush_aliases").map(contextName)]);
    for (const name of [source.name, ...listProperty(source, "drush_aliases").map(contextName)]) {
      if (!kept.has(name) && work.files.remove(aliasPath(home, name))) work.log("success", `Removed the alias file of @${name}`);
    }
    const client = property(source, "client_name");
    const link = client === undefined ? undefined : join((await call.contexts.master()).clientsPath, client, source.uri ?? "");
    if (link !== undefined && lookAt(link)?.isSymbolicLink() === true && work.files.remove(link)) work.log("success", `Removed the client's link ${link}`);
  }
  // In the same place the deployment has moved the old directory aside itself.
  const tree = source.sitePath === target.sitePath ? undefined : removeTreeLater(source.sitePath);
  if (tree !== undefined) work.afterwards(`remove ${source.sitePath}`, tree);
  if (source.sitePath !== target.sitePath) await siteGoneLater(work, source, call);
  const { name, user, host } = siteCredentials(call.options.set("site"));
  await dropDatabaseLater(work, call, { site: source, database: name, user, host });
  forgetSite(work, source, call, { database: name, leaves: renamed ? "altogether" : source.sitePath === target.sitePath ? "database" : "place" });
}

/** What the front end reads afterwards: the moved site's credentials and packages, and where it is now. */
async function report({ source, target, renamed, call }: Move): Promise<void> {
  const { options } = call;
  await options.loadSite(target.sitePath);
  options.put("process", "old_platform", `@${source.platform.name}`);
  options.put("process", "new_site_path", target.sitePath);
  if (renamed) options.put("process", "aliases", PhpArray.list(listProperty(target, "aliases")));
}
