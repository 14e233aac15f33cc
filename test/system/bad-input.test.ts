import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { answer, good, openFrontEnd, SERVER, type BackendAnswer, type FrontEnd } from "../support/front-end.ts";
import { openArena, type Arena } from "../support/faults/tasks.ts";
import { runWithFault } from "../support/faults/fault-run.ts";
import { likenessOf } from "../support/faults/likeness.ts";
import { saveWorld, type SavedWorld } from "../support/faults/saved-world.ts";
import { copyStandIn } from "../support/stand-in.ts";
import { failedWith, failure } from "../support/system-checks.ts";
import { until } from "../support/until.ts";
import { leftovers, worldOf, type World } from "../support/world.ts";

let frontEnd: FrontEnd;
let arena: Arena;
let saved: SavedWorld;
let before: World;

beforeAll(async () => {
  frontEnd = await openFrontEnd();
  arena = await openArena(frontEnd);
  await frontEnd.stage.apache.fetch(arena.uri, "/");
  saved = await saveWorld(frontEnd, "base");
  before = await worldOf(frontEnd);
}, 300_000);
afterAll(() => frontEnd.strike());

function task(name: string, command: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Promise<BackendAnswer> {
  return frontEnd.task(name, command, { args, timeout: 120_000, env });
}

/** What was there before is there again, and nothing else; and the site serves. */
async function expectUnchanged(): Promise<void> {
  expect(leftovers(frontEnd)).toEqual([]);
  expect(await worldOf(frontEnd)).toEqual(before);
  await until("the site serves", async () => (await frontEnd.stage.apache.fetch(arena.uri, "/")).body.includes("Now"));
}

describe("a database server that goes in the middle", () => {
  /** A client in front of the real one: it stops the server before it does its work. */
  function fatal(client: string): NodeJS.ProcessEnv {
    const { home, mariadb } = frontEnd.stage;
    const folder = join(home.beside, `fatal-${client}`);
    const real = spawnSync("sh", ["-c", `command -v ${client}`], { encoding: "utf8" }).stdout.trim();
    home.write(join("..", `fatal-${client}`, client), `#!/bin/sh\ncase " $* " in *--version*) exec ${real} "$@" ;; esac\nread -r pid <${mariadb.data}/mariadbd.pid\nkill -9 $pid\nuntil ! [ -e /proc/$pid/fd/0 ]; do sleep 0.02; done\nexec ${real} "$@"\n`, 0o755);
    return { PATH: `${folder}:${frontEnd.stage.home.user.env["PATH"] ?? ""}` };
  }

  it("while it dumps: the task fails, and everything is as before", async () => {
    const got = await task(arena.uri, "migrate", ["@platform_other"], fatal("mariadb-dump"));
    await frontEnd.stage.mariadb.stop();
    await frontEnd.stage.mariadb.startAgain();
    expect(failure(got)).toEqual(failedWith("PROVISION_BACKUP_FAILED"));
    await expectUnchanged();
  });

  it("while it loads: what could not be undone then is undone by recovery, when the server is there again", async () => {
    const got = await task(arena.uri, "migrate", ["@platform_other"], fatal("mariadb"));
    expect([got.status, got.kind, got.errors[0], got.errors.includes("PROVISION_UNDO_FAILED")]).toEqual([1, "frame", "PROVISION_DB_IMPORT_FAILED", true]);
    await frontEnd.stage.mariadb.stop();
    await frontEnd.stage.mariadb.startAgain();
    const { status, stdout } = await frontEnd.stage.home.user.run([frontEnd.provision, "recover"], { env: frontEnd.env, mayFail: true });
    expect([status, stdout]).toEqual([0, expect.stringContaining("dropped the database")]);
    await expectUnchanged();
  });
});

describe("no space", () => {
  const mount = (directory: string, { uid, gid }: { readonly uid: number; readonly gid: number }): boolean => spawnSync("mount", ["-t", "tmpfs", "-o", `size=64k,mode=700,uid=${uid},gid=${gid}`, "tmpfs", directory]).status === 0;
  const unmount = (directory: string): boolean => spawnSync("umount", [directory]).status === 0;

  /** Only root can, and not in every container. */
  function canMount(): boolean {
    const place = mkdtempSync(join(tmpdir(), "shim-mount-"));
    const can = mount(place, { uid: 0, gid: 0 }) && unmount(place);
    rmSync(place, { recursive: true });
    return can;
  }

  it.skipIf(!canMount())("for the backup: is found before anything is touched", async () => {
    const backups = join(frontEnd.home, "backups");
    expect(mount(backups, frontEnd.stage.home.user)).toBe(true);
    try {
      expect(failure(await task(arena.uri, "migrate", ["@platform_other"]))).toEqual(failedWith("FILE_NO_SPACE"));
      expect(readdirSync(backups)).toEqual([]);
    } finally {
      unmount(backups);
    }
    await expectUnchanged();
  });

  it("from some moment on, wherever it is: the task is undone", async () => {
    for (const n of [40, 95]) {
      const run = await runWithFault(frontEnd, [`@${arena.uri}`, "provision-clone", "@copy.test", "@platform_other"], { kind: "fail-calls-from", errno: "ENOSPC", n });
      expect([run.answer.kind, run.answer.status, run.answer.errors[0]]).toEqual(["frame", 1, "FILE_NO_SPACE"]);
      await expectUnchanged();
    }
  });
});

describe("a front end that goes in the middle", () => {
  it("does not stop the task, which ends as it would have", async () => {
    const { home } = frontEnd.stage;
    const child = home.user.spawn(["sh", "-c", `exec "$0" "$@" 2>&1`, frontEnd.drush, "--backend=2", `@${arena.uri}`, "provision-clone", "@copy.test", "@platform_other"], { env: { ...home.user.env, ...frontEnd.env }, stdio: ["ignore", "pipe", "ignore"] });
    await new Promise((resolve) => child.stdout?.once("data", resolve));
    child.stdout?.destroy();
    await new Promise((resolve) => child.once("exit", resolve));
    expect(leftovers(frontEnd)).toEqual([]);
    await until("the copy serves", async () => (await frontEnd.stage.apache.fetch("copy.test", "/")).body.includes("Now"));
    const made = await likenessOf(frontEnd);
    await saved.putBack();
    await good(task(arena.uri, "clone", ["@copy.test", "@platform_other"]));
    expect(made).toEqual(await likenessOf(frontEnd));
    await saved.putBack();
  });
});

describe("a task that is told to stop", () => {
  it.each(["SIGTERM", "SIGINT", "SIGHUP"] as const)("by %s undoes what it has done and says so", async (signal) => {
    const { home } = frontEnd.stage;
    const child = home.user.spawn(["sh", "-c", `exec "$0" "$@" 2>&1`, frontEnd.drush, "--backend=2", `@${arena.uri}`, "provision-migrate", "@platform_other"], { env: { ...home.user.env, ...frontEnd.env }, stdio: ["ignore", "pipe", "ignore"] });
    const out: Buffer[] = [];
    child.stdout?.on("data", (chunk: Buffer) => out.push(chunk));
    const ended = new Promise<{ status: number; signal: NodeJS.Signals | null }>((resolve) => child.once("close", (status, by) => resolve({ status: status ?? -1, signal: by })));
    const journals = join(frontEnd.home, ".provision-shim/journal");
    await until("it has begun to change something", () => child.exitCode !== null || (existsSync(journals) && readdirSync(journals).some((name) => existsSync(join(journals, name, "journal.ndjson")))));
    child.kill(signal);
    const how = await ended;
    const got = answer(Buffer.concat(out), how, 0);
    expect([got.kind, got.status, new Set(got.errors)]).toEqual(["frame", 1, new Set(["PROVISION_INTERRUPTED"])]);
    await expectUnchanged();
  });
});

describe("database updates", () => {
  let broken: string;
  beforeAll(async () => {
    broken = copyStandIn(frontEnd.stage.home, "endless");
    const file = join(broken, "modules/node/node.install");
    writeFileSync(file, `${readFileSync(file, "utf8")}\nfunction node_update_7999() { while (true) { usleep(10000); } }\n`);
    await good(frontEnd.save("platform_endless", { context_type: "platform", server: `@${SERVER}`, web_server: `@${SERVER}`, root: broken }));
    await good(task("platform_endless", "verify"));
    before = await worldOf(frontEnd);
  });

  it("that never end are ended when their time is over, and the site stays where it was", async () => {
    const etc = join(frontEnd.stage.home.beside, "hasty");
    mkdirSync(etc);
    writeFileSync(join(etc, "provision-shim.json"), JSON.stringify({ mysqlSocket: frontEnd.stage.mariadb.socket, phpTimeoutSeconds: 2 }));
    const got = await task(arena.uri, "migrate", ["@platform_endless"], { PROVISION_SHIM_ETC: etc });
    expect(failure(got)).toEqual(failedWith("PROVISION_PHP_TIMEOUT"));
    await expectUnchanged();
  });
});
