import { join } from "node:path";
import { property, type SiteContext } from "../contexts/context.ts";
import { newPassword } from "../database/passwords.ts";
import type { DrupalCore } from "../drupal/core.ts";
import { NeedsRealDrush } from "../errors/needs-real-drush.ts";
import { filesByEnding } from "../files/scan.ts";
import type { Work } from "../task/plan.ts";
import type { CommandCall } from "./command.ts";
import { inDrupal, type SiteAtWork } from "./drupal-work.ts";
import { switchOption, textOption } from "./native-reach.ts";

/**
 * Runs Drupal's own installer in the site's empty database, as `provision-install-backend` does, and sets the result `login_link`.
 *
 * @throws ShimError DRUPAL_INSTALL_FAILED with what Drupal says
 */
export async function installDrupal(work: Work, at: SiteAtWork): Promise<void> {
  const { site, call } = at;
  const data = {
    profile: property(site, "profile") ?? "standard",
    language: property(site, "language") ?? "en",
    admin_name: adminName(work, call),
    admin_password: newPassword(),
    client_email: textOption(call, "client_email", ""),
    clean_url: switchOption(call, "clean_url", true),
  };
  const answer = await inDrupal(work, at, { job: "install-7", what: `install Drupal with the profile ${data.profile}`, data, failure: "DRUPAL_INSTALL_FAILED" });
  const link = answer?.["login_link"];
  if (typeof link !== "string") return;
  call.options.put("process", "login_link", link);
  work.log("success", `Login url: ${link}`);
}

/** Option `admin_user`, the name of the first account; one that Drupal would refuse at the very end is not used. */
function adminName(work: Work, call: CommandCall): string {
  const usual = "admin";
  const name = textOption(call, "admin_user", usual);
  if (name.length <= 60 && /^[\w@.'\u00a1-\u00f7-]+(?: [\w@.'\u00a1-\u00f7-]+)*$/.test(name)) return name;
  work.log("warning", `The first account cannot have the name ${JSON.stringify(name)}: letters, digits, single spaces and @ _ . ' - are allowed. It has the name ${usual}.`);
  return usual;
}

/**
 * The drush files of modules that the profile may enable: drush would load them as soon as the site runs.
 *
 * @throws NeedsRealDrush when one of them has a part in the command
 */
export function refuseModuleHooks(site: SiteContext, core: DrupalCore, call: CommandCall): void {
  const places = ["modules", `profiles/${property(site, "profile") ?? "standard"}`, "sites/all/modules", `sites/${site.uri ?? ""}/modules`];
  const files = places.flatMap((place) => filesByEnding(join(core.root, place), [".drush.inc", ".drush8.inc"]).flatMap((found) => [...found.values()]));
  for (const command of [call.command, "provision-install-backend"]) {
    const [hook] = call.surroundings.hooksIn(files, command);
    if (hook !== undefined) throw new NeedsRealDrush(`the hook ${hook} of a module of the platform`);
  }
}
