import { join } from "node:path";
import { property, type SiteContext } from "../contexts/context.ts";
import type { DrupalCore } from "../drupal/core.ts";
import type { SystemRow } from "../drupal/site-packages.ts";
import { ShimError } from "../errors/shim-error.ts";
import { isDirectory, isFile } from "../files/look.ts";
import { filesByName } from "../files/scan.ts";

/**
 * Makes sure that a platform has the code that a site runs on. Modules that the site misses where it is now are no reason to keep it there. (The original moves the site and leaves
 * it broken.)
 *
 * @param rows the enabled and other modules of the source's table `system`
 * @throws ShimError PROVISION_PROFILE_MISSING, PROVISION_MODULES_MISSING
 */
export function refuseMissingCode(rows: readonly SystemRow[], from: { readonly site: SiteContext; readonly core: DrupalCore }, to: { readonly site: SiteContext; readonly core: DrupalCore }): void {
  const profile = property(to.site, "profile") ?? "standard";
  const where = `@${to.site.platform.name}`;
  if (!isDirectory(join(to.core.root, "profiles", profile))) {
    throw new ShimError("PROVISION_PROFILE_MISSING", `${where} has no install profile ${profile}, which @${from.site.name} runs on.`, { hint: "choose another platform, or give --profile" });
  }
  if (from.core.root === to.core.root) return;
  const own = `sites/${from.site.uri ?? ""}/`;
  const found = new Set(["modules", `profiles/${profile}/modules`, "sites/all/modules"].flatMap((place) => [...filesByName(join(to.core.root, place), ".module").keys()]));
  const missing = rows.flatMap(({ type, status, name, filename }) => {
    const path = filename ?? "";
    const travels = path.startsWith(own) || path.endsWith(".profile");
    const isNeeded = type === "module" && status === "1" && !travels && isFile(join(from.core.root, path));
    return isNeeded && !found.has(name ?? "") ? [name ?? ""] : [];
  });
  if (missing.length === 0) return;
  throw new ShimError("PROVISION_MODULES_MISSING", `${where} does not have all modules that are enabled on @${from.site.name}: ${missing.slice(0, 10).join(", ")}${missing.length > 10 ? ` and ${missing.length - 10} more` : ""}.`, {
    hint: "add them to the platform, or disable them on the site",
  });
}
