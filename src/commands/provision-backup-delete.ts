import { realpathSync } from "node:fs";
import { basename, dirname, isAbsolute, join, normalize, relative } from "node:path";
import { property } from "../contexts/context.ts";
import { ShimError } from "../errors/shim-error.ts";
import { isAbsent, lookAt } from "../files/look.ts";
import { step, type Plan } from "../task/plan.ts";
import type { CommandCall } from "./command.ts";
import { targetSite } from "./native-reach.ts";

/**
 * `provision-backup-delete FILE[,FILE…]`: removes backups and the client's links to them. A file that is gone already counts as removed. Unlike
 * the original it removes nothing that is not in the backup directory.
 */
export async function prepare(call: CommandCall): Promise<Plan> {
  const site = targetSite(call);
  const master = await call.contexts.master();
  const names = (call.args[0] ?? "").split(",").filter((name) => name !== "");
  if (names.length === 0) {
    throw new ShimError("PROVISION_BACKUP_NOT_FOUND", "provision-backup-delete was called without a file.", { hint: "give absolute file names, joined by commas" });
  }
  const files = names.map((name) => fileInside(name, master.backupPath));
  const client = property(site, "client_name");
  return {
    title: `delete ${files.length === 1 ? "a backup" : `${files.length} backups`} of site @${site.name}`,
    context: site.name,
    steps: [
      step("remove the files", (work) => {
        for (const file of files) {
          work.files.remove(file);
          work.log("success", `Removed backup file ${file}`);
          const link = client === undefined ? undefined : join(master.clientsPath, client, "backups", basename(file));
          if (link !== undefined && work.files.remove(link)) work.log("success", `Deleted backup symlink ${link}`);
        }
      }),
    ],
  };
}

/** The real place of a backup file, which must be in the backup directory. */
function fileInside(name: string, backupPath: string): string {
  const refusal = new ShimError("PROVISION_BACKUP_PATH_REFUSED", `${name} is no file in the backup directory ${backupPath}, so it is not removed.`, {
    hint: "backups elsewhere are removed by hand",
  });
  if (!isAbsolute(name)) throw refusal;
  const path = join(realDirectory(dirname(normalize(name))), basename(name));
  const inside = relative(realDirectory(backupPath), path);
  if (inside === "" || inside.startsWith("..") || isAbsolute(inside) || lookAt(path)?.isDirectory() === true) throw refusal;
  return path;
}

function realDirectory(path: string): string {
  try {
    return realpathSync(path);
  } catch (thrown) {
    if (isAbsent(thrown)) return path;
    throw thrown;
  }
}
