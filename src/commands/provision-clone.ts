import { contextName } from "../contexts/names.ts";
import type { SiteContext } from "../contexts/context.ts";
import { ShimError } from "../errors/shim-error.ts";
import type { PhpValue } from "../php-values/value.ts";
import { step, type Plan } from "../task/plan.ts";
import type { CommandCall } from "./command.ts";
import { deployedSite, DUMP_UMASK } from "./deploy-site.ts";
import { refreshFrontEnd } from "./front-end-task.ts";
import { changedByOptions, recordScalars, siteWith, targetPlatformOf } from "./moving.ts";
import { refuseMissingCode } from "./missing-code.ts";
import { nativeCore, targetSite } from "./native-reach.ts";
import { newSiteName, refuseTakenTarget } from "./new-site-name.ts";
import { backupForTask } from "./provision-backup.ts";
import { sitePush } from "./remote-work.ts";
import { writeAliasFiles } from "./save-context.ts";
import { examineMovable, refuseForeignTarget } from "./site-examination.ts";
import { writeSiteDrushrc } from "./site-settings.ts";

/** Properties of the source that its copy does not get. */
const OWN: ReadonlySet<string> = new Set(["redirection", "ssl_enabled", "ssl_key", "cdn", "site_enabled", "cron_key"]);

/**
 * `provision-clone @new_site [@platform]`: copies a site (Provision 7.x-3.x). The copy has no aliases, redirection or certificates; the source goes on serving.
 */
export async function prepare(call: CommandCall): Promise<Plan> {
  const source = targetSite(call);
  const [given, platformName] = call.args;
  if (given === undefined || given === "") throw new ShimError("PROVISION_NO_CONTEXT", "provision-clone was called without a name for the copy.", { hint: "drush @site provision-clone @new_site [@platform]" });
  const name = newSiteName(given);
  const { rows, core } = await examineMovable(source, call);
  const platform = await targetPlatformOf(call, contextName(platformName === undefined || platformName === "" ? source.platform.name : platformName));
  const place: [string, PhpValue][] = [["uri", name], ["platform", `@${platform.name}`], ["root", platform.root ?? null]];
  if (name === source.name) throw new ShimError("PROVISION_TARGET_EXISTS", `@${name} cannot be cloned to itself.`, { hint: "give the copy another name" });
  const copyOf = (site: SiteContext): Promise<SiteContext> => siteWith(call, name, [...recordScalars(site).filter(([key]) => !OWN.has(key)), ...place, ...changedByOptions(call)]);
  const target = await copyOf(source);
  await refuseTakenTarget(target, call, { site: source, renamed: false });
  const targetCore = nativeCore(platform);
  refuseMissingCode(rows, { site: source, core }, { site: target, core: targetCore });
  await refuseForeignTarget(target, targetCore, call);
  const platforms = platform.name === source.platform.name ? [] : [source.platform, platform];
  const { pushAgain } = await sitePush(source, call);
  let archive = "";
  const backup = step("back the site up", async (work) => {
    archive = await backupForTask(work, source, call);
  });
  const save = step("save the context of the copy", async (work) => {
    // The front end may have saved the source since, with what its form says now.
    const present = work.dryRun ? target : await copyOf(targetSite(await call.on(source.name, call.command)));
    writeAliasFiles(work, present, call.surroundings);
  });
  const deploy = step(`deploy the copy on @${platform.name}`, (work) => deployedSite(work, call, { name, enabled: true, archive, oldUri: source.uri ?? "", fresh: true, vhostUmask: DUMP_UMASK }));
  const refreshSource = step("have the front end look at the source again", (work) => refreshFrontEnd(work, source.name, call));
  return {
    title: `clone site @${source.name} to @${name}`,
    context: source.name,
    alsoLocks: [name],
    steps: [
      // A platform's verify reports the sites that it finds, of which the front end makes nodes: it comes before there is a new one.
      [
        ...platforms.map((one) => step(`have the front end verify @${one.name}`, (work) => refreshFrontEnd(work, one.name, call))),
        step("look at the source and back it up", (work) =>
          // Its verify changes modes and files of the source, so the backup waits for it.
          work.include({ steps: [step("have the front end look at the source", (inner) => refreshFrontEnd(inner, source.name, call)), backup] }),
        ),
      ],
      save,
      [deploy, refreshSource],
      step("keep the source's drushrc.php", async (work) => {
        call.options.put("process", "old_platform", `@${source.platform.name}`);
        await call.options.loadSite(source.sitePath);
        writeSiteDrushrc(work, source, call);
      }),
      ...pushAgain,
    ],
  };
}
