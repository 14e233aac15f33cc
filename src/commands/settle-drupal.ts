import { join } from "node:path";
import { property } from "../contexts/context.ts";
import { PATIENCE, type Db } from "../database/connection.ts";
import { extensionDrift } from "../drupal/extension-drift.ts";
import { systemRows } from "../drupal/site-packages.ts";
import { isFile } from "../files/look.ts";
import type { Work } from "../task/plan.ts";
import { applyUpdates, inDrupal, rebuildNodeAccess, rewriteSitePaths, type SiteAtWork } from "./drupal-work.ts";
import { emptyCaches } from "./empty-caches.ts";
import { connectToSite } from "./site-examination.ts";

/**
 * Brings the database of a site that was just put in its place up to the code that it meets there: updates, the paths in it, Drupal's lists of modules and classes, caches and
 * access rights (the last part of deploy of Provision 7.x-3.x).
 *
 * @param oldUri host name that the site had before
 */
export async function settleDrupal(work: Work, at: SiteAtWork, oldUri: string): Promise<void> {
  const { site, call } = at;
  const db = await connectToSite(site, call, PATIENCE);
  try {
    await applyUpdates(work, at, db);
    await rewriteSitePaths(work, at, { db, from: oldUri });
    const reason = await whyRebuild(db, at);
    if (reason === undefined) await emptyCaches(work, db);
    else await rebuildLists(work, at, reason);
    await rebuildNodeAccess(work, at, db);
  } finally {
    await db.close();
  }
}

/**
 * Has Drupal make its lists of modules and classes anew and empty its caches.
 *
 * @param reason why, for people
 */
async function rebuildLists(work: Work, at: SiteAtWork, reason: string): Promise<void> {
  work.log("notice", `Drupal looks for its code anew: ${reason}`);
  await inDrupal(work, at, { job: "flush-7", what: "have Drupal look for its modules and classes", data: {}, failure: "PROVISION_DRUPAL_FAILED" });
  work.log("notice", "All caches flushed");
}

/** What in Drupal's own lists does not agree with the files; undefined when all does. */
async function whyRebuild(db: Db, { site, core }: SiteAtWork): Promise<string | undefined> {
  const { drifted } = extensionDrift(await systemRows(db), core, { uri: site.uri ?? "", profile: property(site, "profile") ?? "standard" });
  if (drifted.length > 0) return `its modules or themes are elsewhere (${drifted.slice(0, 3).join(", ")})`;
  const files = await db.rows("SELECT DISTINCT filename FROM registry");
  const lost = files.map(({ filename }) => filename ?? "").find((filename) => !isFile(join(core.root, filename)));
  return lost === undefined ? undefined : `classes are not where they were (${lost})`;
}
