import { dirname, join } from "node:path";
import type { ServerContext } from "../contexts/context.ts";
import { MASTER } from "../contexts/server.ts";
import { ShimError } from "../errors/shim-error.ts";
import { isDirectory, lookAt } from "../files/look.ts";
import { fetchPath, filterWord } from "../remote/rsync.ts";
import { runRemote } from "../remote/run-remote.ts";
import type { Work } from "../task/plan.ts";
import { pushItems, type RemoteServer, type SyncItem } from "../web/remote-server.ts";
import { resyncEntry } from "../web/undo-remote.ts";

/** A symbolic link on the server's machine. */
export interface RemoteLink {
  readonly path: string;
  readonly target: string;
}

/**
 * A front end that has lost the configuration of a machine which serves sites takes its main file over before it writes another one: should the task fail, that comes back, and the sites
 * go on to be served.
 */
export async function adoptServerFile(work: Work, { host, means, rsync }: RemoteServer, path: string): Promise<void> {
  if (lookAt(path) !== undefined) return;
  await work.act(`look whether ${host.host} has ${path}`, async () => {
    const there = { ...means, signal: work.signal, onChild: (pid: number) => work.child(pid) };
    const { status } = await runRemote(host, { words: ["test", "-f", path], timeoutMs: 60_000 }, there);
    if (status === 0) await fetchPath(host, path, { means: there, rsync });
  });
}

/** To be called before the server's directories are changed here. What is not here yet may be there, with all that the machine serves: it is not removed. */
export async function noteServer(work: Work, remote: RemoteServer, server: ServerContext): Promise<void> {
  const items = serverItems(server).filter(({ path }) => isDirectory(path));
  if (items.length === 0) return;
  await work.act(`bring ${remote.host.host} back in line if this task is undone`, () => undefined, resyncEntry(remote, items, { kind: "tree" }));
}

/**
 * Brings the directories of a server to its machine, those of the administrator with what is in them, and makes its links there.
 *
 * @throws ShimError PROVISION_FILE_SYNC_FAILED, PROVISION_REMOTE_…
 */
export async function pushServer(work: Work, remote: RemoteServer, { server, links }: { readonly server: ServerContext; readonly links: readonly RemoteLink[] }): Promise<void> {
  const { host, means } = remote;
  await work.act(`sync the directories of @${server.name} to ${host.host}`, () => work.exclusively(`web @${server.name}`, () => pushItems(work, remote, serverItems(server), "tree")));
  await work.act(`make the links of @${server.name} on ${host.host}`, async () => {
    const { status, output } = await runRemote(host, { words: ["sh", "-c", LINK, "sh", ...links.flatMap(({ path, target }) => [target, path])], timeoutMs: 60_000 }, { ...means, signal: work.signal });
    if (status !== 0) throw new ShimError("PROVISION_FILE_SYNC_FAILED", `The link to the configuration of @${server.name} could not be made on remote server ${host.host}: ${output}`, { hint: `${host.user} must own ${dirname(links[0]?.path ?? server.configPath)} there` });
    for (const line of output.split("\n").filter((one) => one.includes(" -> "))) work.log(line.startsWith("left ") ? "warning" : "notice", `${line.startsWith("left ") ? "Another server's symlink was left so on" : "Created symlink on"} ${host.host}: ${line.replace(/^\w+ /, "")}`);
  });
}

/** A link that leads to another server's file is that server's: its sites would be gone without it. */
const LINK = `while [ $# -gt 0 ]; do
  now=$(readlink "$2" || true)
  if [ "$now" = "$1" ]; then :
  elif [ -n "$now" ] && [ -f "$now" ]; then echo "left $2 -> $now"
  else ln -sfn -- "$1" "$2" || exit 1; echo "made $2 -> $1"
  fi
  shift 2
done`;

/** Each nginx has its own, written with its configuration. */
const NGINX_INCLUDES = ["nginx_vhost_common.conf", "nginx_simple_include.conf", "nginx_advanced_include.conf"];

function serverItems(server: ServerContext): SyncItem[] {
  const paths = server.http?.paths;
  const own = paths === undefined ? [] : [paths.pre, paths.post].map((path) => ({ path, filters: [] }));
  const made = paths === undefined ? [] : [paths.platform, paths.vhost, paths.subdir];
  const folders = made.map((path) => ({ path, filters: made.map((folder) => filterWord("exclude", folder, "/*")) }));
  const includes = server.name !== MASTER && isDirectory(server.includePath) ? [{ path: server.includePath, filters: NGINX_INCLUDES.map((name) => filterWord("exclude", join(server.includePath, name))), stays: true }] : [];
  return [...own, ...folders, ...includes];
}

/** The links by which the machine's web server finds the configuration. */
export function serverLinks(server: ServerContext, application: string, more: readonly RemoteLink[]): RemoteLink[] {
  const name = `${application}.conf`;
  return [{ path: join(dirname(server.configPath), name), target: join(server.configPath, name) }, ...more];
}
