import type { Context, ServerContext } from "../contexts/context.ts";
import { checkedContextName } from "../contexts/names.ts";
import { NeedsRealDrush } from "../errors/needs-real-drush.ts";
import { asShimError, ShimError } from "../errors/shim-error.ts";
import { isTruthy, textOrUndefined } from "../php-values/convert.ts";
import { step, type Plan } from "../task/plan.ts";
import type { CommandCall } from "./command.ts";
import { aliasPath, writeAliasFiles } from "./save-context.ts";

/** `provision-save [@context]`: creates, changes or (with --delete) removes a context. */
export async function prepare(call: CommandCall): Promise<Plan> {
  const name = contextToSave(call);
  if (isTruthy(call.options.get("delete"))) return deletePlan(name, call.surroundings.home);
  const context = await call.contexts.get(name);
  refuseOtherType(context, call);
  let saved: Context = context;
  let probeError: ShimError | undefined;
  const probe = step("look what the database server can do", async () => {
    if (context.type !== "server" || context.db === undefined) return;
    try {
      const { probeUtf8mb4 } = await import("./database-work.ts");
      const supported = await probeUtf8mb4(context, call);
      if (saved.type === "server") saved = withUtf8mb4(saved, supported);
    } catch (thrown) {
      if (saved.type === "server") saved = withUtf8mb4(saved, false);
      probeError = asShimError(thrown);
    }
  });
  const look = step("look what the web server's program can do", async (work) => {
    if (context.type !== "server") return;
    const { webFacts, withWebFacts } = await import("./web-probe.ts");
    let facts;
    try {
      facts = await webFacts(work, context, call);
    } catch (thrown) {
      probeError ??= asShimError(thrown);
      return;
    }
    if (facts === undefined) work.log("notice", `There is no ${context.http?.driver ?? "web server"} on ${context.remoteHost}: nothing was found out about it.`);
    else saved = withWebFacts(saved, facts);
  });
  const write = step("write the alias file", (work) => {
    if (saved.type === "server") for (const driver of saved.unknownDrivers) work.log("error", `Unable to load the driver of the service ${driver} of @${name}`);
    writeAliasFiles(work, saved, call.surroundings);
    // The file is right even when the database server does not answer; the front end goes on to verify then.
    if (probeError !== undefined) work.flaw(probeError);
  });
  const hasDb = context.type === "server" && context.db !== undefined;
  const probes = [...(hasDb ? [probe] : []), ...(context.type === "server" && (await isProbed(context)) ? [look] : [])];
  return { title: `save @${name}`, context: name, steps: [...probes, write] };
}

function contextToSave(call: CommandCall): string {
  const named = call.args[0];
  const name = named === undefined ? call.target?.name : checkedContextName(named);
  if (name === undefined || name === "none" || name === "self") {
    throw new ShimError("PROVISION_NO_CONTEXT", "provision-save was called without a context to save.", { hint: "name it behind the command: drush provision-save @context" });
  }
  return name;
}

function deletePlan(name: string, home: string): Plan {
  const path = aliasPath(home, name);
  const remove = step("remove the alias file", (work) => {
    if (work.files.remove(path)) work.log("success", `Removed ${path}`);
  });
  return { title: `delete the context @${name}`, context: name, steps: [remove] };
}

/** The original would write an alias file that says one type and is loaded as another. */
function refuseOtherType(context: Context, call: CommandCall): void {
  const asked = textOrUndefined(call.options.get("context_type"));
  if (asked !== undefined && asked !== "null" && asked !== context.type) {
    throw new ShimError("PROVISION_CONTEXT_TYPE_CHANGE", `@${context.name} is a ${context.type} and cannot become a ${asked}.`, { hint: "delete the context first, or choose another name" });
  }
}

/** Whether its web service has a driver that looks at the program each time the server is saved. */
async function isProbed({ http }: ServerContext): Promise<boolean> {
  if (http?.application !== "nginx") return false;
  if (!(await import("../web/web-driver.ts")).hasDriver(http.driver)) throw new NeedsRealDrush(`the web service ${http.driver}`);
  return true;
}

/** The same server with the outcome of the probe in its properties. */
export function withUtf8mb4(server: ServerContext, supported: boolean): ServerContext {
  if (server.db === undefined) return server;
  return { ...server, properties: server.properties.clone().set("utf8mb4_is_supported", supported), db: { ...server.db, utf8mb4: supported } };
}
