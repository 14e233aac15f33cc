import { ShimError } from "../errors/shim-error.ts";
import { scrubText, textFromBytes } from "../php-values/text.ts";
import { runProcess, type ProcessResult } from "../processes/run-process.ts";
import { connectionError, notStarted } from "./remote-failure.ts";
import { checkedHost, sshAddress, type RemoteHost, type RemoteMeans } from "./remote-host.ts";
import { shellCommand } from "./shell-quote.ts";
import { sshWords } from "./ssh-options.ts";

export interface RemoteCommand {
  readonly words: readonly string[];
  /** Milliseconds. */
  readonly timeoutMs: number;
}

/** How a command on another host ended. */
export interface RemoteOutcome {
  readonly status: number;
  /** What it printed on both outputs. */
  readonly output: string;
}

/** ssh's own failures have this status. */
const SSH_FAILED = 255;
const OUTPUT_BYTES = 1 << 20;

/**
 * Runs a command on the host as its `script_user`, with an empty input. The words reach it as they are: nothing is expanded there.
 *
 * @throws ShimError PROVISION_REMOTE_UNREACHABLE, …_KEY_UNKNOWN, …_KEY_CHANGED, …_REFUSED, …_TIMEOUT, …_BAD_NAME, PROVISION_INTERRUPTED
 */
export async function runRemote(remote: RemoteHost, command: RemoteCommand, means: RemoteMeans): Promise<RemoteOutcome> {
  const args = [...sshWords(checkedHost(remote), means), "--", sshAddress(remote), shellCommand(command.words)];
  const result = await startSsh(args, { timeoutMs: command.timeoutMs, means });
  const output = scrubText(textFromBytes(Buffer.concat([result.stdout, result.stderr]))).trim();
  if (means.signal?.aborted === true) throw new ShimError("PROVISION_INTERRUPTED", `"${command.words.join(" ")}" on ${remote.host} was told to stop.`);
  if (result.timedOut) throw new ShimError("PROVISION_REMOTE_TIMEOUT", `"${command.words.join(" ")}" on ${remote.host} (@${remote.server}) did not end within ${command.timeoutMs / 1000} s.`, { hint: "the next verify brings the server in line" });
  if (result.status === undefined || result.status === SSH_FAILED) throw connectionError(remote, output);
  return { status: result.status, output };
}

async function startSsh(args: readonly string[], { timeoutMs, means }: { readonly timeoutMs: number; readonly means: RemoteMeans }): Promise<ProcessResult> {
  const { variables, home, signal, onChild } = means;
  try {
    return await runProcess({ file: "ssh", args, env: variables, cwd: home, timeoutMs, maxOutputBytes: OUTPUT_BYTES, ...(signal === undefined ? {} : { signal }), ...(onChild === undefined ? {} : { onStart: onChild }) });
  } catch (cause) {
    if (cause instanceof ShimError) throw cause;
    throw notStarted("ssh", cause);
  }
}
