import { ShimError } from "../errors/shim-error.ts";
import { realDrushEnvironment, type Variables } from "../real-drush/environment.ts";
import { runProcess } from "../processes/run-process.ts";
import { scrubText, textFromBytes } from "../php-values/text.ts";

export interface DrushFacts {
  readonly version: string;
  /** The PHP file that the program ends up running. */
  readonly script: string;
}

const TIME_LIMIT_MS = 30_000;

/**
 * Asks a drush program what it is: its version, and by way of our prepended file which PHP file runs.
 *
 * @throws ShimError SWAP_DRUSH_UNUSABLE
 */
export async function askDrush(drush: string, lib: string, variables: Variables): Promise<DrushFacts> {
  const version = /(\d+\.\d+[\w.-]*)/.exec(await output(drush, ["--version", "--pipe"], variables))?.[1] ?? "";
  if (!version.startsWith("8.")) {
    throw new ShimError("SWAP_DRUSH_UNUSABLE", `${drush} is ${version === "" ? "no drush that answers" : `drush ${version}`}; Aegir 3 needs drush 8.`, { hint: "name the right one with --drush=FILE" });
  }
  return { version, script: await scriptOf(drush, lib, variables) };
}

/** The program itself first, then what a wrapper may lead to: whichever of them our prepended file recognises. */
async function scriptOf(drush: string, lib: string, variables: Variables): Promise<string> {
  const probe = { ...realDrushEnvironment(variables, { lib, drush, script: undefined }), PROVISION_SHIM_PROBE: "1" };
  const told = (await output(drush, ["--version"], probe)).trim().split("\n").at(-1) ?? "";
  if (told.startsWith("/")) return told;
  throw new ShimError("SWAP_DRUSH_UNUSABLE", `It cannot be seen which PHP file ${drush} runs, so its children would not come to provision-shim.`, {
    hint: "name drush's own drush.php or phar with --drush=FILE instead of a wrapper",
  });
}

async function output(file: string, args: readonly string[], env: Variables): Promise<string> {
  try {
    const result = await runProcess({ file, args, env, cwd: "/", timeoutMs: TIME_LIMIT_MS, maxOutputBytes: 1 << 20 });
    return scrubText(textFromBytes(result.stdout));
  } catch (cause) {
    throw new ShimError("SWAP_DRUSH_UNUSABLE", `${file} cannot be started: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}
