import { chmodSync, existsSync, linkSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { spawn, spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ShimError } from "../../src/errors/shim-error.ts";
import type { TaskEvent } from "../../src/task/events.ts";
import { FileChanges } from "../../src/task/file-changes.ts";
import { Journal, leftJournals } from "../../src/task/journal.ts";
import { step, type Plan, type Step, type Work } from "../../src/task/plan.ts";
import { processIdentity } from "../../src/task/process-identity.ts";
import { recoverJournal } from "../../src/task/recover.ts";
import { runPlan, type TaskOutcome, type TaskSettings } from "../../src/task/run-plan.ts";
import { endChild } from "../../src/task/undo-children.ts";
import { undoEntries } from "../../src/task/undo.ts";
import { fileUndoHandlers } from "../../src/task/undo-files.ts";

let home: string;
let events: TaskEvent[];

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "shim-task-"));
  events = [];
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

function run(steps: Plan["steps"], settings: Partial<TaskSettings> = {}): Promise<TaskOutcome> {
  return runPlan({ title: "test", context: "ctx", steps }, {
    stateDirectory: join(home, "state"),
    sink: (event) => events.push(event),
    dryRun: false,
    undoHandlers: fileUndoHandlers,
    signal: new AbortController().signal,
    lockWaitMs: 2000,
    ...settings,
  });
}

function fails(): Step {
  return step("fail", () => {
    throw new ShimError("TEST_FAILED", "on purpose");
  });
}

function at(name: string): string {
  return join(home, name);
}

function leftovers(): string[] {
  return [...(existsSync(at("state/journal")) ? readdirSync(at("state/journal")) : []), ...(existsSync(at("state/locks")) ? readdirSync(at("state/locks")) : [])];
}

describe("a task that ends well", () => {
  it("keeps its changes and leaves neither journal nor lock", async () => {
    const outcome = await run([step("write", ({ files }) => void files.write({ path: at("a"), content: "new", mode: 0o440 }))]);
    expect(outcome).toEqual({ errors: [], changes: 1 });
    expect(readFileSync(at("a"), "utf8")).toBe("new");
    expect(statSync(at("a")).mode & 0o7777).toBe(0o440);
    expect(leftovers()).toEqual([]);
  });

  it("does not write what is already there", async () => {
    writeFileSync(at("a"), "same", { mode: 0o640 });
    const inode = statSync(at("a")).ino;
    const outcome = await run([step("write", ({ files }) => void files.write({ path: at("a"), content: "same", mode: 0o640 }))]);
    expect(outcome.changes).toBe(0);
    expect(statSync(at("a")).ino).toBe(inode);
  });

  it("runs the steps of an inner list side by side", async () => {
    const order: string[] = [];
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    await run([[step("waits", async () => { await gate; order.push("waits"); }), step("opens", () => { order.push("opens"); release(); })], step("after", () => void order.push("after"))]);
    expect(order).toEqual(["opens", "waits", "after"]);
  });
});

