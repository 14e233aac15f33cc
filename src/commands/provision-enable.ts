import { ShimError } from "../errors/shim-error.ts";
import { step, type Plan } from "../task/plan.ts";
import type { CommandCall } from "./command.ts";
import { targetSite } from "./native-reach.ts";
import { sitePush } from "./remote-work.ts";
import { switchSite } from "./switch-site.ts";
import { writeSiteDrushrc } from "./site-settings.ts";
import { siteCredentials } from "./web-work.ts";

/** `provision-enable` of a site: its virtual host serves again. */
export async function prepare(call: CommandCall): Promise<Plan> {
  const { note, pushAgain } = await sitePush(targetSite(call), call);
  const plan = await switchSite(call, true, (site) => [
    step("write the site's drushrc.php", async (work) => {
      await work.include({ steps: note });
      writeSiteDrushrc(work, site, call);
      await work.include({ steps: pushAgain });
    }),
  ]);
  if (siteCredentials(call.options.set("site")).name === "") {
    throw new ShimError("PROVISION_DRUPAL_SITE_NOT_FOUND", `The site @${plan.context} was not found: its drushrc.php has no database credentials.`, { hint: "is it installed?" });
  }
  return plan;
}
