import type { SiteContext } from "../contexts/context.ts";
import type { Db } from "../database/connection.ts";
import { isRecord, jsonText, runInDrupal, type BridgeJob, type JsonValue } from "../drupal/bridge.ts";
import type { DrupalCore } from "../drupal/core.ts";
import { rewritePaths } from "../drupal/path-rewriting.ts";
import { pendingUpdates } from "../drupal/pending-updates.ts";
import type { DbCredentials } from "../drupal/settings-php.ts";
import { systemRows } from "../drupal/site-packages.ts";
import { isVariableOn } from "../drupal/variables.ts";
import { ShimError } from "../errors/shim-error.ts";
import type { Work } from "../task/plan.ts";
import type { CommandCall } from "./command.ts";
import { textOption } from "./native-reach.ts";
import { siteCredentials } from "./web-work.ts";

/** A site whose Drupal takes part in a task; the `site` option set of the call has its credentials. */
export interface SiteAtWork {
  readonly site: SiteContext;
  readonly core: DrupalCore;
  readonly call: CommandCall;
}

export interface DrupalJob {
  readonly job: BridgeJob;
  /** What it does, for people: "install Drupal". */
  readonly what: string;
  readonly data: Readonly<Record<string, JsonValue>>;
  /** Code of the error when Drupal fails. */
  readonly failure: string;
  /** In the place of the site's own. */
  readonly credentials?: DbCredentials;
}

/**
 * Runs a job inside the site's Drupal as part of a step, see {@link runInDrupal}.
 *
 * @returns its answer; undefined in a dry run
 */
export function inDrupal(work: Work, at: SiteAtWork, job: DrupalJob): Promise<Answer | undefined> {
  return work.act(job.what, () => start(work, at, { ...job, onStart: (pid) => work.child(pid) }));
}

/** Runs a job that changes nothing, in a dry run too. */
export function askDrupal(work: Work, at: SiteAtWork, job: Omit<DrupalJob, "what">): Promise<Answer> {
  return start(work, at, { ...job, onStart: () => undefined });
}

type Answer = Readonly<Record<string, JsonValue>>;

function start(work: Work, { site, core, call }: SiteAtWork, { job, data, failure, credentials, onStart }: Omit<DrupalJob, "what"> & { readonly onStart: (pid: number) => void }): Promise<Answer> {
  const { php, signal } = call.surroundings;
  return runInDrupal(
    { job, root: core.root, uri: site.uri ?? "", baseUrl: siteBaseUrl(site), credentials: credentials ?? siteCredentials(call.options.set("site")), data, failure },
    {
      php: textOption(call, "php", php.program),
      folder: php.folder,
      env: php.environment(),
      timeoutMs: php.timeoutMs,
      signal,
      onStart,
      onLog: (level, message) => work.log(level, message),
      onProgress: (done, total, unit) => work.progress(done, total, unit),
    },
  );
}

/** Address of the site's front page, with the port of its web server (provision_get_base_url() of Provision 7.x-3.x). */
export function siteBaseUrl({ uri, platform }: SiteContext): string {
  const port = platform.webServer.http?.port ?? "80";
  // A cluster has no port of its own.
  return `http://${uri ?? ""}${port === "80" || port === "" ? "" : `:${port}`}`;
}

/**
 * Brings the site's database to its code. Whether there is anything to do is seen without PHP; then Drupal does it, and empties its caches (as drush's
 * updatedb of a Drupal 7 site).
 *
 * @throws ShimError PROVISION_DRUPAL_UPDATE_FAILED
 */
export async function applyUpdates(work: Work, at: SiteAtWork, db: Db): Promise<void> {
  const { site, core } = at;
  const rows = await systemRows(db);
  const system = Number(rows.find(({ name, type }) => name === "system" && type === "module")?.["schema_version"] ?? -1);
  if (system < 7000) throw new ShimError("PROVISION_DRUPAL_UPDATE_FAILED", `The database of @${site.name} is not one of Drupal 7 (schema ${system}).`, { hint: "an upgrade from Drupal 6 is the real drush's: name the command in commandsWithDrush" });
  const { pending, unsure } = await pendingUpdates(rows, core);
  if (pending.size === 0 && unsure.length === 0) {
    work.log("success", "No database updates required");
    return;
  }
  const list = [...pending].flatMap(([module, numbers]) => numbers.map((number) => `${module}_update_${number}`));
  work.log("notice", `Pending database updates: ${list.length === 0 ? "none seen" : list.join(", ")}${unsure.length === 0 ? "" : `; not found where the site expects them: ${unsure.join(", ")}`}`);
  const answer = await inDrupal(work, at, { job: "updates-7", what: "run Drupal's database updates", data: {}, failure: "PROVISION_DRUPAL_UPDATE_FAILED" });
  const failed = answer?.["failed"];
  if (isRecord(failed)) {
    throw new ShimError("PROVISION_DRUPAL_UPDATE_FAILED", `The database update ${jsonText(failed["update"])} of @${site.name} failed: ${jsonText(failed["message"])}`, { hint: "mend the module, or remove it from the platform" });
  }
  const applied = answer?.["applied"];
  const count = Array.isArray(applied) ? applied.length : 0;
  if (answer !== undefined) work.log("success", count === 0 ? "No database updates required" : `Applied ${count} database updates`);
}

/** Has Drupal work out anew who may see which content, when a module has asked for that. */
export async function rebuildNodeAccess(work: Work, at: SiteAtWork, db: Db): Promise<void> {
  if (!(await isVariableOn(db, "node_access_needs_rebuild"))) return;
  const answer = await inDrupal(work, at, { job: "access-rebuild-7", what: "rebuild who may see which content", data: {}, failure: "PROVISION_DRUPAL_FAILED" });
  if (answer !== undefined) work.log("notice", "Rebuilt node access table");
}

/** Brings the paths in the database of a site that has moved from another name up to date; without that name nothing is touched. */
export async function rewriteSitePaths(work: Work, { site }: SiteAtWork, { db, from }: { readonly db: Db; readonly from: string | undefined }): Promise<void> {
  const to = site.uri ?? "";
  const replaced = await work.act(`rewrite the paths of sites/${from ?? to} in the database`, () => rewritePaths(db, { from, to }));
  for (const path of replaced ?? []) work.log("notice", `Changed paths from ${path} to sites/${to}`);
}
