import { listProperty, property, type PlatformContext, type SiteContext } from "../contexts/context.ts";
import { contextName } from "../contexts/names.ts";
import { ShimError } from "../errors/shim-error.ts";
import { isTruthy, textOrUndefined } from "../php-values/convert.ts";
import { PhpArray } from "../php-values/php-array.ts";
import type { PhpValue } from "../php-values/value.ts";
import type { CommandCall } from "./command.ts";
import { nativeCore, nativeServer } from "./native-reach.ts";

/**
 * The platform that a site is to go to.
 *
 * @throws NeedsRealDrush, ShimError PROVISION_MISSING_CONTEXT, DRUSH_INVALID_DRUPAL_ROOT
 */
export async function targetPlatformOf(call: CommandCall, name: string): Promise<PlatformContext> {
  const platform = await call.storedContexts.existing(name);
  if (platform.type !== "platform") throw new ShimError("PROVISION_WRONG_CONTEXT_TYPE", `@${platform.name} is a ${platform.type}, not a platform.`);
  await nativeServer(platform.webServer, call);
  nativeCore(platform);
  return platform;
}

/** What a task gives the moved site beside its place: options `profile` and `new_db_server`. */
export function changedByOptions(call: CommandCall): [string, PhpValue][] {
  const profile = textOrUndefined(call.options.get("profile"));
  const server = textOrUndefined(call.options.get("new_db_server"));
  return [...(profile === undefined ? [] : [["profile", profile] as [string, PhpValue]]), ...(server === undefined ? [] : [["db_server", `@${contextName(server)}`] as [string, PhpValue]])];
}

/** The context as it would be with these options, which must be a site. */
export async function siteWith(call: CommandCall, name: string, options: readonly (readonly [string, PhpValue])[]): Promise<SiteContext> {
  const context = await call.contextWith(name, PhpArray.of([["context_type", "site"], ...options]));
  if (context.type !== "site") throw new ShimError("PROVISION_WRONG_CONTEXT_TYPE", `@${name} is a ${context.type}, not a site.`);
  return context;
}

/** The scalars of a site's alias record, with which the original saves a site under a new name; lists do not travel. */
export function recordScalars(site: SiteContext): [string, PhpValue][] {
  const skipped = new Set(["context_type", "root", "uri", "site_path", "platform"]);
  return [...(site.record ?? site.properties)].flatMap(([key, value]) => (typeof key === "string" && !skipped.has(key) && !(value instanceof PhpArray) && isTruthy(value) ? [[key, value] as [string, PhpValue]] : []));
}

/**
 * The site's aliases under its new name (as Provision 7.x-3.x rewrites them when it renames): a plain replacement in each, `www.` of one name against that of the
 * other.
 */
export function rewrittenAliases(aliases: readonly string[], from: string, to: string): string[] {
  const bare = (name: string): string => name.replace(/^www\./, "");
  const www = (name: string): string => `www.${bare(name)}`;
  const hasWww = (name: string): boolean => name.startsWith("www.");
  const [find, replacement] = hasWww(from) ? [bare(from), hasWww(to) ? bare(to) : www(to)] : [www(from), hasWww(to) ? bare(to) : www(to)];
  return [...new Set(aliases.map((alias) => alias.replaceAll(find, replacement)))];
}

/** Where a renamed site sends all requests to: its former names mean the new ones. (The original leaves the redirection at a name that is gone.) */
export function rewrittenRedirection(site: SiteContext, to: string): string | undefined {
  const target = property(site, "redirection");
  if (target === undefined || target === "0") return undefined;
  const from = site.uri ?? "";
  if (target === from) return to;
  const at = listProperty(site, "aliases").indexOf(target);
  return at < 0 ? target : rewrittenAliases([target], from, to)[0];
}
