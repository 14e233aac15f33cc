import { join } from "node:path";
import { contextName } from "../contexts/names.ts";
import { ShimError } from "../errors/shim-error.ts";
import { namesIn } from "../files/look.ts";
import { changesIn, eachLeftJournal, leftJournals, sweepJournals } from "../task/journal.ts";
import { isDead, readHolder, sweepLeases, takeLock } from "../task/lock.ts";
import { newToken } from "../task/run-plan.ts";
import { recoverJournal } from "../task/recover.ts";
import { undoHandlers } from "../undo-handlers.ts";
import { onlyOptions } from "./arguments.ts";
import { EXIT, type CliCall } from "./cli-call.ts";
import { printReport } from "./print.ts";

function stateDirectory(): string {
  const home = process.env["HOME"];
  if (home === undefined || home === "") throw new ShimError("PROVISION_NO_HOME", "HOME is not set.", { hint: "set HOME to the home of the backend's user" });
  return join(home, ".provision-shim");
}

/** `provision ps`: who holds which lock, and what was left by tasks that were killed. */
export function ps(call: CliCall): number {
  const root = stateDirectory();
  const locks = locksIn(root);
  const killed = leftJournals(join(root, "journal")).map((left) => ({ context: left.head.context, task: left.head.title, changes: changesIn(left), finishes: left.remaining !== undefined, since: left.head.since, journal: left.directory }));
  printReport(call, { locks, killed }, [
    ...locks.map(({ lock, task, pid, host, since, dead }) => `${lock}: ${task} (process ${pid} on ${host}, since ${time(since)})${dead ? ", which is gone" : ""}`),
    ...killed.map(({ context, task, changes, since, finishes }) => `killed: ${task} on @${context} at ${time(since)}, ${changes} ${finishes ? "steps to finish" : "changes to undo"}`),
    ...(locks.length + killed.length === 0 ? ["No task is running."] : []),
  ]);
  return EXIT.ok;
}

function locksIn(root: string) {
  const folder = join(root, "locks");
  return namesIn(folder).filter((name) => name.endsWith(".lock")).flatMap((name) => {
    const path = join(folder, name);
    const holder = readHolder(path);
    if (holder === undefined) return [];
    return [{ lock: decodeURIComponent(name.slice(0, -".lock".length)), task: holder.what, pid: holder.pid, host: holder.host, since: holder.since, dead: isDead(holder, path) }];
  });
}

/** `provision recover`: undoes what killed tasks have left, each under the lock of its context. */
export async function recover(call: CliCall): Promise<number> {
  const root = stateDirectory();
  const lines: string[] = [];
  const report: { context: string; task: string; done: readonly string[]; failed: readonly string[] }[] = [];
  for (const left of eachLeftJournal(join(root, "journal"))) {
    const lock = await takeLock({ directory: join(root, "locks"), name: left.head.context, what: `recover "${left.head.title}"`, token: newToken(), waitMs: 60_000, signal: call.signal });
    try {
      const { done, failed } = await recoverJournal(left, undoHandlers);
      report.push({ context: left.head.context, task: left.head.title, done, failed: failed.map((error) => error.message) });
      lines.push(`${left.head.title} on @${left.head.context}:`, ...done.map((what) => `  ${what}`), ...failed.map((error) => `  could not be undone: ${error.message}`));
    } finally {
      lock.release();
    }
  }
  sweepJournals(join(root, "journal"));
  await releaseDead(root, call.signal);
  printReport(call, { recovered: report }, lines.length === 0 ? ["Nothing was left half done."] : lines);
  return report.some(({ failed }) => failed.length > 0) ? EXIT.error : EXIT.ok;
}

/**
 * `provision unlock --stale [@context]`: releases the locks of tasks that are gone, and no others. What such a task has changed stays as it is: `recover`, or the next task on the context, undoes
 * it.
 */
export async function unlockStale(call: CliCall): Promise<number> {
  const root = stateDirectory();
  const { words, options } = call.arguments;
  onlyOptions(call.arguments, ["stale"]);
  const stale = options.get("stale");
  const [context] = [...(typeof stale === "string" ? [stale] : []), ...words];
  const name = context === undefined ? undefined : contextName(context);
  const [own, others] = [locksIn(root).filter(({ lock }) => name === undefined || lock === name), leftJournals(join(root, "journal"), name)];
  const released = await releaseDead(root, call.signal, name);
  const held = own.filter(({ dead }) => !dead);
  printReport(call, { released, held }, [
    ...released.map((lock) => `released ${lock}`),
    ...held.map(({ lock, task, pid, host }) => `${lock} is held by a task that lives: ${task} (process ${pid} on ${host})`),
    ...(released.length + held.length === 0 ? ["No lock is held."] : []),
    ...(others.length === 0 ? [] : ["Killed tasks have left changes: `provision recover` undoes them."]),
  ]);
  return held.length > 0 && name !== undefined ? EXIT.error : EXIT.ok;
}

/** Locks of killed tasks protect nothing any more; the next task would take them over. Returns those that were released. */
async function releaseDead(root: string, signal: AbortSignal, only?: string): Promise<string[]> {
  sweepLeases(join(root, "locks"));
  const released: string[] = [];
  for (const { lock: name } of locksIn(root).filter(({ dead, lock }) => dead && (only === undefined || lock === only))) {
    const lock = await takeLock({ directory: join(root, "locks"), name, what: "recover", token: newToken(), waitMs: 0, signal });
    lock.release();
    released.push(name);
  }
  return released;
}

function time(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace("T", " ").slice(0, 19);
}
