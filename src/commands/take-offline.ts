import type { SiteContext } from "../contexts/context.ts";
import { withEnabled } from "../contexts/site.ts";
import type { Work } from "../task/plan.ts";
import { apacheVhostFile } from "../web/apache-files.ts";
import { changeWebConfig } from "../web/web-transaction.ts";
import type { CommandCall } from "./command.ts";
import { apacheOptions, siteCredentials, webSettings } from "./web-work.ts";

/**
 * Sends the site's visitors to the page for disabled sites, so that nobody writes into a database that is about to be left behind. (Provision takes the
 * virtual host away without telling the web server, and its front end puts it back in the middle: what visitors wrote after the dump was lost.)
 */
export async function takeOffline(work: Work, site: SiteContext, call: CommandCall): Promise<void> {
  const { webServer } = site.platform;
  if (webServer.http === undefined) return;
  const master = await call.contexts.master();
  const vhost = apacheVhostFile(withEnabled(site, false), siteCredentials(call.options.set("site")), { ...apacheOptions(call), master });
  await changeWebConfig(work, webServer, [vhost], webSettings(call));
  work.log("notice", `@${site.name} is under maintenance`);
}
