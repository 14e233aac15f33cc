import { join } from "node:path";
import { sitesPhpText } from "../aliases/write-drushrc.ts";
import { listProperty, type SiteContext } from "../contexts/context.ts";
import { isTruthy } from "../php-values/convert.ts";
import { PhpArray } from "../php-values/php-array.ts";
import type { Work } from "../task/plan.ts";
import type { CommandCall } from "./command.ts";

/**
 * Brings the site's aliases into the platform's sites.php, which all its sites share: this site's former entries go, the others stay (as
 * Provision_Config_Drupal_Alias_Store of Provision 7.x-3.x; there two sites at once lost entries).
 */
export async function writeSiteAliases(work: Work, site: SiteContext, call: CommandCall): Promise<void> {
  const path = join(site.root ?? "", "sites/sites.php");
  const uri = site.uri ?? "";
  await work.exclusively(`sites.php @${site.platform.name}`, async () => {
    const present = (await call.surroundings.readPhpVariable(path, "sites")) ?? new PhpArray();
    const sites = PhpArray.of([...present].filter(([, value]) => isTruthy(value) && value !== uri));
    // A sub-folder alias `host/path` is looked up as `host.path`.
    for (const alias of listProperty(site, "aliases")) sites.set(alias.replace(/(?<!^)\//g, "."), uri);
    const written = work.files.write({ path, content: sitesPhpText(sites), mode: 0o644 });
    work.log("success", written ? `Generated Drupal sites.php file (${path})` : `The platform's sites.php is up to date (${path})`);
  });
}
