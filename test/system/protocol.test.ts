import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunOptions, RunResult } from "../support/test-user.ts";
import { answer, good, installProgram, installSite, openFrontEnd, openPlatform, SERVER, serverOptions, writeAlias, type BackendAnswer, type FrontEnd } from "../support/front-end.ts";
import { holdTasks } from "../support/held-task.ts";
import { failedWith, failure, messages } from "../support/system-checks.ts";
import { treeOf } from "../support/tree.ts";
import { until } from "../support/until.ts";

const URI = "site.test";
const MARK = "DRUSH_BACKEND_OUTPUT_START>>>";

let frontEnd: FrontEnd;
let root: string;

beforeAll(async () => {
  frontEnd = await openFrontEnd();
  root = await openPlatform(frontEnd);
  await installSite(frontEnd, root, URI);
  await good(frontEnd.task(URI, "verify"));
}, 300_000);
afterAll(() => frontEnd.strike());

/** bin/drush with separate outputs. */
function run(words: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  return frontEnd.stage.home.user.run([frontEnd.drush, ...words], { mayFail: true, ...options, env: { ...frontEnd.env, ...options.env } });
}

/** A shell script in which `$DRUSH` is bin/drush. */
function shell(script: string, options: RunOptions = {}): Promise<RunResult> {
  return frontEnd.stage.home.user.run(["sh", "-c", script], { mayFail: true, ...options, env: { ...frontEnd.env, DRUSH: frontEnd.drush, ...options.env } });
}

function answerOf({ stdoutBytes, ...ended }: RunResult): BackendAnswer {
  return answer(stdoutBytes, ended, 0);
}

function aliasFile(name: string): string {
  return join(frontEnd.home, ".drush", `${name}.alias.drushrc.php`);
}

function contextOf({ frame }: BackendAnswer): Record<string, unknown> {
  return frame["context"] as Record<string, unknown>;
}

function count(text: string, part: string): number {
  return text.split(part).length - 1;
}

describe("framing", () => {
  it("protocol 5: packets are on standard error only, the frame on standard output only", async () => {
    for (const words of [[`@${URI}`, "provision-verify"], ["@nobody", "provision-verify"]]) {
      const { stdout, stderr } = await run(["--backend=2", ...words]);
      expect([stdout.startsWith(`\0${MARK}{`), stdout.endsWith("}<<<DRUSH_BACKEND_OUTPUT_END"), count(stdout, MARK), count(stdout, "\0")]).toEqual([true, true, 1, 1]);
      expect(stderr).toMatch(/^(?:\0DRUSH_BACKEND:\{[^\0\n]*"packet":"(?:log|set_error)"\}\n\0)+$/);
    }
  });

  it("protocol 8: in one pipe, all packets lie before the frame", async () => {
    for (const call of [frontEnd.task(URI, "verify"), frontEnd.task("nobody", "verify")]) {
      const bytes = (await call).bytes.toString("latin1");
      expect(bytes.lastIndexOf("\0DRUSH_BACKEND:")).toBeLessThan(bytes.indexOf(MARK));
      expect(bytes.endsWith("<<<DRUSH_BACKEND_OUTPUT_END")).toBe(true);
    }
  });

  it("protocol 9: a packet is there when it happens, not at the end", async () => {
    const held = await holdTasks(frontEnd);
    const child = frontEnd.stage.home.user.spawn(["sh", "-c", 'exec "$0" "$@" 2>&1', frontEnd.drush, "--backend=2", `@${URI}`, "provision-verify"], { env: { ...frontEnd.stage.home.user.env, ...frontEnd.env }, stdio: ["ignore", "pipe", "inherit"] });
    let said = "";
    child.stdout!.on("data", (chunk: Buffer) => (said += chunk.toString("latin1")));
    const closed = new Promise((resolve) => child.once("close", resolve));
    await held.reached();
    await until("the packets of the steps so far are there", () => said.includes('"message":"Step: '));
    expect([child.exitCode, said.includes(MARK)]).toEqual([null, false]);
    held.release();
    expect(await closed).toBe(0);
    expect(said).toContain(MARK);
    await held.end();
  });

  it("protocol 13, 72: a frame of more than 5 MB arrives whole at a slow reader, and the exit status after it", async () => {
    const value = "x".repeat(5_000_000);
    const slow = await shell(`{ "$DRUSH" --backend=2 provision-save @big 2>&1; echo "status $?"; } | { sleep 1; dd bs=4096 status=none; }`, { input: JSON.stringify({ client_name: "c", big: value }) });
    const [bytes, status] = slow.stdout.split("<<<DRUSH_BACKEND_OUTPUT_END");
    expect(status).toBe("status 0\n");
    const whole = answerOf({ ...slow, stdoutBytes: Buffer.from(`${bytes}<<<DRUSH_BACKEND_OUTPUT_END`), status: 0 });
    expect(contextOf(whole)["big"] === value).toBe(true);
  });

  it("protocol 14: a pipe that somebody made non-blocking loses nothing", async () => {
    const value = "y".repeat(1_000_000);
    const { stdoutBytes } = await shell(`{ php -n -r 'stream_set_blocking(STDOUT, false);'; "$DRUSH" --backend=2 provision-save @big 2>&1; } | { sleep 1; dd bs=512 status=none; }`, { input: JSON.stringify({ big: value }) });
    const whole = answer(stdoutBytes, { status: 0, signal: null }, 0);
    expect([whole.kind, whole.errors, contextOf(whole)["big"] === value]).toEqual(["frame", [], true]);
    expect(whole.packets.map(({ kind }) => kind)).not.toContain("malformed");
  });

  it("protocol 15: goes on to its end when nobody reads any more", async () => {
    rmSync(aliasFile("unread"), { force: true });
    for (const reader of ["head -c 10 >/dev/null", "true"]) {
      const { stdout } = await shell(`exec 3>&1; { "$DRUSH" --backend=2 provision-save @unread 2>&1; echo "status $?" >&3; } | ${reader}`, { timeout: 120_000, input: JSON.stringify({ big: "x".repeat(500_000) }) });
      expect([reader, stdout, existsSync(aliasFile("unread"))]).toEqual([reader, "status 0\n", true]);
      rmSync(aliasFile("unread"), { force: true });
    }
  });
});

