import { dirname } from "node:path";
import { parseCli, type CliArguments } from "./cli/arguments.ts";
import { EXIT, type CliCall } from "./cli/cli-call.ts";
import { fail } from "./cli/fail.ts";
import { helpText, isOwnCommand } from "./cli/help.ts";
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
  const native = `provision-${command.replace(/^provision-/, "")}`;
  const isNative = Object.hasOwn(NATIVE_COMMANDS, native);
  if (!isNative && !isOwnCommand(command)) throw unknown(command);
  return (await import("./cli/work.ts")).work(call, isNative ? native : undefined);
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

if (process.env["PROVISION_SHIM_WARM_UP"] === undefined) void main();