describe("a task that fails", () => {
  it("puts every kind of change back, newest first", async () => {
    writeFileSync(at("replaced"), "old", { mode: 0o440 });
    writeFileSync(at("removed"), "gone?", { mode: 0o600 });
    writeFileSync(at("mode"), "", { mode: 0o600 });
    symlinkSync("old-target", at("link"));
    const inodes = ["replaced", "removed"].map((name) => statSync(at(name)).ino);
    const outcome = await run([
      step("change", ({ files }) => {
        files.write({ path: at("replaced"), content: "new", mode: 0o644 });
        files.write({ path: at("replaced"), content: "newer", mode: 0o600 });
        files.write({ path: at("deep/er/created"), content: "x", mode: 0o600 });
      }),
      fails(),
    ].flatMap((each, index) => index === 0 ? [step("directories", ({ files }) => void files.directory(at("deep/er"))), each, step("rest", ({ files }) => {
      files.remove(at("removed"));
      files.chmod(at("mode"), 0o755);
      files.link(at("link"), "new-target");
      files.link(at("another"), "x");
    })] : [each]));
    expect(outcome.errors.map((error) => error.code)).toEqual(["TEST_FAILED"]);
    expect(readFileSync(at("replaced"), "utf8")).toBe("old");
    expect(statSync(at("replaced")).mode & 0o7777).toBe(0o440);
    expect(["replaced", "removed"].map((name) => statSync(at(name)).ino)).toEqual(inodes);
    expect(statSync(at("mode")).mode & 0o7777).toBe(0o600);
    expect(readlinkSync(at("link"))).toBe("old-target");
    expect(readdirSync(home).sort()).toEqual(["link", "mode", "removed", "replaced", "state"]);
    expect(leftovers()).toEqual([]);
  });

  it("reports an error that a step only notes, ends that step and starts no other", async () => {
    let later = false;
    const outcome = await run([step("notes", (work: Work) => {
      work.error(new ShimError("FIRST", "1"));
      work.files.write({ path: at("a"), content: "", mode: 0o600 });
      work.error(new ShimError("SECOND", "2"));
    }), step("later", () => void (later = true))]);
    expect(outcome.errors.map((error) => error.code)).toEqual(["FIRST", "SECOND"]);
    expect(later).toBe(false);
    expect(existsSync(at("a"))).toBe(false);
  });

  it("turns a programmer's error into DRUSH_EXECUTION_EXCEPTION", async () => {
    const outcome = await run([step("throws", () => { throw new TypeError("oops"); })]);
    expect(outcome.errors[0]).toMatchObject({ code: "DRUSH_EXECUTION_EXCEPTION", message: "oops" });
  });

  it("undoes when it is told to stop", async () => {
    const abort = new AbortController();
    const outcome = await run([step("write", ({ files }) => { files.write({ path: at("a"), content: "", mode: 0o600 }); abort.abort(); }), step("never", () => undefined)], { signal: abort.signal });
    expect(outcome.errors[0]?.code).toBe("PROVISION_INTERRUPTED");
    expect(existsSync(at("a"))).toBe(false);
  });
});

describe("a dry run", () => {
  it("tells the changes with both texts and makes none", async () => {
    writeFileSync(at("a"), "old");
    const outcome = await run([step("write", async (work) => {
      work.files.write({ path: at("a"), content: "new", mode: 0o600 });
      work.files.write({ path: at("secret"), content: "<?php $options['db_passwd'] = 'pw';\n", mode: 0o600, secret: true });
      expect(await work.act("reload", () => 1)).toBeUndefined();
    })], { dryRun: true });
    expect(outcome.changes).toBe(2);
    expect(events).toContainEqual({ type: "change", step: "write", change: { kind: "replace", path: at("a"), before: "old", after: "new" } });
    expect(JSON.stringify(events)).not.toContain("'pw'");
    expect(readFileSync(at("a"), "utf8")).toBe("old");
    expect(readdirSync(home)).toEqual(["a"]);
  });
});

describe("a removed file on another file system than the journal", () => {
  const other = "/dev/shm";
  it.skipIf(!existsSync(other) || statSync(other).dev === statSync(tmpdir()).dev)("is kept beside itself when it is large, put back on failure and gone after success", async () => {
    const place = mkdtempSync(join(other, "shim-task-"));
    try {
      writeFileSync(join(place, "big"), "x".repeat(2_000_000));
      const remove = step("remove", ({ files }) => void files.remove(join(place, "big")));
      await run([remove, step("look", () => expect(readdirSync(place)).toEqual([`.big.${process.pid}.removed`])), fails()]);
      expect(readdirSync(place)).toEqual(["big"]);
      await run([remove]);
      expect(readdirSync(place)).toEqual([]);
      expect(leftovers()).toEqual([]);
    } finally {
      rmSync(place, { recursive: true });
    }
  });
});

describe("links", () => {
  it("writes through a link of our own and undoes that", async () => {
    mkdirSync(at("real"));
    writeFileSync(at("real/file"), "old");
    symlinkSync("real/file", at("link"));
    await run([step("write", ({ files }) => { files.write({ path: at("link"), content: "new", mode: 0o600 }); expect(readFileSync(at("real/file"), "utf8")).toBe("new"); }), fails()]);
    expect(lstatSync(at("link")).isSymbolicLink()).toBe(true);
    expect(readFileSync(at("real/file"), "utf8")).toBe("old");
  });

  it("refuses to make a link where something else is", async () => {
    writeFileSync(at("a"), "");
    const outcome = await run([step("link", ({ files }) => void files.link(at("a"), "x"))]);
    expect(outcome.errors[0]?.code).toBe("DRUSH_PERM_ERROR");
  });
});

