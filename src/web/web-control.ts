import { ShimError } from "../errors/shim-error.ts";
import { runProcess, type ProcessResult } from "../processes/run-process.ts";
import { scrubText, textFromBytes } from "../php-values/text.ts";

export interface Environment {
  readonly cwd: string;
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** Ends the command when it is aborted; without it, it runs to its end. */
  readonly signal?: AbortSignal;
  /** Runs commands where the server is, when that is another machine. */
  readonly run?: (words: readonly string[]) => Promise<ControlOutcome>;
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
export interface WebControl {
  reload(): Promise<ControlOutcome>;
  /** A reload is known to refuse a broken configuration and to leave the server as it is. */
  readonly reloadTests: boolean;
  /** Tests the configuration in place, or that main file instead; undefined when this server cannot be tested. */
  test(mainFile?: string): Promise<ControlOutcome | undefined>;
  /** The program's main configuration file: as remembered, or asked for afresh. */
  mainFile(fresh: boolean): Promise<string | undefined>;
}

/** One change to the configuration: a file with this content, or no file. */
export interface WebChange {
  readonly path: string;
  readonly content: string | undefined;
}

/**
 * A copy of a whole configuration in which some files are as they shall become, for testing them before they take their place.
 */
export interface ShadowConfig {
  /** The main file to test with. */
  readonly mainFile: string;
  /** Messages of the test with the paths of the real files. */
  realPaths(message: string): string;
  remove(): void;
}

const TIME_LIMIT_MS = 60_000;

/** Runs a command of the web server. */
export async function runControl(words: readonly string[], environment: Environment): Promise<ControlOutcome> {
  if (environment.run !== undefined) return environment.run(words);
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
  return controlOutcome(result.status, output);
}

export function controlOutcome(status: number | undefined, output: string): ControlOutcome {
  return { ok: status === 0, refused: status !== 0 && /^sudo: /m.test(output), output };
}
