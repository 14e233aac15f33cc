import { dirname, join } from "node:path";
import { dbReason, type Db } from "../database/connection.ts";
import { NeedsRealDrush } from "../errors/needs-real-drush.ts";
import { ShimError } from "../errors/shim-error.ts";
import { namesIn } from "../files/look.ts";
import { PhpArray } from "../php-values/php-array.ts";
import { step, type Plan } from "../task/plan.ts";
import type { CommandCall } from "./command.ts";
import type { SiteAtWork } from "./drupal-work.ts";
import { nativeCore, nativeServer, targetSite } from "./native-reach.ts";
import { connectToSite, siteUri } from "./site-examination.ts";
import { firstUserLink, loginSettings } from "./site-login.ts";
import { writeSiteDrushrc } from "./site-settings.ts";

/**
 * `provision-login-reset`: a link that logs the first user of a Drupal 7 site in once, without running its Drupal (Provision 7.x-3.x has drush's user-login do it).
 */
export async function prepare(call: CommandCall): Promise<Plan> {
  const site = targetSite(call);
  await nativeServer(site.platform.webServer, call);
  const core = nativeCore(site.platform, "code");
  siteUri(site);
  await call.options.loadRoot(core.root);
  await call.options.loadSite(site.sitePath);
  const master = await call.contexts.master();
  const at: SiteAtWork = { site, core, call };
  let db: Db | undefined;
  return {
    title: `make a login link for site @${site.name}`,
    context: site.name,
    cleanUp: () => db?.close(),
    steps: [
      step("make the link", async (work) => {
        const connecting = connectToSite(site, call);
        // It must not be an error that nobody waits for when the settings fail first.
        connecting.catch(() => undefined);
        const settings = await loginSettings(work, at, master);
        db = await connecting;
        const link = await firstUserLink(work, at, { db, settings, allowed: refuseModuleHooks(db, at) });
        call.options.put("process", "browser", false);
        call.options.put("process", "login_link", link);
        call.options.putObject(PhpArray.of([[1, link]]));
        work.log("success", `Login url: ${link}`);
      }),
      step("write the site's drushrc.php", (work) => writeSiteDrushrc(work, site, call)),
    ],
  };
}

/** Drush files of enabled modules, which drush would load, beside them. */
async function refuseModuleHooks(db: Db, { site, core, call }: SiteAtWork): Promise<void> {
  let rows;
  try {
    rows = await db.rows("SELECT filename FROM `system` WHERE type = 'module' AND status = 1");
  } catch (cause) {
    throw new ShimError("PROVISION_DRUPAL_SITE_NOT_FOUND", `The database of @${site.name} holds no Drupal 7 site: ${dbReason(cause)}`, { hint: "is it installed?", cause });
  }
  const folders = new Set(rows.map(({ filename }) => join(core.root, dirname(filename ?? ""))));
  const files = [...folders].flatMap((folder) => namesIn(folder).filter((name) => /\.drush8?\.inc$/.test(name)).map((name) => join(folder, name)));
  const [hook] = call.surroundings.hooksIn(files, call.command);
  if (hook !== undefined) throw new NeedsRealDrush(`the hook ${hook} of a module of the site`);
}
