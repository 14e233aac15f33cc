import { join } from "node:path";
import { ShimError } from "../errors/shim-error.ts";
import { isDirectory, isFile } from "../files/look.ts";
import { textFromBytes } from "../php-values/text.ts";
import { runProcess } from "../processes/run-process.ts";
import type { Work } from "../task/plan.ts";

export interface ComposerSettings {
  /** Directories that may hold the platform's composer.json, the first that does counts. */
  readonly places: readonly (string | undefined)[];
  /** Run it also when there is a vendor directory. */
  readonly always: boolean;
  readonly command: string;
  readonly variables: Readonly<Record<string, string | undefined>>;
}

/** Composer's own time limit for one download is 300 s; a whole install may take some of these. */
const TIME_LIMIT_MS = 3_600_000;

/** The directory in which `composer install` is to run, undefined when nothing is to do. */
export function composerDirectory(settings: ComposerSettings): string | undefined {
  const place = settings.places.find((directory) => directory !== undefined && isFile(join(directory, "composer.json")));
  return place !== undefined && (settings.always || !isDirectory(join(place, "vendor"))) ? place : undefined;
}

/**
 * Runs Composer on the platform and logs what it prints as it comes (levels p_command, p_info, p_ok, p_error of Provision's process helper).
 *
 * @throws ShimError PROVISION_PROCESS_ERROR with what it wrote to standard error
 */
export async function installDependencies(work: Work, directory: string, settings: ComposerSettings): Promise<void> {
  work.log("p_command", `[Process] ${settings.command}`);
  const result = await work.act(`run "${settings.command}" in ${directory}`, () =>
    runProcess({
      file: "sh",
      args: ["-c", settings.command],
      cwd: directory,
      env: { ...settings.variables, TERM: "xterm" },
      timeoutMs: TIME_LIMIT_MS,
      maxOutputBytes: 64 << 20,
      signal: work.signal,
      onStart: (pid) => work.child(pid),
      onOutput: (chunk) => work.log("p_info", textFromBytes(chunk)),
    }),
  );
  if (result === undefined) return;
  if (work.signal.aborted) throw new ShimError("PROVISION_INTERRUPTED", `"${settings.command}" was told to stop.`);
  if (result.status === 0) {
    work.log("p_ok", "");
    return;
  }
  work.log("p_error", "");
  const reason = textFromBytes(result.stderr).trim();
  throw new ShimError("PROVISION_PROCESS_ERROR", reason === "" ? `"${settings.command}" failed in ${directory}.` : reason, { hint: `run it by hand in ${directory}` });
}
