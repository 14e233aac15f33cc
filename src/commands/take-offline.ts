import type { SiteContext } from "../contexts/context.ts";
import { withEnabled } from "../contexts/site.ts";
import type { Work } from "../task/plan.ts";
import type { CommandCall } from "./command.ts";
import { serveSite } from "./web-work.ts";
import { withoutVisitors } from "./without-visitors.ts";

/**
 * Sends the site's visitors to the page for disabled sites, so that nobody writes into a database that is about to be left behind. (Provision takes the
 * virtual host away without telling the web server, and its front end puts it back in the middle: what visitors wrote after the dump was lost.)
 */
export async function takeOffline(work: Work, site: SiteContext, call: CommandCall): Promise<void> {
  const { webServer } = site.platform;
  if (webServer.http === undefined) return;
  await withoutVisitors(work, site, call, () => serveSite(work, withEnabled(site, false), call));
  work.log("notice", `@${site.name} is under maintenance`);
}
