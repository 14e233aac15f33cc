import { ShimError } from "../errors/shim-error.ts";
import { runProcess } from "../processes/run-process.ts";

type Variables = Readonly<Record<string, string | undefined>>;

/** The user's crontab, "" when he has none, undefined when this machine has no cron. `user`: for another user, which only root may. */
export async function readCrontab(user: string | undefined, variables: Variables): Promise<string | undefined> {
  try {
    const result = await crontab([...forUser(user), "-l"], variables);
    return result.status === 0 ? result.stdout.toString("utf8") : "";
  } catch {
    return undefined;
  }
}

/** @throws ShimError SWAP_CRONTAB_REFUSED */
export async function writeCrontab(user: string | undefined, text: string, variables: Variables): Promise<void> {
  const result = await crontab([...forUser(user), ...(text === "" ? ["-r"] : ["-"])], variables, text);
  if (result.status === 0) return;
  throw new ShimError("SWAP_CRONTAB_REFUSED", `The crontab could not be written: ${result.stderr.toString("utf8").trim()}`);
}

function forUser(user: string | undefined): string[] {
  return user === undefined ? [] : ["-u", user];
}

function crontab(args: readonly string[], env: Variables, input?: string) {
  return runProcess({ file: "crontab", args, env, cwd: "/", timeoutMs: 20_000, maxOutputBytes: 1 << 20, ...(input === undefined ? {} : { input }) });
}
