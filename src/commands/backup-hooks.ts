import { join } from "node:path";
import type { SiteContext } from "../contexts/context.ts";
import type { DrupalCore } from "../drupal/core.ts";
import { NeedsRealDrush } from "../errors/needs-real-drush.ts";
import { filesByEnding } from "../files/scan.ts";
import type { CommandCall } from "./command.ts";

/**
 * Drush loads the command files of all modules that a site could use, enabled or not, when it stops before the site runs.
 *
 * @throws NeedsRealDrush when one of them has a part in the backup, or in the command that makes it
 */
export function refuseBackupHooks(site: SiteContext, core: DrupalCore, call: CommandCall): void {
  const folders = [join(core.root, "sites/all"), site.sitePath].flatMap((folder) => ["modules", "themes"].map((kind) => join(folder, kind)));
  const drushFiles = folders.flatMap((folder) => filesByEnding(folder, [".drush.inc", ".drush8.inc"]).flatMap((files) => [...files.values()]));
  for (const command of new Set([call.command, "provision-backup"])) {
    const [hook] = call.surroundings.hooksIn(drushFiles, command);
    if (hook !== undefined) throw new NeedsRealDrush(`the hook ${hook} of a module`);
  }
}
