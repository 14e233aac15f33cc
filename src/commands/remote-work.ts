import { join } from "node:path";
import { property, textList, type PlatformContext, type ServerContext, type SiteContext } from "../contexts/context.ts";
import { ShimError } from "../errors/shim-error.ts";
import { lookAt, namesIn } from "../files/look.ts";
import { isRemovable } from "../remote/remove-remote.ts";
import { fetchPath, filterWord } from "../remote/rsync.ts";
import { runRemote } from "../remote/run-remote.ts";
import { allOrFirst } from "../task/all-or-first.ts";
import { step, type Step, type Work } from "../task/plan.ts";
import { pushItems, syncFailed, type RemoteServer, type SyncItem } from "../web/remote-server.ts";
import { removeRemoteLater, resyncEntry } from "../web/undo-remote.ts";
import type { CommandCall } from "./command.ts";
import { remoteOf } from "./remote-host-of.ts";
import { deleteSiteAliases } from "./site-aliases.ts";

/** The servers on other machines to which a web service's platforms and sites are pushed: itself, all members of a cluster, the masters of a pack, whose slaves share their files. */
export async function syncServers(server: ServerContext, call: CommandCall): Promise<RemoteServer[]> {
  const { http } = server;
  if (http === undefined) return [];
  const names = http.driver === "cluster" ? http.members : http.driver === "pack" ? textList(server.properties, "master_web_servers") : undefined;
  const servers = names === undefined ? [server] : await Promise.all([...new Set(names)].map((name) => call.contexts.server(name)));
  const remotes = await Promise.all(servers.filter((one) => one.http !== undefined).map((one) => remoteOf(one, call)));
  return remotes.filter((remote) => remote !== undefined);
}

/** Where they belong in a plan. */
export interface PushSteps {
  /** Before the first change here. */
  readonly note: readonly Step[];
  /** Before the web servers read their configuration. */
  readonly push: readonly Step[];
  /** At the end, when the last file was written. */
  readonly pushAgain: readonly Step[];
}

const NO_STEPS: PushSteps = { note: [], push: [], pushAgain: [] };

export interface PushHow {
  /** The site's uploads go, too: they are new there (option `override_slave_authority`). */
  readonly override?: boolean;
}

/**
 * Steps that push a site with its platform to the other machines that serve it: none where all is on this one. The first one has those machines brought back in line when the task fails.
 */
export async function sitePush(site: SiteContext, call: CommandCall, how: PushHow = {}): Promise<PushSteps> {
  const remotes = await syncServers(site.platform.webServer, call);
  if (remotes.length === 0) return NO_STEPS;
  const items = siteItems(site, how);
  return {
    note: [step("note what the other machines have", (work) => noteResync(work, remotes, undoItems(site, how)))],
    push: [step("push the site to its web servers", (work) => pushAll(work, remotes, items, site.platform))],
    pushAgain: [step("push the site's drushrc.php to its web servers", (work) => pushAll(work, remotes, [{ path: join(site.sitePath, "drushrc.php"), filters: [] }], site.platform))],
  };
}

/** The same for a platform alone. */
export async function platformPush(platform: PlatformContext, call: CommandCall): Promise<PushSteps> {
  const remotes = await syncServers(platform.webServer, call);
  if (remotes.length === 0) return NO_STEPS;
  const items = platformItems(platform, []);
  return {
    note: [step("note what the other machines have", (work) => noteResync(work, remotes, items))],
    push: [step("push the platform to its web servers", (work) => pushAll(work, remotes, items, platform))],
    pushAgain: [step("push the platform's drushrc.php to its web servers", (work) => pushAll(work, remotes, [{ path: join(platform.root ?? "", "sites/all/drush"), filters: [] }], platform))],
  };
}

/** Takes the site out of its platform's sites.php, here and on the other machines. */
export async function dropSiteAliases(work: Work, site: SiteContext, call: CommandCall): Promise<void> {
  const remotes = await syncServers(site.platform.webServer, call);
  const path = join(site.root ?? "", "sites/sites.php");
  const items: SyncItem[] = remotes.length > 0 && lookAt(path) !== undefined ? [{ path, filters: [], stays: true }] : [];
  if (items.length > 0) await noteResync(work, remotes, items);
  await deleteSiteAliases(work, site, call);
  if (items.length > 0) await pushAll(work, remotes, items, site.platform);
}

/** The site's directory and its platform's code as one transfer: of `sites/` only what is for all, and this one. */
function siteItems(site: SiteContext, how: PushHow): SyncItem[] {
  return platformItems(site.platform, [site.sitePath], uploadFilters(site, how));
}

/** Undone, a site that is not here any more goes there, too; the transfer of its platform would leave its uploads. */
function undoItems(site: SiteContext, how: PushHow): SyncItem[] {
  return [...siteItems(site, how), { path: site.sitePath, filters: uploadFilters(site, how) }];
}

function uploadFilters(site: SiteContext, { override = false }: PushHow): string[] {
  if (override || site.platform.webServer.http?.driver === "cluster") return [];
  return ["files", "private"].map((name) => filterWord("exclude", join(site.sitePath, name), "/*"));
}

