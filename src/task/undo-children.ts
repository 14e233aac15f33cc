import type { UndoEntry } from "./journal.ts";
import { isAlive } from "./process-identity.ts";

const POLL_MS = 20;
const PATIENCE_MS = 10_000;

/** Undo handler `child`: ends a child of a killed task, with its group, and waits until it is gone: what it wrote is taken back next. */
export async function endChild(entry: UndoEntry): Promise<string | undefined> {
  const identity = { host: String(entry["host"]), pid: Number(entry["pid"]), started: Number(entry["started"]) };
  if (isAlive(identity) !== true) return undefined;
  signalGroup(identity.pid);
  for (const deadline = Date.now() + PATIENCE_MS; isAlive(identity) === true; ) {
    if (Date.now() > deadline) throw new Error(`the process ${identity.pid} of the killed task does not end`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return `ended the process ${identity.pid} of the killed task`;
}

function signalGroup(pid: number): void {
  for (const target of [-pid, pid]) {
    try {
      process.kill(target, "SIGKILL");
    } catch {
      // It leads no group, or has ended by itself.
    }
  }
}
