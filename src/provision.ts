import { dirname } from "node:path";
import { parseCli, type CliArguments } from "./cli/arguments.ts";
import { EXIT, type CliCall } from "./cli/cli-call.ts";
import { helpText } from "./cli/help.ts";
import { asShimError, ShimError } from "./errors/shim-error.ts";
import { NATIVE_COMMANDS } from "./native-commands.ts";
import { Descriptor } from "./reporters/descriptor.ts";
import { VERSION } from "./version.ts";

/** The program behind bin/provision: the backend's commands for people and programs. */
export async function main(): Promise<void> {
  const [, script = "", ...words] = process.argv;
  const abort = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, () => abort.abort());
  let status: number;
  try {
    status = await run({ arguments: parseCli(words), lib: dirname(script), signal: abort.signal });
  } catch (thrown) {
    status = fail(asShimError(thrown), words.includes("--json"));
  }
  process.exit(status);
}

async function run(call: CliCall): Promise<number> {
  const { command, help, version } = call.arguments;
  if (version) return say(`provision-shim ${VERSION}\n`);
  if (help || command === undefined || command === "help") return explain(call.arguments);
  if (command === "swap") return (await import("./cli/swap.ts")).swap(call);
  if (command === "ps") return (await import("./cli/tasks.ts")).ps(call);
  if (command === "unlock" && call.arguments.options.has("stale")) return (await import("./cli/tasks.ts")).unlockStale(call);
  if (command === "recover") return (await import("./cli/tasks.ts")).recover(call);
  if (command === "backups") return (await import("./cli/backups.ts")).backups(call);
  if (command === "backup" && call.arguments.words[0] === "verify") return (await import("./cli/backups.ts")).verify(call);
  const native = `provision-${command.replace(/^provision-/, "")}`;
  if (Object.hasOwn(NATIVE_COMMANDS, native)) return (await import("./cli/run-command.ts")).runCommand(call, native);
  throw unknown(command);
}

function explain({ command, words }: CliArguments): number {
  const about = command === "help" ? words[0] : command;
  const text = helpText(about);
  if (text === undefined) throw unknown(about ?? "");
  return say(text);
}

function unknown(command: string): ShimError {
  return new ShimError("CLI_UNKNOWN_COMMAND", `provision has no command ${JSON.stringify(command)}.`, { hint: "`provision help` lists them" });
}

function say(text: string): number {
  new Descriptor(1).write(text);
  return EXIT.ok;
}

function fail(error: ShimError, json: boolean): number {
  const text = json
    ? JSON.stringify({ type: "error", code: error.code, message: error.message, ...(error.hint === undefined ? {} : { hint: error.hint }) })
    : `error ${error.message} [${error.code}]${error.hint === undefined ? "" : `\n      ${error.hint}`}`;
  new Descriptor(json ? 1 : 2).write(text + "\n");
  return EXIT.error;
}

/** For the build: see scripts/make-cache.cjs. */
export { warmUp } from "./warm-up.ts";

if (process.env["PROVISION_SHIM_WARM_UP"] === undefined) void main();
