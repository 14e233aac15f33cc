import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openFrontEnd, type FrontEnd } from "../support/front-end.ts";
import { prepareTask, walk, type Course, type Prepared } from "../support/faults/matrix.ts";
import { saveWorld, type SavedWorld } from "../support/faults/saved-world.ts";
import { openArena, TASKS, type Arena, type FaultyTask } from "../support/faults/tasks.ts";

/**
 * Whatever happens to a task and whenever, the site is as before or as after. `npm test` goes to a share of the points; SHIM_TEST_FAULTS=all to each point of each task, which takes hours, and prints what
 * became of them. SHIM_TEST_FAULT_TASKS and SHIM_TEST_FAULT_COURSES name some of them.
 */
const all = process.env["SHIM_TEST_FAULTS"] === "all";

/** How things go wrong, and every how many points in the short run; 0: only in the long one. */
const COURSES: readonly (Course & { readonly every: number })[] = [
  { name: "kill before a journal point", fault: () => ({ kind: "kill-journal", where: "before" }), counter: "journal", every: 17 },
  { name: "kill after a journal point", fault: () => ({ kind: "kill-journal", where: "after" }), counter: "journal", every: 0 },
  { name: "kill in the middle of a journal line", fault: () => ({ kind: "kill-journal", where: "half" }), counter: "journal", every: 0 },
  { name: "kill after a journal point, and the next task", fault: () => ({ kind: "kill-journal", where: "after" }), counter: "journal", next: true, every: 23 },
  { name: "kill before a statement", fault: () => ({ kind: "kill-statement", where: "before" }), counter: "statement", every: 0 },
  { name: "kill after a statement", fault: () => ({ kind: "kill-statement", where: "after" }), counter: "statement", every: 0 },
  { name: "kill after a child was started", fault: () => ({ kind: "kill-child", where: "after" }), counter: "child", every: 0 },
  { name: "kill before a system call", fault: () => ({ kind: "kill-call" }), counter: "call", every: 0 },
  { name: "a system call fails", fault: (n) => ({ kind: "fail-call", errno: (["ENOSPC", "EACCES", "EIO"] as const)[n % 3] ?? "EIO" }), counter: "call", every: 89 },
  { name: "the disk is full from a system call on", fault: () => ({ kind: "fail-calls-from", errno: "ENOSPC" }), counter: "call", mended: true, every: 0 },
  { name: "all system calls fail from one on", fault: () => ({ kind: "fail-calls-from", errno: "EIO" }), counter: "call", mended: true, every: 0 },
  { name: "a child ends with 1", fault: () => ({ kind: "fail-child", how: "exit" }), counter: "child", every: 5 },
  { name: "a child cannot be started", fault: () => ({ kind: "fail-child", how: "missing" }), counter: "child", every: 0 },
  { name: "a child hangs and the task is told to stop", fault: () => ({ kind: "fail-child", how: "hang" }), counter: "child", every: 7 },
  { name: "the connection to the database breaks before a statement", fault: () => ({ kind: "fail-statement", where: "before" }), counter: "statement", every: 0 },
  { name: "the connection to the database breaks after a statement", fault: () => ({ kind: "fail-statement", where: "after" }), counter: "statement", every: 19 },
  { name: "SIGTERM at a system call", fault: () => ({ kind: "stop-call" }), counter: "call", every: 0 },
];

const named = (variable: string): ((name: string) => boolean) => {
  const given = process.env[variable]?.split(",");
  return (name) => given === undefined || given.some((part) => name.includes(part));
};
const tasks = TASKS.filter(({ name }) => named("SHIM_TEST_FAULT_TASKS")(name));
const courses = COURSES.filter(({ name, every }) => (all || every > 0) && named("SHIM_TEST_FAULT_COURSES")(name));

let frontEnd: FrontEnd;
let arena: Arena;
let base: SavedWorld;

/** A line of the table, which is as long as the run. */
function note(line: string): void {
  if (all) process.stdout.write(`= ${line}\n`);
}

beforeAll(async () => {
  frontEnd = await openFrontEnd();
  arena = await openArena(frontEnd);
  base = await saveWorld(frontEnd, "base");
}, 300_000);
afterAll(() => frontEnd.strike());

describe.each(tasks)("$name", (task: FaultyTask) => {
  let prepared: Prepared;
  beforeAll(async () => {
    prepared = await prepareTask(arena, base, task);
  }, 300_000);

  it.each(courses)("$name", async (course) => {
    const found = await walk(arena, prepared, course, all ? { first: 1, step: Number(process.env["SHIM_TEST_FAULT_STEP"] ?? 1) } : { first: firstPoint(task, course), step: course.every });
    note(`${task.name} × ${course.name}: ${found.points}, ${found.before}/${found.after}/${found.exceptions.length}${found.mended > 0 ? ` (${found.mended} by recover)` : ""}`);
    expect(found.exceptions).toEqual([]);
  }, all ? 7_200_000 : 120_000);
});

/** The short run begins elsewhere for each task and kind, and the same each time. */
function firstPoint(task: FaultyTask, { name, every }: Course & { readonly every: number }): number {
  const seed = Buffer.from(`${task.name} ${name}`).reduce((sum, byte) => (sum * 31 + byte) % 65_521, 7);
  return 1 + (seed % every);
}
