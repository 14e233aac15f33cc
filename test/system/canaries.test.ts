import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { good, openFrontEnd, type BackendAnswer, type FrontEnd } from "../support/front-end.ts";
import { openArena, type Arena } from "../support/faults/tasks.ts";
import { watchAll } from "../support/watched-processes.ts";

let frontEnd: FrontEnd;
let arena: Arena;

beforeAll(async () => {
  frontEnd = await openFrontEnd();
  arena = await openArena(frontEnd);
  mkdirSync(join(frontEnd.stage.home.beside, "tmp"));
  frontEnd.stage.home.user.own(join(frontEnd.stage.home.beside, "tmp"));
}, 300_000);
afterAll(() => frontEnd.strike());

function task(name: string, ...words: readonly string[]): Promise<BackendAnswer> {
  const [command = "", ...args] = words;
  return good(frontEnd.task(name, command, { args, timeout: 120_000, env: { TMPDIR: join(frontEnd.stage.home.beside, "tmp") } }));
}

/** The password that the site has by now. */
function passwordOf(root: string, uri: string): string {
  return /'db_passwd'\] = '([^']+)'/.exec(readFileSync(join(root, "sites", uri, "drushrc.php"), "utf8"))?.[1] ?? "";
}

/** What was told while the task ran. The frame has the site's credentials, as the front end wants them. */
function told({ logs, messages, text }: BackendAnswer): string {
  return [...logs.map(({ message }) => message), ...Object.values(messages), text].join("\n");
}

it("no password is in arguments, environment, journal, logs, or in a file that others may read, while a site is backed up, cloned, restored, moved and deleted", async () => {
  const { root, other, uri } = arena;
  const canaries = [frontEnd.stage.mariadb.admin.password, passwordOf(root, uri)];
  const watch = watchAll(frontEnd);
  const answers = [await task(uri, "backup")];
  const archive = String((answers[0]?.frame["context"] as Record<string, unknown>)["backup_file"]);
  answers.push(await task(uri, "clone", "@copy.test", "@platform_other"));
  canaries.push(passwordOf(other, "copy.test"));
  answers.push(await task(uri, "restore", archive));
  canaries.push(passwordOf(root, uri));
  answers.push(await task(uri, "migrate", "@platform_other"));
  canaries.push(passwordOf(other, uri));
  answers.push(await task("copy.test", "delete"));
  const seen = await watch.end();
  expect(new Set(canaries).size).toBe(5);
  expect(canaries.every((password) => password.length >= 10)).toBe(true);
  // It has looked often enough to see the clients.
  const where = [...seen.keys()];
  for (const program of ["mariadb-dump", "tar", "apache2", "load.cjs"]) expect([program, where.some((place) => place.startsWith("arguments") && place.includes(program))]).toEqual([program, true]);
  expect(where.some((place) => place.includes("journal.ndjson"))).toBe(true);
  const found = (text: string): boolean => canaries.some((password) => text.includes(password));
  expect(where.filter((place) => found(seen.get(place) ?? ""))).toEqual([]);
  expect(answers.map(told).filter(found)).toEqual([]);
  expect(found(frontEnd.stage.apache.errorLog() + frontEnd.stage.apache.phpErrors())).toBe(false);
  expect(readdirSync(join(frontEnd.stage.home.beside, "tmp"))).toEqual([]);
}, 300_000);
