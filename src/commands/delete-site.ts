import { isAbsolute, join } from "node:path";
import { property, type SiteContext } from "../contexts/context.ts";
import { databaseExists } from "../database/databases.ts";
import { deleteClientLink } from "../drupal/client-link.ts";
import { NeedsRealDrush } from "../errors/needs-real-drush.ts";
import { asShimError, ShimError } from "../errors/shim-error.ts";
import { isDirectory } from "../files/look.ts";
import { isTruthy } from "../php-values/convert.ts";
import { removeTreeLater } from "../task/file-changes.ts";
import { step, type Plan, type Work } from "../task/plan.ts";
import type { CommandCall } from "./command.ts";
import { connectAsAdministrator } from "./database-work.ts";
import { nativeCore, nativeServer, switchOption } from "./native-reach.ts";
import { dropSiteAliases, siteGoneLater } from "./remote-work.ts";
import { removeAliasFiles } from "./save-context.ts";
import { nativeBackup, siteBackup, type SiteBackup } from "./site-backup.ts";
import { dropDatabaseLater } from "./site-database.ts";
import { connectToSite, siteUri } from "./site-examination.ts";
import { forgetSite } from "./site-memory.ts";
import { siteCredentials, unserveSite } from "./web-work.ts";
import { withoutVisitors } from "./without-visitors.ts";

/** What is to become of the site's database: `drop` it, it is `gone` and only its accounts may be left, or `keep` it because it could not be backed up. */
type Database = "drop" | "gone" | "keep";

/**
 * `provision-delete [FILE]` of a Drupal 7 site: a last backup, then its virtual host, alias files, entries in sites.php and client's link, and when all that was done its database
 * and directory (Provision 7.x-3.x). With --force also a site whose database or directory is gone.
 */
export async function deleteSite(site: SiteContext, call: CommandCall): Promise<Plan> {
  const force = isTruthy(call.options.get("force"));
  const file = backupFile(call);
  if (site.name === "hostmaster") throw new NeedsRealDrush("the front end's own site");
  if (site.uri === "all") throw new ShimError("PROVISION_DELETE_ROOT_REFUSED", `The uri of @${site.name} is "all", and what is in sites/all belongs to all sites of the platform.`);
  const uri = siteUri(site);
  const { webServer } = site.platform;
  await nativeServer(webServer, call);
  const isThere = isDirectory(site.sitePath);
  if (isThere || !force) {
    nativeCore(site.platform);
    await nativeBackup(site, call);
  }
  const database = await databaseFate(site, call, force);
  const backup = isThere || !force ? await siteBackup(site, call, { file, force: force || !switchOption(call, "installed", false), database: database === "drop" }) : undefined;
  return {
    title: `delete site @${site.name}`,
    context: site.name,
    steps: [
      // First, so that nothing is written into the site any more while it is backed up.
      ...(webServer.http === undefined ? [] : [step("remove the virtual host and reload the web server", (work) => unserve(work, site, { call, database }))]),
      step("back the site up", (work) => backUp(work, backup)),
      step("remove the alias files", (work) => {
        removeAliasFiles(work, site, call.surroundings);
        call.options.put("process", "provision_save_config", false);
      }),
      step("remove the site from sites.php", (work) => dropSiteAliases(work, site, call)),
      step("remove the client's link", async (work) => {
        const { clientsPath } = await call.contexts.master();
        deleteClientLink(work, { clientsPath, client: property(site, "client_name"), uri });
      }),
      step("give up the site's database and directory", (work) => giveUp(work, site, { call, database })),
    ],
  };
}

/**
 * The name for the backup.
 *
 * @throws ShimError PROVISION_DELETE_BACKUP_NAME_RELATIVE. (The original refuses the absolute ones.)
 */
function backupFile({ args }: CommandCall): string | undefined {
  const [given = ""] = args;
  if (given === "") return undefined;
  if (!isAbsolute(given)) throw new ShimError("PROVISION_DELETE_BACKUP_NAME_RELATIVE", `The backup file ${JSON.stringify(given)} has no absolute path.`, { hint: `name it like ${join("/var/aegir/backups", "name.tar.gz")}, or leave it out` });
  return given;
}

async function unserve(work: Work, site: SiteContext, { call, database }: { readonly call: CommandCall; readonly database: Database }): Promise<void> {
  const takeAway = (): Promise<void> => unserveSite(work, site, call);
  // Whoever writes into a database that is not backed up cannot be waited for.
  await (database === "drop" ? withoutVisitors(work, site, call, takeAway) : takeAway());
}

async function backUp(work: Work, backup: SiteBackup | undefined): Promise<void> {
  if (backup === undefined) {
    work.log("warning", "The site's directory is gone: there is nothing to back up");
    return;
  }
  await work.include({ steps: backup.steps });
}

/** What cannot be brought back. */
async function giveUp(work: Work, site: SiteContext, { call, database }: { readonly call: CommandCall; readonly database: Database }): Promise<void> {
  const { name, user, host } = siteCredentials(call.options.set("site"));
  if (database === "keep") work.log("warning", `The database ${name === "" ? "of the site" : name} was not backed up, so it is left alone with its accounts`);
  else await dropDatabaseLater(work, call, { site, database: name, user, host });
  const tree = site.root === undefined ? undefined : removeTreeLater(site.sitePath);
  if (tree !== undefined) work.afterwards(`remove ${site.sitePath}`, tree);
  await siteGoneLater(work, site, call);
  forgetSite(work, site, call, { database: name, leaves: "altogether" });
}

/**
 * Whether the site's database can be backed up, and what is to become of it if not.
 *
 * @throws ShimError PROVISION_DB_CONNECT_FAIL when it cannot, without `force`
 */
async function databaseFate(site: SiteContext, call: CommandCall, force: boolean): Promise<Database> {
  const { name } = siteCredentials(call.options.set("site"));
  try {
    const db = await connectToSite(site, call);
    await db.close();
    return "drop";
  } catch (thrown) {
    const error = asShimError(thrown);
    if (!force) throw new ShimError(error.code, error.message, { hint: "--force deletes a site whose database is gone; its files are backed up alone", cause: thrown });
    return name === "" || (await isGone(site, call, name)) ? "gone" : "keep";
  }
}

async function isGone(site: SiteContext, call: CommandCall, name: string): Promise<boolean> {
  try {
    const db = await connectAsAdministrator(site.dbServer, call);
    try {
      return !(await databaseExists(db, name));
    } finally {
      await db.close();
    }
  } catch {
    // A server that does not answer may still have it.
    return false;
  }
}