describe("the frame", () => {
  it("protocol 24: times are numbers within the run, in order", async () => {
    const [before, { frame }, after] = [Date.now() / 1000, await good(frontEnd.task(URI, "verify")), Date.now() / 1000];
    const times = (frame["log"] as { timestamp: number }[]).map(({ timestamp }) => timestamp);
    expect(times.length).toBeGreaterThan(5);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect([times[0]! >= before - 0.01, times.at(-1)! <= after + 0.01]).toEqual([true, true]);
  });

  it("protocol 26: the second entry of the log is the one that drush's own test looks for", async () => {
    for (const called of [await frontEnd.task(URI, "verify"), await frontEnd.task("nobody", "verify")]) {
      expect((called.frame["log"] as { message: string }[])[1]!.message).toBe("Starting Drush preflight.");
    }
  });

  it.each([["--root=", "--uri="], ["--root=/srv/x", "--uri="], ["--root=", "--uri=site.test"], []])("protocol 34, 98: no self with %s %s", async (...words) => {
    const { frame } = await good(frontEnd.call([...words, "provision-save", "@some"], { stdin: { context_type: "server" }, cwd: "/" }));
    expect(frame).not.toHaveProperty("self");
  });

  it("protocol 35: self has the database of a site that was loaded, and not of one that was not", async () => {
    const self = async (task: string): Promise<unknown> => ((await good(frontEnd.task(URI, task))).frame["self"] as Record<string, unknown>)["db_name"];
    expect([await self("verify"), await self("disable"), await self("enable")]).toEqual(["sitetest", undefined, "sitetest"]);
  });

  it("protocol 94: ~/ is the home in words, not in what was posted", async () => {
    const called = await frontEnd.call(["--x=~/f", "provision-save", "~/g"], { stdin: { y: "~/f" } });
    expect([contextOf(called)["x"], contextOf(called)["y"]]).toEqual([`${frontEnd.home}/f`, "~/f"]);
    // It is no name for a context, and the error quotes it.
    expect(Object.values(called.messages).join()).toContain(`${frontEnd.home}/g`);
  });
});

