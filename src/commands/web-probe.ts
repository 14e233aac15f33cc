import type { Context, ServerContext } from "../contexts/context.ts";
import { ShimError } from "../errors/shim-error.ts";
import { scalarText } from "../php-values/convert.ts";
import type { Work } from "../task/plan.ts";
import { hasDriver, webDriver, type ProgramFacts } from "../web/web-driver.ts";
import type { CommandCall } from "./command.ts";
import { remoteOf } from "./remote-host-of.ts";

/** Whether the web service looks at its program each time the server is saved or verified. */
export async function hasWebFacts(server: ServerContext): Promise<boolean> {
  return server.http !== undefined && hasDriver(server.http.driver) && (await webDriver(server)).probe !== undefined;
}

/** What the server's program can do; undefined when there is none. */
export async function webFacts(work: Work, server: ServerContext, call: CommandCall): Promise<ProgramFacts | undefined> {
  const { cwd, variables } = call.surroundings;
  const remote = await remoteOf(server, call);
  const there = remote === undefined ? {} : (await import("../web/remote-config.ts")).remoteConfig(work, remote, { server, files: [] }).environment;
  const facts = await (await webDriver(server)).probe?.(server, { cwd, variables, signal: work.signal, ...there });
  for (const [key, value] of facts?.properties ?? []) work.log("debug", `${key} of @${server.name}: ${scalarText(value) ?? ""}`);
  return facts;
}

/**
 * The same for a server that must be able to serve its sites now.
 *
 * @throws ShimError PROVISION_WEB_NO_PROGRAM, PROVISION_PHP_FPM_NOT_FOUND
 */
export async function neededWebFacts(work: Work, server: ServerContext, call: CommandCall): Promise<ProgramFacts> {
  const facts = await webFacts(work, server, call);
  if (facts === undefined) {
    throw new ShimError("PROVISION_WEB_NO_PROGRAM", `There is no ${(await webDriver(server)).application} on ${server.remoteHost}, the host of the web server @${server.name}.`, { hint: "install it, or save the server with another http_service_type" });
  }
  if (facts.problem !== undefined) throw facts.problem;
  if (facts.doubt !== undefined) work.log("warning", facts.doubt);
  return facts;
}

/** The same server with these facts in its properties. */
export function withWebFacts<T extends Context>(context: T, { properties }: ProgramFacts): T {
  const changed = context.properties.clone();
  for (const [key, value] of properties) changed.set(key, value);
  return { ...context, properties: changed };
}
