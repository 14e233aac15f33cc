import type { SiteContext } from "../contexts/context.ts";
import { withEnabled } from "../contexts/site.ts";
import { NeedsRealDrush } from "../errors/needs-real-drush.ts";
import { step, type Plan, type Step } from "../task/plan.ts";
import { apacheVhostFile } from "../web/apache-files.ts";
import { changeWebConfig } from "../web/web-transaction.ts";
import type { CommandCall } from "./command.ts";
import { nativeCore, nativeServer, targetSite } from "./native-reach.ts";
import { writeAliasFiles } from "./save-context.ts";
import { apacheOptions, siteCredentials, webSettings } from "./web-work.ts";

/** The part that enabling and disabling a site share: the virtual host, and what its alias says. */
export async function switchSite(call: CommandCall, enabled: boolean, last: (site: SiteContext) => Step[]): Promise<Plan> {
  const site = withEnabled(targetSite(call), enabled);
  const { webServer } = site.platform;
  await nativeServer(webServer, call);
  const core = nativeCore(site.platform);
  if (webServer.http === undefined) throw new NeedsRealDrush(`@${webServer.name}, which has no web service`);
  await call.options.loadRoot(core.root);
  if (enabled) await call.options.loadSite(site.sitePath);
  const master = await call.contexts.master();
  return {
    title: `${enabled ? "enable" : "disable"} site @${site.name}`,
    context: site.name,
    steps: [
      [
        step("write the virtual host and reload the web server", async (work) => {
          const vhost = apacheVhostFile(site, siteCredentials(call.options.set("site")), { ...apacheOptions(call), master });
          await changeWebConfig(work, webServer, [vhost], { ...webSettings(call), onlyWhenNeeded: true });
        }),
        step("write the alias file", (work) => writeAliasFiles(work, site, call.surroundings)),
        ...last(site),
      ],
    ],
  };
}