describe("standard input", () => {
  it("protocol 45: is not read without --backend", async () => {
    const { stdout } = await shell(`printf 'not for drush' | { "$DRUSH" provision-save @unread; cat; }`);
    expect(stdout).toBe("not for drush");
    const fifo = join(frontEnd.stage.home.beside, "fifo");
    const { status } = await shell(`mkfifo ${fifo}; exec 5<>${fifo}; "$DRUSH" provision-save @unread <&5`, { timeout: 120_000 });
    expect(status).toBe(0);
  });

  it("protocol 46: a terminal is not waited for", async () => {
    const { stdout, status } = await shell(`exec script -qec '"$DRUSH" --backend provision-save @tty' /dev/null`, { timeout: 120_000 });
    expect([status, count(stdout, MARK)]).toEqual([0, 1]);
  });

  it("protocol 47: /dev/null is fine", async () => {
    expect(answerOf(await shell('"$DRUSH" --backend provision-save @null 2>&1 < /dev/null'))).toMatchObject({ kind: "frame", status: 0 });
  });

  it("protocol 48, 91: a pipe that is never written nor closed is given up after some seconds", async () => {
    const silent = join(frontEnd.stage.home.beside, "silent");
    const [pipe, socket] = await Promise.all([
      shell(`mkfifo ${silent}; exec 5<>${silent}; "$DRUSH" --backend provision-save @silent 2>&1 <&5`, { timeout: 120_000 }),
      new Promise<number | null>((resolve) => {
        const child = frontEnd.stage.home.user.spawn([frontEnd.drush, "--backend", "provision-save", "@silent"], { env: { ...frontEnd.stage.home.user.env, ...frontEnd.env }, stdio: ["pipe", "ignore", "ignore"], timeout: 120_000 });
        child.once("close", resolve);
      }),
    ]);
    expect([answerOf(pipe).kind, pipe.status, socket]).toEqual(["frame", 0, 0]);
  });

  it("protocol 49: JSON that comes late is used", async () => {
    const called = answerOf(await shell(`{ sleep 0.6; printf '{"late":'; sleep 0.4; printf '[1]}'; } | "$DRUSH" --backend provision-save @late 2>&1`));
    expect(contextOf(called)["late"]).toEqual([1]);
  });

  it("protocol 50: 2 MB are read to the end, each time", async () => {
    const big = Array.from({ length: 50_000 }, (_, index) => `value number ${index} of the list`);
    for (let time = 0; time < 12; time++) {
      const called = time % 2 === 0 ? await frontEnd.call(["provision-save", "@big"], { stdin: { big } }) : answerOf(await shell('cat | "$DRUSH" --backend provision-save @big 2>&1', { input: JSON.stringify({ big }) }));
      expect([time, called.status, (contextOf(called)["big"] as unknown[]).length, (contextOf(called)["big"] as unknown[])[49_999]]).toEqual([time, 0, 50_000, big.at(-1)]);
    }
  });

  it("protocol 52: what is posted is never an unknown option", async () => {
    await good(frontEnd.task("platform_standin", "lock", { stdin: { "no-such-option": 1, x: ["y"], own: null } }));
  });

  it("protocol 54: a caller that writes 1 MB before it reads a byte does not hang", async () => {
    const caller = `$p = proc_open(array(getenv('DRUSH'), '--backend=2', 'provision-save', '@caller'), array(array('pipe', 'r'), array('pipe', 'w'), array('redirect', 1)), $pipes);
      fwrite($pipes[0], json_encode(array('big' => str_repeat('x', 1000000)))); fclose($pipes[0]); $all = stream_get_contents($pipes[1]); echo strlen($all), ' ', proc_close($p), "\\n";`;
    const { stdout } = await frontEnd.stage.home.user.run(["php", "-n", "-r", caller], { env: { ...frontEnd.env, DRUSH: frontEnd.drush }, timeout: 120_000 });
    expect(stdout).toMatch(/^10\d{5} 0\n$/);
  });
});

