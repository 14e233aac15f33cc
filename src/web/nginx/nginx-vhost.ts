import { join } from "node:path";
import { property, type ServerContext, type SiteContext } from "../../contexts/context.ts";
import disabledVhost from "../../../templates/nginx/vhost-disabled.conf.hbs";
import vhost from "../../../templates/nginx/vhost.conf.hbs";
import { safeHost, safePath, safeUrl } from "../safe-values.ts";
import { urlEncode } from "../url-encode.ts";
import type { ServedSite, WebOptions } from "../web-driver.ts";
import type { VhostCredentials, WebFile } from "../web-file.ts";
import { challengeLocation, commonPath, hostName, httpPort, listenEverywhere, nginxService, siteHosts } from "./nginx-place.ts";

const LABEL = "virtual host configuration file";

/** Where the site's virtual host stands. */
export function nginxVhostPath(site: SiteContext, server: ServerContext, options: Pick<WebOptions, "confSuffix">): string {
  return join(nginxService(server).paths.vhost, `${site.uri ?? ""}${options.confSuffix ? ".conf" : ""}`);
}

/** The site's virtual host; that of a disabled site sends all requests to the front end. */
export function nginxVhostFile(served: ServedSite, server: ServerContext, options: WebOptions): WebFile {
  const { site } = served;
  const path = nginxVhostPath(site, server, options);
  const { uri, aliases } = siteHosts(site);
  const root = safePath(site.root ?? "", `root of @${site.platform.name}`);
  const plain = { listen: listenEverywhere(httpPort(server), options), scheme: "http", port: httpPort(server) };
  if (!site.enabled) {
    const disableUrl = safeUrl(property(options.master, "web_disable_url") ?? "/hosting/disabled", "web_disable_url of @server_master");
    const block = { names: [uri, ...aliases], uri, root, disableUrl, challenges: challengeLocation(options, { root: true }) };
    return { path, label: LABEL, content: disabledVhost({ uri, mains: [{ ...block, ...plain }] }) };
  }
  const target = redirectionOf(site);
  const away = target === undefined ? [] : redirected(uri, aliases, target);
  const redirects = away.map((name) => ({ ...plain, name, root, base: baseUrl(plain.scheme, target ?? "", plain.port), challenges: challengeLocation(options, { root: true }) }));
  const main = {
    ...plain,
    uri,
    root,
    names: target === undefined ? [uri, ...aliases] : [target],
    db: databaseParameters(served.credentials, options.master),
    common: commonPath(server),
    challenges: challengeLocation(options, { root: true, otherwise: "@drupal" }),
    extra: [],
  };
  return { path, label: LABEL, content: vhost({ uri, redirects, mains: [main] }) };
}

function redirectionOf(site: SiteContext): string | undefined {
  const target = property(site, "redirection");
  return target === undefined || target === "0" ? undefined : hostName(safeHost(target, `redirection of @${site.name}`));
}

/** All hosts of the site but the one that they are sent to. */
function redirected(uri: string, aliases: readonly string[], target: string): string[] {
  const isTarget = (host: string): boolean => host.toLowerCase() === target.toLowerCase();
  if (isTarget(uri)) return [...aliases];
  // The main host takes the place of the alias.
  return aliases.some(isTarget) ? aliases.map((alias) => (isTarget(alias) ? uri : alias)) : [uri, ...aliases];
}

function baseUrl(scheme: string, host: string, port: string): string {
  const usual = scheme === "https" ? "443" : "80";
  return `${scheme}://${host}${port === usual ? "" : `:${port}`}`;
}

/** One value that is missing would break the configuration of all sites: then they are those of no database. */
function databaseParameters(credentials: VhostCredentials, master: ServerContext): VhostCredentials {
  const { type, name, user, password, host } = credentials;
  const port = credentials.port === "" ? (property(master, "db_port") ?? "3306") : credentials.port;
  const known = [type, name, user, password, host].includes("") ? { type: "mysqli", name: "none", user: "none", password: "none", host: "localhost" } : credentials;
  return { type: urlEncode(known.type), name: urlEncode(known.name), user: urlEncode(known.user), password: urlEncode(known.password), host: urlEncode(known.host), port: urlEncode(port) };
}
