import { property, type SiteContext } from "../contexts/context.ts";
import type { Db } from "../database/connection.ts";
import { placeClientLink } from "../drupal/client-link.ts";
import type { DrupalCore } from "../drupal/core.ts";
import { protectUploads } from "../drupal/htaccess.ts";
import { arrangeSiteDirectories } from "../drupal/site-directories.ts";
import { sitePackages, type SystemRow } from "../drupal/site-packages.ts";
import { siteVariable } from "../drupal/variables.ts";
import { isTruthy } from "../php-values/convert.ts";
import { PhpArray } from "../php-values/php-array.ts";
import { ensureDirectory } from "../task/ensure-directory.ts";
import { step, type Plan, type Work } from "../task/plan.ts";
import type { CommandCall } from "./command.ts";
import { sitePush } from "./remote-work.ts";
import { writeAliasFiles } from "./save-context.ts";
import { isServed, serveSite } from "./web-work.ts";
import { emptyCaches } from "./empty-caches.ts";
import { connectToSite, examineDatabase, examineSite } from "./site-examination.ts";
import { SETTINGS_UMASK, writeSiteDrushrc, writeSiteSettings } from "./site-settings.ts";
import { writeSiteAliases } from "./site-aliases.ts";

export interface VerifyOptions {
  /** Drupal has just brought its table of modules up to date; what is still missing then stays missing. */
  readonly settled?: boolean;
  /** The web server is just being given the site; false in the end when that has failed, and been told. Its files are left alone until then. */
  readonly served?: Promise<boolean> | undefined;
}

/** `provision-verify` of a Drupal 7 site, without running its Drupal (Provision 7.x-3.x). */
export async function verifySite(site: SiteContext, call: CommandCall, { settled = false, served }: VerifyOptions = {}): Promise<Plan> {
  const { uri, core, master, webGroup, uploadDirectories } = await examineSite(site, call);
  const stored = await call.storedContexts.get(site.name);
  const { webServer } = site.platform;
  const writeVhost = async (work: Work): Promise<void> => {
    if ((await served) !== false) await serveSite(work, site, call, { umask: SETTINGS_UMASK, onlyWhenNeeded: settled });
  };
  // A reload takes longer than all the rest; where nothing depends on the rest it need not wait for it.
  const { note, push, pushAgain } = await sitePush(site, call, { override: isTruthy(call.options.get("override_slave_authority")) });
  const isUnchanged = push.length === 0 && served === undefined && (await isServed(site, call));
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
      ...note,
      [
        ...(isUnchanged ? [step("reload the web server, whose files are up to date", writeVhost)] : []),
        step("look at the site's database", async () => {
          db = await connectToSite(site, call);
          rows = await examineDatabase(db, site, { core, call, settled });
        }),
      ],
      step("arrange the site's directories", (work) => {
        reportPackages(work, { site, core, rows, call });
        arrangeSiteDirectories(work, site.sitePath, webGroup);
      }),
      step("write sites.php", (work) => writeSiteAliases(work, site, call)),
      step("write settings.php", async (work) => {
        protectUploads(work, core.root, uploadDirectories);
        await writeSiteSettings(work, { site, core, master, webGroup, call });
        if (webServer.http?.paths !== undefined) ensureDirectory(work, webServer.http.paths.platforms, "Platforms", 0o755);
      }),
      ...push,
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
      ...pushAgain,
    ],
  };
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
