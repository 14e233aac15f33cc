import { lookAt } from "../files/look.ts";
import { contextName, checkedContextName } from "../contexts/names.ts";
import { listProperty, type SiteContext } from "../contexts/context.ts";
import { ShimError } from "../errors/shim-error.ts";
import { textOrUndefined } from "../php-values/convert.ts";
import { safeHost } from "../web/safe-values.ts";
import { isParentVhost } from "../web/subdirs.ts";
import type { CommandCall } from "./command.ts";
import { vhostPaths } from "./web-work.ts";
import { sitesPhpOf } from "./site-aliases.ts";

/**
 * The name that a clone or a rename gives to a site, as a context name and host name in one.
 *
 * @throws ShimError PROVISION_BAD_CONTEXT_NAME, PROVISION_WEB_BAD_VALUE, PROVISION_SITE_NAME_REFUSED
 */
export function newSiteName(given: string): string {
  const name = checkedContextName(contextName(given));
  safeHost(name, "The new name of the site");
  // Drupal looks for the directory by what a browser sends, and that is lower case and at most as long as DNS allows.
  if (name !== name.toLowerCase()) throw refused(name, "it has upper-case letters, which no browser sends");
  if (Buffer.byteLength(name) > 200) throw refused(`${name.slice(0, 60)}…`, "it is longer than 200 bytes");
  if (name.includes("/")) throw refused(name, "it has a slash");
  return name;
}

function refused(name: string, why: string): ShimError {
  return new ShimError("PROVISION_SITE_NAME_REFUSED", `A site cannot be named ${JSON.stringify(name)}: ${why}.`, { hint: "choose another host name" });
}

/**
 * Makes sure that nothing is where the site is to be. The original would replace it.
 *
 * @param from the site that moves or is copied; its own entries are no obstacle when it gives up its name
 * @throws ShimError PROVISION_TARGET_EXISTS
 */
export async function refuseTakenTarget(target: SiteContext, call: CommandCall, from: { readonly site: SiteContext; readonly renamed: boolean }): Promise<void> {
  const name = target.uri ?? "";
  const sameContext = target.name === from.site.name;
  if (!sameContext && (await call.storedContexts.find(target.name)) !== undefined) throw exists(`the context @${target.name}`, `if it is left over, remove it with provision-save @${target.name} --delete`);
  if (lookAt(target.sitePath) !== undefined) throw exists(`the directory ${target.sitePath}`, "move it away or choose another name");
  // A host of which only folders are sites becomes one whose folders are sites, too.
  const vhost = (await vhostPaths(target, call)).find((path) => lookAt(path) !== undefined && !isParentVhost(path, name));
  if (!sameContext && vhost !== undefined) throw exists(`the virtual host ${vhost}`, "remove it or choose another name");
  // A rename makes new aliases of the old ones; those that the site has are its own.
  const kept = new Set(listProperty(from.site, "aliases"));
  const names = [name, ...(from.renamed ? listProperty(target, "aliases").filter((alias) => !kept.has(alias)) : [])];
  for (const wanted of names) await refuseAliasOfAnother(target, wanted, { call, from });
}

/** A host name that sites.php gives to another site would never reach the new directory. */
async function refuseAliasOfAnother(target: SiteContext, name: string, { call, from }: { readonly call: CommandCall; readonly from: { readonly site: SiteContext; readonly renamed: boolean } }): Promise<void> {
  const { platform } = target;
  const owner = textOrUndefined((await sitesPhpOf(platform, call)).get(name.replace(/(?<!^)\//g, ".")));
  if (owner === undefined || owner === name || owner === target.uri || (from.renamed && owner === from.site.uri)) return;
  throw exists(`the name ${name}, as an alias of the site ${owner} on @${platform.name}`, "choose another name, or take the alias from that site");
}

function exists(what: string, hint: string): ShimError {
  return new ShimError("PROVISION_TARGET_EXISTS", `The site cannot go there, because there already is ${what}.`, { hint });
}
