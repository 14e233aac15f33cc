import { dbReason, type Db } from "../database/connection.ts";
import { clearCaches } from "../drupal/caches.ts";
import { ShimError } from "../errors/shim-error.ts";
import type { Work } from "../task/plan.ts";

/** @throws ShimError PROVISION_DB_QUERY_FAILED */
export async function emptyCaches(work: Work, db: Db): Promise<void> {
  try {
    const tables = await work.act("empty the cache tables", () => clearCaches(db, new Date()));
    if (tables !== undefined) work.log("notice", `All caches flushed (${tables} tables)`);
  } catch (cause) {
    throw new ShimError("PROVISION_DB_QUERY_FAILED", `The caches of the site could not be emptied: ${dbReason(cause)}`, { cause });
  }
}
