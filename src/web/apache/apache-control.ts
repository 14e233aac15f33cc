import type { Remembered } from "../../files/remembered.ts";
import { apacheReloadCommand, apacheTestCommand, commandWords } from "../restart-command.ts";
import { runControl, type ControlOutcome, type Environment, type WebControl } from "../web-control.ts";

/** @param remembered keeps the place of the main file, which takes a whole test to find out */
export function apacheControl(restartCommand: string, environment: Environment, remembered: Remembered): WebControl {
  const restart = commandWords(restartCommand);
  const tester = apacheTestCommand(restart);
  const run = (words: readonly string[]): Promise<ControlOutcome> => runControl(words, environment);
  // On another machine there is another control program.
  const quick = environment.run === undefined ? apacheReloadCommand(restart) : undefined;
  return {
    reload: async () => {
      const outcome = quick === undefined ? undefined : await run(quick);
      // Whatever was wrong, the administrator's own command has the last word.
      return outcome?.ok === true ? outcome : run(restart);
    },
    reloadTests: quick !== undefined,
    test: async (mainFile) => (tester === undefined ? undefined : run([...tester, "-t", ...(mainFile === undefined ? [] : ["-f", mainFile])])),
    mainFile: async (fresh) => {
      if (tester === undefined) return undefined;
      const name = `apache-main:${tester.join(" ")}`;
      if (!fresh) return remembered.get(name);
      const { output } = await run([...tester, "-t", "-D", "DUMP_INCLUDES"]);
      const file = /^\s*\(\*\)\s+(\/.+)$/m.exec(output)?.[1];
      if (file !== undefined) remembered.set(name, file);
      return file;
    },
  };
}
