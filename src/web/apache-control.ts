import { ShimError } from "../errors/shim-error.ts";
import type { Remembered } from "../files/remembered.ts";
import { runProcess, type ProcessResult } from "../processes/run-process.ts";
import { scrubText, textFromBytes } from "../php-values/text.ts";
import { apacheTestCommand, commandWords } from "./restart-command.ts";

export interface Environment {
  readonly cwd: string;
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** Ends the command when it is aborted; without it, it runs to its end. */
  readonly signal?: AbortSignal;
}

/** How a command of the web server ended. */
export interface ControlOutcome {
  readonly ok: boolean;
  /** What it printed, in one line. */
  readonly output: string;
  /** sudo did not let us: the outcome says nothing about the server. */
  readonly refused: boolean;
}

/**
 * Runs a server's restart command and tests its configuration.
 *
 * Each throws ShimError PROVISION_INTERRUPTED when it was aborted.
 */
export interface ApacheControl {
  reload(): Promise<ControlOutcome>;
  /** Tests the configuration in place, or that main file instead; undefined when this server cannot be tested. */
  test(mainFile?: string): Promise<ControlOutcome | undefined>;
  /** Apache's main configuration file: as remembered, or asked for afresh. */
  mainFile(fresh: boolean): Promise<string | undefined>;
}

const TIME_LIMIT_MS = 60_000;

/** @param remembered keeps the place of the main file, which takes a whole test to find out */
export function apacheControl(restartCommand: string, environment: Environment, remembered: Remembered): ApacheControl {
  const restart = commandWords(restartCommand);
  const tester = apacheTestCommand(restart);
  const run = (words: readonly string[]): Promise<ControlOutcome> => control(words, environment);
  return {
    reload: () => run(restart),
    test: async (mainFile) => (tester === undefined ? undefined : run([...tester, "-t", ...(mainFile === undefined ? [] : ["-f", mainFile])])),
    mainFile: async (fresh) => {
      if (tester === undefined) return undefined;
      const name = `apache-main:${tester.join(" ")}`;
      if (!fresh) return remembered.get(name);
      const { output } = await run([...tester, "-t", "-D", "DUMP_INCLUDES"]);
      const file = /^\s*\(\*\)\s+(\/.+)$/m.exec(output)?.[1];
      if (file !== undefined) remembered.set(name, file);
      return file;
    },
  };
}

async function control(words: readonly string[], environment: Environment): Promise<ControlOutcome> {
  const [file = "", ...args] = words;
  let result: ProcessResult;
  try {
    result = await runProcess({ file, args, env: environment.variables, cwd: environment.cwd, timeoutMs: TIME_LIMIT_MS, maxOutputBytes: 1 << 20, ...(environment.signal === undefined ? {} : { signal: environment.signal }) });
  } catch (thrown) {
    return { ok: false, refused: true, output: thrown instanceof Error ? thrown.message : String(thrown) };
  }
  if (environment.signal?.aborted === true) throw new ShimError("PROVISION_INTERRUPTED", `"${words.join(" ")}" was told to stop.`);
  const output = scrubText(textFromBytes(Buffer.concat([result.stdout, result.stderr]))).trim();
  if (result.timedOut) return { ok: false, refused: true, output: `no answer within ${TIME_LIMIT_MS / 1000} s` };
  return { ok: result.status === 0, refused: result.status !== 0 && /^sudo: /m.test(output), output };
}
