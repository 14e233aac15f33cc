import { describe, expect, it } from "vitest";
import { runProcess, type ProcessRequest } from "../../src/processes/run-process.ts";

async function shell(script: string, more: Partial<ProcessRequest> = {}) {
  const request = { file: "sh", args: ["-c", script], env: { PATH: process.env["PATH"] }, cwd: "/", timeoutMs: 10_000, maxOutputBytes: 1000 };
  return runProcess({ ...request, ...more });
}

describe("runProcess", () => {
  it("collects both outputs and the status", async () => {
    const result = await shell("cat; echo err >&2; exit 3", { input: "in" });
    expect([result.status, String(result.stdout), String(result.stderr)]).toEqual([3, "in", "err\n"]);
  });

  it("gives the child only the environment that was passed", async () => {
    const result = await shell("env | cut -d= -f1 | sort", { env: { PATH: process.env["PATH"], MARK: "x", GONE: undefined } });
    expect(String(result.stdout)).toContain("MARK");
    expect(String(result.stdout)).not.toContain("GONE");
    expect(String(result.stdout)).not.toContain("VITEST");
  });

  it("ends a child, and what that started, at the time limit", async () => {
    const started = Date.now();
    const result = await shell("sleep 300 & sleep 300; echo never", { timeoutMs: 200 });
    expect([result.timedOut, result.status, result.signal]).toEqual([true, undefined, "SIGKILL"]);
    expect(Date.now() - started).toBeLessThan(100_000);
  });

  it("stops at the output limit and keeps the beginning", async () => {
    const result = await shell("yes abcdefg", { maxOutputBytes: 100 });
    expect([result.outputTooLong, result.timedOut, result.stdout.length]).toEqual([true, false, 100]);
  });

  it("does not mind a child that does not read", async () => {
    const result = await shell("exec <&-; exit 0", { input: Buffer.alloc(1_000_000) });
    expect(result.status).toBe(0);
  });

  it("throws when the program does not exist", async () => {
    await expect(runProcess({ file: "/no/such", args: [], env: {}, cwd: "/", timeoutMs: 1000, maxOutputBytes: 10 })).rejects.toThrow(/ENOENT/);
  });
});
