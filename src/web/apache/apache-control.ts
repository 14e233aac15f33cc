import type { Remembered } from "../../files/remembered.ts";
import { apacheTestCommand, commandWords } from "../restart-command.ts";
import { runControl, type ControlOutcome, type Environment, type WebControl } from "../web-control.ts";

/** @param remembered keeps the place of the main file, which takes a whole test to find out */
export function apacheControl(restartCommand: string, environment: Environment, remembered: Remembered): WebControl {
  const restart = commandWords(restartCommand);
  const tester = apacheTestCommand(restart);
  const run = (words: readonly string[]): Promise<ControlOutcome> => runControl(words, environment);
  return {
    reload: () => run(restart),
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
