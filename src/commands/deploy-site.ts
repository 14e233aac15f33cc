import { chmodSync, unlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { unpackSite } from "../backups/unpack.ts";
import type { ServerContext, SiteContext } from "../contexts/context.ts";
import { withEnabled } from "../contexts/site.ts";
import type { DrupalCore } from "../drupal/core.ts";
import { arrangeSiteDirectories } from "../drupal/site-directories.ts";
import { ShimError } from "../errors/shim-error.ts";
import { groupNamed } from "../files/groups.ts";
import { isAbsent, lookAt, readIfThere } from "../files/look.ts";
import { uniqueName } from "../files/unique-name.ts";
import { PhpArray } from "../php-values/php-array.ts";
import { runProcess } from "../processes/run-process.ts";
import { groupProblem, removeTreeLater } from "../task/file-changes.ts";
import { step, type Plan, type Step, type Work } from "../task/plan.ts";
import type { CommandCall } from "./command.ts";
import { loadSiteDatabase } from "./database-files.ts";
import { nativeCore, nativeServer, targetSite } from "./native-reach.ts";
import { sitePush } from "./remote-work.ts";
import { writeSiteAliases } from "./site-aliases.ts";
import { createSiteDatabase, putCredentials } from "./site-database.ts";
import { siteUri } from "./site-examination.ts";
import { putSiteDrushrc, writeSiteSettings } from "./site-settings.ts";
import { settleDrupal } from "./settle-drupal.ts";
import { verifySite } from "./verify-site.ts";
import { serveSite, siteCredentials } from "./web-work.ts";

export interface Deployment {
  /** Name of the context, saved already. */
  readonly name: string;
  readonly enabled: boolean;
  /** The backup, an absolute path. */
  readonly archive: string;
  /** Host name that the site had when the backup was made. */
  readonly oldUri: string;
  /** Something that is there by now, although it was not when the task was planned, is somebody else's. */
  readonly fresh?: boolean;
  /** What can be done while the backup is unpacked and its database loaded where nobody sees them; the site takes its place after it. */
  readonly meanwhile?: Step;
  /** The site as it was where it comes from: its files leave the web server's configuration at the moment in which the new ones come. */
  readonly former?: SiteContext;
  /** The umask with which the virtual host is made: that of a dump (022) or of the front end's verify, whichever the original had last. */
  readonly vhostUmask?: number;
}

/** Deploys the backup as that context and verifies the site: the children provision-deploy and provision-verify of clone, migrate and restore (Provision 7.x-3.x). */
export async function deployedSite(work: Work, call: CommandCall, deployment: Deployment): Promise<void> {
  const { name, enabled, meanwhile } = deployment;
  if (work.dryRun) {
    if (meanwhile !== undefined) await work.include({ steps: [meanwhile] });
    // There is no such context yet that could be looked at.
    await work.act(`deploy ${deployment.archive || "the backup"} as @${name} and verify it`, () => undefined);
    return;
  }
  const deploy = await call.on(name, "provision-deploy", PhpArray.of([["old_uri", deployment.oldUri], ["strict", 0]]));
  const verify = async (inner: Work, served?: Promise<boolean>): Promise<void> => {
    await inner.include(await verifyDeployed(call, name, served));
  };
  await work.include({ steps: await deploySteps(withEnabled(targetSite(deploy), enabled), deploy, { ...deployment, verify }) });
}

/** The last part of a move: the site's own verify, on what the deployment has left. */
async function verifyDeployed(call: CommandCall, name: string, served: Promise<boolean> | undefined): Promise<Plan> {
  const verify = await call.on(name, "provision-verify");
  return verifySite(targetSite(verify), verify, { settled: true, served });
}

/** What is known of the place where a site is deployed. */
interface Place {
  readonly site: SiteContext;
  readonly core: DrupalCore;
  readonly master: ServerContext;
  readonly webGroup: string;
  readonly call: CommandCall;
}

type DeploymentSteps = Pick<Deployment, "archive" | "oldUri" | "former" | "vhostUmask" | "fresh" | "meanwhile"> & {
  /**
   * Verifies the site afterwards. Where nothing has to be pushed to other machines in between it begins while the web server reloads, and is told whether that serves the site, as
   * soon as it does or has failed to.
   */
  readonly verify?: (work: Work, served?: Promise<boolean>) => Promise<void>;
};

/**
 * The steps that put what a backup holds where the site is to be. A directory that is there is replaced: it comes back when something fails, and goes for good at the
 * end of the task.
 *
 * @throws NeedsRealDrush, ShimError before anything was changed
 */
export async function deploySteps(site: SiteContext, call: CommandCall, deployment: DeploymentSteps): Promise<Plan["steps"]> {
  await nativeServer(site.platform.webServer, call);
  siteUri(site);
  const core = nativeCore(site.platform);
  await call.options.loadRoot(core.root);
  const master = await call.contexts.master();
  const webGroup = site.platform.webServer.http?.webGroup ?? master.http?.webGroup ?? "www-data";
  const place: Place = { site, core, master, webGroup, call };
  // A backup from before a rename has the paths of the former name.
  let oldUri = deployment.oldUri;
  const staged = join(dirname(site.sitePath), `.${site.uri ?? ""}.${uniqueName()}`);
  const unpacking = step("unpack the backup", async (work) => {
    await unpack(work, place, { archive: deployment.archive, staged });
    oldUri = uriInBackup(staged) ?? oldUri;
  });
  const { note, push, pushAgain } = await sitePush(site, call, { override: true });
  const { verify } = deployment;
  const verifiesBeside = pushAgain.length === 0;
  let served = Promise.resolve(false);
  const ready: Plan["steps"] = [[unpacking, step("create the database", (work) => createDatabase(work, place))], step("load the database", (work) => load(work, place, join(staged, "database.sql")))];
  return [
    ...note,
    [step("unpack the backup and load its database", (work) => work.include({ steps: ready })), ...(deployment.meanwhile === undefined ? [] : [deployment.meanwhile])],
    step("put the site's directory in its place", async (work) => {
      if (deployment.fresh !== true && lookAt(site.sitePath) !== undefined) replaceFormer(work, site.sitePath);
      work.files.placeTree(staged, site.sitePath);
      putSiteDrushrc(work, site, call);
      await writeSiteSettings(work, place);
      await writeSiteAliases(work, site, call);
      arrangeSiteDirectories(work, site.sitePath, webGroup);
    }),
    ...push,
    [
      step("write the virtual host and reload the web server", async (work) => {
        const { former, vhostUmask } = deployment;
        let isFlawed = false;
        const flaw = (error: ShimError): void => {
          isFlawed = true;
          work.error(error);
        };
        const serving = serveSite({ ...work, flaw }, site, call, { anew: true, ...(former === undefined ? {} : { former }), ...(vhostUmask === undefined ? {} : { umask: vhostUmask }) });
        served = serving.then(() => !isFlawed, () => false);
        await serving;
      }),
      step("bring the site's database up to its code and place", async (work) => {
        await settleDrupal(work, { site, core, call }, oldUri);
        if (verifiesBeside) await verify?.(work, served);
      }),
    ],
    ...pushAgain,
    ...(verifiesBeside || verify === undefined ? [] : [step("verify the site", (work) => verify(work))]),
  ];
}

async function unpack(work: Work, { site, webGroup, call }: Place, { archive, staged }: { readonly archive: string; readonly staged: string }): Promise<void> {
  work.files.journal.scratch(staged);
  await unpackSite({ archive, target: staged, work, env: call.surroundings.php.environment() });
  work.log("success", `Unpacked ${archive} for ${site.sitePath}`);
  const dump = join(staged, "database.sql");
  // Others may look into the site's directory soon, and archives by the original let everybody read it.
  if (lookAt(dump)?.isFile() === true) chmodSync(dump, 0o600);
  await giveUploads(work, staged, webGroup, call);
}

/** The host name that the settings.php in the backup was written for. */
function uriInBackup(staged: string): string | undefined {
  return /\['file_public_path'\]\s*=\s*'sites\/([^/']+)\/files'/.exec(readIfThere(join(staged, "settings.php"))?.toString("utf8") ?? "")?.[1];
}

