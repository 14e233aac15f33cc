import { accessSync, closeSync, constants, realpathSync } from "node:fs";
import { ShimError } from "../errors/shim-error.ts";
import { unnamedFile } from "../files/unnamed-file.ts";
import { handOverChain, handOverDepth, realDrushEnvironment, type Variables } from "./environment.ts";

/** How the real drush is found and started. */
export interface DrushPlace {
  /** Configured path of the real drush. */
  readonly drush: string | undefined;
  readonly script: string | undefined;
  /** Our folder lib/, and the launcher that must never be taken for the real drush. */
  readonly lib: string;
  readonly launcher: string;
  readonly variables: Variables;
}

export interface HandOver extends DrushPlace {
  /** The words of this call after the program, untouched. */
  readonly args: readonly string[];
  /** What was read from standard input already; unset: nothing was, and drush gets the descriptor itself. */
  readonly input?: Uint8Array;
  /** Called just before the real drush starts: from then on all output is its own. */
  readonly onStart: () => void;
}

/** How the real drush ended. */
export interface Ended {
  readonly status: number;
  /** Set when a signal ended it. */
  readonly signal: NodeJS.Signals | undefined;
}

/**
 * Gives the call to the real drush: same words, directory, environment and descriptors; signals are passed on. Bytes of standard input that were
 * read come again as a regular file, because drush 8.4.12 loses what does not fit into a pipe.
 *
 * @throws ShimError PROVISION_NO_REAL_DRUSH, PROVISION_DRUSH_LOOP, FILE_NO_SPACE
 */
export async function handOver(call: HandOver): Promise<Ended> {
  const drush = usableDrush(call);
  const input = call.input === undefined ? undefined : unnamedFile(call.input, call.variables["TMPDIR"] ?? "/tmp");
  const { spawn } = await import("node:child_process");
  call.onStart();
  const child = spawn(drush, call.args, {
    stdio: [input ?? "inherit", "inherit", "inherit"],
    env: { ...realDrushEnvironment(call.variables, { ...call, drush }) },
  });
  if (input !== undefined) closeSync(input);
  const pass = (signal: NodeJS.Signals): void => void child.kill(signal);
  for (const signal of PASSED) process.on(signal, pass);
  try {
    return await new Promise((resolve, reject) => {
      child.on("error", (cause) => {
        reject(new ShimError("PROVISION_NO_REAL_DRUSH", `The real drush ${drush} could not be started: ${cause.message}`, { cause }));
      });
      child.on("exit", (status, signal) => {
        resolve({ status: status ?? 255, signal: signal ?? undefined });
      });
    });
  } finally {
    for (const signal of PASSED) process.off(signal, pass);
  }
}

const PASSED = ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2"] as const satisfies readonly NodeJS.Signals[];

/** The real drush, when it exists and is not ourselves. */
export function usableDrush(call: Pick<HandOver, "drush" | "variables" | "launcher">): string {
  const { drush } = call;
  if (drush === undefined) {
    throw new ShimError("PROVISION_NO_REAL_DRUSH", "This call needs the real drush, and none is known.", {
      hint: 'name it in PROVISION_SHIM_DRUSH or as "drush" in ~/.provision-shim/config.json',
    });
  }
  // A wrapper that hides drush from the prepended file may leave a count of one or two. For the other count see lib/launch.
  if (handOverDepth(call.variables) > 2 || handOverChain(call.variables).count >= 20) {
    throw new ShimError("PROVISION_DRUSH_LOOP", `${drush}, which is to be the real drush, starts provision-shim again.`, {
      hint: "set the path of drush itself, not of a link or wrapper that leads here; `provision swap status` shows it",
    });
  }
  try {
    accessSync(drush, constants.X_OK);
  } catch (cause) {
    throw new ShimError("PROVISION_NO_REAL_DRUSH", `The real drush ${drush} is not there or cannot be run.`, { hint: "correct its path in the configuration", cause });
  }
  if (realpathSync(drush) === realpathSync(call.launcher)) {
    throw new ShimError("PROVISION_DRUSH_LOOP", `${drush}, which is to be the real drush, is provision-shim itself.`, {
      hint: "set the path of drush itself; `provision swap status` shows it",
    });
  }
  return drush;
}
