import type { Plan } from "../task/plan.ts";
import type { CommandCall } from "./command.ts";
import { needTarget } from "./native-reach.ts";

/** `provision-delete [FILE]` of a server, platform or site. What cannot be brought back goes last, when nothing can fail any more. */
export async function prepare(call: CommandCall): Promise<Plan> {
  const target = needTarget(call);
  switch (target.type) {
    case "server":
      return (await import("./delete-server.ts")).deleteServer(target, call);
    case "platform":
      return (await import("./delete-platform.ts")).deletePlatform(target, call);
    case "site":
      return (await import("./delete-site.ts")).deleteSite(target, call);
  }
}