/** The umask that a dump leaves in the original. */
export const DUMP_UMASK = 0o022;

/** The directories that the web server writes into, with all that is in them. */
const UPLOADS = ["files", "private/files", "private/temp", "private/config"];

/** An archive keeps names of groups, but only root could give the files to them as they are unpacked. */
async function giveUploads(work: Work, staged: string, webGroup: string, call: CommandCall): Promise<void> {
  const problem = groupProblem(webGroup);
  const present = UPLOADS.filter((path) => lookAt(join(staged, path))?.isDirectory() === true);
  if (present.length === 0) return;
  if (problem !== undefined) {
    work.log("warning", `Could not change group ownership of the site's files to ${webGroup} (${problem})`);
    return;
  }
  const gid = groupNamed(webGroup)?.gid ?? webGroup;
  const { status, complaints } = await changeGroup(work, { staged, present, gid: String(gid), env: call.surroundings.php.environment() });
  if (status === 0) work.log("success", `Changed group ownership of the site's files to ${webGroup}`);
  // What it complains of is told, as in the original. When it has not even begun, the web server could write nowhere.
  else if (complaints === "") throw new ShimError("DRUSH_PERM_ERROR", `Could not change group ownership of the site's files to ${webGroup}: find ended with ${status ?? "a signal"}.`);
  else work.log("warning", `Could not change group ownership of all of the site's files to ${webGroup} (${complaints})`);
}

