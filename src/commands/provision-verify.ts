import type { Plan } from "../task/plan.ts";
import type { CommandCall } from "./command.ts";
import { needTarget } from "./native-reach.ts";

/** `provision-verify` of a server, platform or site. */
export async function prepare(call: CommandCall): Promise<Plan> {
  const target = needTarget(call);
  switch (target.type) {
    case "server":
      return (await import("./verify-server.ts")).verifyServer(target, call);
    case "platform":
      return (await import("./verify-platform.ts")).verifyPlatform(target, call);
    case "site":
      return (await import("./verify-site.ts")).verifySite(target, call);
  }
}
