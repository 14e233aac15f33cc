import { ShimError } from "../errors/shim-error.ts";
import { sshAddress, type RemoteHost } from "./remote-host.ts";

/** What of ssh's words says why. The first that fits counts. */
const REASONS: readonly { readonly words: RegExp; readonly code: string; readonly says: string; readonly hint: (remote: RemoteHost) => string }[] = [
  {
    words: /REMOTE HOST IDENTIFICATION HAS CHANGED|host key for .* has changed|Offending .* key in/i,
    code: "PROVISION_REMOTE_KEY_CHANGED",
    says: "has another host key than the one that is known",
    hint: ({ host }) => `somebody may stand between; if the machine was set up anew: ssh-keygen -R ${host}, and compare the new key's fingerprint`,
  },
  {
    words: /Host key verification failed|No \S+ host key is known/i,
    code: "PROVISION_REMOTE_KEY_UNKNOWN",
    says: "has a host key that is not known here",
    hint: (remote) => `as the backend's user run ssh ${sshAddress(remote)} once and compare the fingerprint, or put the key into ~/.ssh/known_hosts`,
  },
  {
    words: /Permission denied|Too many authentication failures|no mutual signature|UNPROTECTED PRIVATE KEY/i,
    code: "PROVISION_REMOTE_REFUSED",
    says: "does not let us in",
    hint: ({ user }) => `the public key of the backend's user must be in ~${user}/.ssh/authorized_keys there`,
  },
];

/**
 * The error for an ssh that could not connect, or lost its connection. Which of them it was is told by its words, which have no numbers.
 *
 * @param output what ssh has said
 */
export function connectionError(remote: RemoteHost, output: string): ShimError {
  const known = REASONS.find(({ words }) => words.test(output));
  // What rsync adds says only that ssh is gone.
  const ownWords = output.split("\n").filter((line) => !/^rsync(?: error)?: /.test(line)).join("\n");
  const said = lastWords(ownWords.trim() === "" ? output : ownWords);
  if (known !== undefined) return new ShimError(known.code, `${remote.host} (@${remote.server}) ${known.says}: ${said}`, { hint: known.hint(remote) });
  return new ShimError("PROVISION_REMOTE_UNREACHABLE", `${remote.host} (@${remote.server}) cannot be reached: ${said === "" ? "the connection ended" : said}`, {
    hint: "is it up, and does its sshd answer? The next verify brings it in line",
  });
}

export function noSpaceError(remote: RemoteHost, output: string): ShimError {
  return new ShimError("PROVISION_REMOTE_NO_SPACE", `The disk of ${remote.host} (@${remote.server}) is full: ${lastWords(output)}`, { hint: "free space there, and run the task again" });
}

export function notStarted(program: string, cause: unknown): ShimError {
  return new ShimError("PROVISION_PROCESS_ERROR", `${program} cannot be started: ${cause instanceof Error ? cause.message : String(cause)}`, { hint: `install ${program === "ssh" ? "openssh-client" : program}`, cause });
}

const SHOWN_LINES = 3;

/** The lines that say something, without the frame that ssh draws around a warning. */
export function lastWords(output: string): string {
  const lines = output.split("\n").map((line) => line.trim()).filter((line) => line !== "" && !/^@+$/.test(line) && !/^Warning: Permanently added|^\*\* WARNING/.test(line));
  return lines.slice(-SHOWN_LINES).join("; ");
}
