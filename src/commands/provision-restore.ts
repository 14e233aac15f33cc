import { step, type Plan } from "../task/plan.ts";
import { checkBackup } from "./archive-check.ts";
import type { CommandCall } from "./command.ts";
import { deployedSite, DUMP_UMASK } from "./deploy-site.ts";
import { targetSite } from "./native-reach.ts";
import { archiveOf } from "./provision-deploy.ts";
import { backupForTask } from "./provision-backup.ts";
import { dropDatabaseLater } from "./site-database.ts";
import { examineMovable } from "./site-examination.ts";
import { takeOffline } from "./take-offline.ts";
import { siteCredentials } from "./web-work.ts";

/**
 * `provision-restore FILE`: puts a site back to what a backup holds; what it is now is backed up first (Provision 7.x-3.x). The file is read through before anything is
 * touched, and a restore that fails leaves the site serving as it was.
 */
export async function prepare(call: CommandCall): Promise<Plan> {
  const site = targetSite(call);
  const path = archiveOf(call);
  await examineMovable(site, call);
  call.options.put("process", "restore_file", call.args[0] ?? path);
  const { name, user, host } = siteCredentials(call.options.set("site"));
  const meanwhile = step("take the site offline and back up what it is now", (work) =>
    work.include({
      steps: [
        step("take the site offline", (inner) => takeOffline(inner, site, call)),
        step("back up what the site is now", async (inner) => {
          await backupForTask(inner, site, call);
        }),
      ],
    }),
  );
  return {
    title: `restore site @${site.name}`,
    context: site.name,
    steps: [
      step("read the backup through", (work) => checkBackup(work, call, { site, path })),
      step("deploy the backup", (work) => deployedSite(work, call, { name: site.name, enabled: site.enabled, archive: path, oldUri: site.uri ?? "", meanwhile, vhostUmask: DUMP_UMASK })),
      step("give up the former database", (work) => dropDatabaseLater(work, call, { site, database: name, user, host })),
    ],
  };
}
