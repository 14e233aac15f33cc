import { parseCommandLine } from "../backend-protocol/arguments.ts";
import { NeedsRealDrush } from "../errors/needs-real-drush.ts";
import { asShimError, ShimError } from "../errors/shim-error.ts";
import { readInvocation, type Invocation } from "../invocation.ts";
import { examineCall } from "../native-call.ts";
import { scalarText } from "../php-values/convert.ts";
import { PhpArray } from "../php-values/php-array.ts";
import { handOver } from "../real-drush/hand-over.ts";
import { Ndjson } from "../reporters/ndjson.ts";
import { Terminal } from "../reporters/terminal.ts";
import { recoverFirst, runCall } from "../run-call.ts";
import type { EventSink } from "../task/events.ts";
import { EXIT, type CliCall } from "./cli-call.ts";
import { onlyKnownOptions } from "./known-options.ts";
import { printReport } from "./print.ts";

interface PeopleReporter {
  readonly sink: EventSink;
  error(error: ShimError): void;
}

/** Runs a native command for a person or a program: `provision verify @site` is drush's `@site provision-verify`. */
export async function runCommand(call: CliCall, command: string): Promise<number> {
  onlyKnownOptions(call.arguments);
  const words = drushWords(call, command);
  const reporter = reporterFor(call);
  let invocation: Invocation;
  try {
    invocation = await readInvocation({ words, lib: call.lib, cwd: process.cwd(), variables: process.env });
  } catch (thrown) {
    reporter.error(asShimError(thrown));
    return EXIT.error;
  }
  try {
    return await runNative(call, invocation, reporter);
  } catch (thrown) {
    if (thrown instanceof NeedsRealDrush) return withRealDrush(call, invocation, { need: thrown, reporter });
    reporter.error(asShimError(thrown));
    return EXIT.error;
  }
}

async function runNative(call: CliCall, invocation: Invocation, { sink }: PeopleReporter): Promise<number> {
  const { dryRun } = call.arguments;
  if (!dryRun) await recoverFirst(invocation, sink, call.signal);
  let native = await examineCall(invocation);
  const { errors, changes } = await runCall(native, invocation, { stdin: new PhpArray(), sink, dryRun, signal: call.signal, onCall: (again) => (native = again) });
  if (errors.length > 0) return EXIT.error;
  // What a person has called for; a program finds it in the log.
  const link = scalarText(native.options.get("login_link"));
  if (link !== undefined && link !== "" && !call.arguments.json) printReport(call, {}, [`Login link: ${link}`]);
  return dryRun && changes > 0 ? EXIT.changes : EXIT.ok;
}

interface Need {
  readonly need: NeedsRealDrush;
  readonly reporter: PeopleReporter;
}

async function withRealDrush(call: CliCall, invocation: Invocation, { need, reporter }: Need): Promise<number> {
  try {
    if (call.arguments.dryRun) {
      throw new ShimError("CLI_NO_DRY_RUN", `There is no dry run of this: the real drush would do it because of ${need.reason}.`);
    }
    await recoverFirst(invocation, reporter.sink, call.signal);
    reporter.sink({ type: "log", level: "notice", message: need.message });
    const { config, lib, launcher, words, variables } = invocation;
    const { status } = await handOver({ drush: config.drush, script: config.script, lib, launcher, args: words, variables, onStart: () => undefined });
    return status;
  } catch (thrown) {
    reporter.error(asShimError(thrown));
    return EXIT.error;
  }
}

function reporterFor(call: CliCall): PeopleReporter {
  const { json, verbose, dryRun } = call.arguments;
  if (json) return new Ndjson();
  const live = process.stdout.isTTY;
  return new Terminal({ live, colour: live && process.env["NO_COLOR"] === undefined, verbose, dryRun });
}

/** The same call as words for drush. */
function drushWords(call: CliCall, command: string): string[] {
  const { words, options } = call.arguments;
  const [first, ...rest] = words;
  const listed = [...options].map(([key, value]) => (value === true ? `--${key}` : `--${key}=${value}`));
  const isTarget = first !== undefined && parseCommandLine([first]).target !== undefined;
  if (!isTarget) throw new ShimError("PROVISION_NO_CONTEXT", `provision ${command.replace("provision-", "")} needs a context.`, { hint: "name it like @example.com" });
  // A context that is new has no alias yet, so it stands behind provision-save.
  return command === "provision-save" ? [command, first, ...rest, ...listed] : [first, command, ...rest, ...listed];
}
