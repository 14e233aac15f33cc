import { join } from "node:path";
import { expandTilde, parseCommandLine, type CommandLine } from "./backend-protocol/arguments.ts";
import { ShimError } from "./errors/shim-error.ts";
import type { WebBatch } from "./commands/web-batch.ts";
import { Remembered } from "./files/remembered.ts";
import { readConfig, type ShimConfig } from "./real-drush/config.ts";

/** One call of the program: its words and all that it takes from its process. */
export interface Invocation {
  /** The words behind the program, as they came. */
  readonly words: readonly string[];
  readonly line: CommandLine;
  readonly home: string;
  readonly cwd: string;
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** Our folder lib/, as lib/launch spells it. */
  readonly lib: string;
  readonly launcher: string;
  readonly config: ShimConfig;
  /** ~/.provision-shim: locks, journals and what is remembered. */
  readonly stateDirectory: string;
  readonly remembered: Remembered;
  /** Set where this call is one of many that are done together. */
  readonly webBatch?: WebBatch;
}

export interface ProcessFacts {
  readonly words: readonly string[];
  readonly lib: string;
  readonly cwd: string;
  readonly variables: Readonly<Record<string, string | undefined>>;
}

/** @throws ShimError PROVISION_NO_HOME, PROVISION_SHIM_CONFIG_BROKEN */
export async function readInvocation({ words, lib, cwd, variables }: ProcessFacts): Promise<Invocation> {
  const home = variables["HOME"];
  if (home === undefined || home === "") {
    throw new ShimError("PROVISION_NO_HOME", "HOME is not set, so the contexts in its .drush folder cannot be found.", { hint: "set HOME to the home of the backend's user" });
  }
  const stateDirectory = join(home, ".provision-shim");
  return {
    words,
    line: expandTilde(parseCommandLine(words), home),
    home,
    cwd,
    variables,
    lib,
    launcher: join(lib, "../bin/drush"),
    config: await readConfig(home, variables),
    stateDirectory,
    remembered: new Remembered(join(stateDirectory, "cache")),
  };
}