describe("the command line", () => {
  it("protocol 60: an unknown command that no drush can be asked about is an error with a frame, and nothing is done", async () => {
    const before = treeOf(frontEnd.home);
    const called = await frontEnd.call(["nosuchcommand", "x"]);
    expect(failure(called)).toEqual(failedWith("PROVISION_NO_REAL_DRUSH"));
    expect(called.messages["PROVISION_NO_REAL_DRUSH"]).toContain("the command nosuchcommand");
    expect(treeOf(frontEnd.home)).toEqual(before);
  });

  it("protocol 61: an unknown option of a strict command is DRUSH_UNKNOWN_OPTION in drush's words, and nothing is done", async () => {
    const before = treeOf(frontEnd.home);
    const one = await frontEnd.task("platform_standin", "lock", { args: ["--a"] });
    expect(failure(one)).toEqual(failedWith("DRUSH_UNKNOWN_OPTION"));
    expect(one.messages["DRUSH_UNKNOWN_OPTION"]).toBe("Unknown option: --a.  See `drush help provision-lock` for available options. To suppress this error, add the option --strict=0.");
    const two = await frontEnd.task("platform_standin", "unlock", { args: ["--a=1", "--own"] });
    expect(two.messages["DRUSH_UNKNOWN_OPTION"]).toBe("Unknown options: --a, --own.  See `drush help provision-unlock` for available options. To suppress this error, add the option --strict=0.");
    expect(treeOf(frontEnd.home)).toEqual(before);
  });

  it.each(["--strict=0", "--strict="])("protocol 62, 66: with %s it runs, wherever that stands", async (strict) => {
    await good(frontEnd.task("platform_standin", "lock", { args: ["--a", strict] }));
    await good(frontEnd.call([strict, "@platform_standin", "provision-unlock", "--a"]));
  });

  it("protocol 63: the other commands accept any option", async () => {
    for (const task of ["verify", "disable", "enable"]) await good(frontEnd.task(URI, task, { args: ["--own", "--no-such=1"] }));
    await good(frontEnd.call(["provision-save", "@some", "--own"]));
  });

  it("protocol 64: an unknown alias is DRUSH_BOOTSTRAP_NO_ALIAS with a frame (drush sends none), and its words for people", async () => {
    const called = await frontEnd.task("nosuch", "verify", { stdin: { x: "y" } });
    expect(failure(called)).toEqual(failedWith("DRUSH_BOOTSTRAP_NO_ALIAS"));
    expect(called.messages["DRUSH_BOOTSTRAP_NO_ALIAS"]).toMatch(/^Could not find the alias @nosuch/);
    const { status, stdout, stderr } = await run(["@nosuch", "provision-verify"], { env: { COLUMNS: "80" } });
    expect([status, stdout]).toEqual([1, ""]);
    expect(stderr.split("\n")[0]).toMatch(/^Could not find the alias @nosuch .*\[error\]$/);
    expect(stderr.split("\n")[0]).toHaveLength(80);
  });

  it("protocol 65, 67: without --backend, in the form of a fork too, no byte of the protocol is written", async () => {
    const calls = [
      ["--strict=", `@${URI}`, "provision-verify", "--quiet"], [`@${URI}`, "provision-verify", "-v"], [`@${URI}`, "provision-verify", "-d"], ["--backend=0", "provision-save", "@some"], ["--backend=", "provision-save", "@some"],
      ["@nobody", "provision-verify", "--quiet"], ["nosuchcommand"], ["--backend=0", "@nobody", "provision-verify"],
    ];
    for (const [index, words] of calls.entries()) {
      const { status, stdout, stderr } = await run(words);
      expect([words, status]).toEqual([words, index < 5 ? 0 : 1]);
      expect(stdout + stderr).not.toMatch(/\0|DRUSH_BACKEND/);
      expect(stdout).toBe("");
      // An error is said even then.
      if (words.includes("--quiet")) expect(stderr === "").toBe(status === 0);
    }
  });

  it.each(["--backend", "--backend=1", "-b", "--b", "-vb", "-bv"])("protocol 55: %s is backend mode, with a supervisor", async (word) => {
    const { status, stdout } = await run([word, "provision-save", "@some"]);
    expect([status, count(stdout, MARK)]).toEqual([0, 1]);
    const crashed = await run([word, "provision-save", "@some"], { env: { PROVISION_SHIM_NODE: "/bin/false" } });
    expect([crashed.status, count(crashed.stdout, MARK)]).toEqual([255, 1]);
  });
});