function platformItems({ root }: PlatformContext, sites: readonly string[], filters: readonly string[] = []): SyncItem[] {
  if (root === undefined) return [];
  const shown = ["sites/all", "sites/sites.php"].map((name) => join(root, name));
  return [{ path: root, stays: true, filters: [...filters, ...[...shown, ...sites].map((path) => filterWord("include", path)), filterWord("exclude", join(root, "sites"), "/*")] }];
}

async function noteResync(work: Work, remotes: readonly RemoteServer[], items: readonly SyncItem[]): Promise<void> {
  for (const remote of remotes) await work.act(`bring ${remote.host.host} back in line if this task is undone`, () => undefined, resyncEntry(remote, items, { kind: "tree" }));
}

async function pushAll(work: Work, remotes: readonly RemoteServer[], items: readonly SyncItem[], platform: PlatformContext): Promise<void> {
  await onAll(remotes, async (remote) => {
    await work.act(`sync ${items.map(({ path }) => path).join(", ")} to ${remote.host.host}`, () =>
      // What one transfer has not finished yet, another one would take for something to remove.
      work.exclusively(`push @${platform.name} @${remote.host.server}`, () => pushItems(work, remote, items, "tree")),
    );
  });
}

/** Side by side; all are visited, and the first failure is the task's. */
async function onAll(remotes: readonly RemoteServer[], visit: (remote: RemoteServer) => Promise<void>): Promise<void> {
  await allOrFirst(remotes.map(visit));
}

/** What visitors and administrators may have changed where the site is served. */
const FETCHED = ["files/", "private/", "modules/", "themes/", "libraries/", "local.settings.php"];

/** Steps that bring here what has changed in the site on the machine that serves it. In a cluster the files here are the ones that count. */
export async function siteFetch(site: SiteContext, call: CommandCall, { force }: { readonly force: boolean }): Promise<Step[]> {
  const { webServer } = site.platform;
  const remotes = await syncServers(webServer, call);
  if (remotes.length === 0) return [];
  if (webServer.http?.driver === "cluster") {
    return [step("leave the cluster's files as they are", (work) => work.log("notice", "Skipping fetch from remote server(s), since master is authoritative in cluster service."))];
  }
  return [
    step("fetch the site's files from its web server", async (work) => {
      // One after the other: each master of a pack has the same.
      for (const remote of remotes) {
        if (!force) await work.act(`look whether ${remote.host.host} has the site's files`, () => refuseLostFiles(work, site, remote));
        await fetchSite(work, site, remote);
      }
    }),
  ];
}

/** Prints those of the folders in which nothing is. */
const EMPTY = 'for folder; do [ -n "$(ls -A -- "$folder" 2>/dev/null)" ] || echo "$folder"; done';

/** A disk there that is not mounted must not empty the folders here, too. */
async function refuseLostFiles(work: Work, site: SiteContext, { host, means }: RemoteServer): Promise<void> {
  const folders = ["files", "private"].map((name) => join(site.sitePath, name)).filter((folder) => namesIn(folder).length > 0);
  if (folders.length === 0) return;
  const { output } = await runRemote(host, { words: ["sh", "-c", EMPTY, "sh", ...folders], timeoutMs: 60_000 }, { ...means, signal: work.signal });
  const lost = folders.filter((folder) => output.split("\n").includes(folder));
  if (lost.length > 0) {
    throw new ShimError("PROVISION_REMOTE_FILES_GONE", `There is nothing in ${lost.join(", ")} on remote server ${host.host} (@${host.server}), but here there is.`, {
      hint: "is its disk mounted? --override_slave_authority with a verify of the site brings there what is here, --force takes that it is gone",
    });
  }
}

async function fetchSite(work: Work, site: SiteContext, remote: RemoteServer): Promise<void> {
  const present = FETCHED.map((name) => join(site.sitePath, name)).filter((path) => lookAt(path.replace(/\/$/, "")) !== undefined);
  await work.act(`fetch ${site.sitePath} from ${remote.host.host}`, async () => {
    for (const path of present) {
      try {
        await fetchPath(remote.host, path, { means: { ...remote.means, signal: work.signal, onChild: (pid) => work.child(pid) }, rsync: remote.rsync });
      } catch (thrown) {
        throw syncFailed(work, thrown, { remote, what: `${path} could not be fetched from` });
      }
      work.log("notice", `${path} has been fetched from remote server ${remote.host.host}.`);
    }
  });
}

/** Notes that the directory is to be removed on the other machines once the task cannot fail any more. */
export async function removeTreesLater(work: Work, webServer: ServerContext, path: string, call: CommandCall): Promise<void> {
  for (const remote of await syncServers(webServer, call)) {
    if (!isRemovable(remote.host, path)) {
      work.log("warning", `${path} is left on remote server ${remote.host.host}: it is not below ${remote.host.root}.`);
      continue;
    }
    work.afterwards(`remove ${path} on ${remote.host.host}`, removeRemoteLater(remote, path));
  }
}

/** The same for what a site leaves behind on those machines only that do not serve it any more, or in another place. */
export async function siteGoneLater(work: Work, from: SiteContext, call: CommandCall): Promise<void> {
  if (property(from, "root") !== undefined) await removeTreesLater(work, from.platform.webServer, from.sitePath, call);
}
