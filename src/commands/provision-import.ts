import { join } from "node:path";
import type { SiteContext } from "../contexts/context.ts";
import { dbReason, type Db } from "../database/connection.ts";
import { isRecord, type JsonValue } from "../drupal/bridge.ts";
import { IMPORT_VARIABLES, importFacts, type ImportFacts } from "../drupal/import-facts.ts";
import { siteVariable } from "../drupal/variables.ts";
import { ShimError } from "../errors/shim-error.ts";
import { isFile } from "../files/look.ts";
import { PhpArray } from "../php-values/php-array.ts";
import { step, type Plan, type Work } from "../task/plan.ts";
import type { CommandCall } from "./command.ts";
import { askDrupal, type SiteAtWork } from "./drupal-work.ts";
import { refreshFrontEnd } from "./front-end-task.ts";
import { needTarget, targetSite } from "./native-reach.ts";
import { writeAliasFiles } from "./save-context.ts";
import { connectToSite, examineDatabase, examinePlace } from "./site-examination.ts";
import { aliasesInSitesPhp } from "./site-aliases.ts";
import { putSiteDrushrc } from "./site-settings.ts";
import { verifySite } from "./verify-site.ts";

/**
 * `provision-import`: takes over a Drupal 7 site that is there already, one that was copied onto the platform or one that a clone has just made: what it is
 * goes into its alias and drushrc.php, then it is verified, by us and by the front end (Provision 7.x-3.x). Other contexts have nothing to import.
 */
export async function prepare(call: CommandCall): Promise<Plan> {
  const target = needTarget(call);
  if (target.type !== "site") return { title: `import @${target.name}`, context: target.name, steps: [] };
  const { core } = await examinePlace(target, call);
  await call.options.loadSite(target.sitePath);
  const settingsFile = join(target.sitePath, "settings.php");
  if (!isFile(settingsFile)) throw new ShimError("DRUPAL_SITE_SETTINGS_NOT_FOUND", `The site @${target.name} has no ${settingsFile}.`, { hint: "an import takes over a site that is there already" });
  const stored = await call.storedContexts.get(target.name);
  const at: SiteAtWork = { site: target, core, call };
  let db: Db | undefined;
  let known: SiteContext = target;
  return {
    title: `import site @${target.name}`,
    context: target.name,
    cleanUp: () => db?.close(),
    steps: [
      step("find out what the site is", async (work) => {
        const settings = await readSettings(work, at);
        putDatabase(call, settings);
        db = await connectToSite(target, call);
        for (const command of [call.command, "provision-verify"]) await examineDatabase(db, target, { core, call: { ...call, command }, settled: false });
        const facts = await factsOf(db, settings, target);
        const aliases = await aliasesInSitesPhp(target, call);
        known = withFacts(stored.type === "site" ? stored : target, facts, aliases);
        putFacts(call, facts, aliases);
        work.log("notice", `The site has the profile ${facts.profile} and the language ${facts.language}`);
      }),
      step("write the alias file", (work) => writeAliasFiles(work, known, call.surroundings)),
      step("write the site's drushrc.php", (work) => putSiteDrushrc(work, target, call)),
      step("verify the site", async (work) => {
        if (work.dryRun) return;
        const verify = await call.on(target.name, "provision-verify");
        await work.include(await verifySite(targetSite(verify), verify));
      }),
      step("have the front end verify the site", async (work) => {
        // The site is taken over by then; what the front end lacks is no reason to take that back.
        await refreshFrontEnd({ ...work, error: (error) => work.flaw(error) }, target.name, call);
        if (db !== undefined) call.options.put("process", "cron_key", (await siteVariable(db, "cron_key")) ?? "drupal");
        if (!work.dryRun) await call.options.loadSite(target.sitePath);
      }),
    ],
  };
}

/** What the site's settings.php comes to: only PHP can tell for one that somebody else has written. */
async function readSettings(work: Work, at: SiteAtWork): Promise<Readonly<Record<string, JsonValue>>> {
  return askDrupal(work, at, { job: "settings-7", data: { variables: IMPORT_VARIABLES }, failure: "PROVISION_DRUPAL_FAILED" });
}

/** Option of drushrc.php → key of `$databases`. */
const DATABASE_KEYS = { db_type: "driver", db_user: "username", db_host: "host", db_passwd: "password", db_name: "database", db_port: "port" } as const;

function putDatabase({ options }: CommandCall, settings: Readonly<Record<string, JsonValue>>): void {
  const { database } = settings;
  if (!isRecord(database)) return;
  for (const [option, key] of Object.entries(DATABASE_KEYS)) {
    const value = database[key];
    // The original forgets the port; a site on another one would be lost.
    if ((typeof value === "string" || typeof value === "number") && (option !== "db_port" || String(value) !== "")) options.put("site", option, String(value));
  }
}

async function factsOf(db: Db, { variables }: Readonly<Record<string, JsonValue>>, site: SiteContext): Promise<ImportFacts> {
  const fromSettings = isRecord(variables) ? Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, typeof value === "string" ? value : null])) : {};
  try {
    return await importFacts(db, fromSettings);
  } catch (cause) {
    throw new ShimError("PROVISION_DRUPAL_SITE_NOT_FOUND", `The database of @${site.name} holds no Drupal 7 site: ${dbReason(cause)}`, { hint: "is it installed?", cause });
  }
}

function putFacts({ options }: CommandCall, facts: ImportFacts, aliases: readonly string[]): void {
  const list = PhpArray.list([...aliases]);
  options.put("site", "installed", true);
  for (const [name, value] of [["profile", facts.profile], ["language", facts.language], ["aliases", list]] as const) {
    options.put("site", name, value);
    options.put("process", name, value);
  }
}

function withFacts(site: SiteContext, facts: ImportFacts, aliases: readonly string[]): SiteContext {
  const properties = site.properties.clone().set("profile", facts.profile).set("language", facts.language).set("aliases", PhpArray.list([...aliases]));
  return { ...site, properties };
}
