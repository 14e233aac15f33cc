import { isAbsolute } from "node:path";
import { readIfThere, readQuietly } from "../../files/look.ts";

/** The worker processes of an nginx on this machine, as /proc shows them. */
export interface Workers {
  readonly pids: ReadonlySet<number>;
  /** When this was looked at, in ticks since the machine's start. */
  readonly at: number;
}

const DEFAULT_PID_FILES = ["/run/nginx.pid", "/var/run/nginx.pid", "/usr/local/nginx/logs/nginx.pid"];
const TICKS_PER_SECOND = 100;
const POLL_MS = 20;
/** nginx tries five times, half a second apart, for a port that is not free. */
const LEAST_MS = 5_000;

/** What serves now; undefined when that cannot be seen. */
export function presentWorkers(mainFile: string | undefined): Workers | undefined {
  const pids = workerPids(mainFile);
  const [uptime] = (readQuietly("/proc/uptime") ?? "").split(" ");
  return pids.length === 0 || uptime === undefined || uptime === "" ? undefined : { pids: new Set(pids), at: Math.floor(Number(uptime) * TICKS_PER_SECOND) };
}

/**
 * Waits for workers that were started since. nginx starts new ones when it takes a new configuration, and goes on with the old ones when it cannot: its
 * control program has ended well by then, in both cases.
 *
 * @param wait.tookMs how long the control program took, which reads the same configuration
 * @returns false when there are none in ten times that time
 */
export async function workersStartedSince(before: Workers, mainFile: string | undefined, { tookMs, signal }: { readonly tookMs: number; readonly signal: AbortSignal | undefined }): Promise<boolean> {
  for (const deadline = Date.now() + LEAST_MS + 10 * tookMs; Date.now() < deadline && signal?.aborted !== true; ) {
    if (workerPids(mainFile).some((pid) => !before.pids.has(pid) && (startOf(pid) ?? 0) >= before.at)) return true;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return signal?.aborted === true;
}

function workerPids(mainFile: string | undefined): number[] {
  const main = mainPid(mainFile);
  const children = main === undefined ? undefined : readQuietly(`/proc/${main}/task/${main}/children`);
  const pids = (children ?? "").split(" ").filter((word) => word !== "").map(Number);
  return pids.filter((pid) => {
    const title = readQuietly(`/proc/${pid}/cmdline`) ?? "";
    return title.startsWith("nginx: worker process") && !title.includes("shutting down");
  });
}

function mainPid(mainFile: string | undefined): number | undefined {
  const text = mainFile === undefined ? undefined : readIfThere(mainFile)?.toString("latin1");
  const named = /^\s*pid\s+"?([^;"\s]+)"?\s*;/m.exec(text ?? "")?.[1];
  for (const file of named !== undefined && isAbsolute(named) ? [named] : DEFAULT_PID_FILES) {
    const pid = Number(readQuietly(file)?.trim());
    if (Number.isInteger(pid) && pid > 0) return pid;
  }
  return undefined;
}

/** When the process was started, in ticks since the machine's start. */
function startOf(pid: number): number | undefined {
  const stat = readQuietly(`/proc/${pid}/stat`);
  const start = stat?.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  return start === undefined ? undefined : Number(start);
}
