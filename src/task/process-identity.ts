import { hostname } from "node:os";
import { readIfThere } from "../files/look.ts";

/** Names one process for as long as the machine runs: a process id alone may be used again by another one. */
export interface ProcessIdentity {
  readonly host: string;
  readonly pid: number;
  /** Start time in clock ticks since boot; 0 where /proc does not tell. */
  readonly started: number;
}

export function thisProcess(): ProcessIdentity {
  return (own ??= processIdentity(process.pid));
}

let own: ProcessIdentity | undefined;

/** A process of this machine. */
export function processIdentity(pid: number): ProcessIdentity {
  return { host: hostname(), pid, started: startTime(pid) ?? 0 };
}

/** True, false, or undefined when it runs on another host and cannot be seen from here. */
export function isAlive(identity: ProcessIdentity): boolean | undefined {
  if (identity.host !== hostname()) return undefined;
  const started = startTime(identity.pid);
  return started !== undefined && (identity.started === 0 || started === identity.started);
}

/** Field 22 of /proc/PID/stat; undefined when there is no such process, or only its remains (a zombie). */
function startTime(pid: number): number | undefined {
  const stat = readIfThere(`/proc/${pid}/stat`)?.toString("latin1");
  if (stat === undefined) return undefined;
  // The second field is the program's name in parentheses and may hold blanks and parentheses itself.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields[0] === "Z" || fields[0] === "X" ? undefined : Number(fields[19]);
}
