import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ShimError } from "../../src/errors/shim-error.ts";
import { PhpArray } from "../../src/php-values/php-array.ts";
import { runDrush } from "../../src/real-drush/run-drush.ts";
import { until } from "../support/until.ts";

let place: string;
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), "shim-drush-"));
});
afterEach(() => rmSync(place, { recursive: true, force: true }));

function run(script: string, signal: AbortSignal, onError: (error: ShimError) => void = () => undefined): Promise<void> {
  const [drush, launcher] = [join(place, "drush"), join(place, "launcher")];
  writeFileSync(drush, `#!/bin/sh\n${script}\n`);
  writeFileSync(launcher, "");
  chmodSync(drush, 0o755);
  const call = { target: "@hostmaster", command: "hosting-task", args: ["@x", "verify"], options: new PhpArray() };
  return runDrush({ drush, script: undefined, lib: place, launcher, variables: { PATH: process.env["PATH"] }, cwd: place, call, signal, onStart: () => undefined, onLog: () => undefined, onError });
}

/** As a call of us by drush: drush ends at once, and its child takes back what it has done. */
const NESTED = "(trap 'sleep 0.5; touch undone; exit' TERM; touch began; while :; do sleep 0.05; done) </dev/null >/dev/null 2>&1 &";

describe("a call of the real drush", () => {
  it("that is told to stop is over when what it has started has ended, too", async () => {
    const abort = new AbortController();
    const running = run(`${NESTED}\nwait`, abort.signal);
    await until("the nested call runs", () => existsSync(join(place, "began")));
    abort.abort();
    await expect(running).rejects.toMatchObject({ code: "PROVISION_INTERRUPTED" });
    expect(existsSync(join(place, "undone"))).toBe(true);
  });

  it("that breaks is an error", async () => {
    const errors: string[] = [];
    await run("exit 255", new AbortController().signal, ({ code }) => errors.push(code));
    expect(errors).toEqual(["DRUSH_FRAMEWORK_ERROR"]);
  });

  it("that begins when the task is to stop ends at once", async () => {
    await expect(run("exec sleep 300", AbortSignal.abort())).rejects.toMatchObject({ code: "PROVISION_INTERRUPTED" });
  });
});
