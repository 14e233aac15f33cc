import { step, type Plan } from "../task/plan.ts";
import type { CommandCall } from "./command.ts";
import { nativeCore, nativeServer, targetPlatform } from "./native-reach.ts";
import { platformPush } from "./remote-work.ts";
import { writePlatformDrushrc } from "./verify-platform.ts";

/**
 * `provision-lock` and `provision-unlock` of a platform. Whether it is locked is the front end's knowledge; all that happens here is that the platform's
 * drushrc.php is written again, as after each command on a platform (Provision 7.x-3.x).
 */
export async function prepare(call: CommandCall): Promise<Plan> {
  const platform = targetPlatform(call);
  await nativeServer(platform.webServer, call);
  const { root } = nativeCore(platform);
  await call.options.loadRoot(root);
  const verb = call.command.replace("provision-", "");
  const { note, pushAgain } = await platformPush(platform, call);
  return { title: `${verb} platform @${platform.name}`, context: platform.name, steps: [...note, step("write the platform's drushrc.php", (work) => writePlatformDrushrc(work, root, call)), ...pushAgain] };
}
