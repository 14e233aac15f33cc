import { property, type Context, type PlatformContext, type ServerContext, type SiteContext } from "../contexts/context.ts";
import { ShimError } from "../errors/shim-error.ts";
import { isFile } from "../files/look.ts";
import { NeedsRealDrush } from "../errors/needs-real-drush.ts";
import { whyNotNative, type CoreWork } from "../drupal/core-facts.ts";
import { readCore, type DrupalCore } from "../drupal/core.ts";
import { isTruthy, scalarText } from "../php-values/convert.ts";
import { PhpArray } from "../php-values/php-array.ts";
import type { CommandCall } from "./command.ts";
import { isLocalHost } from "./local-host.ts";

/** What is native in this version: Drupal 7 behind the web services of `NATIVE_WEB`, on this machine or others. Everything else is the real drush's. */

/** Services that consist of other servers. */
const COMPOSED: ReadonlySet<string> = new Set(["cluster", "pack"]);
const NATIVE_WEB: ReadonlySet<string> = new Set(["apache", "apache_ssl", "https_apache", "nginx", "nginx_inc", "nginx_ssl", "https_nginx"]);

/** @throws NeedsRealDrush when a service of the server is not native */
export async function nativeServer(server: ServerContext, call: CommandCall): Promise<void> {
  const [unknown] = server.unknownDrivers;
  if (unknown !== undefined) throw new NeedsRealDrush(`the service ${unknown} of @${server.name}`);
  const driver = server.http?.driver;
  if (driver === undefined) return;
  if (COMPOSED.has(driver)) {
    for (const name of server.http?.members ?? []) {
      const member = await call.contexts.server(name);
      if (COMPOSED.has(member.http?.driver ?? "")) throw new NeedsRealDrush(`@${name}, a ${member.http?.driver ?? ""} in @${server.name}`);
      await nativeServer(member, call);
    }
    return;
  }
  if (!NATIVE_WEB.has(driver)) throw new NeedsRealDrush(`the web service ${driver} of @${server.name}`);
  if (hasLetsEncrypt(server) && !(await isLocalHost(server.remoteHost))) throw new NeedsRealDrush(`Let's Encrypt for the remote server @${server.name}`);
  // Rules and paths of BOA. Its mark is looked for, as in the original: when such a server is saved the first time, the property is not there yet.
  if (server.http?.application === "nginx" && (property(server, "satellite_mode") === "boa" || isFile("/data/conf/global.inc"))) throw new NeedsRealDrush(`the satellite_mode boa of @${server.name}`);
}

/** Whether its certificates come from Let's Encrypt, by hosting_https. */
export function hasLetsEncrypt(server: ServerContext): boolean {
  return property(server, "Certificate_service_type") === "LetsEncrypt";
}

/** A feature of the front end, from `hosting_features` in ~/.drush/drushrc.php. */
export function hasFeature(call: CommandCall, name: string): boolean {
  const features = call.options.get("hosting_features");
  return features instanceof PhpArray && isTruthy(features.get(name));
}

/**
 * The Drupal of the platform.
 *
 * @throws NeedsRealDrush when that work on it is not native (src/drupal/core-facts.ts); ShimError DRUSH_INVALID_DRUPAL_ROOT when there is none
 */
export function nativeCore(platform: PlatformContext, work: CoreWork = "settings"): DrupalCore {
  const { root } = platform;
  if (root === undefined) throw invalidRoot(platform, "the platform has no root");
  const core = readCore(root);
  if (core === undefined) throw invalidRoot(platform, "no Drupal was found there");
  const reason = whyNotNative(core, work);
  if (reason !== undefined) throw new NeedsRealDrush(`@${platform.name}, which has ${reason}`);
  return core;
}

/** What drush says of a root that it cannot use. */
export function invalidRoot(platform: PlatformContext, reason: string): ShimError {
  return new ShimError("DRUSH_INVALID_DRUPAL_ROOT", `Drush could not bootstrap the platform at ${platform.root ?? "(no root)"}: ${reason}.`, {
    hint: "check that the platform directory exists and is readable",
  });
}

/** The site that the command is called on. */
export function targetSite(call: CommandCall): SiteContext {
  const target = needTarget(call);
  if (target.type !== "site") throw wrongType(call, target, "a site");
  return target;
}

export function targetPlatform(call: CommandCall): PlatformContext {
  const target = needTarget(call);
  if (target.type !== "platform") throw wrongType(call, target, "a platform");
  return target;
}

/** @throws ShimError PROVISION_NO_CONTEXT: without a context a command must not guess one from the current directory */
export function needTarget(call: CommandCall): Context {
  if (call.target === undefined) {
    throw new ShimError("PROVISION_NO_CONTEXT", `${call.command} was called without a context.`, { hint: `name it in front: drush @context ${call.command}` });
  }
  return call.target;
}

function wrongType(call: CommandCall, target: Context, wanted: string): ShimError {
  return new ShimError("PROVISION_WRONG_CONTEXT_TYPE", `${call.command} works on ${wanted}, but @${target.name} is a ${target.type}.`);
}

/** The text of an option, or the fallback when it is not set. */
export function textOption(call: CommandCall, name: string, fallback: string): string {
  const text = scalarText(call.options.get(name));
  return text === undefined || text === "" ? fallback : text;
}

/** A switch that is on unless some set says otherwise. */
export function switchOption(call: CommandCall, name: string, fallback: boolean): boolean {
  const value = call.options.get(name);
  return value === undefined ? fallback : isTruthy(value);
}
