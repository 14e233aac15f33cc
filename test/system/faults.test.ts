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

/** How things go wrong. `share`: at how many points of a task in the short run, and of which tasks, if not of all. */
interface Way extends Course {
  readonly share?: number;
  readonly of?: readonly string[];
}

const COURSES: readonly Way[] = [
  { name: "kill before a journal point", fault: () => ({ kind: "kill-journal", where: "before" }), counter: "journal", share: 2 },
  { name: "kill after a journal point", fault: () => ({ kind: "kill-journal", where: "after" }), counter: "journal" },
  { name: "kill in the middle of a journal line", fault: () => ({ kind: "kill-journal", where: "half" }), counter: "journal" },
  { name: "kill after a journal point, and the next task", fault: () => ({ kind: "kill-journal", where: "after" }), counter: "journal", next: true, share: 1, of: ["rename"] },
  { name: "kill before a statement", fault: () => ({ kind: "kill-statement", where: "before" }), counter: "statement" },
  { name: "kill after a statement", fault: () => ({ kind: "kill-statement", where: "after" }), counter: "statement" },
  { name: "kill after a child was started", fault: () => ({ kind: "kill-child", where: "after" }), counter: "child" },
  { name: "kill before a system call", fault: () => ({ kind: "kill-call" }), counter: "call" },
  { name: "a system call fails", fault: (n) => ({ kind: "fail-call", errno: (["ENOSPC", "EACCES", "EIO"] as const)[n % 3] ?? "EIO" }), counter: "call", share: 2 },
  { name: "the disk is full from a system call on", fault: () => ({ kind: "fail-calls-from", errno: "ENOSPC" }), counter: "call", mended: true },
  { name: "all system calls fail from one on", fault: () => ({ kind: "fail-calls-from", errno: "EIO" }), counter: "call", mended: true },
  { name: "a child ends with 1", fault: () => ({ kind: "fail-child", how: "exit" }), counter: "child", share: 1, of: ["clone", "migrate", "restore", "install"] },
  { name: "a child cannot be started", fault: () => ({ kind: "fail-child", how: "missing" }), counter: "child" },
  { name: "a child hangs and the task is told to stop", fault: () => ({ kind: "fail-child", how: "hang" }), counter: "child", share: 1, of: ["restore", "delete"] },
  { name: "the connection to the database breaks before a statement", fault: () => ({ kind: "fail-statement", where: "before" }), counter: "statement" },
  { name: "the connection to the database breaks after a statement", fault: () => ({ kind: "fail-statement", where: "after" }), counter: "statement", share: 1, of: ["in-place", "delete"] },
  { name: "SIGTERM at a system call", fault: () => ({ kind: "stop-call" }), counter: "call" },
];

const named = (variable: string): ((name: string) => boolean) => {
  const given = process.env[variable]?.split(",");
  return (name) => given === undefined || given.some((part) => name.includes(part));
};
const tasks = TASKS.filter(({ name }) => named("SHIM_TEST_FAULT_TASKS")(name));
const coursesOf = (task: FaultyTask): readonly Way[] => COURSES.filter(({ name, share, of }) => (all || (share !== undefined && of?.includes(task.name) !== false)) && named("SHIM_TEST_FAULT_COURSES")(name));

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
  // The first view of a page is noted in the database.
  await frontEnd.stage.apache.fetch(arena.uri, "/");
  base = await saveWorld(frontEnd, "base");
}, 300_000);
afterAll(() => frontEnd.strike());

describe.each(tasks)("$name", (task: FaultyTask) => {
  let prepared: Prepared;
  beforeAll(async () => {
    prepared = await prepareTask(arena, base, task);
  }, 120_000);

  it.each(coursesOf(task))("$name", async (course) => {
    const found = await walk(arena, prepared, course, all ? { first: 1, step: Number(process.env["SHIM_TEST_FAULT_STEP"] ?? 1) } : share(prepared, course));
    note(`${task.name} × ${course.name}: ${found.points}, ${found.before}/${found.after}/${found.exceptions.length}${found.mended > 0 ? ` (${found.mended} by recover)` : ""}`);
    expect(found.exceptions).toEqual([]);
  }, all ? 7_200_000 : 120_000);
});

/** The short run begins elsewhere for each task and kind, and the same each time. */
function share({ task, counts }: Prepared, { name, counter, share: most = 1 }: Way): { readonly first: number; readonly step: number; readonly most: number } {
  // Steps that run side by side do not have the same number of points each time.
  const step = Math.max(1, Math.floor((counts[counter] * 0.9) / most));
  const seed = Buffer.from(`${task.name} ${name}`).reduce((sum, byte) => (sum * 31 + byte) % 65_521, 7);
  return { first: 1 + (seed % step), step, most };
}
