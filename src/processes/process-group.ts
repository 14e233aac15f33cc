import { readdirSync, readFileSync } from "node:fs";

/** Ends a child that leads a process group, and what it has started. */
export function killGroup(leader: number | undefined): void {
  signalGroup(leader, "SIGKILL");
}

export function signalGroup(leader: number | undefined, signal: NodeJS.Signals): void {
  if (leader === undefined) return;
  try {
    process.kill(-leader, signal);
  } catch {
    // It has ended by itself.
  }
}

const POLL_MS = 20;

/** Waits until nothing of the group runs any more; false when that takes longer. The remains of processes that nobody has asked for (zombies) do not count. */
export async function groupHasEnded(leader: number, patienceMs: number): Promise<boolean> {
  for (const deadline = Date.now() + patienceMs; isRunning(leader); ) {
    if (Date.now() > deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return true;
}

function isRunning(leader: number): boolean {
  return readdirSync("/proc").some((name) => {
    if (!/^\d/.test(name)) return false;
    const stat = statusOf(name);
    const [state, , group] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return Number(group) === leader && state !== "Z" && state !== "X";
  });
}

function statusOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, "latin1");
  } catch {
    // It has ended by now.
    return "";
  }
}
