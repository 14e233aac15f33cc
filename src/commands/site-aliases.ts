import { join } from "node:path";
import { sitesPhpText } from "../aliases/write-drushrc.ts";
import { listProperty, type PlatformContext, type SiteContext } from "../contexts/context.ts";
import { lookAt } from "../files/look.ts";
import { isTruthy, scalarText } from "../php-values/convert.ts";
import { PhpArray } from "../php-values/php-array.ts";
import type { Work } from "../task/plan.ts";
import type { CommandCall } from "./command.ts";

/** `$sites` of the platform's sites.php: host name → site directory. */
export async function sitesPhpOf(platform: PlatformContext, call: CommandCall): Promise<PhpArray> {
  return (await call.surroundings.readPhpVariable(sitesPhpPath(platform.root ?? ""), "sites")) ?? new PhpArray();
}

/** The host names that sites.php of its platform gives to the site. */
export async function aliasesInSitesPhp(site: SiteContext, call: CommandCall): Promise<string[]> {
  return [...(await sitesPhpOf(site.platform, call))].filter(([, value]) => value === site.uri).map(([key]) => String(key));
}

/**
 * Brings the site's aliases into the platform's sites.php, which all its sites share: this site's former entries go, the others stay (as
 * Provision_Config_Drupal_Alias_Store of Provision 7.x-3.x; there two sites at once lost entries).
 */
export async function writeSiteAliases(work: Work, site: SiteContext, call: CommandCall): Promise<void> {
  await changeSitesPhp(work, site, { call, aliases: listProperty(site, "aliases") });
}

/** Takes the site's entries out of its platform's sites.php. */
export async function deleteSiteAliases(work: Work, site: SiteContext, call: CommandCall): Promise<void> {
  if (lookAt(sitesPhpPath(site.root ?? "")) !== undefined) await changeSitesPhp(work, site, { call, aliases: [] });
}

async function changeSitesPhp(work: Work, site: SiteContext, { call, aliases }: { readonly call: CommandCall; readonly aliases: readonly string[] }): Promise<void> {
  const path = sitesPhpPath(site.root ?? "");
  const uri = site.uri ?? "";
  await work.exclusively(`sites.php @${site.platform.name}`, async () => {
    const present = await sitesPhpOf(site.platform, call);
    const sites = PhpArray.of([...present].filter(([, value]) => isTruthy(value) && value !== uri));
    // A sub-folder alias `host/path` is looked up as `host.path`.
    for (const alias of aliases) sites.set(alias.replace(/(?<!^)\//g, "."), uri);
    const content = sitesPhpText(sites);
    if (!work.dryRun && lookAt(path) !== undefined) {
      // Undone, only the entries of this site go back: other sites may have changed theirs meanwhile.
      const former = [...present].filter(([key, value]) => value === uri || sites.has(key) && sites.get(key) !== value);
      await work.act(`change the entries of ${uri} in ${path}`, () => undefined, { kind: "site-aliases", path, uri, platform: site.platform.name, launcher: call.surroundings.launcher, home: call.surroundings.home, former: JSON.stringify(former.map(([key, value]) => [String(key), scalarText(value) ?? ""])) });
    }
    const written = work.files.write({ path, content, mode: 0o644 });
    work.log("success", written ? `Generated Drupal sites.php file (${path})` : `The platform's sites.php is up to date (${path})`);
  });
}

function sitesPhpPath(root: string): string {
  return join(root, "sites/sites.php");
}
