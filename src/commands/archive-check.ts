import { examineBackup } from "../backups/examine.ts";
import type { SiteContext } from "../contexts/context.ts";
import type { Work } from "../task/plan.ts";
import type { CommandCall } from "./command.ts";

/**
 * Reads a backup through before anything of the site is touched. One of a site that is no more may be this site's own, from before it was renamed.
 *
 * @throws ShimError PROVISION_BACKUP_DAMAGED, PROVISION_BACKUP_UNSAFE, PROVISION_BACKUP_OTHER_SITE
 */
export async function checkBackup(work: Work, call: CommandCall, { site, path }: { readonly site: SiteContext; readonly path: string }): Promise<void> {
  await examineBackup(work, path, {
    name: site.name,
    uri: site.uri,
    sitePath: site.sitePath,
    isNobody: async (name) => (await call.storedContexts.find(name)) === undefined,
  });
}
