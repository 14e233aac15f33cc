import { asShimError } from "../errors/shim-error.ts";
import type { CliCall } from "./cli-call.ts";
import { fail } from "./fail.ts";

/**
 * Everything of `provision` but its help: a bundle of its own, which the program loads when there is something to do (see scripts/build.mjs). What is thrown here is told here,
 * because the classes of the two bundles are not the same.
 *
 * @param native the command as drush knows it, if it is one of the backend's
 */
export async function work(call: CliCall, native: string | undefined): Promise<number> {
  try {
    return await run(call, native);
  } catch (thrown) {
    return fail(asShimError(thrown), call.arguments.json);
  }
}

async function run(call: CliCall, native: string | undefined): Promise<number> {
  const { command, options, words } = call.arguments;
  if (command === "swap") return (await import("./swap.ts")).swap(call);
  if (command === "ps") return (await import("./tasks.ts")).ps(call);
  if (command === "unlock" && options.has("stale")) return (await import("./tasks.ts")).unlockStale(call);
  if (command === "recover") return (await import("./tasks.ts")).recover(call);
  if (command === "backups") return (await import("./backups.ts")).backups(call);
  if (command === "backup" && words[0] === "verify") return (await import("./backups.ts")).verify(call);
  if (native === "provision-verify") {
    const many = await import("./verify-many.ts");
    if (many.isForMany(call)) return many.verifyAll(call);
  }
  return (await import("./run-command.ts")).runCommand(call, native ?? "");
}
