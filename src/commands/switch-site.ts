import type { SiteContext } from "../contexts/context.ts";
import { withEnabled } from "../contexts/site.ts";
import { NeedsRealDrush } from "../errors/needs-real-drush.ts";
import { step, type Plan, type Step } from "../task/plan.ts";
import type { CommandCall } from "./command.ts";
import { nativeCore, nativeServer, targetSite } from "./native-reach.ts";
import { writeAliasFiles } from "./save-context.ts";
import { serveSite } from "./web-work.ts";

/** The part that enabling and disabling a site share: the virtual host, and what its alias says. */
export async function switchSite(call: CommandCall, enabled: boolean, last: (site: SiteContext) => Step[]): Promise<Plan> {
  const site = withEnabled(targetSite(call), enabled);
  const { webServer } = site.platform;
  await nativeServer(webServer, call);
  const core = nativeCore(site.platform);
  if (webServer.http === undefined) throw new NeedsRealDrush(`@${webServer.name}, which has no web service`);
  await call.options.loadRoot(core.root);
  if (enabled) await call.options.loadSite(site.sitePath);
  return {
    title: `${enabled ? "enable" : "disable"} site @${site.name}`,
    context: site.name,
    steps: [
      [
        step("write the virtual host and reload the web server", async (work) => {
          await serveSite(work, site, call, { onlyWhenNeeded: true });
        }),
        step("write the alias file", (work) => writeAliasFiles(work, site, call.surroundings)),
        ...last(site),
      ],
    ],
  };
}
