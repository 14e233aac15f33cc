import { step, type Plan } from "../task/plan.ts";
import type { CommandCall } from "./command.ts";
import { installDrupal, refuseModuleHooks } from "./install-drupal.ts";
import { targetSite } from "./native-reach.ts";
import { examineSite } from "./site-examination.ts";
import { writeSiteDrushrc } from "./site-settings.ts";

/**
 * `provision-install-backend`: the part of an install that Drupal does, in a site whose settings.php and drushrc.php are there already. Nobody but
 * `provision-install` calls it, and that one does the same in its own plan.
 */
export async function prepare(call: CommandCall): Promise<Plan> {
  const site = targetSite(call);
  const { core } = await examineSite(site, call);
  refuseModuleHooks(site, core, call);
  return {
    title: `install the Drupal of site @${site.name}`,
    context: site.name,
    steps: [
      step("install Drupal", (work) => installDrupal(work, { site, core, call })),
      step("write the site's drushrc.php", (work) => writeSiteDrushrc(work, site, call)),
    ],
  };
}