describe("what a killed task left", () => {
  /** A journal whose owner is gone: written by a real process that then ended. */
  function leave(change: (journal: Journal) => void): string {
    const journal = Journal.begin(at("state/journal"), "ctx", "killed");
    change(journal);
    const lines = join(journal.directory, "journal.ndjson");
    const dead = spawnSync("true").pid;
    writeFileSync(lines, readFileSync(lines, "utf8").replace(`"pid":${process.pid}`, `"pid":${dead}`));
    return journal.directory;
  }

  it("is undone by the next task on the context, before its own work", async () => {
    writeFileSync(at("a"), "old");
    leave((journal) => {
      const saved = journal.keep(at("a"));
      const oldInode = statSync(at("a")).ino;
      rmSync(at("a"));
      writeFileSync(at("a"), "half-way");
      journal.record({ kind: "file", path: at("a"), saved, oldInode, device: 0, inode: statSync(at("a")).ino });
    });
    let seen = "";
    const outcome = await run([step("look", () => void (seen = readFileSync(at("a"), "utf8")))]);
    expect(outcome.errors).toEqual([]);
    expect(seen).toBe("old");
    expect(leftovers()).toEqual([]);
  });

  it("is left alone where something else changed the file since", async () => {
    writeFileSync(at("a"), "by drush");
    const directory = leave((journal) => {
      const saved = journal.keep(at("a"));
      journal.record({ kind: "file", path: at("a"), saved, oldInode: 1, device: 0, inode: 2 });
    });
    const [left] = leftJournals(at("state/journal"));
    const { done } = await undoEntries(left!.entries, directory, fileUndoHandlers);
    expect(done).toEqual([`left ${at("a")} alone: it was changed by something else since`]);
    expect(readFileSync(at("a"), "utf8")).toBe("by drush");
  });

  it("is left alone where drush wrote into the very file, or made a directory of the same number, since", async () => {
    const directory = leave((journal) => {
      const files = new FileChanges(journal, false, () => undefined);
      writeFileSync(at("a"), "old");
      files.write({ path: at("a"), content: "half-way", mode: 0o644 });
      mkdirSync(at("staged/inside"), { recursive: true });
      files.placeTree(at("staged"), at("tree"));
    });
    const [left] = leftJournals(at("state/journal"));
    writeFileSync(at("a"), "by drush");
    const entries = left!.entries.map((entry) => (entry.kind === "new-tree" ? { ...entry, born: Number(entry["born"]) - 1 } : entry));
    const { done, failed } = await undoEntries(entries, directory, fileUndoHandlers);
    expect(failed).toEqual([]);
    expect(done).toEqual([`left ${at("a")} alone: it was changed by something else since`]);
    expect(readFileSync(at("a"), "utf8")).toBe("by drush");
    expect(existsSync(at("tree/inside"))).toBe(true);
  });

  it("is not undone once more when somebody else did so while the lease was waited for", async () => {
    leave((journal) => {
      journal.record({ kind: "link", path: at("link"), before: null, after: "target" });
    });
    const [left] = leftJournals(at("state/journal"));
    expect((await run([step("make the link anew", ({ files }) => void files.link(at("link"), "target"))])).errors).toEqual([]);
    expect(await recoverJournal(left!, fileUndoHandlers)).toEqual({ done: [], failed: [] });
    expect(readlinkSync(at("link"))).toBe("target");
  });

  it("comes back from another file system, too, however often a file was written", async () => {
    const shm = mkdtempSync("/dev/shm/shim-task-");
    try {
      writeFileSync(join(shm, "a"), "old");
      writeFileSync(join(shm, "b"), "kept");
      const outcome = await run([
        step("write", ({ files }) => {
          files.write({ path: join(shm, "a"), content: "first", mode: 0o644 });
          files.write({ path: join(shm, "a"), content: "second", mode: 0o644 });
          files.remove(join(shm, "b"));
          expect(readdirSync(shm)).toEqual(["a"]);
        }),
        fails(),
      ]);
      expect(outcome.errors.map(({ code }) => code)).toEqual(["TEST_FAILED"]);
      expect(["a", "b"].map((name) => readFileSync(join(shm, name), "utf8"))).toEqual(["old", "kept"]);
      expect(readdirSync(shm).sort()).toEqual(["a", "b"]);
    } finally {
      rmSync(shm, { recursive: true, force: true });
    }
  });

  it("is undone with what a task in its middle, which ran on, has left", async () => {
    const nested = spawn("sleep", ["300"], { detached: true, stdio: "ignore" });
    const identity = processIdentity(nested.pid!);
    leave((journal) => {
      journal.record({ kind: "child", ...identity });
      journal.record({ kind: "directory", path: at("outer") });
      mkdirSync(at("outer"));
    });
    const inner = Journal.begin(at("state/journal"), "ctx", "in the middle");
    inner.record({ kind: "directory", path: at("inner") });
    mkdirSync(at("inner"));
    const lines = join(inner.directory, "journal.ndjson");
    writeFileSync(lines, readFileSync(lines, "utf8").replace(/"pid":\d+,"started":\d+/, `"pid":${identity.pid},"started":${identity.started}`));
    expect(leftJournals(at("state/journal"))).toHaveLength(1);
    expect((await run([step("look", () => expect([existsSync(at("outer")), existsSync(at("inner"))]).toEqual([false, false]))], { undoHandlers: { ...fileUndoHandlers, child: endChild } })).errors).toEqual([]);
    expect(leftovers()).toEqual([]);
  });

  it("stops the next task when it cannot be undone", async () => {
    leave((journal) => journal.record({ kind: "unheard-of" }));
    const outcome = await run([step("work", () => undefined)]);
    expect(outcome.errors[0]?.code).toBe("PROVISION_RECOVERY_FAILED");
    expect(leftJournals(at("state/journal"))).toHaveLength(1);
  });

  it("is undone by a task on any of the names that it had locked, and its leases go with it", async () => {
    const journal = Journal.begin(at("state/journal"), "ctx-before", "killed", ["ctx"]);
    mkdirSync(at("made"));
    journal.record({ kind: "directory", path: at("made") });
    const lines = join(journal.directory, "journal.ndjson");
    const dead = spawnSync("true").pid;
    writeFileSync(lines, readFileSync(lines, "utf8").replace(`"pid":${process.pid}`, `"pid":${dead}`));
    mkdirSync(at("state/locks"), { recursive: true });
    const lease = { ...journal.head, pid: dead, token: "t", what: "killed" };
    for (const name of ["ctx-before.lock", "something%20else.lock", `ctx.lock.${dead}.x.1`]) writeFileSync(at(`state/locks/${name}`), JSON.stringify(lease));
    expect((await run([step("look", () => expect(existsSync(at("made"))).toBe(false))])).errors).toEqual([]);
    expect(leftovers()).toEqual([]);
  });

  it("before its first line is swept away when its process is gone, and not before", async () => {
    const dead = spawnSync("true").pid;
    const { head, directory } = Journal.begin(at("state/journal"), "ctx", "killed");
    const folders = [directory, directory.replace(`~${process.pid}~`, `~${dead}~`)];
    for (const folder of folders) mkdirSync(folder, { recursive: true });
    expect(head.pid).toBe(process.pid);
    await run([step("nothing", () => undefined)]);
    expect(folders.map((folder) => existsSync(folder))).toEqual([true, false]);
  });

  it("is not undone twice, when something of it could not be undone the first time", async () => {
    mkdirSync(at("site"), 0o755);
    chmodSync(at("site"), 0o755);
    mkdirSync(at("staged"), 0o700);
    const steps = [step("replace", (work: Work) => work.act("note", () => {
      const { files } = work;
      files.moveTree(at("site"), at("aside"));
      files.placeTree(at("staged"), at("site"));
      files.directory(at("site/empty"));
      files.chmod(at("site"), 0o755);
      mkdirSync(at("aside/empty"));
    }, { kind: "mended-later" })), fails()];
    const { errors } = await run(steps);
    expect(errors.map(({ code }) => code)).toEqual(["TEST_FAILED", "PROVISION_UNDO_FAILED"]);
    expect(readdirSync(at("site"))).toEqual(["empty"]);
    const [name = ""] = readdirSync(at("state/journal"));
    const lines = at(`state/journal/${name}/journal.ndjson`);
    writeFileSync(lines, readFileSync(lines, "utf8").replace(`"pid":${process.pid}`, `"pid":${spawnSync("true").pid}`));
    expect((await run([], { undoHandlers: { ...fileUndoHandlers, "mended-later": () => "mended" } })).errors).toEqual([]);
    expect([(statSync(at("site")).mode & 0o7777).toString(8), readdirSync(at("site")), leftovers()]).toEqual(["755", ["empty"], []]);
  });

  it("loses nothing of what was noted after a line that was cut off", () => {
    const directory = leave((journal) => {
      journal.record({ kind: "directory", path: at("x") });
      writeFileSync(join(journal.directory, "journal.ndjson"), '{"kind":"fi\n', { flag: "a" });
      journal.record({ kind: "directory", path: at("y") });
    });
    expect(leftJournals(at("state/journal")).map(({ entries }) => entries.map(({ path }) => path))).toEqual([[at("x"), at("y")]]);
    expect(existsSync(directory)).toBe(true);
  });

  it("is ignored when its last line was cut off", () => {
    const directory = leave((journal) => journal.record({ kind: "directory", path: at("x") }));
    writeFileSync(join(directory, "journal.ndjson"), readFileSync(join(directory, "journal.ndjson"), "utf8") + '{"kind":"fi');
    expect(leftJournals(at("state/journal"))[0]?.entries).toHaveLength(1);
  });
});

