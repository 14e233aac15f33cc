import { join } from "node:path";
import { property, type ServerContext, type SiteContext } from "../contexts/context.ts";
import { connectDb, dbReason, type Db, type DbAccount } from "../database/connection.ts";
import type { DrupalCore } from "../drupal/core.ts";
import { extensionDrift } from "../drupal/extension-drift.ts";
import { describesItselfInPhp } from "../drupal/profiles.ts";
import { systemRows, type SystemRow } from "../drupal/site-packages.ts";
import { NeedsRealDrush } from "../errors/needs-real-drush.ts";
import { ShimError } from "../errors/shim-error.ts";
import { readIfThere } from "../files/look.ts";
import { filesByEnding } from "../files/scan.ts";
import { refuseBackupHooks } from "./backup-hooks.ts";
import type { CommandCall } from "./command.ts";
import { nativeCore, nativeServer } from "./native-reach.ts";
import { siteCredentials } from "./web-work.ts";

/** What is known of a site before anything is changed. */
export interface ExaminedSite {
  readonly uri: string;
  readonly core: DrupalCore;
  readonly master: ServerContext;
  readonly webGroup: string;
  /** The site's public, private and temporary directory, relative to the root. */
  readonly uploadDirectories: readonly string[];
}

/**
 * Looks at a Drupal 7 site's contexts and files.
 *
 * @throws NeedsRealDrush when only its own Drupal could do what the command must do; ShimError when the site is not there
 */
export async function examineSite(site: SiteContext, call: CommandCall): Promise<ExaminedSite> {
  const examined = await examinePlace(site, call);
  await call.options.loadSite(site.sitePath);
  siteAccount(site, call);
  return examined;
}

/**
 * Looks at the place of a Drupal 7 site that may not be there yet: its contexts, and the files that its settings.php will read.
 *
 * @throws NeedsRealDrush when only its own Drupal could do what the command must do
 */
export async function examinePlace(site: SiteContext, call: CommandCall): Promise<ExaminedSite> {
  await nativeServer(site.platform.webServer, call);
  await refuseFrontEnd(site, call);
  const core = nativeCore(site.platform);
  const uri = siteUri(site);
  await call.options.loadRoot(core.root);
  const master = await call.contexts.master();
  refuseForeignPlace(site, core, master);
  const webGroup = site.platform.webServer.http?.webGroup ?? master.http?.webGroup ?? "www-data";
  return { uri, core, master, webGroup, uploadDirectories: ["files", "private/files", "private/temp"].map((place) => `sites/${uri}/${place}`) };
}

/**
 * Looks at the database server, code and settings that a site has, or is to get.
 *
 * @throws NeedsRealDrush
 */
function refuseForeignPlace(site: SiteContext, core: DrupalCore, master: ServerContext): void {
  const [unknown] = site.dbServer.unknownDrivers;
  if (unknown !== undefined) throw new NeedsRealDrush(`the service ${unknown} of @${site.dbServer.name}`);
  const profile = property(site, "profile") ?? "standard";
  if (describesItselfInPhp(core, profile)) throw new NeedsRealDrush(`the profile ${profile}, which describes itself in PHP`);
  refuseOwnSettings(site, master, core);
}

/**
 * The same for the place that a site is to get on a platform, whose extensions of drush would take part in what the original does there.
 *
 * @throws NeedsRealDrush
 */
export async function refuseForeignTarget(site: SiteContext, core: DrupalCore, call: CommandCall): Promise<void> {
  refuseForeignPlace(site, core, await call.contexts.master());
  const folders = ["drush", "sites/all/drush", "sites/all/modules", "sites/all/themes", `profiles/${property(site, "profile") ?? "standard"}`];
  const files = folders.flatMap((folder) => filesByEnding(join(core.root, folder), [".drush.inc", ".drush8.inc"]).flatMap((found) => [...found.values()]));
  for (const command of ["provision-deploy", "updatedb", "provision-verify"]) {
    const [hook] = call.surroundings.hooksIn(files, command);
    if (hook !== undefined) throw new NeedsRealDrush(`the hook ${hook} of @${site.platform.name}`);
  }
}

export interface MovableSite extends ExaminedSite {
  /** Its table of modules and themes. */
  readonly rows: readonly SystemRow[];
}

/**
 * Looks at a Drupal 7 site that is to be deployed anew, here or elsewhere: what its verify needs must hold, and its database must answer. Changes nothing.
 *
 * @throws NeedsRealDrush when only its own Drupal could do what the command must do; ShimError when the site or its database is not there
 */
