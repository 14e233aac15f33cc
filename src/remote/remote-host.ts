import { ShimError } from "../errors/shim-error.ts";
import { fingerprint } from "../files/fingerprint.ts";

/** Another machine on which a server of Aegir lives, and how it is reached. */
export interface RemoteHost {
  /** Name of the server's context, without `@`. */
  readonly server: string;
  /** Its `remote_host`. */
  readonly host: string;
  /** Its `script_user`. */
  readonly user: string;
  /** Words of drush's option `ssh-options`. */
  readonly sshOptions: readonly string[];
  /** Its `aegir_root`: nothing outside of it is removed there. */
  readonly root: string;
}

/** What a connection needs of this machine. */
export interface RemoteMeans {
  /** Environment of ssh and rsync. */
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** Home of the backend's user, in whose `.provision-shim` shared connections are. */
  readonly home: string;
  readonly signal?: AbortSignal;
  /** Told the process id of each child that writes on the other host. */
  readonly onChild?: (pid: number) => void;
}

/** What ssh does without drush's option `ssh-options` (as provision_hosting's exec of Provision 7.x-3.x). */
export const DEFAULT_SSH_OPTIONS = "-o PasswordAuthentication=no";

/**
 * The remote host, whose names must be none that ssh could take for something else.
 *
 * @throws ShimError PROVISION_REMOTE_BAD_NAME
 */
export function checkedHost(remote: RemoteHost): RemoteHost {
  const { server, host, user } = remote;
  if (!/^[A-Za-z0-9_[:][A-Za-z0-9_.:[\]%-]*$/.test(host)) throw badName(server, "remote_host", host);
  if (!/^[A-Za-z0-9_][\w.-]*\$?$/.test(user)) throw badName(server, "script_user", user);
  return remote;
}

function badName(server: string, property: string, value: string): ShimError {
  return new ShimError("PROVISION_REMOTE_BAD_NAME", `The ${property} ${JSON.stringify(value)} of @${server} is none.`, { hint: `save the server with another ${property}` });
}

/** `user@host` as ssh takes it. */
export function sshAddress({ user, host }: RemoteHost): string {
  return `${user}@${host}`;
}

/** The same as rsync takes it, in front of a colon. */
export function rsyncAddress({ user, host }: RemoteHost): string {
  return `${user}@${host.includes(":") && !host.startsWith("[") ? `[${host}]` : host}`;
}

/** Stands for a connection: calls with the same one may share it. */
export function connectionKey({ user, host, sshOptions }: RemoteHost): string {
  return fingerprint(JSON.stringify([user, host, sshOptions]));
}
