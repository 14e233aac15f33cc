import { join } from "node:path";
import { asShimError } from "../errors/shim-error.ts";
import { lookAt } from "../files/look.ts";
import { Remembered } from "../files/remembered.ts";
import type { RemoteHost, RemoteMeans } from "../remote/remote-host.ts";
import { removeRemote } from "../remote/remove-remote.ts";
import { runRemote } from "../remote/run-remote.ts";
import { treeIdentity } from "../task/file-changes.ts";
import type { UndoEntry } from "../task/journal.ts";
import { isSame } from "../task/undo-files.ts";
import { bringInLine, missedItems, noteMissed, type RemoteServer, type SyncItem, type SyncKind } from "./remote-server.ts";
import { commandWords } from "./restart-command.ts";

const RELOAD_MS = 60_000;

/**
 * The entry that brings the paths on the other host in line with what they are here when the task is undone. It is to be journaled before the first change of them here, so that
 * it comes last.
 *
 * @param restart command that makes the web server read its configuration again
 */
export function resyncEntry(remote: RemoteServer, items: readonly SyncItem[], { kind, restart }: { readonly kind: SyncKind; readonly restart?: string }): UndoEntry {
  return { kind: "remote-sync", ...hostOf(remote), items: JSON.stringify(items), what: kind, restart: restart ?? null };
}

/**
 * The entry for `work.afterwards` that removes the path on the other host. What is here at the moment goes with it; should something new have that name by the time that the host answers, it
 * stays there, too.
 */
export function removeRemoteLater(remote: RemoteServer, path: string): UndoEntry {
  const present = lookAt(path);
  return { kind: "remote-remove", ...hostOf(remote), path, ...(present === undefined ? {} : treeIdentity(present)) };
}

function hostOf({ host, means, rsync }: RemoteServer): Readonly<Record<string, string>> {
  return { server: host.server, host: host.host, user: host.user, root: host.root, ssh: JSON.stringify(host.sshOptions), home: means.home, rsync: JSON.stringify({ ...rsync, global: [...rsync.global] }) };
}

/**
 * Undo handler `remote-sync`. A server that does not answer is no reason to keep the journal: here all is as before, and what it missed is noted for the next task that
 * reaches it.
 */
export async function undoRemoteSync(entry: UndoEntry): Promise<string> {
  const remote = remoteOfEntry(entry);
  const kind: SyncKind = entry["what"] === "config" ? "config" : "tree";
  const items = JSON.parse(String(entry["items"])) as SyncItem[];
  const { restart } = entry;
  try {
    await bringInLine(remote, items, means(remote), () => undefined);
  } catch (thrown) {
    const known = missedItems(remote, kind).filter(({ path }) => !items.some((item) => item.path === path));
    noteMissed(remote, kind, [...known, ...items]);
    return `${remote.host.host} could not be brought back in line and will be by the next task that reaches it (${reasonOf(thrown)})`;
  }
  if (typeof restart !== "string") return `brought ${remote.host.host} back in line`;
  try {
    const { status, output } = await runRemote(remote.host, { words: commandWords(restart), timeoutMs: RELOAD_MS }, means(remote));
    return status === 0 ? `brought ${remote.host.host} back in line and restarted its web server` : `brought ${remote.host.host} back in line; its web server could not be restarted (${output})`;
  } catch (thrown) {
    return `brought ${remote.host.host} back in line; its web server could not be restarted (${asShimError(thrown).message})`;
  }
}

function reasonOf(thrown: unknown): string {
  const error = asShimError(thrown);
  return asShimError(error.cause ?? error).message;
}

/** Handler `remote-remove`. */
export async function removeOnRemote(entry: UndoEntry): Promise<string> {
  const remote = remoteOfEntry(entry);
  const path = String(entry["path"]);
  const now = lookAt(path);
  if (now !== undefined && !isSame(now, entry)) return `left ${path} on ${remote.host.host}: something new has its name by now`;
  await removeRemote(remote.host, [path], means(remote));
  return `removed ${path} on ${remote.host.host}`;
}

function means({ means: { variables, home } }: RemoteServer): RemoteMeans {
  return { variables, home };
}

function remoteOfEntry(entry: UndoEntry): RemoteServer {
  const text = (key: string): string => String(entry[key]);
  const host: RemoteHost = { server: text("server"), host: text("host"), user: text("user"), root: text("root"), sshOptions: JSON.parse(text("ssh")) as string[] };
  const rsync = JSON.parse(text("rsync")) as { readonly includeVcs: boolean; readonly filters: string[]; readonly global: [string, string | boolean][] };
  const home = text("home");
  return { host, means: { variables: process.env, home }, rsync: { ...rsync, global: new Map(rsync.global) }, remembered: new Remembered(join(home, ".provision-shim/cache")) };
}
