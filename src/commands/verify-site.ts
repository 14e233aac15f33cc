import { join } from "node:path";
import { siteDrushrcText } from "../aliases/write-drushrc.ts";
import { property, type ServerContext, type SiteContext } from "../contexts/context.ts";
import { dbReason, type Db } from "../database/connection.ts";
import { clearCaches } from "../drupal/caches.ts";
import { placeClientLink } from "../drupal/client-link.ts";
import { atLeast, type DrupalCore } from "../drupal/core.ts";
import { protectUploads } from "../drupal/htaccess.ts";
import { LOCAL_SETTINGS_TEXT, settings7Text } from "../drupal/settings-php.ts";
import { arrangeSiteDirectories, giveToWebServer, openSiteDirectory, writeForWebServer } from "../drupal/site-directories.ts";
import { sitePackages, type SystemRow } from "../drupal/site-packages.ts";
import { siteVariable } from "../drupal/variables.ts";
import { ShimError } from "../errors/shim-error.ts";
import { lookAt } from "../files/look.ts";
import { PhpArray } from "../php-values/php-array.ts";
import { ensureDirectory } from "../task/ensure-directory.ts";
import { step, type Plan, type Work } from "../task/plan.ts";
import { apacheVhostFile } from "../web/apache-files.ts";
import { changeWebConfig } from "../web/web-transaction.ts";
import type { CommandCall } from "./command.ts";
import { switchOption } from "./native-reach.ts";
import { writeAliasFiles } from "./save-context.ts";
import { apacheOptions, isInPlace, siteCredentials, webSettings } from "./web-work.ts";
import { connectToSite, examineDatabase, examineSite } from "./site-examination.ts";
import { writeSiteAliases } from "./site-aliases.ts";

/** The umask that a site's settings.php sets, with which Provision writes what comes after it. */
const SETTINGS_UMASK = 0o002;

/** `provision-verify` of a Drupal 7 site, without running its Drupal (Provision 7.x-3.x). */
export async function verifySite(site: SiteContext, call: CommandCall): Promise<Plan> {
  const { uri, core, master, webGroup, uploadDirectories } = await examineSite(site, call);
  const stored = await call.storedContexts.get(site.name);
  const { webServer } = site.platform;
  const vhost = webServer.http === undefined ? undefined : apacheVhostFile(site, siteCredentials(call.options.set("site")), { ...apacheOptions(call), master });
  const writeVhost = (work: Work): Promise<void> => (vhost === undefined ? Promise.resolve() : changeWebConfig(work, webServer, [vhost], webSettings(call, SETTINGS_UMASK)));
  // A reload takes longer than all the rest; where nothing depends on the rest it need not wait for it.
  const isUnchanged = vhost !== undefined && isInPlace(vhost);
  let rows: SystemRow[] = [];
  let db: Db | undefined;
  const connected = (): Db => {
    if (db === undefined) throw new TypeError("The steps are out of order: the database comes first.");
    return db;
  };
  return {
    title: `verify site @${site.name}`,
    context: site.name,
    cleanUp: () => db?.close(),
    steps: [
      [
        ...(isUnchanged ? [step("reload the web server, whose files are up to date", writeVhost)] : []),
        step("look at the site's database", async () => {
          db = await connectToSite(site, call);
          rows = await examineDatabase(db, site, { core, call });
        }),
      ],
      step("arrange the site's directories", (work) => {
        reportPackages(work, { site, core, rows, call });
        arrangeSiteDirectories(work, site.sitePath, webGroup);
      }),
      step("write sites.php", (work) => writeSiteAliases(work, site, call)),
      step("write settings.php", (work) => {
        protectUploads(work, core.root, uploadDirectories);
        writeSettings(work, { site, core, master, webGroup, call });
        if (webServer.http?.paths !== undefined) ensureDirectory(work, webServer.http.paths.platforms, "Platforms", 0o755);
      }),
      [
        ...(isUnchanged ? [] : [step("write the virtual host and reload the web server", writeVhost)]),
        step("empty the site's caches", (work) => emptyCaches(work, connected())),
        step("write the alias file", (work) => writeAliasFiles(work, stored, call.surroundings)),
      ],
      step("write the site's drushrc.php", async (work) => {
        call.options.put("site", "installed", true);
        placeClientLink(work, { clientsPath: master.clientsPath, client: property(site, "client_name"), uri, sitePath: site.sitePath });
        call.options.put("process", "cron_key", (await siteVariable(connected(), "cron_key")) ?? "drupal");
        writeSiteDrushrc(work, site, call);
      }),
    ],
  };
}

/** Rewrites `sites/URI/drushrc.php` from the `site` option set, as Provision does at the end of its commands. */
export function writeSiteDrushrc(work: Work, site: SiteContext, call: CommandCall): void {
  if (!switchOption(call, "provision_save_config", true) || !switchOption(call, "installed", false)) return;
  const options = call.options.set("site").clone();
  options.delete("context-path");
  options.delete("config-file");
  const path = join(site.sitePath, "drushrc.php");
  openSiteDirectory(work, site.sitePath);
  const written = work.files.write({ path, content: siteDrushrcText(options, site.sitePath), mode: 0o440, secret: true });
  work.log("success", written ? `Generated Site Drush configuration file (${path})` : `The site's Drush configuration file is up to date (${path})`);
}

function reportPackages(work: Work, look: { readonly site: SiteContext; readonly core: DrupalCore; readonly rows: readonly SystemRow[]; readonly call: CommandCall }): void {
  const packages = sitePackages(look.rows, look.core, property(look.site, "profile") ?? "standard");
  const count = (key: string): number => {
    const found = packages.get(key);
    return found instanceof PhpArray ? found.size : 0;
  };
  work.log("notice", `Found ${count("modules")} modules and ${count("themes")} themes`);
  look.call.options.put("site", "packages", packages);
}

function writeSettings(work: Work, what: { readonly site: SiteContext; readonly core: DrupalCore; readonly master: ServerContext; readonly webGroup: string; readonly call: CommandCall }): void {
  const { site, core, master, webGroup, call } = what;
  const local = join(site.sitePath, "local.settings.php");
  if (lookAt(local) !== undefined) giveToWebServer(work, local, webGroup);
  else if (switchOption(call, "provision_create_local_settings_file", true)) {
    writeForWebServer(work, { path: local, content: LOCAL_SETTINGS_TEXT, webGroup });
    work.log("success", "Generated blank Drupal local.settings.php file");
  }
  const credentials = siteCredentials(call.options.set("site"));
  const content = settings7Text({
    uri: site.uri ?? "",
    root: core.root,
    profile: property(site, "profile") ?? "standard",
    enabled: site.enabled,
    cloaked: switchOption(call, "provision_db_cloaking", true),
    db: credentials,
    utf8mb4: site.dbServer.db?.utf8mb4 === true && atLeast(core, 7, 50),
    subdirs: switchOption(call, "subdirs_support", false),
    includePath: master.includePath,
    extra: [],
  });
  const path = join(site.sitePath, "settings.php");
  writeForWebServer(work, { path, content, webGroup, secret: true });
  work.log("success", `Generated Drupal settings.php file (${path})`);
}

async function emptyCaches(work: Work, db: Db): Promise<void> {
  try {
    const tables = await work.act("empty the cache tables", () => clearCaches(db, new Date()));
    if (tables !== undefined) work.log("notice", `All caches flushed (${tables} tables)`);
  } catch (cause) {
    throw new ShimError("PROVISION_DB_QUERY_FAILED", `The caches of the site could not be emptied: ${dbReason(cause)}`, { cause });
  }
}

