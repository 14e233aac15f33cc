import { ShimError, asShimError } from "../errors/shim-error.ts";
import { lookAt } from "../files/look.ts";
import type { Remembered } from "../files/remembered.ts";
import type { RemoteHost, RemoteMeans } from "../remote/remote-host.ts";
import { isRemovable, removeRemote } from "../remote/remove-remote.ts";
import { pushPaths, type RsyncOptions } from "../remote/rsync.ts";
import type { Work } from "../task/plan.ts";

/** A server on another machine, and how this call reaches it. */
export interface RemoteServer {
  readonly host: RemoteHost;
  readonly means: Pick<RemoteMeans, "variables" | "home">;
  readonly rsync: RsyncOptions;
  readonly remembered: Remembered;
}

/** A path that is to be there as it is here; data, so that journals can hold it. */
export interface SyncItem {
  /** Absolute. */
  readonly path: string;
  /** Words of rsync that leave out parts of it. */
  readonly filters: readonly string[];
  /** That it is not here is a mistake, and no reason to remove it there: a disk may not be mounted. */
  readonly stays?: boolean;
}

/** Which of a server's two lists of what could not be brought in line: only with the first must its web server read its configuration again. */
export type SyncKind = "config" | "tree";

/**
 * Brings the paths in line with what they are here, and what an earlier task could not: what is not here is removed there. Trees come before a configuration that may have them served:
 * later they would be brought back over what visitors have uploaded since.
 *
 * @throws ShimError PROVISION_FILE_SYNC_FAILED, with what ssh or rsync said reported before it (both codes are in Provision's contract)
 */
export async function pushItems(work: Work, remote: RemoteServer, items: readonly SyncItem[], kind: SyncKind): Promise<void> {
  const kinds: readonly SyncKind[] = kind === "config" ? ["tree", "config"] : ["tree"];
  const known = kinds.map((one) => ({ kind: one, items: missedItems(remote, one) }));
  // A platform that was deleted since is nobody's concern any more.
  const missed = known.flatMap((one) => one.items).filter(({ path, stays }) => !items.some((item) => item.path === path) && (stays !== true || lookAt(path) !== undefined));
  const means: RemoteMeans = { ...remote.means, signal: work.signal, onChild: (pid) => work.child(pid) };
  try {
    await bringInLine(remote, [...missed, ...items], means, (message) => work.log("notice", message));
  } catch (thrown) {
    throw syncFailed(work, thrown, { remote, what: `${items.map(({ path }) => path).join(", ")} could not be synced to` });
  }
  for (const one of known) {
    // Another task may have missed something meanwhile.
    if (one.items.length > 0) noteMissed(remote, one.kind, missedItems(remote, one.kind).filter((item) => !one.items.some((done) => JSON.stringify(done) === JSON.stringify(item))));
  }
}

/** Reports what was thrown, and returns the error that says what it means for the task. */
export function syncFailed(work: Work, thrown: unknown, { remote, what }: { readonly remote: RemoteServer; readonly what: string }): ShimError {
  const { host, server } = remote.host;
  const error = asShimError(thrown);
  if (error.code === "PROVISION_INTERRUPTED" || error.code === "PROVISION_FILE_SYNC_FAILED") return error;
  const first = error.cause instanceof ShimError ? error.cause : error;
  for (const one of new Set([first, error])) work.error(one);
  return new ShimError("PROVISION_FILE_SYNC_FAILED", `${what} remote server ${host} (@${server}). Changes might not be available until this has been done. (error: ${first.message})`, { hint: "nothing of this task stays here; run it again when the server is well", cause: error });
}

/** The same without a task around it, for undo handlers. */
export async function bringInLine(remote: Pick<RemoteServer, "host" | "rsync">, items: readonly SyncItem[], means: RemoteMeans, tell: (message: string) => void): Promise<void> {
  const { host, rsync } = remote;
  const lost = items.find(({ path, stays }) => stays === true && lookAt(path) === undefined);
  if (lost !== undefined) throw new ShimError("PROVISION_FILE_SYNC_FAILED", `${lost.path} could not be synced to remote server ${host.host} (@${host.server}): it is not here.`, { hint: "is its disk mounted?" });
  const gone = items.filter(({ path }) => lookAt(path) === undefined).map(({ path }) => path);
  const [removable, foreign] = [gone.filter((path) => isRemovable(host, path)), gone.filter((path) => !isRemovable(host, path))];
  for (const path of foreign) tell(`${path} is left as it is on remote server ${host.host}: it is not below ${host.root}.`);
  if (removable.length > 0) {
    await removeRemote(host, removable, means);
    for (const path of removable) tell(`${path} has been removed from remote server ${host.host}.`);
  }
  for (const group of byFilters(items.filter(({ path }) => !gone.includes(path)))) {
    await pushPaths(host, group, { means, rsync });
    for (const path of group.paths) tell(`${path} has been synced to remote server ${host.host}.`);
  }
}

function byFilters(items: readonly SyncItem[]): { readonly paths: string[]; readonly filters: readonly string[] }[] {
  const groups = new Map<string, { paths: string[]; filters: readonly string[] }>();
  for (const { path, filters } of items) {
    const key = JSON.stringify(filters);
    const group = groups.get(key) ?? { paths: [], filters };
    group.paths.push(path);
    groups.set(key, group);
  }
  return [...groups.values()];
}

/** What a task could not bring in line when it was undone, because the server did not answer. */
export function missedItems({ remembered, host }: Pick<RemoteServer, "remembered" | "host">, kind: SyncKind): SyncItem[] {
  const text = remembered.get(missedName(host, kind));
  try {
    return text === undefined ? [] : (JSON.parse(text) as SyncItem[]);
  } catch {
    return [];
  }
}

/** Notes them; none: all is in line. */
export function noteMissed({ remembered, host }: Pick<RemoteServer, "remembered" | "host">, kind: SyncKind, items: readonly SyncItem[]): void {
  remembered.set(missedName(host, kind), items.length === 0 ? "" : JSON.stringify(items));
}

function missedName({ server }: RemoteHost, kind: SyncKind): string {
  return `unsynced-${kind}:${server}`;
}
