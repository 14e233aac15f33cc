import { mkdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { listProperty, property, type SiteContext } from "../contexts/context.ts";
import { contextName } from "../contexts/names.ts";
import type { Db } from "../database/connection.ts";
import { placeClientLink } from "../drupal/client-link.ts";
import { arrangeSiteDirectories, giveToWebServer } from "../drupal/site-directories.ts";
import { sitePackages, systemRows } from "../drupal/site-packages.ts";
import { siteVariable } from "../drupal/variables.ts";
import { ShimError } from "../errors/shim-error.ts";
import { lookAt } from "../files/look.ts";
import { uniqueName } from "../files/unique-name.ts";
import { isTruthy } from "../php-values/convert.ts";
import { PhpArray } from "../php-values/php-array.ts";
import { removeTreeLater } from "../task/file-changes.ts";
import { step, type Plan, type Work } from "../task/plan.ts";
import type { CommandCall } from "./command.ts";
import { siteBaseUrl } from "./drupal-work.ts";
import { installDrupal, refuseModuleHooks } from "./install-drupal.ts";
import { targetSite } from "./native-reach.ts";
import { sitePush } from "./remote-work.ts";
import { aliasPath, writeAliasFiles } from "./save-context.ts";
import { writeSiteAliases } from "./site-aliases.ts";
import { createSiteDatabase, dropDatabaseLater, putCredentials } from "./site-database.ts";
import { connectToSite, examinePlace, type ExaminedSite } from "./site-examination.ts";
import { putSiteDrushrc, writeSiteDrushrc, writeSiteSettings } from "./site-settings.ts";
import { refuseBadWebValues, serveSite, siteCredentials } from "./web-work.ts";

/** What is known before anything is changed. */
interface Place extends ExaminedSite {
  readonly site: SiteContext;
  readonly call: CommandCall;
  /** How Drupal gets into the database: `profile` by its installer, `manual` by a person with install.php, others by whoever uses them. */
  readonly method: string;
}

/**
 * `provision-install`: a new site of a Drupal 7 platform (Provision 7.x-3.x). When it fails nothing of it is left, its alias included.
 *
 * @throws NeedsRealDrush; ShimError PROVISION_URL_REQUIRED, PROVISION_SITE_INSTALLED before anything was changed
 */
export async function prepare(call: CommandCall): Promise<Plan> {
  const site = targetSite(call);
  const examined = await examinePlace(site, call);
  const place: Place = { ...examined, site, call, method: property(site, "install_method") ?? "profile" };
  if (place.method === "profile") refuseModuleHooks(site, place.core, call);
  const former = await formerSite(site, call);
  const stored = await call.storedContexts.get(site.name);
  // A value that cannot stand in the web server's configuration is found before there is a site.
  await refuseBadWebValues(site, call);
  const { note, push, pushAgain } = await sitePush(site, call, { override: true });
  let db: Db | undefined;
  return {
    title: `install site @${site.name}`,
    context: site.name,
    cleanUp: () => db?.close(),
    steps: [
      ...note,
      step("create the database", async (work) => putCredentials(call.options, await createSiteDatabase(work, call, { site }))),
      step("make the site's directories and settings.php", async (work) => {
        // Somebody may have made a site there since.
        if (former === undefined) await formerSite(site, call);
        if (former === undefined) await noteAliases(work, place);
        else await moveFormer(work, place, former);
        makeDirectories(work, place);
        await writeSiteSettings(work, place);
        putSiteDrushrc(work, site, call);
        if (!work.dryRun) await call.options.loadSite(site.sitePath);
      }),
      step(`install Drupal by the method ${place.method}`, (work) => fillDatabase(work, place)),
      step("write sites.php", (work) => writeSiteAliases(work, site, call)),
      ...push,
      [
        step("write the virtual host and reload the web server", async (work) => {
          // What would only be a flaw of a site that is there is a reason not to make this one.
          await serveSite({ ...work, flaw: (error) => work.error(error) }, site, call);
        }),
        step("look at the new site's database", async (work) => {
          if (place.method !== "profile" || work.dryRun) return;
          db = await connectToSite(site, call);
          await readSite(db, place);
        }),
        step("write the alias file", (work) => writeAliasFiles(work, stored, call.surroundings)),
      ],
      step("write the site's drushrc.php", (work) => {
        placeClientLink(work, { clientsPath: place.master.clientsPath, client: property(site, "client_name"), uri: place.uri, sitePath: site.sitePath });
        writeSiteDrushrc(work, site, call);
      }),
      ...pushAgain,
    ],
  };
}

/** The site that has the place, when it may be replaced. */
interface FormerSite {
  readonly database: string;
  readonly user: string;
  readonly host: string;
}

/** @throws ShimError PROVISION_SITE_INSTALLED */
async function formerSite(site: SiteContext, call: CommandCall): Promise<FormerSite | undefined> {
  const settings = join(site.sitePath, "settings.php");
  if (lookAt(settings) === undefined) return undefined;
  if (!isTruthy(call.options.get("force-reinstall"))) {
    throw new ShimError("PROVISION_SITE_INSTALLED", `The site @${site.name} is installed already: there is ${settings}.`, { hint: "with --force-reinstall its files and its database are lost and it is installed anew" });
  }
  const { name, user, host } = siteCredentials((await call.surroundings.readPhpVariable(join(site.sitePath, "drushrc.php"), "options")) ?? new PhpArray());
  return { database: name, user, host };
}

/** The former site stays until the new one is there. */
async function moveFormer(work: Work, { site, call }: Place, former: FormerSite): Promise<void> {
  work.log("ok", "Forcing reinstall...");
  const aside = join(dirname(site.sitePath), `.${basename(site.sitePath)}.${uniqueName()}.former`);
  work.files.moveTree(site.sitePath, aside);
  const entry = work.dryRun ? undefined : removeTreeLater(aside);
  if (entry !== undefined) work.afterwards(`remove the former ${site.sitePath}`, entry);
  const now = siteCredentials(call.options.set("site"));
  // A database of its name on another server is another site's.
  if (former.host !== "" && former.host !== now.host) work.log("warning", `The former database ${former.database} on ${former.host} is left alone: the site's database server is @${site.dbServer.name} by now`);
  // Where the former one was gone already, its name was free.
  else if (former.database !== now.name && former.user !== now.user) await dropDatabaseLater(work, call, { site, ...former });
}

/** A new site that cannot be installed loses its alias, so that it is not taken for one that is there. */
async function noteAliases(work: Work, { site, call }: Place): Promise<void> {
  for (const name of [site.name, ...listProperty(site, "drush_aliases").map(contextName)]) {
    const path = aliasPath(call.surroundings.home, name);
    const there = lookAt(path);
    if (there !== undefined) await work.act(`forget @${name} if this task fails`, () => undefined, { kind: "forget-context", path, inode: there.ino, written: there.mtimeMs });
  }
}

/** Below these everything goes with them when the task fails, whatever Drupal has put there. */
const TREES = ["files", "private", "themes", "modules", "libraries"];

function makeDirectories(work: Work, { site, webGroup }: Place): void {
  const trees = lookAt(site.sitePath) === undefined || work.dryRun ? [site.sitePath] : TREES.map((name) => join(site.sitePath, name));
  for (const path of trees) if (lookAt(path) === undefined) placeNewTree(work, path);
  // What is not there cannot be arranged.
  if (!work.dryRun) arrangeSiteDirectories(work, site.sitePath, webGroup);
}

function placeNewTree(work: Work, path: string): void {
  const staged = join(dirname(path), `.${basename(path)}.${uniqueName()}`);
  if (!work.dryRun) {
    work.files.journal.scratch(staged);
    mkdirSync(staged, 0o755);
  }
  work.files.placeTree(staged, path);
}

async function fillDatabase(work: Work, place: Place): Promise<void> {
  const { site, call, method, webGroup } = place;
  work.log("ok", `Installing site with the "${method}" method.`);
  if (method === "profile") {
    await installDrupal(work, place);
    if (!work.dryRun) {
      // Drupal has closed its directory and made new ones.
      arrangeSiteDirectories(work, site.sitePath, webGroup);
      giveToWebServer(work, join(site.sitePath, "settings.php"), webGroup);
    }
    call.options.put("site", "profile_installed", true);
  } else if (method === "manual") {
    call.options.put("process", "login_link", `${siteBaseUrl(site)}/install.php`);
  }
  call.options.put("site", "installed", true);
}

async function readSite(db: Db, { site, call, core }: Place): Promise<void> {
  call.options.put("site", "packages", sitePackages(await systemRows(db), core, property(site, "profile") ?? "standard"));
  call.options.put("process", "cron_key", (await siteVariable(db, "cron_key")) ?? "drupal");
}
