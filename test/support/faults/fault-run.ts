import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { repositoryRoot } from "../repository.ts";
import { answer, type BackendAnswer, type FrontEnd } from "../front-end.ts";
import { until } from "../until.ts";

/** What goes wrong, at the n-th point of its kind; the first is 1. See preload.cjs. */
export interface Fault {
  readonly kind: "count" | "kill-journal" | "kill-call" | "kill-statement" | "kill-child" | "fail-call" | "fail-calls-from" | "fail-child" | "fail-statement" | "stop-call";
  readonly n: number;
  /** Of kills, and of statements that fail: before the point, after it, or in the middle of a line that is written. */
  readonly where?: "before" | "half" | "after";
  readonly errno?: "ENOSPC" | "EACCES" | "EIO";
  /** How a child fails: it ends with status 1 at once, cannot be started, or never ends; then the task is told to stop. */
  readonly how?: "exit" | "missing" | "hang";
}

export interface FaultReport {
  /** What was hit; undefined when there are fewer points. */
  readonly fired?: string;
  readonly counts: { readonly journal: number; readonly call: number; readonly child: number; readonly statement: number };
}

export interface FaultyRun {
  readonly answer: BackendAnswer;
  readonly report: FaultReport;
}

const preload = "preload.cjs";

/** Makes the call with the fault in our program; other programs do not have it. */
export async function runWithFault(frontEnd: FrontEnd, words: readonly string[], fault: Fault): Promise<FaultyRun> {
  const { stage, drush } = frontEnd;
  const place = join(stage.home.beside, "faults");
  const temporary = join(place, "tmp");
  mkdirSync(temporary, { recursive: true });
  stage.home.user.own(place);
  const program = join(place, preload);
  if (!existsSync(program)) stage.home.write(join("..", "faults", preload), readFileSync(join(repositoryRoot, "test/support/faults", preload)));
  const report = join(place, "report.json");
  rmSync(report, { force: true });
  const env = {
    ...stage.home.user.env,
    ...frontEnd.env,
    TMPDIR: temporary,
    NODE_OPTIONS: `--require=${program}`,
    SHIM_FAULT: JSON.stringify({ ...fault, report, port: stage.mariadb.port }),
  };
  const child = stage.home.user.spawn(["sh", "-c", `exec "$0" "$@" 2>&1`, drush, "--backend=2", ...words], { env, stdio: ["ignore", "pipe", "ignore"] });
  const out: Buffer[] = [];
  child.stdout?.on("data", (chunk: Buffer) => out.push(chunk));
  const began = performance.now();
  const ended = new Promise<{ status: number; signal: NodeJS.Signals | null }>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (status, signal) => resolve({ status: status ?? -1, signal }));
  });
  if (fault.how === "hang") {
    const isOver = (): boolean => child.exitCode !== null || child.signalCode !== null;
    await until("the child is reached, or the task has ended", () => isOver() || existsSync(report), 60_000);
    if (!isOver()) child.kill("SIGTERM");
  }
  const timer = setTimeout(() => child.kill("SIGKILL"), 100_000);
  const how = await ended.finally(() => clearTimeout(timer));
  const told = existsSync(report) ? (JSON.parse(readFileSync(report, "utf8")) as FaultReport) : { counts: { journal: 0, call: 0, child: 0, statement: 0 } };
  return { answer: answer(Buffer.concat(out), how, performance.now() - began), report: told };
}

/** Temporary files that our program and its children have left. */
export function temporaryDirectory({ stage }: FrontEnd): string {
  return join(stage.home.beside, "faults/tmp");
}
