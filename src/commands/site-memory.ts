import { join } from "node:path";
import { arraysMemory } from "../aliases/reading/known-arrays.ts";
import type { SiteContext } from "../contexts/context.ts";
import type { Work } from "../task/plan.ts";
import type { CommandCall } from "./command.ts";
import { dumpMemory } from "./site-backup.ts";
import { drushrcMemory } from "./site-settings.ts";
import { verifiedMemory } from "./verified.ts";

/**
 * Forgets what was remembered of a site, where it is no more. That takes nothing back when the task fails after all: it is found out anew then.
 *
 * @param former.name false: the context goes on elsewhere
 */
export function forgetSite(work: Work, site: SiteContext, call: CommandCall, former: { readonly database: string; readonly name: boolean }): void {
  if (work.dryRun) return;
  const drushrc = join(site.sitePath, "drushrc.php");
  call.surroundings.remembered.forget([drushrcMemory(drushrc), arraysMemory(drushrc), dumpMemory(former.database, site), ...(former.name ? [verifiedMemory(site.name)] : [])]);
}
