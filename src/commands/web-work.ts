import { readIfThere } from "../files/look.ts";
import { textOrUndefined } from "../php-values/convert.ts";
import type { PhpArray } from "../php-values/php-array.ts";
import { bytesFromText } from "../php-values/text.ts";
import type { VhostCredentials, WebFile } from "../web/apache-files.ts";
import type { WebSettings } from "../web/web-transaction.ts";
import type { CommandCall } from "./command.ts";
import { switchOption } from "./native-reach.ts";

export function webSettings(call: CommandCall, umask?: number): WebSettings {
  const { cwd, variables, remembered } = call.surroundings;
  return { environment: { cwd, variables }, remembered, ...(umask === undefined ? {} : { umask }) };
}

/** True when the file is in place as it is to be. */
export function isInPlace(file: WebFile): boolean {
  return readIfThere(file.path)?.equals(bytesFromText(file.content)) === true;
}

export function apacheOptions(call: CommandCall): { readonly confSuffix: boolean } {
  return { confSuffix: switchOption(call, "provision_apache_conf_suffix", false) };
}

/** The credentials that a site's drushrc.php holds; what is not there is empty. On Drupal 7 the type is never `mysqli`. */
export function siteCredentials(site: PhpArray): VhostCredentials {
  const text = (key: string): string => textOrUndefined(site.get(key)) ?? "";
  const type = text("db_type");
  return { type: type === "mysqli" ? "mysql" : type, name: text("db_name"), user: text("db_user"), password: text("db_passwd"), host: text("db_host"), port: text("db_port") };
}

