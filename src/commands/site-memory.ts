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
 * @param of.leaves its database alone, its directory, too, or its name as well
 */
export function forgetSite(work: Work, site: SiteContext, call: CommandCall, { database, leaves }: { readonly database: string; readonly leaves: "database" | "place" | "altogether" }): void {
  if (work.dryRun) return;
  const drushrc = join(site.sitePath, "drushrc.php");
  const ofPlace = leaves === "database" ? [] : [drushrcMemory(drushrc), arraysMemory(drushrc)];
  call.surroundings.remembered.forget([dumpMemory(database, site), ...ofPlace, ...(leaves === "altogether" ? [verifiedMemory(site.name)] : [])]);
}