describe("locks", () => {
  it("make a second task on the context wait for the first", async () => {
    const order: string[] = [];
    const slow = run([step("slow", async () => { order.push("in"); await new Promise((resolve) => setTimeout(resolve, 150)); order.push("out"); })]);
    const second = run([step("second", () => void order.push("second"))]);
    await Promise.all([slow, second]);
    expect(order).toEqual(["in", "out", "second"]);
    expect(events.some((event) => event.type === "log" && event.message.startsWith("Waiting for ctx"))).toBe(true);
  });

  it("give up with the holder's name", async () => {
    const slow = run([step("slow", () => new Promise((resolve) => setTimeout(resolve, 300)))]);
    await new Promise((resolve) => setTimeout(resolve, 20));
    const outcome = await run([step("second", () => undefined)], { lockWaitMs: 60 });
    expect(outcome.errors[0]).toMatchObject({ code: "PROVISION_CONTEXT_LOCKED" });
    expect(outcome.errors[0]?.message).toContain(String(process.pid));
    await slow;
  });

  it("let a nested task with the same token through", async () => {
    const outcome = await run([step("outer", async () => {
      const inner = await run([step("inner", () => undefined)], { token: "t", lockWaitMs: 0 });
      expect(inner.errors).toEqual([]);
    })], { token: "t" });
    expect(outcome.errors).toEqual([]);
  });

  it("of a dead process are taken over", async () => {
    mkdirSync(at("state/locks"), { recursive: true });
    const holder = { host: (await import("node:os")).hostname(), pid: spawnSync("true").pid, started: 1, token: "x", what: "dead", since: 0 };
    writeFileSync(at("state/locks/ctx.lock"), JSON.stringify(holder));
    expect((await run([step("work", () => undefined)], { lockWaitMs: 0 })).errors).toEqual([]);
  });

  it("of this process id, but of an earlier process, are taken over", async () => {
    mkdirSync(at("state/locks"), { recursive: true });
    writeFileSync(at("state/locks/ctx.lock"), JSON.stringify({ host: (await import("node:os")).hostname(), pid: process.pid, started: 1, token: "x", what: "dead", since: 0 }));
    expect((await run([step("work", () => undefined)], { lockWaitMs: 0 })).errors).toEqual([]);
  });

  it("exclude side by side steps from a shared resource", async () => {
    let inside = 0;
    let most = 0;
    const use = step("use", (work) => work.exclusively("res", async () => {
      most = Math.max(most, ++inside);
      await new Promise((resolve) => setTimeout(resolve, 30));
      inside -= 1;
    }));
    expect((await run([[use, use, use]])).errors).toEqual([]);
    expect(most).toBe(1);
  });
});

describe("a system that refuses", () => {
  it.skipIf(process.getuid?.() === 0)("gives DRUSH_PERM_ERROR and changes nothing", async () => {
    mkdirSync(at("closed"));
    chmodSync(at("closed"), 0o500);
    const outcome = await run([step("write", ({ files }) => void files.write({ path: at("closed/a"), content: "", mode: 0o600 }))]);
    expect(outcome.errors[0]?.code).toBe("DRUSH_PERM_ERROR");
    chmodSync(at("closed"), 0o700);
    expect(readdirSync(at("closed"))).toEqual([]);
  });

  it("leaves the old file when the new one cannot be staged", async () => {
    writeFileSync(at("a"), "old");
    linkSync(at("a"), at("b"));
    const outcome = await run([step("write", ({ files }) => void files.write({ path: at("a"), content: "new", mode: 0o600, stagingDirectory: at("missing") }))]);
    expect(outcome.errors[0]?.code).toBe("DRUSH_PERM_ERROR");
    expect(readFileSync(at("a"), "utf8")).toBe("old");
    expect(readdirSync(home).sort()).toEqual(["a", "b", "state"]);
  });
});
