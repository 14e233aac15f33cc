import { isTruthy } from "../php-values/convert.ts";
import { step, type Plan } from "../task/plan.ts";
import type { CommandCall } from "./command.ts";
import { targetSite } from "./native-reach.ts";
import { nativeBackup, siteBackup } from "./site-backup.ts";
import { writeSiteDrushrc } from "./site-settings.ts";

export { backupForTask } from "./site-backup.ts";

/**
 * `provision-backup [FILE]`: dump and files of a site in one archive (Provision 7.x-3.x), which is read back before it gets its name. Drupal takes no part in it.
 */
export async function prepare(call: CommandCall): Promise<Plan> {
  const site = targetSite(call);
  await nativeBackup(site, call);
  const given = call.args[0];
  const backup = await siteBackup(site, call, { file: given === "" ? undefined : given, force: isTruthy(call.options.get("force")), database: true });
  return {
    title: `back up site @${site.name}`,
    context: site.name,
    steps: [...backup.steps, step("write the site's drushrc.php", (work) => writeSiteDrushrc(work, site, call))],
  };
}
