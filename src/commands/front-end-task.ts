import { isLogLevel } from "../task/events.ts";
import { PhpArray } from "../php-values/php-array.ts";
import type { Work } from "../task/plan.ts";
import type { CommandCall } from "./command.ts";

const HOSTMASTER = "hostmaster";

/**
 * Has the front end run its verify of that context now, which refreshes its rows and comes back to us as a task of its own (as the calls of `@hostmaster
 * hosting-task` in clone, migrate and import of Provision 7.x-3.x). What it reports is reported here; an error of it is an error of this task. Without a front
 * end nothing is to be refreshed.
 *
 * @param context its name, without `@`
 * @throws ShimError PROVISION_NO_REAL_DRUSH when there is a front end but no drush that could run it
 */
export async function refreshFrontEnd(work: Work, context: string, call: CommandCall): Promise<void> {
  if ((await call.storedContexts.find(HOSTMASTER)) === undefined) {
    work.log("notice", `The front end is not asked to verify @${context}: there is no @${HOSTMASTER} here.`);
    return;
  }
  await work.act(`have the front end verify @${context}`, () =>
    call.surroundings.callDrush({
      target: `@${HOSTMASTER}`,
      command: "hosting-task",
      args: [`@${context}`, "verify"],
      options: PhpArray.of([["force", true], ["yes", true]]),
      onStart: (pid) => work.child(pid),
      onLog: (type, message) => work.log(isLogLevel(type) ? type : "notice", message),
      onError: (error) => work.error(error),
    }),
  );
}
