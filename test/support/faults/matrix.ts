import { rmSync } from "node:fs";
import { good } from "../front-end.ts";
import { worldOf } from "../world.ts";
import { runWithFault, temporaryDirectory, type Fault, type FaultReport, type FaultyRun } from "./fault-run.ts";
import { judge, type Expectation } from "./judge.ts";
import { likenessOf } from "./likeness.ts";
import { saveWorld, type SavedWorld } from "./saved-world.ts";
import type { Arena, FaultyTask } from "./tasks.ts";

/** One way in which a task can go wrong. */
export interface Course {
  readonly name: string;
  readonly fault: (n: number) => Omit<Fault, "n">;
  /** What is counted. */
  readonly counter: keyof FaultReport["counts"];
  /** A killed task is not recovered by a command of ours but by the next task on the context. */
  readonly next?: boolean;
  /** Nothing can be undone while it goes on so: it is mended, then `provision recover`. */
  readonly mended?: boolean;
}

export interface Prepared extends Expectation {
  readonly task: FaultyTask;
  /** How many points there are in a good run. */
  readonly counts: FaultReport["counts"];
  /** What is to be expected when another task came after the kill. */
  readonly withNext: () => Promise<Expectation>;
}

export interface Findings {
  points: number;
  before: number;
  after: number;
  /** Of these, those where the task itself left something that `provision recover` had to end. */
  mended: number;
  readonly exceptions: string[];
}

/** Brings the world to where the task begins, and learns from a good run what is to be after it. */
export async function prepareTask(arena: Arena, base: SavedWorld, task: FaultyTask): Promise<Prepared> {
  const { frontEnd } = arena;
  await base.putBack();
  const first = await worldOf(frontEnd);
  await task.prepare?.(arena);
  const pages = task.pages(arena);
  // The first view of a page after a change is noted in the database.
  for (const { host, path = "/" } of pages.before) await frontEnd.stage.apache.fetch(host, path);
  const saved = task.prepare === undefined ? base : await saveWorld(frontEnd, "task");
  const before = [await worldOf(frontEnd), ...(task.name === "install" ? [first] : [])];
  const run = await runWithFault(frontEnd, task.words(arena), { kind: "count", n: 0 });
  await good(Promise.resolve(run.answer));
  const after = await likenessOf(frontEnd);
  await saved.putBack();
  const withNext = once(async () => {
    const next = async (): Promise<string[]> => {
      await frontEnd.call(task.next(arena), { timeout: 100_000 });
      return likenessOf(frontEnd);
    };
    const alike = { before: [await likenessOf(frontEnd), await next()], after: [after] };
    await saved.putBack();
    await good(frontEnd.call(task.words(arena), { timeout: 100_000 }));
    alike.after.push(await next());
    await base.putBack();
    alike.before.push(await likenessOf(frontEnd));
    await saved.putBack();
    return { before, after: alike.after, alike: alike.before, pages, saved };
  });
  return { task, counts: run.report.counts, before, after: [after], pages, saved, withNext };
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}

/** Lets the fault happen at one point after the other: at so many of them, or until there is none any more. */
export async function walk(arena: Arena, prepared: Prepared, course: Course, { first, step, most = Infinity }: { readonly first: number; readonly step: number; readonly most?: number }): Promise<Findings> {
  const { frontEnd } = arena;
  const expected = course.next === true ? await prepared.withNext() : prepared;
  const found: Findings = { points: 0, before: 0, after: 0, mended: 0, exceptions: [] };
  const tell = (what: string): void => {
    found.exceptions.push(what);
    if (process.env["SHIM_TEST_FAULTS"] !== undefined) process.stdout.write(`${prepared.task.name} × ${course.name} ${what}\n`);
  };
  for (let n = first; found.points < most; n += step) {
    rmSync(temporaryDirectory(frontEnd), { recursive: true, force: true });
    const run = await runWithFault(frontEnd, prepared.task.words(arena), { ...course.fault(n), n });
    const { fired, counts } = run.report;
    if (fired === undefined) {
      if (run.answer.status !== 0) tell(`${n}: without a fault it ended with ${ending(run)}`);
      await prepared.saved.putBack();
      if (n > counts[course.counter] || run.answer.status !== 0) return found;
      continue;
    }
    found.points += 1;
    const complaints = orderly(run, course);
    complaints.push(...(await recovered(arena, prepared, { course, run, found })));
    const verdict = await judge(frontEnd, expected, warningsOf(run));
    if (verdict.state === "before") found.before += 1;
    if (verdict.state === "after" || verdict.state === "told") found.after += 1;
    complaints.push(...verdict.complaints, ...contradictions(run, course, verdict.state));
    if (complaints.length > 0) {
      tell(`${n} (${fired}), ${ending(run)}, ${verdict.state}: ${complaints.join("\n    ")}`);
    }
    // A task that has only lost its alias, as a failing install does, begins anew, too.
    if (verdict.state !== "before" || prepared.before.length > 1 || course.next === true || complaints.length > 0) await prepared.saved.putBack();
  }
  return found;
}

/** One frame, and a status that agrees with it. */
function orderly({ answer }: FaultyRun, { name }: Course): string[] {
  const isKill = name.startsWith("kill");
  if (answer.kind !== "frame") return [`its answer is ${answer.kind}: ${answer.text.slice(0, 300)}`];
  if (isKill) return answer.status === 255 && answer.errors.join() === "DRUSH_NOT_COMPLETED" ? [] : ["the launcher did not tell of the kill"];
  const failed = answer.errors.length > 0;
  if (failed !== (answer.status !== 0)) return ["its status does not agree with its errors"];
  const unforeseen = answer.errors.filter((code) => code === "DRUSH_EXECUTION_EXCEPTION" || code === "DRUSH_NOT_COMPLETED");
  return unforeseen.map((code) => `${code}: ${answer.messages[code] ?? ""}`);
}

function contradictions({ answer }: FaultyRun, { name }: Course, state: string): string[] {
  if (name.startsWith("kill") || answer.kind !== "frame") return [];
  return answer.status === 0 && state === "before" ? ["it says that it has succeeded, and nothing was done"] : [];
}

/** Ends what the task has left; a task that was not killed should have left nothing. */
async function recovered(arena: Arena, prepared: Prepared, { course, run, found }: { readonly course: Course; readonly run: FaultyRun; readonly found: Findings }): Promise<string[]> {
  const { frontEnd } = arena;
  if (course.next === true) {
    await frontEnd.call(prepared.task.next(arena), { timeout: 100_000 });
    return [];
  }
  if (!course.name.startsWith("kill")) {
    const { state, complaints } = await judge(frontEnd, prepared, warningsOf(run));
    if (state !== "neither" && complaints.length === 0) return [];
    // It must have said so.
    const said = run.answer.errors.length > 0;
    if (!said && course.mended !== true) return [`it left something and did not say so: ${complaints.join("\n    ")}`];
    found.mended += 1;
  }
  const { status, stdout, stderr } = await frontEnd.stage.home.user.run([frontEnd.provision, "recover"], { env: frontEnd.env, mayFail: true });
  return status === 0 ? [] : [`provision recover ended with ${status}: ${stdout}${stderr}`];
}

function warningsOf({ answer }: FaultyRun): string[] {
  return answer.logs.filter(({ type }) => type === "warning").map(({ message }) => message);
}

function ending({ answer }: FaultyRun): string {
  return `status ${answer.status} (${answer.kind})${answer.errors.length > 0 ? ` ${JSON.stringify(answer.messages)}` : ""}`;
}
