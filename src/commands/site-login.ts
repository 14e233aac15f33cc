import { join } from "node:path";
import type { ServerContext } from "../contexts/context.ts";
import type { Db } from "../database/connection.ts";
import { jsonText } from "../drupal/bridge.ts";
import { effectiveSalt, readGeneratedSettings } from "../drupal/generated-settings.ts";
import { loginLink, readProofRecipe } from "../drupal/login-link.ts";
import type { DbCredentials } from "../drupal/settings-php.ts";
import { ShimError } from "../errors/shim-error.ts";
import { readIfThere } from "../files/look.ts";
import { textFromBytes } from "../php-values/text.ts";
import type { Work } from "../task/plan.ts";
import { urlEncode } from "../web/url-encode.ts";
import { askDrupal, type SiteAtWork } from "./drupal-work.ts";
import { siteCredentials } from "./web-work.ts";

/** What of a site's settings.php one-time links depend on. */
export interface LoginSettings {
  readonly salt: string;
  readonly baseUrl: string;
}

/**
 * What the site's settings.php, as it is, comes to in the web server: the credentials there may be cloaked and are encoded in the virtual host. A file of the
 * generated form is read as data, any other one by PHP.
 *
 * @throws ShimError DRUPAL_SITE_SETTINGS_NOT_FOUND
 */
export async function loginSettings(work: Work, at: SiteAtWork, master: ServerContext): Promise<LoginSettings> {
  const { site, core, call } = at;
  const text = textOf(join(site.sitePath, "settings.php"));
  if (text === undefined) throw new ShimError("DRUPAL_SITE_SETTINGS_NOT_FOUND", `The site @${site.name} has no settings.php in ${site.sitePath}.`, { hint: "is it installed?" });
  const credentials = asInWebServer(siteCredentials(call.options.set("site")));
  const { type, name, user, password, host, port } = credentials;
  const server = { db_type: type, db_name: name, db_user: user, db_passwd: password, db_host: host, db_port: port };
  const included = [join(master.includePath, "global.inc"), join(core.root, "sites/all/platform.settings.php"), join(site.sitePath, "local.settings.php")];
  const settings = readGeneratedSettings(text, server, included.map((path) => textOf(path) ?? ""));
  if (settings !== undefined) return { salt: effectiveSalt(settings), baseUrl: `http://${site.uri ?? ""}` };
  const answer = await askDrupal(work, at, { job: "settings-7", data: { variables: [] }, failure: "PROVISION_DRUPAL_FAILED", credentials });
  return { salt: jsonText(answer["hash_salt"]), baseUrl: jsonText(answer["base_url"]) };
}

/**
 * A link that logs the first user in once. Where this Drupal makes its proofs in a way that is not known, its own code makes it.
 *
 * @param from `allowed` rejects when there is not to be a link
 * @throws ShimError DRUSH_USER_LOGIN_FAILED, PROVISION_DRUPAL_FAILED
 */
export async function firstUserLink(work: Work, at: SiteAtWork, { db, settings, allowed }: { readonly db: Db; readonly settings: LoginSettings; readonly allowed: Promise<void> }): Promise<string> {
  // It must not be an error that nobody waits for when the recipe cannot be read.
  allowed.catch(() => undefined);
  const recipe = readProofRecipe(at.core);
  if (recipe !== undefined) {
    // The server sees to both questions one after the other.
    const [, link] = await Promise.all([allowed, loginLink(db, { uid: 1, ...settings, recipe, now: new Date() })]);
    return link;
  }
  await allowed;
  const answer = await askDrupal(work, at, { job: "login-7", data: { uid: 1 }, failure: "DRUSH_USER_LOGIN_FAILED" });
  return jsonText(answer["login_link"]);
}

function asInWebServer(credentials: DbCredentials): DbCredentials {
  const { type, name, user, password, host, port } = credentials;
  return { type: urlEncode(type), name: urlEncode(name), user: urlEncode(user), password: urlEncode(password), host: urlEncode(host), port: urlEncode(port) };
}

function textOf(path: string): string | undefined {
  const bytes = readIfThere(path);
  return bytes === undefined ? undefined : textFromBytes(bytes);
}
