import type { ServerContext } from "../contexts/context.ts";
import { step, type Plan } from "../task/plan.ts";
import type { CommandCall } from "./command.ts";
import { nativeServer } from "./native-reach.ts";
import { removeAliasFiles } from "./save-context.ts";
import { reloadServer } from "./web-work.ts";

/** `provision-delete` of a server: only its alias file goes, and its web service is reloaded; its configuration stays (Provision 7.x-3.x). */
export async function deleteServer(server: ServerContext, call: CommandCall): Promise<Plan> {
  await nativeServer(server, call);
  return {
    title: `delete server @${server.name}`,
    context: server.name,
    steps: [
      step("remove the alias file", (work) => removeAliasFiles(work, server, call.surroundings)),
      ...(server.http === undefined ? [] : [step("reload the web server", (work) => reloadServer(work, server, call))]),
    ],
  };
}