describe("status and end", () => {
  it("protocol 69, 70: 0 for success, 1 for an error", async () => {
    const before = treeOf(frontEnd.home);
    const statuses: unknown[] = [];
    for (const words of [["@nobody", "provision-verify"], ["provision-verify"], ["provision-save"], ["@platform_standin", "provision-enable"], [`@${URI}`, "provision-backup-delete"], ["@none", "provision-verify"], ["provision-save", "@x/y"], ["provision-save", "@x", "--context_type=nonsense"], ["@platform_standin", "provision-lock", "--x"], ["help"], []]) {
      const called = await frontEnd.call(words);
      statuses.push([words.join(" "), called.status, called.kind, called.frame["error_status"], called.errors.length > 0]);
    }
    expect(statuses).toEqual(statuses.map((line) => [(line as unknown[])[0], 1, "frame", 1, true]));
    expect(treeOf(frontEnd.home)).toEqual(before);
    expect((await run(["provision-save", "@some"])).status).toBe(0);
  });

  it.each([
    ["is killed", "kill -9 $$"], ["ends with success and no word", "exit 0"], ["ends with an error", "exit 3"], ["aborts", "kill -ABRT $$"], ["says something and ends", "echo some text; exit 0"],
  ])("protocol 71: a program that %s leaves a frame, an error and 255", async (_, script) => {
    const node = frontEnd.stage.home.write("node", `#!/bin/sh\n${script}\n`, 0o755);
    const called = await frontEnd.call(["provision-save", "@never"], { env: { PROVISION_SHIM_NODE: node } });
    expect(failure(called)).toEqual({ ...failedWith("DRUSH_NOT_COMPLETED"), status: 255 });
    expect(Object.keys(called.frame)).toEqual(["output", "object", "error_status", "log", "error_log", "context"]);
  });

  it("protocol 71: so does a machine without node, which people are told, too", async () => {
    const { folder, drush } = installProgram(frontEnd.stage.home, "nodeless");
    const config = join(folder, "lib/config.sh");
    writeFileSync(config, readFileSync(config, "utf8").replace(":/usr/local/bin:/usr/bin", ""));
    const lines = await shell(`PATH=/no/such/path; ${folder}/lib/launch ${drush} provision-save @never`);
    expect([lines.status, lines.stdout, lines.stderr]).toEqual([127, "", expect.stringContaining("[PROVISION_SHIM_NO_NODE]")]);
    const called = answerOf(await shell(`PATH=/no/such/path; ${folder}/lib/launch ${drush} --backend provision-save @never 2>&1`));
    expect([failure(called), called.messages["DRUSH_NOT_COMPLETED"]]).toEqual([{ ...failedWith("DRUSH_NOT_COMPLETED"), status: 255 }, expect.stringContaining("node was not found")]);
  });

  it("protocol 71: a frame that was cut off is not followed by another one", async () => {
    const node = frontEnd.stage.home.write("node", `#!/bin/sh\nprintf B >&3\nprintf '\\000${MARK}{"output":' \nkill -9 $$\n`, 0o755);
    const called = await frontEnd.call(["provision-save", "@never"], { env: { PROVISION_SHIM_NODE: node } });
    expect([called.kind, called.status, count(called.bytes.toString("latin1"), MARK)]).toEqual(["unparsable", 255, 1]);
  });

  it("protocol 73: what the web server's restart leaves running holds no output of ours open", async () => {
    const { apache, home } = frontEnd.stage;
    const daemon = home.write("restart-daemon", `#!/bin/sh\nsleep 60 & echo $! > ${home.path}/daemon.pid\nexec ${apache.restartCommand}\n`, 0o755);
    writeAlias(frontEnd, SERVER, { ...serverOptions(frontEnd), http_restart_cmd: daemon });
    try {
      // The answer comes at the end of the outputs, not of the process.
      await good(frontEnd.task(URI, "verify", { timeout: 30_000 }));
      const { status } = await run([`@${URI}`, "provision-verify"], { timeout: 30_000 });
      expect(status).toBe(0);
    } finally {
      spawnSync("kill", [readFileSync(join(frontEnd.home, "daemon.pid"), "utf8").trim()]);
      writeAlias(frontEnd, SERVER, serverOptions(frontEnd));
    }
  });

  it("protocol 74: a frame that a child prints is not taken for ours", async () => {
    const frame = `\\000${MARK}{"output":"","object":[],"error_status":0,"log":[],"error_log":[],"context":[]}<<<DRUSH_BACKEND_OUTPUT_END`;
    const restart = frontEnd.stage.home.write("restart-frame", `#!/bin/sh\nprintf '${frame}'; printf '${frame}' >&2\nexit 1\n`, 0o755);
    writeAlias(frontEnd, SERVER, { ...serverOptions(frontEnd), http_restart_cmd: restart });
    try {
      const called = await good(frontEnd.task(URI, "verify"));
      expect(messages(called, "warning").join()).toContain(MARK);
      expect([contextOf(called)["installed"], count(called.bytes.toString("latin1"), MARK)]).toEqual([true, 1]);
    } finally {
      writeAlias(frontEnd, SERVER, serverOptions(frontEnd));
    }
  });

  it("protocol 82: a call in the form of a fork leaves its caller at once, and the work goes on", async () => {
    const held = await holdTasks(frontEnd);
    await good(frontEnd.save("forked.test", { context_type: "site", platform: "@platform_standin", uri: "forked.test", db_server: `@${SERVER}` }));
    // What a PHP caller does: pclose(popen()).
    const { stdout } = await shell(`sh -c '"$DRUSH"  --strict=  @forked.test provision-disable 2>&1 --quiet &' >${frontEnd.home}/forked.log; echo left`);
    expect(stdout).toBe("left\n");
    await held.reached();
    held.release();
    await until("the forked task has ended", () => readFileSync(aliasFile("forked.test"), "utf8").includes("'site_enabled' => false"));
    expect(readFileSync(join(frontEnd.home, "forked.log"), "utf8")).toBe("");
    await held.end();
  });
});

