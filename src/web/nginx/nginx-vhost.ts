import { join } from "node:path";
import { property, type ServerContext, type SiteContext } from "../../contexts/context.ts";
import disabledVhost from "../../../templates/nginx/vhost-disabled.conf.hbs";
import vhost from "../../../templates/nginx/vhost.conf.hbs";
import type { SiteTls } from "../certificates/tls.ts";
import { safeHost, safePath, safeUrl } from "../safe-values.ts";
import { subdirFolder } from "../subdirs.ts";
import { urlEncode } from "../url-encode.ts";
import type { ServedSite, WebOptions } from "../web-driver.ts";
import type { VhostCredentials, WebFile } from "../web-file.ts";
import { certificateLines, challengeLocation, commonPath, hostName, http2Parameter, httpPort, listenEverywhere, nginxService, siteHosts } from "./nginx-place.ts";

/** Where the site's virtual host stands. */
export function nginxVhostPath(site: SiteContext, server: ServerContext, options: Pick<WebOptions, "confSuffix">): string {
  return vhostFile(site.uri ?? "", server, options);
}

/** Where the virtual host of that name stands. */
export function vhostFile(name: string, server: ServerContext, options: Pick<WebOptions, "confSuffix">): string {
  return join(nginxService(server).paths.vhost, `${name}${options.confSuffix ? ".conf" : ""}`);
}

/** How a site is asked for: over plain HTTP, or over TLS. */
interface Way {
  readonly scheme: "http" | "https";
  readonly port: string;
  readonly listen: readonly string[];
  /** Directives for the certificate. */
  readonly tls: string | undefined;
}

/** The site's servers, those for HTTPS first; those of a disabled site send all requests to the front end. */
export function nginxVhostFile(served: ServedSite, server: ServerContext, { options, tls }: { readonly options: WebOptions; readonly tls: SiteTls | undefined }): WebFile {
  const { site } = served;
  const { uri } = siteHosts(site);
  const ways = [...(tls === undefined ? [] : [tlsWay(tls, server, options)]), plainWay(server, options)];
  const content = site.enabled ? enabledText(served, server, { options, tls, ways }) : disabledText(site, options, ways);
  return { path: vhostFile(uri, server, options), label: "virtual host configuration file", content };
}

function plainWay(server: ServerContext, options: WebOptions): Way {
  const port = httpPort(server);
  return { scheme: "http", port, listen: listenEverywhere(port, options), tls: undefined };
}

function tlsWay({ address, port, certificate }: SiteTls, server: ServerContext, options: WebOptions): Way {
  // Where all addresses are listened to, the server's own file says that it speaks HTTP/2.
  const listen = address === undefined ? listenEverywhere(port, options, " ssl") : [`${address}:${port} ssl${http2Parameter(server)}`];
  return { scheme: "https", port, listen, tls: certificateLines(certificate) };
}

interface Written {
  readonly options: WebOptions;
  readonly tls: SiteTls | undefined;
  readonly ways: readonly Way[];
}

function enabledText({ site, credentials }: ServedSite, server: ServerContext, { options, tls, ways }: Written): string {
  const { uri, aliases } = siteHosts(site);
  const root = safeRoot(site);
  const target = redirectionOf(site);
  const required = tls?.isRequired === true ? tls : undefined;
  // Who comes over plain HTTP where HTTPS is required gets there in one step.
  const redirects = ways.flatMap((way) => redirected(site, target).map((name) => ({ ...way, name, root, base: required === undefined ? baseUrl(way, target ?? "") : baseUrl({ scheme: "https", port: required.port }, target ?? ""), challenges: challengeLocation(options, { root: true }) })));
  const mains = ways.map((way) => {
    const secure = required === undefined || way.scheme === "https" ? undefined : baseUrl({ scheme: "https", port: required.port }, target ?? "$host");
    return {
      ...way,
      uri,
      root,
      https: way.scheme === "https",
      names: target === undefined ? [uri, ...aliases] : [target],
      db: databaseParameters(credentials, options.master),
      secure,
      common: commonPath(server),
      // An extension for certificates may bring the same location.
      challenges: options.extra.some((lines) => lines.includes("/.well-known/acme-challenge")) ? "" : challengeLocation(options, { root: true, ...(secure === undefined ? { otherwise: "@drupal" } : {}) }),
      subdirs: options.subdirs ? safePath(subdirFolder(server, uri), `A directory of @${server.name}`) : undefined,
      extra: options.extra,
    };
  });
  return vhost({ uri, redirects, mains });
}

function disabledText(site: SiteContext, options: WebOptions, ways: readonly Way[]): string {
  const { uri, aliases } = siteHosts(site);
  const common = { names: [uri, ...aliases], uri, root: safeRoot(site), disableUrl: disableUrl(options), challenges: challengeLocation(options, { root: true }) };
  return disabledVhost({ uri, mains: ways.map((way) => ({ ...common, ...way })) });
}

export function safeRoot(site: SiteContext): string {
  return safePath(site.root ?? "", `root of @${site.platform.name}`);
}

export function disableUrl({ master }: Pick<WebOptions, "master">): string {
  return safeUrl(property(master, "web_disable_url") ?? "/hosting/disabled", "web_disable_url of @server_master");
}

function redirectionOf(site: SiteContext): string | undefined {
  const target = property(site, "redirection");
  return target === undefined || target === "0" ? undefined : hostName(safeHost(target, `redirection of @${site.name}`));
}

/** All hosts of the site but the one that they are sent to. */
function redirected(site: SiteContext, target: string | undefined): readonly string[] {
  if (target === undefined) return [];
  const { uri, aliases } = siteHosts(site);
  const isTarget = (host: string): boolean => host.toLowerCase() === target.toLowerCase();
  if (isTarget(uri)) return aliases;
  // The main host takes the place of the alias.
  return aliases.some(isTarget) ? aliases.map((alias) => (isTarget(alias) ? uri : alias)) : [uri, ...aliases];
}

function baseUrl({ scheme, port }: Pick<Way, "scheme" | "port">, host: string): string {
  return `${scheme}://${host}${port === (scheme === "https" ? "443" : "80") ? "" : `:${port}`}`;
}

/** One value that is missing would break the configuration of all sites: then they are those of no database. */
export function databaseParameters(credentials: VhostCredentials, master: ServerContext): VhostCredentials {
  const { type, name, user, password, host } = credentials;
  const port = credentials.port === "" ? (property(master, "db_port") ?? "3306") : credentials.port;
  const known = [type, name, user, password, host].includes("") ? { type: "mysqli", name: "none", user: "none", password: "none", host: "localhost" } : credentials;
  return { type: urlEncode(known.type), name: urlEncode(known.name), user: urlEncode(known.user), password: urlEncode(known.password), host: urlEncode(known.host), port: urlEncode(port) };
}
