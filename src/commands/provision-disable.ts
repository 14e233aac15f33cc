import type { Plan } from "../task/plan.ts";
import type { CommandCall } from "./command.ts";
import { switchSite } from "./switch-site.ts";

/** `provision-disable` of a site: all requests go to the front end's page for disabled sites. Its files and database stay as they are. */
export function prepare(call: CommandCall): Promise<Plan> {
  // No backup is made; the front end looks for one and must find nothing.
  call.options.put("process", "backup_file", null);
  call.options.put("process", "backup_file_size", null);
  return switchSite(call, false, () => []);
}
