import { chmodSync, copyFileSync, existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { makeAegirHome, type AegirHome } from "./aegir-home.ts";
import { backendCaller, installProgram, settingsBeside, type FrontEnd, type InstalledProgram } from "./front-end.ts";
import { repositoryRoot } from "./repository.ts";
import { ignoreLoad } from "./stage.ts";
import { type RunOptions, type RunResult } from "./test-user.ts";

/** What the stand-in for the real drush writes down of each call (test/system/fake-drush.php). */
export interface DrushCallNote {
  readonly argv: readonly string[];
  /** The name that it takes itself for: its children are started by it. */
  readonly name: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** In base64; null when it was told not to read. */
  readonly stdin: string | null;
  /** The descriptors 0, 1, 2: what they are, and where their link in /proc leads. */
  readonly fds: readonly { readonly kind: string; readonly mode: string; readonly links: number; readonly target: string }[];
  readonly pid: number;
}

/** Our program in a home of its own without servers, and a stand-in for the real drush behind it. */
export interface BareProgram extends InstalledProgram {
  readonly home: AegirHome;
  readonly env: NodeJS.ProcessEnv;
  readonly fakeDrush: string;
  /** A backend call, see {@link FrontEnd}; without a real drush unless `env` names one. */
  readonly call: FrontEnd["call"];
  /** bin/drush with separate outputs. */
  run: (words: readonly string[], options?: RunOptions) => Promise<RunResult>;
  /** A shell script, in which `$DRUSH` is bin/drush. */
  shell: (script: string, options?: RunOptions) => Promise<RunResult>;
  /** Calls of the stand-in since the last question. */
  notes: () => DrushCallNote[];
}

export function openBareProgram(): BareProgram {
  const home = makeAegirHome();
  ignoreLoad(home);
  const program = installProgram(home);
  const fakeDrush = join(home.beside, "fake-drush");
  copyFileSync(join(repositoryRoot, "test/system/fake-drush.php"), fakeDrush);
  chmodSync(fakeDrush, 0o755);
  const log = join(home.beside, "fake-drush.log");
  const env = { ...settingsBeside(home), FAKE_DRUSH_LOG: log, DRUSH: program.drush };
  const run = (command: readonly string[], options: RunOptions = {}): Promise<RunResult> => home.user.run(command, { mayFail: true, ...options, env: { ...env, ...options.env } });
  return {
    ...program,
    home,
    env,
    fakeDrush,
    call: backendCaller(home, program.drush, env),
    run: (words, options) => run([program.drush, ...words], options),
    shell: (script, options) => run(["sh", "-c", script], options),
    notes: () => {
      if (!existsSync(log)) return [];
      const lines = readFileSync(log, "utf8").trimEnd().split("\n");
      rmSync(log);
      return lines.map((line) => JSON.parse(line) as DrushCallNote);
    },
  };
}