describe("switches", () => {
  /** What does not change from run to run. */
  function comparable(called: BackendAnswer): unknown {
    const line = ({ type, message, error }: { type: string; message: string; error?: unknown }): unknown[] => [type, message, error];
    const context = Object.entries(contextOf(called)).filter(([name]) => !["verbose", "debug", "v", "d", "runtime.argv"].includes(name));
    const { frame, packets, text } = called;
    return { ...frame, context, log: (frame["log"] as { type: string; message: string }[]).map(line), packets: packets.map((packet) => (packet.kind === "log" ? line(packet) : packet)), text };
  }

  it.each(["-v", "-d", "-dv", "--verbose", "--debug"])("protocol 92: %s changes nothing but its own value in context", async (word) => {
    // A task that an earlier test has forked may still hold the web server's lock: this one waits for it.
    await good(frontEnd.task(URI, "verify"));
    const without = await good(frontEnd.task(URI, "verify"));
    const called = await good(frontEnd.task(URI, "verify", { args: [word] }));
    expect(comparable(called)).toEqual(comparable(without));
    expect(called.text).toBe("");
  });

  it("protocol 89, 90: nothing is asked: --yes and --no change nothing", async () => {
    for (const word of ["--yes", "--no", "-y", "-n"]) {
      const { frame, text } = await good(frontEnd.task(URI, "disable", { args: [word] }));
      expect([word, frame["output"], text]).toEqual([word, "", ""]);
      await good(frontEnd.task(URI, "enable", { args: [word] }));
    }
  });
});

describe("hazards", () => {
  it.each(["provision-verify", "provision-disable", "provision-enable", "provision-lock", "provision-backup-delete", "provision-save"])("13.1, 13.7: %s without a target fails, and never takes the site of the current directory", async (command) => {
    const before = treeOf(frontEnd.home);
    for (const cwd of [root, `${root}/sites/${URI}`, frontEnd.home, "/"]) {
      const called = await frontEnd.call([command], { cwd });
      expect([cwd, failure(called)]).toEqual([cwd, failedWith("PROVISION_NO_CONTEXT")]);
      const { status, stderr } = await run([command], { cwd });
      expect([status, stderr.includes("[PROVISION_NO_CONTEXT]")]).toEqual([1, true]);
    }
    expect(treeOf(frontEnd.home)).toEqual(before);
  });
});
