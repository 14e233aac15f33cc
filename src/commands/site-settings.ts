import { join } from "node:path";
import { siteDrushrcText } from "../aliases/write-drushrc.ts";
import { property, type ServerContext, type SiteContext } from "../contexts/context.ts";
import { atLeast, type DrupalCore } from "../drupal/core.ts";
import { LOCAL_SETTINGS_TEXT, settings7Text } from "../drupal/settings-php.ts";
import { giveToWebServer, openSiteDirectory, writeForWebServer } from "../drupal/site-directories.ts";
import { lookAt } from "../files/look.ts";
import { isSettled, stampFrom } from "../files/stamp.ts";
import type { Work } from "../task/plan.ts";
import type { CommandCall } from "./command.ts";
import { hasFeature, switchOption } from "./native-reach.ts";
import { isCloaked, siteCredentials, siteSubject } from "./web-work.ts";

/** The umask that a site's settings.php sets, with which Provision writes what comes after it. */
export const SETTINGS_UMASK = 0o002;

export interface SettingsOfSite {
  readonly site: SiteContext;
  readonly core: DrupalCore;
  readonly master: ServerContext;
  readonly webGroup: string;
  /** Its option set `site` has the credentials. */
  readonly call: CommandCall;
}

/** Writes settings.php from the credentials in the `site` option set, and an empty local.settings.php where there is none (P2 of Provision 7.x-3.x). */
export async function writeSiteSettings(work: Work, what: SettingsOfSite): Promise<void> {
  const { site, webGroup, call } = what;
  const local = join(site.sitePath, "local.settings.php");
  if (lookAt(local) !== undefined) giveToWebServer(work, local, webGroup);
  else if (switchOption(call, "provision_create_local_settings_file", true)) {
    writeForWebServer(work, { path: local, content: LOCAL_SETTINGS_TEXT, webGroup });
    work.log("success", "Generated blank Drupal local.settings.php file");
  }
  const content = await siteSettingsText(what, await isCloaked(site.platform.webServer, call));
  const path = join(site.sitePath, "settings.php");
  writeForWebServer(work, { path, content, webGroup, secret: true });
  work.log("success", `Generated Drupal settings.php file (${path})`);
}

/** The text of settings.php. `cloaked`: the web server's environment has the credentials, the file has not. */
export async function siteSettingsText({ site, core, master, call }: Omit<SettingsOfSite, "webGroup">, cloaked: boolean): Promise<string> {
  return settings7Text({
    uri: site.uri ?? "",
    root: core.root,
    profile: property(site, "profile") ?? "standard",
    enabled: site.enabled,
    cloaked,
    db: siteCredentials(call.options.set("site")),
    utf8mb4: site.dbServer.db?.utf8mb4 === true && atLeast(core, 7, 50),
    subdirs: hasFeature(call, "subdirs") || switchOption(call, "subdirs_support", false),
    includePath: master.includePath,
    extra: await call.surroundings.hookLines("provision_drupal_config", siteSubject(site, site.platform.webServer, call)),
  });
}

/** Rewrites `sites/URI/drushrc.php` from the `site` option set, as Provision does at the end of its commands. */
export function writeSiteDrushrc(work: Work, site: SiteContext, call: CommandCall): void {
  if (!switchOption(call, "provision_save_config", true) || !switchOption(call, "installed", false)) return;
  putSiteDrushrc(work, site, call);
}

/** The same whatever the options say: the site's credentials and what else its `site` option set holds. */
export function putSiteDrushrc(work: Work, site: SiteContext, call: CommandCall): void {
  const path = join(site.sitePath, "drushrc.php");
  const { remembered } = call.surroundings;
  openSiteDirectory(work, site.sitePath);
  // To make its text again takes longer than all the rest of a short call.
  const stamp = stampOf(path);
  const isWritten = !work.dryRun && stamp !== undefined && call.options.isSiteAsRead() && remembered.get(drushrcMemory(path)) === stamp;
  const written = !isWritten && work.files.write({ path, content: drushrcText(site, call), mode: 0o440, secret: true });
  // Not when it has just been written: the next call that finds it so does.
  if (!isWritten && !written && !work.dryRun && stamp !== undefined && stampOf(path) === stamp) remembered.set(drushrcMemory(path), stamp);
  work.log("success", written ? `Generated Site Drush configuration file (${path})` : `The site's Drush configuration file is up to date (${path})`);
}

function drushrcText(site: SiteContext, call: CommandCall): string {
  const options = call.options.set("site").clone();
  options.delete("context-path");
  options.delete("config-file");
  return siteDrushrcText(options, site.sitePath);
}

/** The name under which it is remembered of a site's drushrc.php which file was as this program writes it, with its mode. The number is that of the form in which it is written. */
export function drushrcMemory(path: string): string {
  return `drushrc-1 ${path}`;
}

/** Undefined for what is no plain file, or was changed only now. */
function stampOf(path: string): string | undefined {
  const stats = lookAt(path);
  return stats?.isFile() === true && isSettled(stats) ? stampFrom(stats) : undefined;
}
