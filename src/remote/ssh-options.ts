import { lstatSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { currentUser } from "../files/groups.ts";
import { connectionKey, type RemoteHost, type RemoteMeans } from "./remote-host.ts";

/** So long a connection may take to come about, seconds. */
const CONNECT_SECONDS = 10;
/** One that is silent is asked so often, and given up after the third question, seconds. */
const ALIVE_SECONDS = 10;
/** So long a connection waits for the next call, seconds. */
const PERSIST_SECONDS = 60;
/** The system's limit for the path of a socket, and what ssh adds to the name while it makes it. */
const SOCKET_BYTES = 107;
const SSH_SUFFIX_BYTES = 17;

/**
 * The options of ssh for a host. The first one of a name counts, so an administrator's come before ours; only that nobody is asked anything comes first. Keys of hosts
 * are always checked: by what the user's known_hosts says.
 */
export function sshWords(remote: RemoteHost, means: RemoteMeans): string[] {
  return [
    ...option("BatchMode", "yes"),
    ...remote.sshOptions,
    ...option("ConnectTimeout", CONNECT_SECONDS),
    ...option("ServerAliveInterval", ALIVE_SECONDS),
    ...option("ServerAliveCountMax", 3),
    ...sharing(remote, means),
  ];
}

function option(name: string, value: string | number): string[] {
  return ["-o", `${name}=${value}`];
}

/** Calls that follow each other use one connection: a handshake takes longer than what most of them do. */
function sharing(remote: RemoteHost, means: RemoteMeans): string[] {
  const folder = socketFolder(means);
  if (folder === undefined) return [];
  // A percent sign would be a token of ssh.
  const path = join(folder, connectionKey(remote)).replaceAll("%", "%%");
  return [...option("ControlMaster", "auto"), ...option("ControlPath", /\s/.test(path) ? `"${path}"` : path), ...option("ControlPersist", PERSIST_SECONDS)];
}

/** A folder that nobody else may look into; undefined when there is none, and each call makes its own connection. */
function socketFolder({ home }: RemoteMeans): string | undefined {
  const uid = currentUser().uid;
  const places = [join(home, ".provision-shim/ssh"), join(tmpdir(), `provision-shim-ssh-${uid}`)];
  return places.find((place) => Buffer.byteLength(place) + 1 + 16 + SSH_SUFFIX_BYTES <= SOCKET_BYTES && isOurs(place, uid));
}

function isOurs(place: string, uid: number): boolean {
  try {
    mkdirSync(place, { recursive: true, mode: 0o700 });
    const stats = lstatSync(place);
    return stats.isDirectory() && stats.uid === uid && (stats.mode & 0o077) === 0;
  } catch {
    return false;
  }
}
