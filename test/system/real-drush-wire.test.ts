import { copyFileSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openBareProgram, type BareProgram } from "../support/bare-program.ts";
import { answer, good, type BackendAnswer } from "../support/front-end.ts";
import { failedWith, failure, messages } from "../support/system-checks.ts";
import { repositoryRoot } from "../support/repository.ts";
import { until } from "../support/until.ts";

const REAL_DRUSH = process.env["SHIM_TEST_DRUSH"];
const SITE = "@server_bare";

interface Call {
  readonly site?: string;
  readonly command?: string;
  readonly args?: readonly string[];
  readonly options?: object;
  readonly backend?: object;
  readonly concurrent?: readonly object[];
}

interface CallAnswer {
  readonly result: Record<string, unknown> | false | null;
  readonly error: number;
  readonly errors: Record<string, string[]> | [];
  readonly log: readonly (readonly [string, string, string | null, number])[];
  readonly warnings: readonly string[];
  readonly seconds: number;
}

describe.skipIf(REAL_DRUSH === undefined)("with a real drush", () => {
  let program: BareProgram;
  let behindUs: NodeJS.ProcessEnv;
  let said: string;

  beforeAll(async () => {
    program = openBareProgram();
    behindUs = { PROVISION_SHIM_DRUSH: REAL_DRUSH!, COLUMNS: "80", TERM: "dumb" };
    copyFileSync(join(repositoryRoot, "test/system/real-drush-caller.php"), join(program.home.beside, "caller.php"));
    await good(program.call(["provision-save", SITE], { stdin: { context_type: "server" } }));
    await good(program.call([SITE, "provision-verify"]));
  }, 300_000);
  afterAll(() => program.home.remove());

  /** What a real drush learns from calls of ours, which it takes for drush. */
  async function callsOf(calls: readonly Call[], words: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Promise<CallAnswer[]> {
    const job = JSON.stringify(calls.map((call) => ({ ...call, backend: { "drush-script": program.drush, integrate: true, method: "POST", ...call.backend } })));
    const [answers, output] = [join(program.home.path, "answers"), join(program.home.path, "output")];
    // What is forked keeps the outputs open, so they are a file.
    const { status } = await program.shell(`exec "$@" >${output} 2>&1`.replace('"$@"', ['"$REAL_DRUSH"', ...words, "php-script", join(program.home.beside, "caller.php")].join(" ")), { env: { ...behindUs, ...env, REAL_DRUSH, JOB: job, ANSWERS: answers } });
    said = readFileSync(output, "utf8");
    if (!existsSync(answers)) throw new Error(`The caller ended with ${status}: ${said}`);
    const text = readFileSync(answers, "utf8");
    rmSync(answers);
    return JSON.parse(text) as CallAnswer[];
  }

  function php(name: string, code: string): string {
    const path = join(program.home.beside, `${name}.php`);
    writeFileSync(path, `<?php\n${code}\n`);
    return path;
  }

  function types(log: CallAnswer["log"], type: string): string[] {
    return log.filter(([its]) => its === type).map(([, message]) => message);
  }

  describe("that calls us", () => {
    it("protocol 75, 76, 77, 88: success is an array with the site, failure its code, and success again after it", async () => {
      const [first, failed, again] = await callsOf([
        { site: SITE, command: "provision-verify" },
        { site: SITE, command: "provision-enable" },
        { site: SITE, command: "provision-save", options: { client_name: "x" } },
      ]) as [CallAnswer, CallAnswer, CallAnswer];
      expect([first.result && first.result["site"], first.error, first.errors]).toEqual(["server_bare", 0, []]);
      expect([failed.result && failed.result["error_status"], failed.error]).toEqual([1, 1]);
      expect(failed.errors).toEqual({ PROVISION_WRONG_CONTEXT_TYPE: [expect.stringContaining("works on a site, but @server_bare is a server") as string] });
      expect(failed.log.filter(([type]) => type === "error").map(([, , code]) => code)).toEqual(["PROVISION_WRONG_CONTEXT_TYPE"]);
      expect([again.result && again.result["site"], again.result && again.result["error_status"]]).toEqual(["server_bare", 0]);
      expect([...first.warnings, ...failed.warnings, ...again.warnings]).toEqual([]);
    });

    it("protocol 78: each entry of the log arrives once, with our time", async () => {
      const [verified] = await callsOf([{ site: SITE, command: "provision-verify" }]) as [CallAnswer];
      const ours = (verified.result as { log: { type: string; message: string; timestamp: number }[] }).log.filter(({ type }) => type !== "preflight");
      expect(ours.length).toBeGreaterThan(2);
      const theirs = verified.log.map(([type, message, , timestamp]) => JSON.stringify([type, message, timestamp]));
      for (const { type, message, timestamp } of ours) expect([message, theirs.filter((line) => line === JSON.stringify([type, message, timestamp])).length]).toEqual([message, 1]);
    });

    it("protocol 79: text appears once on the caller's output", async () => {
      const [printed] = await callsOf([{ site: "@none", command: "php-eval", args: ["drush_print('shown ' . 'once');"], options: {} }]) as [CallAnswer];
      expect([printed.result && printed.result["output"], said.split("shown once").length - 1]).toEqual(["shown once\n", 1]);
    });

    it("protocol 82: a fork returns at once, and the work goes on", async () => {
      const done = join(program.home.path, ".drush/forked.alias.drushrc.php");
      const slow = join(program.home.beside, "slow-node");
      writeFileSync(slow, `#!/bin/sh\nuntil [ -e ${program.home.path}/go ]; do sleep 0.05; done\nexec ${process.execPath} "$@"\n`, { mode: 0o755 });
      await callsOf([{ site: "@none", command: "provision-save", args: ["@forked"], backend: { fork: true, method: "GET" } }], [], { PROVISION_SHIM_NODE: slow });
      expect(existsSync(done)).toBe(false);
      program.home.write("go", "");
      await until("the forked call has done its work", () => existsSync(done));
    });

    it("protocol 83: --pipe gives the compact form", async () => {
      const [piped] = await callsOf([{ site: "@none", command: "core-status", args: ["drush-version"], options: { pipe: true, format: "json" } }]) as [CallAnswer];
      expect(JSON.parse(String(piped.result && piped.result["output"]))).toEqual({ "drush-version": expect.stringMatching(/^8\./) as string });
    });

    it("protocol 85: under --simulate we are not started", async () => {
      const [simulated] = await callsOf([{ site: "@none", command: "provision-save", args: ["@simulated"] }], ["--simulate"]) as [CallAnswer];
      expect([simulated.result, existsSync(join(program.home.path, ".drush/simulated.alias.drushrc.php"))]).toEqual([false, false]);
    });

    it("protocol 86: two at once give two whole results", async () => {
      const names = ["@one", "@two", "@three", "@four"];
      const [both] = await callsOf([{ concurrent: names.map((name) => ({ site: "@none", command: "provision-save", args: [name], options: { client_name: name.repeat(3000) } })), backend: { concurrency: 2 } }]) as [CallAnswer];
      const results = Object.values((both.result as unknown as { concurrent: Record<string, { error_status: number; context: Record<string, string> }> }).concurrent);
      expect(results.map(({ error_status, context }) => [error_status, context["client_name"]!.slice(0, 6)]).sort()).toEqual(names.map((name) => [0, name.repeat(3).slice(0, 6)]).sort());
    });

    it("protocol 87: our log arrives after that of another drush", async () => {
      const [other, ours] = await callsOf([
        { site: "@none", command: "php-eval", args: ["drush_log('of the other', 'ok');"], backend: { "drush-script": REAL_DRUSH! } },
        { site: SITE, command: "provision-save" },
      ]) as [CallAnswer, CallAnswer];
      expect([types(other.log, "ok"), types(ours.log, "success")]).toEqual([["of the other"], [expect.stringContaining("server_bare.alias.drushrc.php") as string]]);
    });
  });

  describe("behind us", () => {
    const callBehind = (words: readonly string[], stdin?: string): Promise<BackendAnswer> => program.call(words, { env: behindUs, ...(stdin === undefined ? {} : { stdin }) });

    it("protocol 60: an unknown command is refused by it in its words", async () => {
      const called = await callBehind(["no-such-command", "x"]);
      expect(failure(called)).toEqual(failedWith("DRUSH_COMMAND_NOT_FOUND"));
      expect(called.messages["DRUSH_COMMAND_NOT_FOUND"]).toBe("The drush command 'no-such-command x' could not be found.  Run `drush cache-clear drush` to clear the commandfile cache if you have installed new extensions.");
    });

    it("protocol 83: what it prints is what it prints", async () => {
      const { frame, text } = await callBehind(["version", "--pipe"]);
      expect([frame["output"], text]).toEqual([expect.stringMatching(/^8\.\d/), ""]);
      const direct = await program.home.user.run([REAL_DRUSH!, "core-status", "--format=json"], { env: { ...program.env, COLUMNS: "80" } });
      const through = await program.run(["core-status", "--format=json"], { env: behindUs });
      const [theirs, ours] = [direct, through].map(({ stdout }) => JSON.parse(stdout) as Record<string, unknown>) as [Record<string, unknown>, Record<string, unknown>];
      expect({ ...ours, "drush-script": theirs["drush-script"] }).toEqual(theirs);
      expect(String(ours["drush-script"]).replace("lib/../", "")).toBe(program.drush);
    });

    it("protocol 95: every key of 1 MB that was posted arrives, when only the input says that the call is its own", async () => {
      const posted: Record<string, unknown> = { simulate: true };
      for (let index = 0; index < 1000; index++) posted[`key_${index}`] = [index, "x".repeat(1000)];
      for (let time = 0; time < 3; time++) {
        const called = await callBehind(["provision-save", "@posted"], JSON.stringify(posted));
        const context = called.frame["context"] as Record<string, unknown>;
        expect([called.kind, called.errors]).toEqual(["frame", ["DRUSH_COMMAND_NOT_FOUND"]]);
        expect(Object.keys(posted).filter((key) => JSON.stringify(context[key]) !== JSON.stringify(posted[key]))).toEqual([]);
      }
    });

    it("protocol 84: drush, we, drush, we: entries come up in order, and each level has one frame", async () => {
      const inner = php("inner", `drush_log('before', 'ok'); $r = drush_invoke_process('${SITE}', 'provision-save', array(), array('client_name' => 'n'), array('method' => 'POST', 'integrate' => TRUE)); drush_log('after ' . $r['error_status'] . ' ' . $r['site'], 'ok');`);
      const [outer] = await callsOf([{ site: "@none", command: "php-script", args: [inner] }]) as [CallAnswer];
      expect([outer.error, outer.result && outer.result["error_status"]]).toEqual([0, 0]);
      const order = outer.log.filter(([type]) => type === "ok" || type === "success").map(([, message]) => message);
      expect(order).toEqual(["before", expect.stringContaining("server_bare.alias.drushrc.php"), "after 0 server_bare"]);
      expect(said).not.toMatch(/DRUSH_BACKEND/);
    });

    it("protocol 84: an error of ours in the middle comes up as an error, once", async () => {
      const inner = php("failing", `$r = drush_invoke_process('${SITE}', 'provision-enable', array(), array(), array('method' => 'POST', 'integrate' => TRUE)); drush_log('went on', 'ok');`);
      const called = await callBehind(["php-script", inner]);
      expect([called.kind, called.errors, messages(called, "ok")]).toEqual(["frame", ["PROVISION_WRONG_CONTEXT_TYPE"], ["went on"]]);
    });

    it("protocol 89, 90: its prompts are answered by --yes and --no, and an abort is 75", async () => {
      const asks = php("asks", "if (!drush_confirm('Really?')) { return drush_user_abort(); } drush_print('done');");
      const yes = await callBehind(["php-script", asks, "--yes"]);
      expect([yes.status, yes.frame["output"]]).toEqual([0, expect.stringMatching(/Really\?.*y\ndone\n$/)]);
      const no = await callBehind(["php-script", asks, "--no"]);
      expect([no.status, no.frame["error_status"], no.errors]).toEqual([75, 0, []]);
    });

    it("protocol 69: what it makes of a fatal error comes through", async () => {
      const called = await callBehind(["php-eval", "no_such_function();"]);
      expect([called.status, called.kind, called.errors]).toEqual([1, "frame", ["DRUSH_NOT_COMPLETED"]]);
    });

    it("its other children come to us, whatever starts them", async () => {
      const called = answer((await program.shell(`"$DRUSH" --backend php-eval 'passthru(escapeshellarg(DRUSH_COMMAND) . " provision-save @by_name 2>&1");' 2>/dev/null`, { env: behindUs })).stdoutBytes, { status: 0, signal: null }, 0);
      expect(called.kind).toBe("frame");
      expect(existsSync(join(program.home.path, ".drush/by_name.alias.drushrc.php"))).toBe(true);
    });
  });
});
