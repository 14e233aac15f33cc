import { chmodSync, existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { good, SERVER, serverOptions, type FrontEnd } from "./front-end.ts";
import { until } from "./until.ts";

/** Tasks that stop in the middle, where the web server reloads, until they are told to go on. */
export interface HeldTasks {
  /** A task has come that far and waits. */
  reached: () => Promise<void>;
  /** Lets it, and all later ones, go on. */
  release: () => void;
  /** The next one waits again. */
  hold: () => void;
  /** The server has its own restart command again. */
  end: () => Promise<void>;
}

/** Gives the server a restart command that waits. It is none of Apache's, so the configuration is not tested before. */
export async function holdTasks(frontEnd: FrontEnd): Promise<HeldTasks> {
  const { beside, user } = frontEnd.stage.home;
  const [program, here, go] = ["restart-when-told", "restart-waits", "restart-may-go"].map((name) => join(beside, name)) as [string, string, string];
  writeFileSync(program, `#!/bin/sh\n: > ${here}\nuntil [ -e ${go} ]; do sleep 0.02; done\nexec ${frontEnd.stage.apache.restartCommand}\n`);
  chmodSync(program, 0o755);
  user.own(beside);
  await good(frontEnd.save(SERVER, { ...serverOptions(frontEnd), http_restart_cmd: program }));
  const hold = (): void => {
    for (const file of [here, go]) rmSync(file, { force: true });
  };
  const release = (): void => {
    writeFileSync(go, "");
  };
  hold();
  return {
    reached: () => until("a task reloads the web server", () => existsSync(here)),
    hold,
    release,
    end: async () => {
      release();
      await good(frontEnd.save(SERVER, serverOptions(frontEnd)));
    },
  };
}
