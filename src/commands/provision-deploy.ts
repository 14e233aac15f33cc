import { isAbsolute, join } from "node:path";
import { isFile, lookAt } from "../files/look.ts";
import { ShimError } from "../errors/shim-error.ts";
import { textOrUndefined } from "../php-values/convert.ts";
import { step, type Plan } from "../task/plan.ts";
import { checkBackup } from "./archive-check.ts";
import type { CommandCall } from "./command.ts";
import { deploySteps } from "./deploy-site.ts";
import { targetSite } from "./native-reach.ts";

/**
 * `provision-deploy FILE [--old_uri=HOST]`: puts what a backup holds where the site is to be, with a database of its own (Provision 7.x-3.x). A verify makes it complete. Without
 * the old name no paths are rewritten; the original took a missing one for another and spoilt those of sites/all.
 */
export async function prepare(call: CommandCall): Promise<Plan> {
  const site = targetSite(call);
  const path = archiveOf(call);
  const steps = await deploySteps(site, call, { archive: path, oldUri: textOrUndefined(call.options.get("old_uri")) ?? "" });
  call.options.put("process", "backup_file", path);
  const deploy = step("deploy the backup", async (work) => {
    if (!work.dryRun) {
      await work.include({ steps });
      return;
    }
    // Each part of it works on what the one before has made.
    await work.act(`deploy ${path} as @${site.name}`, () => undefined);
    work.files.tell({ kind: lookAt(site.sitePath) === undefined ? "create" : "replace", path: site.sitePath });
  });
  return { title: `deploy site @${site.name}`, context: site.name, steps: [step("read the backup through", (work) => checkBackup(work, call, { site, path })), deploy] };
}

/** @throws ShimError PROVISION_BACKUP_NOT_FOUND */
export function archiveOf(call: CommandCall): string {
  const given = call.args[0] ?? "";
  if (given === "") throw new ShimError("PROVISION_BACKUP_NOT_FOUND", `${call.command} was called without a backup file.`, { hint: "name the file behind the command" });
  const path = isAbsolute(given) ? given : join(call.target?.type === "site" ? (call.target.root ?? "") : "", given);
  if (!isFile(path)) throw new ShimError("PROVISION_BACKUP_NOT_FOUND", `Could not find backup file ${path}`, { hint: "`provision backups list` shows those that there are" });
  return path;
}
