import { asShimError, ShimError } from "../errors/shim-error.ts";
import { scrubText, textFromBytes } from "../php-values/text.ts";
import { runProcess } from "../processes/run-process.ts";
import { connectionError, lastWords, noSpaceError, notStarted } from "./remote-failure.ts";
import { checkedHost, rsyncAddress, type RemoteHost, type RemoteMeans } from "./remote-host.ts";
import { sshWords } from "./ssh-options.ts";

/** What an administrator has drush's rsync do beside what it always does. */
export interface RsyncOptions {
  /** Option `include-vcs`: folders of version control travel, too. */
  readonly includeVcs: boolean;
  /** Options `include-paths` and `exclude-paths`, as words of rsync. */
  readonly filters: readonly string[];
  /** Option `global_sync_options`, merged last: a value, or true for an option without; false leaves one of ours out. */
  readonly global: ReadonlyMap<string, string | boolean>;
}

export interface Transfer {
  /** Absolute paths that are there. */
  readonly paths: readonly string[];
  /** Words of rsync such as `--exclude=…`; the first that fits a path counts. */
  readonly filters: readonly string[];
}

/** Folders and files of version control (as drush 8 core/rsync). */
const VCS = [".git", ".gitignore", ".hg", ".hgignore", ".hgrags", ".bzr", ".bzrignore", ".bzrtags", ".svn"];
/** rsync gives up when nothing has come or gone for so long, seconds. */
const SILENCE_SECONDS = 120;
/** More than the largest tree takes. */
const LIMIT_MS = 12 * 3_600_000;
const OUTPUT_BYTES = 1 << 20;
const FAILED = "DRUSH_RSYNC_FAILED";

/** Words of rsync for a filter on exactly this path and what is below it, whatever characters it has. */
export function filterWord(kind: "include" | "exclude", path: string, tail: "" | "/*" = ""): string {
  // A backslash is only taken for one that quotes where there is something that could be quoted.
  const quoted = tail !== "" || /[*?[]/.test(path) ? path.replace(/[\\*?[]/g, "\\$&") : path;
  return `--${kind}=${quoted}${tail}`;
}

/**
 * Brings the paths to the same place on the other host, and removes there what is not in them here (as provision_service's sync of Provision 7.x-3.x).
 *
 * @throws ShimError DRUSH_RSYNC_FAILED, with an error PROVISION_REMOTE_… as its cause when the connection or the disk there is the reason; PROVISION_INTERRUPTED
 */
export async function pushPaths(remote: RemoteHost, transfer: Transfer, { means, rsync }: { readonly means: RemoteMeans; readonly rsync: RsyncOptions }): Promise<void> {
  const options = new Map<string, string | boolean>([["relative", true], ["keep-dirlinks", true], ["omit-dir-times", true], ["timeout", String(SILENCE_SECONDS)], ["delete", true], ...rsync.global]);
  const to = `${rsyncAddress(checkedHost(remote))}:/`;
  const words = [...transferWords(remote, means, { rsync, filters: transfer.filters }), ...optionWords(options), "--", ...transfer.paths, to];
  await transferring({ from: transfer.paths.join(", "), to }, () => runRsync(remote, words, means));
}

/**
 * Brings a path of the other host to the same place here.
 *
 * @throws as {@link pushPaths}
 */
export async function fetchPath(remote: RemoteHost, path: string, { means, rsync }: { readonly means: RemoteMeans; readonly rsync: RsyncOptions }): Promise<void> {
  // Nothing is removed before everything has come.
  const options = new Map<string, string | boolean>([["omit-dir-times", true], ["timeout", String(SILENCE_SECONDS)], ["delete", true], ["delete-delay", true], ...rsync.global]);
  // Older versions leave it to the shell over there to take the path apart.
  const isPlain = /^[\w@%+=:,./-]+$/.test(path);
  const from = `${rsyncAddress(checkedHost(remote))}:/${path}`;
  const words = [...transferWords(remote, means, { rsync, filters: [] }), ...optionWords(options), ...(isPlain ? [] : ["--protect-args"]), "--", from, path];
  await transferring({ from, to: path }, () => runRsync(remote, words, means));
}

/** What stopped the transfer is the cause of the error that drush has for it. */
async function transferring({ from, to }: { readonly from: string; readonly to: string }, run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (cause) {
    const error = asShimError(cause);
    if (error.code === "PROVISION_INTERRUPTED" || error.code === FAILED) throw error;
    throw new ShimError(FAILED, `Could not rsync from ${from} to ${to}`, { cause: error });
  }
}

function transferWords(remote: RemoteHost, means: RemoteMeans, { rsync, filters }: { readonly rsync: RsyncOptions; readonly filters: readonly string[] }): string[] {
  return ["-e", ["ssh", ...sshWords(remote, means)].map(shellWord).join(" "), "-akz", ...(rsync.includeVcs ? [] : VCS.map((name) => `--exclude=${name}`)), ...filters, ...rsync.filters];
}

/** A word as rsync finds it in `-e`: it knows quotes, but is no shell. */
function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "''")}'`;
}

function optionWords(options: ReadonlyMap<string, string | boolean>): string[] {
  return [...options].flatMap(([name, value]) => (value === false ? [] : [value === true ? `--${name}` : `--${name}=${value}`]));
}

async function runRsync(remote: RemoteHost, args: readonly string[], { variables, home, signal, onChild }: RemoteMeans): Promise<void> {
  let result;
  try {
    result = await runProcess({ file: "rsync", args, env: variables, cwd: home, timeoutMs: LIMIT_MS, maxOutputBytes: OUTPUT_BYTES, ...(signal === undefined ? {} : { signal }), ...(onChild === undefined ? {} : { onStart: onChild }) });
  } catch (cause) {
    if (cause instanceof ShimError) throw cause;
    throw notStarted("rsync", cause);
  }
  if (signal?.aborted === true) throw new ShimError("PROVISION_INTERRUPTED", `The rsync with ${remote.host} was told to stop.`);
  if (result.status === undefined || !FINE.has(result.status)) throw rsyncError(remote, result.status, scrubText(textFromBytes(result.stderr)));
}

/** All is well; files have gone while it worked. */
const FINE: ReadonlySet<number> = new Set([0, 24]);
/** Of rsync: no connection, a broken one, nothing heard for too long. 255 is ssh's own. */
const CONNECTION: ReadonlySet<number> = new Set([10, 12, 30, 35, 255]);

function rsyncError(remote: RemoteHost, status: number | undefined, said: string): ShimError {
  if (/No space left on device|Disk quota exceeded/i.test(said)) return noSpaceError(remote, said);
  if (/rsync: (?:command )?not found|rsync: No such file/i.test(said) || status === 127) {
    return new ShimError(FAILED, `There is no rsync on ${remote.host} (@${remote.server}): ${lastWords(said)}`, { hint: "install rsync there" });
  }
  if (status !== undefined && CONNECTION.has(status)) return connectionError(remote, said);
  return new ShimError(FAILED, `rsync with ${remote.host} (@${remote.server}) ended with ${status === undefined ? "a signal" : `status ${status}`}: ${lastWords(said)}`);
}
