import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { good, openFrontEnd, type BackendAnswer, type FrontEnd } from "../support/front-end.ts";
import { openArena, type Arena } from "../support/faults/tasks.ts";
import { saveWorld, type SavedWorld } from "../support/faults/saved-world.ts";
import { holdTasks } from "../support/held-task.ts";
import { until } from "../support/until.ts";
import { leftovers, siteDatabases } from "../support/world.ts";

let frontEnd: FrontEnd;
let arena: Arena;
let base: SavedWorld;

beforeAll(async () => {
  frontEnd = await openFrontEnd();
  arena = await openArena(frontEnd);
  base = await saveWorld(frontEnd, "base");
}, 300_000);
afterAll(() => frontEnd.strike());
beforeEach(() => base.putBack());

function task(name: string, command: string, ...args: string[]): Promise<BackendAnswer> {
  return frontEnd.task(name, command, { args, timeout: 120_000 });
}

function expectFrames(...answers: readonly BackendAnswer[]): void {
  for (const { kind, status, errors } of answers) expect([kind, status !== 0]).toEqual(["frame", errors.length > 0]);
}

/** Nothing is half done, and the site says what it said. */
async function expectServing(host = arena.uri): Promise<void> {
  expect(leftovers(frontEnd)).toEqual([]);
  await until(`${host} serves`, async () => {
    const { status, body } = await frontEnd.stage.apache.fetch(host, "/");
    return status === 200 && body.includes("Now");
  });
}

function databaseOf(root: string, uri: string): string {
  return /'db_name'\] = '([^']+)'/.exec(readFileSync(join(root, "sites", uri, "drushrc.php"), "utf8"))?.[1] ?? "";
}

it("two migrates of one site: one after the other, and the site is where both wanted it, with one database", async () => {
  const { root, other, uri } = arena;
  const answers = await Promise.all([task(uri, "migrate", "@platform_other"), task(uri, "migrate", "@platform_other")]);
  expectFrames(...answers);
  expect(answers.some(({ status }) => status === 0)).toBe(true);
  await expectServing();
  expect([existsSync(join(root, "sites", uri)), await siteDatabases(frontEnd)]).toEqual([false, [databaseOf(other, uri)]]);
});

it("two migrates of one site to different names: one of them wins, the other says so", async () => {
  const { root, uri } = arena;
  const names = ["one.test", "two.test"];
  const answers = await Promise.all(names.map((name) => task(uri, "migrate", "@platform_standin", `@${name}`)));
  expectFrames(...answers);
  expect(answers.filter(({ status }) => status === 0)).toHaveLength(1);
  const winner = names.find((name) => existsSync(join(root, "sites", name))) ?? "";
  await expectServing(winner);
  expect(await siteDatabases(frontEnd)).toEqual([databaseOf(root, winner)]);
});

it("two clones to one name: one is made, the other is refused and takes nothing of it away", async () => {
  const { other, uri } = arena;
  const answers = await Promise.all([task(uri, "clone", "@copy.test", "@platform_other"), task(uri, "clone", "@copy.test", "@platform_other")]);
  expectFrames(...answers);
  expect(answers.flatMap(({ errors }) => errors)).toEqual(["PROVISION_TARGET_EXISTS"]);
  await expectServing();
  await expectServing("copy.test");
  expect((await siteDatabases(frontEnd)).sort()).toEqual([databaseOf(other, "copy.test"), databaseOf(arena.root, uri)].sort());
});

it("a migrate while its platform is verified, and a verify of the platform while the site leaves it: both end well", async () => {
  const { other, uri } = arena;
  const held = await holdTasks(frontEnd);
  const verify = task("platform_standin", "verify");
  await held.reached();
  const migrate = task(uri, "migrate", "@platform_other");
  held.release();
  await good(verify);
  await good(migrate);
  await held.end();
  await expectServing();
  const back = await Promise.all([task(uri, "migrate", "@platform_standin"), task("platform_other", "verify"), task("platform_standin", "verify")]);
  expectFrames(...back);
  expect(back.map(({ status }) => status)).toEqual([0, 0, 0]);
  await expectServing();
  expect(existsSync(join(other, "sites", uri))).toBe(false);
});

it("a delete while a migrate runs: whichever comes second finds what the first has left", async () => {
  const { root, other, uri } = arena;
  const [migrate, remove] = await Promise.all([task(uri, "migrate", "@platform_other"), task(uri, "delete")]);
  expectFrames(migrate, remove);
  expect(remove.errors).toEqual([]);
  expect(leftovers(frontEnd)).toEqual([]);
  expect([existsSync(join(root, "sites", uri)), existsSync(join(other, "sites", uri)), existsSync(join(frontEnd.home, ".drush", `${uri}.alias.drushrc.php`)), await siteDatabases(frontEnd)]).toEqual([false, false, false, []]);
  await until("the site is gone", async () => (await frontEnd.stage.apache.fetch(uri, "/")).status === 404);
});

it("a backup and a verify while a migrate runs wait for it", async () => {
  const { uri } = arena;
  const answers = await Promise.all([task(uri, "migrate", "@platform_other"), task(uri, "verify"), task(uri, "backup")]);
  expectFrames(...answers);
  expect(answers.map(({ errors }) => errors)).toEqual([[], [], []]);
  await expectServing();
});