export async function examineMovable(site: SiteContext, call: CommandCall): Promise<MovableSite> {
  const examined = await examineSite(site, call);
  refuseBackupHooks(site, examined.core, call);
  const db = await connectToSite(site, call);
  try {
    const rows = await readSystem(db, site);
    const { drushFiles } = extensionDrift(rows, examined.core, { uri: examined.uri, profile: property(site, "profile") ?? "standard" });
    for (const command of [call.command, "provision-deploy", "provision-verify"]) {
      const [hook] = call.surroundings.hooksIn(drushFiles, command);
      if (hook !== undefined) throw new NeedsRealDrush(`the hook ${hook} of a module of the site`);
    }
    return { ...examined, rows };
  } finally {
    await db.close();
  }
}

/**
 * The site's own account on its database.
 *
 * @param patience for statements that go through large tables, see {@link connectDb}
 */
export function connectToSite(site: SiteContext, call: CommandCall, patience = 1): Promise<Db> {
  const { mysqlSocket, databaseTimeoutMs, signal } = call.surroundings;
  return connectDb(siteAccount(site, call), { socket: mysqlSocket, timeoutMs: databaseTimeoutMs, patience, signal });
}

/**
 * What the site's database knows of its code.
 *
 * @throws NeedsRealDrush when it does not agree with what is on disk, or a module of the site takes part in the command
 */
export async function examineDatabase(db: Db, site: SiteContext, look: { readonly core: DrupalCore; readonly call: CommandCall; readonly settled: boolean }): Promise<SystemRow[]> {
  const { core, call, settled } = look;
  const rows = await readSystem(db, site);
  const { drifted, drushFiles } = extensionDrift(rows, core, { uri: siteUri(site), profile: property(site, "profile") ?? "standard" });
  if (drifted.length > 0 && !settled) throw new NeedsRealDrush(`modules or themes that the site's database does not know yet (${drifted.slice(0, 3).join(", ")})`);
  const [hook] = call.surroundings.hooksIn(drushFiles, call.command);
  if (hook !== undefined) throw new NeedsRealDrush(`the hook ${hook} of a module of the site`);
  return rows;
}

/** @throws ShimError PROVISION_URL_REQUIRED when it has none, or one that is no host name */
export function siteUri(site: SiteContext): string {
  if (site.uri === undefined) throw new ShimError("PROVISION_URL_REQUIRED", `The site @${site.name} has no uri.`, { hint: "save it with --uri=host" });
  // What is in sites/all belongs to all sites of the platform.
  if (/[/\\]|^\.+$|^all$/.test(site.uri)) throw new ShimError("PROVISION_URL_REQUIRED", `The uri ${JSON.stringify(site.uri)} of @${site.name} is no host name.`);
  return site.uri;
}

/** The front end's list of features, which its verify writes down for drush, is known only to its own Drupal. */
async function refuseFrontEnd(site: SiteContext, call: CommandCall): Promise<void> {
  const hostmaster = await call.storedContexts.find("hostmaster");
  if (hostmaster?.type === "site" && hostmaster.root === site.root && hostmaster.uri === site.uri) throw new NeedsRealDrush("the front end's own site");
}

/** What such a file may do to caches, database or paths is for PHP to find out. */
const OWN_SETTINGS = /\$databases|\$db_prefix|\$db_url|cache_backends|cache_default_class|cache_class_|cron_key|file_(?:public|private|temporary)_path|\b(?:include|require)(?:_once)?\b/;

function refuseOwnSettings(site: SiteContext, master: ServerContext, core: DrupalCore): void {
  const files = [join(master.includePath, "global.inc"), join(core.root, "sites/all/platform.settings.php"), join(site.sitePath, "local.settings.php")];
  for (const file of files) {
    if (OWN_SETTINGS.test(readIfThere(file)?.toString("latin1") ?? "")) throw new NeedsRealDrush(`settings in ${file}`);
  }
}

function siteAccount(site: SiteContext, call: CommandCall): DbAccount {
  const { name, user, password, host, port } = siteCredentials(call.options.set("site"));
  if (name === "" || user === "") {
    throw new ShimError("PROVISION_DRUPAL_SITE_NOT_FOUND", `The site @${site.name} was not found: ${join(site.sitePath, "drushrc.php")} has no database credentials.`, {
      hint: "is it installed? An import or install writes that file",
    });
  }
  return { host, port: Number(port === "" ? "3306" : port), user, password, database: name };
}

async function readSystem(db: Db, site: SiteContext): Promise<SystemRow[]> {
  try {
    return await systemRows(db);
  } catch (cause) {
    throw new ShimError("PROVISION_DRUPAL_SITE_NOT_FOUND", `The database of @${site.name} holds no Drupal 7 site: ${dbReason(cause)}`, { hint: "is it installed?", cause });
  }
}
