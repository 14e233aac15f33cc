import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FRAME_END, FRAME_START } from "../../src/backend-protocol/markers.ts";
import { openBareProgram, type BareProgram } from "../support/bare-program.ts";

let program: BareProgram;

beforeAll(() => {
  program = openBareProgram();
});
afterAll(() => program.home.remove());

/** What `drush backend-parse` makes of a transcript. */
async function parsed(transcript: string | Buffer, ...words: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  const { status, stdout, stderr } = await program.run(["backend-parse", ...words], { input: transcript });
  return { status, stdout, stderr };
}

function frame(data: object): string {
  return `${FRAME_START}${JSON.stringify({ output: "", object: [], error_status: 0, log: [], error_log: [], context: [], ...data })}${FRAME_END}`;
}

const entry = (type: string, message: string) => ({ type, message, timestamp: 1, memory: 1, error: null });

describe("callers 45: backend-parse", () => {
  it("prints the output, and tells the log as drush does", async () => {
    const { status, stdout, stderr } = await parsed(`noise\n${frame({ output: "a line\n", log: [entry("success", "It is done"), entry("notice", "a detail"), entry("warning", "mind this")] })}`);
    expect([status, stdout]).toEqual([0, "a line\n"]);
    expect(stderr).toMatch(/^It is done .*\[success\]\nmind this .*\[warning\]\n$/);
    expect((await parsed(frame({ log: [entry("notice", "a detail")] }), "-v")).stderr).toContain("a detail");
  });

  it("shows the errors of a call that failed, also those that have only a code, and succeeds", async () => {
    const { status, stderr } = await parsed(frame({ error_status: 1, log: [entry("error", "first")], error_log: { CODE_A: ["first", "second"], CODE_B: [""] } }));
    expect(status).toBe(0);
    expect([...stderr.matchAll(/^(\S+) .*\[error\]$/gm)].map(([, word]) => word)).toEqual(["first", "second", "CODE_B"]);
  });

  it("prints what has no frame as it is", async () => {
    expect(await parsed("The command was not found\n")).toEqual({ status: 0, stdout: "The command was not found\n", stderr: "" });
    expect(await parsed("")).toEqual({ status: 0, stdout: "", stderr: "" });
    expect((await parsed(Buffer.from([0xff, 0x41, 0x0a]))).stdout).toContain("A\n");
  });

  it("reads what our own calls have said", async () => {
    const { bytes } = await program.call(["provision-lock"]);
    const { stderr } = await parsed(bytes);
    expect(stderr).toMatch(/provision-lock was called without a context/);
  });
});
