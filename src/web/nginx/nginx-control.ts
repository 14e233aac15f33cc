import type { Remembered } from "../../files/remembered.ts";
import { commandWords } from "../restart-command.ts";
import { runControl, type ControlOutcome, type Environment, type WebControl } from "../web-control.ts";
import { nginxProgram } from "./nginx-program.ts";
import { presentWorkers, workersStartedSince } from "./workers.ts";

/** @param remembered keeps the place of the main file, which takes a whole test to find out */
export function nginxControl(restartCommand: string, environment: Environment, remembered: Remembered): WebControl {
  const restart = commandWords(restartCommand);
  const program = nginxProgram(restart, environment.variables["PATH"]);
  const run = (words: readonly string[]): Promise<ControlOutcome> => runControl(words, environment);

  async function test(mainFile?: string): Promise<ControlOutcome | undefined> {
    const file = mainFile === undefined ? [] : ["-c", mainFile];
    if (program.privileged !== undefined) {
      const outcome = await run([...program.privileged, "-t", ...file]);
      if (!outcome.refused) return shortened(outcome);
    }
    const outcome = program.plain === undefined ? undefined : await run([...program.plain, "-t", ...file]);
    const plain = outcome === undefined || program.isOurs ? outcome && shortened(outcome) : withoutRights(outcome);
    if (mainFile !== undefined || program.inPlace === undefined || plain?.refused === false) return plain;
    return run(program.inPlace);
  }

  const words = program.privileged ?? program.plain;
  const name = `nginx-main:${words?.join(" ") ?? ""}`;
  return {
    reload: async () => {
      const isHere = environment.run === undefined && words !== undefined;
      const before = isHere ? presentWorkers(remembered.get(name)) : undefined;
      const started = performance.now();
      const outcome = await run(restart);
      const wait = { tookMs: performance.now() - started, signal: environment.signal };
      if (!outcome.ok || before === undefined || (await workersStartedSince(before, remembered.get(name), wait))) return outcome;
      return { ok: false, refused: false, output: "nginx was told to read its configuration and goes on with the former one; its error log says why (is a port not free?)" };
    },
    reloadTests: false,
    test,
    mainFile: async (fresh) => {
      if (words === undefined) return undefined;
      if (!fresh) return remembered.get(name);
      // It names the file also where it may not look into all that it needs.
      const outcomes = [words, ...(program.privileged === undefined || program.plain === undefined ? [] : [program.plain])];
      for (const each of outcomes) {
        const { output } = await run([...each, "-t"]);
        const file = /configuration file (\/\S+) (?:syntax is ok|test )/.exec(output)?.[1];
        if (file === undefined) continue;
        remembered.set(name, file);
        return file;
      }
      return undefined;
    },
  };
}

/**
 * A test by a user who may not open logs, private keys of others and low ports. nginx reads the whole configuration first and says that its syntax
 * is fine before it opens anything; a file that it may not read leaves all open.
 */
function withoutRights(outcome: ControlOutcome): ControlOutcome {
  if (outcome.ok || outcome.refused) return outcome;
  const short = shortened(outcome);
  const isRights = short.output.split("\n").every((line) => /Permission denied/i.test(line));
  if (!isRights) return short;
  return /configuration file \S+ syntax is ok/.test(outcome.output) ? { ...outcome, ok: true } : { ...outcome, refused: true };
}

/** What matters of a test's words: lines of warnings fill pages on a server with many sites. */
function shortened(outcome: ControlOutcome): ControlOutcome {
  const grave = outcome.output.split("\n").filter((line) => /\[(?:emerg|alert|crit)\]/.test(line));
  return outcome.ok || grave.length === 0 ? outcome : { ...outcome, output: grave.join("\n") };
}
