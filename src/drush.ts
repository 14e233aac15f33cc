import { writeSync } from "node:fs";
import { dirname } from "node:path";
import { parseCommandLine } from "./backend-protocol/arguments.ts";
import { EXIT_STATUS } from "./backend-protocol/exit-status.ts";
import { isBackendMode } from "./backend-protocol/option-sets.ts";
import { parseStdinOptions } from "./backend-protocol/stdin-options.ts";
import { NeedsRealDrush } from "./errors/needs-real-drush.ts";
import { asShimError, ShimError } from "./errors/shim-error.ts";
import { readInvocation, type Invocation } from "./invocation.ts";
import { examineCall, type NativeCall } from "./native-call.ts";
import { isTruthy } from "./php-values/convert.ts";
import { PhpArray } from "./php-values/php-array.ts";
import { readStdin } from "./read-stdin.ts";
import { handOver } from "./real-drush/hand-over.ts";
import { BackendReporter } from "./reporters/backend-reporter.ts";
import { DrushLines } from "./reporters/drush-lines.ts";
import { recoverFirst, runCall } from "./run-call.ts";
import type { EventSink } from "./task/events.ts";

/** The launcher's descriptor for our progress (see lib/launch), if it said that there is one: else it is something that our caller has open. */
const PROGRESS = process.argv[2] === "supervised" ? 3 : undefined;
const FORESIGHT_MS = 20;

/** How the call talks to whoever made it. */
interface Reporter {
  readonly sink: EventSink;
  error(error: ShimError): void;
  log(level: "notice" | "debug", message: string): void;
  /** Does ahead what it can of the end. */
  foresee(call: NativeCall): void;
  /** Ends the talk; returns the exit status. */
  end(call: NativeCall | undefined): number;
}

/** The program behind bin/drush: does a call natively or gives it to the real drush. */
export async function main(): Promise<void> {
  const [, script = "", , ...words] = process.argv;
  const lib = dirname(script);
  const { options } = parseCommandLine(words);
  const backend = isBackendMode({ cli: options });
  const reporter = backend ? backendReporter(options) : linesReporter(options);
  if (!backend) progress("H");
  const abort = abortOnSignals();
  process.on("uncaughtException", (thrown) => {
    reporter.error(new ShimError("DRUSH_NOT_COMPLETED", `provision-shim failed inside: ${thrown.message}`, { hint: "what the task had changed is undone by the next task on the context", cause: thrown }));
    reporter.end(undefined);
    exit(EXIT_STATUS.applicationError);
  });
  let invocation: Invocation | undefined;
  let call: NativeCall | undefined;
  let input: Buffer | undefined;
  try {
    invocation = await readInvocation({ words, lib, cwd: process.cwd(), variables: process.env });
    if (process.env["PROVISION_SHIM_NATIVE"] === "0") throw new NeedsRealDrush("PROVISION_SHIM_NATIVE=0");
    await recoverFirst(invocation, reporter.sink, abort.signal);
    call = await examineCall(invocation);
    if (backend) input = await readStdin();
    const stdin = input === undefined ? { options: new PhpArray() } : parseStdinOptions(input);
    if (stdin.ignored !== undefined) reporter.log("debug", `Standard input was not used: ${stdin.ignored}.`);
    const onCall = (again: NativeCall): void => {
      call = again;
    };
    // By then the task most often waits for its web server.
    const onPlan = (): void => void setTimeout(() => call !== undefined && reporter.foresee(call), FORESIGHT_MS).unref();
    await runCall(call, invocation, { stdin: stdin.options, sink: reporter.sink, dryRun: false, signal: abort.signal, onCall, onPlan });
  } catch (thrown) {
    if (thrown instanceof NeedsRealDrush && invocation !== undefined) {
      const status = await toRealDrush(thrown, invocation, { input, reporter, backend, signal: abort.signal });
      if (status !== undefined) exit(status);
    } else {
      reporter.error(asShimError(thrown));
    }
  }
  exit(reporter.end(call));
}

interface Handing {
  readonly input: Buffer | undefined;
  readonly reporter: Reporter;
  readonly backend: boolean;
  readonly signal: AbortSignal;
}

/** Returns the exit status, or undefined when the call could not be handed over: the error is reported then. */
async function toRealDrush(need: NeedsRealDrush, invocation: Invocation, { input, reporter, backend, signal }: Handing): Promise<number | undefined> {
  const { config, lib, launcher, words, variables } = invocation;
  try {
    await recoverFirst(invocation, reporter.sink, signal);
    if (backend) reporter.log(need.reason.startsWith("the hook") ? "notice" : "debug", need.message);
    const onStart = (): void => progress("H");
    const ended = await handOver({ drush: config.drush, script: config.script, lib, launcher, args: words, variables, onStart, ...(input === undefined ? {} : { input }) });
    if (ended.signal !== undefined) {
      if (backend) {
        // To its caller silence would be success.
        reporter.error(new ShimError("DRUSH_NOT_COMPLETED", `The real drush was ended by ${ended.signal}.`));
        reporter.end(undefined);
      }
      dieOf(ended.signal);
    }
    return ended.status;
  } catch (thrown) {
    const error = asShimError(thrown);
    const because = `${error.message} It is needed because of ${need.reason}.`;
    reporter.error(new ShimError(error.code, because, error.hint === undefined ? { cause: thrown } : { hint: error.hint, cause: thrown }));
    return undefined;
  }
}

function backendReporter(cli: PhpArray): Reporter {
  const reporter = new BackendReporter({ progress });
  return {
    sink: reporter.sink,
    error: (error) => reporter.error(error),
    log: (level, message) => reporter.log(level, message),
    foresee: (call) => reporter.result.foresee(call.options.context()),
    end: (call) => reporter.end({ context: call?.options.context() ?? cli, self: call?.record === undefined ? undefined : call.options.self(call.record), object: call?.options.object }),
  };
}

function linesReporter(cli: PhpArray): Reporter {
  const lines = new DrushLines({
    columns: Number(process.env["COLUMNS"] ?? process.stderr.columns) || 80,
    verbose: isTruthy(cli.get("verbose")),
    debug: isTruthy(cli.get("debug")),
    quiet: isTruthy(cli.get("quiet")),
  });
  let failed = false;
  return {
    sink: (event) => {
      failed ||= event.type === "error";
      lines.sink(event);
    },
    error: (error) => {
      failed = true;
      lines.error(error);
    },
    log: (level, message) => lines.log(level, message),
    foresee: () => undefined,
    end: () => (failed ? 1 : 0),
  };
}

function progress(mark: "B" | "E" | "H"): void {
  if (PROGRESS === undefined) return;
  try {
    writeSync(PROGRESS, mark);
  } catch {
    // The launcher was killed.
  }
}

/** On these signals the task stops at the next step and undoes its changes. */
function abortOnSignals(): AbortController {
  const abort = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, () => abort.abort());
  return abort;
}

/** Ends this process as the real drush ended: by the same signal. */
function dieOf(signal: NodeJS.Signals): void {
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}

function exit(status: number): never {
  // Everything is written by now; waiting for idle handles would only cost time.
  process.exit(status);
}

/** For the build: see scripts/make-cache/make-cache.cjs. */
export { warmUp, warmUpCall } from "./warm-up.ts";

if (process.env["PROVISION_SHIM_WARM_UP"] === undefined) void main();