async function changeGroup(work: Work, { staged, present, gid, env }: { readonly staged: string; readonly present: readonly string[]; readonly gid: string; readonly env: ReturnType<CommandCall["surroundings"]["php"]["environment"]> }): Promise<{ readonly status: number | undefined; readonly complaints: string }> {
  // Links are left as they are, and what they lead to even more so.
  const args = [...present, "!", "-type", "l", "!", "-group", gid, "-exec", "chgrp", "--", gid, "{}", "+"];
  try {
    const { status, stderr } = await runProcess({ file: "find", args, env, cwd: staged, timeoutMs: 3_600_000, maxOutputBytes: 100_000, signal: work.signal, onStart: (pid) => work.child(pid) });
    if (work.signal.aborted) throw new ShimError("PROVISION_INTERRUPTED", "The change of the group of the site's files was told to stop.");
    return { status, complaints: stderr.toString("utf8").trim().split("\n").slice(0, 3).join("; ") };
  } catch (cause) {
    if (cause instanceof ShimError) throw cause;
    throw new ShimError("DRUSH_PERM_ERROR", `Could not change the group of the site's files: find cannot be started (${cause instanceof Error ? cause.message : String(cause)}).`, { hint: "install findutils", cause });
  }
}

/** A new database for what the backup holds; its credentials are the site's from here on. */
async function createDatabase(work: Work, { site, call }: Place): Promise<void> {
  putCredentials(call.options, await createSiteDatabase(work, call, { site }));
}

function replaceFormer(work: Work, sitePath: string): void {
  const aside = join(dirname(sitePath), `.${sitePath.slice(dirname(sitePath).length + 1)}.${uniqueName()}.former`);
  work.log("notice", `Replacing the existing site at ${sitePath}`);
  work.files.moveTree(sitePath, aside);
  const entry = work.dryRun ? undefined : removeTreeLater(aside);
  if (entry !== undefined) work.afterwards(`remove the former ${sitePath}`, entry);
}

async function load(work: Work, { site, call }: Place, file: string): Promise<void> {
  const credentials = siteCredentials(call.options.set("site"));
  await loadSiteDatabase(work, call, { credentials, server: site.dbServer, file });
  work.log("success", `Loaded the database ${credentials.name}`);
  try {
    // It is part of the unpacked tree, which goes as a whole if something fails.
    unlinkSync(file);
  } catch (thrown) {
    if (!isAbsent(thrown)) throw thrown;
  }
}

