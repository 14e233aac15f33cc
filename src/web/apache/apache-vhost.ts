import { join } from "node:path";
import { listProperty, property, type ServerContext, type SiteContext } from "../../contexts/context.ts";
import { textOrUndefined } from "../../php-values/convert.ts";
import disabledVhost from "../../../templates/apache/vhost-disabled.conf.hbs";
import vhost from "../../../templates/apache/vhost.conf.hbs";
import type { SiteTls } from "../certificates/tls.ts";
import { includedSubdirs } from "../subdirs.ts";
import type { ServedSite, WebOptions } from "../web-driver.ts";
import type { VhostCredentials, WebFile } from "../web-file.ts";
import { safeHost, safeMail, safePath, safePort, safeUrl } from "../safe-values.ts";
import { urlEncode } from "../url-encode.ts";
import { apacheService, certificateLines } from "./apache-service.ts";

/** Where the site's virtual host stands. */
export function apacheVhostPath(site: SiteContext, server: ServerContext, options: Pick<WebOptions, "confSuffix">): string {
  return vhostFile(site.uri ?? "", server, options);
}

/** Where the virtual host of that name stands. */
export function vhostFile(name: string, server: ServerContext, options: Pick<WebOptions, "confSuffix">): string {
  return join(apacheService(server).paths.vhost, `${name}${options.confSuffix ? ".conf" : ""}`);
}

/** The site's virtual hosts, that for HTTPS first; those of a disabled site send all requests to the front end. */
export function apacheVhostFile({ site, credentials }: ServedSite, server: ServerContext, { options, tls }: { readonly options: WebOptions; readonly tls: SiteTls | undefined }): WebFile {
  const http = apacheService(server);
  const uri = safeHost(site.uri ?? "", `uri of @${site.name}`);
  // Nobody declares this property; who wants it writes it into the alias.
  const mail = property(site, "site_mail") ?? textOrUndefined(site.record?.get("site_mail"));
  const common = {
    uri,
    root: safePath(site.root ?? "", `root of @${site.platform.name}`),
    mail: mail === undefined ? undefined : safeMail(mail, `site_mail of @${site.name}`),
    aliases: listProperty(site, "aliases").map((alias) => safeHost(alias.trim(), `An alias of @${site.name}`)),
  };
  const port = safePort(http.port, `http_port of @${server.name}`);
  const plainHost = { ...common, address: "*", port };
  const tlsHosts = tls === undefined ? [] : [{ ...common, address: tls.address ?? "*", port: tls.port, tls: certificateLines(tls.certificate) }];
  const path = apacheVhostPath(site, server, options);
  const label = "virtual host configuration file";
  if (!site.enabled) {
    const url = disableUrl(options);
    return { path, label, content: disabledVhost({ uri, hosts: [...tlsHosts, plainHost].map((host) => ({ ...host, disableUrl: url })) }) };
  }
  const more = {
    db: encodedCredentials(credentials),
    subdirs: options.subdirs ? includedSubdirs(site, server).map((path) => safePath(path, `A directory of @${server.name}`)) : [],
    extra: options.extra,
  };
  const hosts = [
    ...tlsHosts.map((host) => ({ ...host, ...more, redirect: aliasRedirect(site, "https", host.port) })),
    { ...plainHost, ...more, redirect: tls?.isRequired === true ? tlsRedirect(site, tls.port) : aliasRedirect(site, "http", port) },
  ];
  return { path, label, content: vhost({ uri, hosts }) };
}

export function disableUrl({ master }: Pick<WebOptions, "master">): string {
  return safeUrl(property(master, "web_disable_url") ?? "/hosting/disabled", "web_disable_url of @server_master");
}

export function encodedCredentials(credentials: VhostCredentials): Record<string, string> {
  return Object.fromEntries(Object.entries(credentials).map(([key, value]) => [key, urlEncode(value as string)]));
}

export function escapedPattern(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

interface Redirect {
  /** All other hosts than the one that matches this are redirected; undefined: all are. */
  readonly others?: string;
  /** Beginning of the place that they are sent to, with the path to follow. */
  readonly base: string;
  /** It is one to a selected host. */
  readonly aliases: boolean;
}

function aliasRedirect(site: SiteContext, scheme: "http" | "https", port: string): Redirect | undefined {
  const host = selectedHost(site);
  return host === undefined ? undefined : { others: escapedPattern(host), base: `${scheme}://${host}${portSuffix(scheme, port)}`, aliases: true };
}

/** From plain HTTP to HTTPS, in one step to the selected host if there is one. */
function tlsRedirect(site: SiteContext, port: string): Redirect {
  const host = selectedHost(site);
  return { base: `https://${host ?? "%{SERVER_NAME}"}${portSuffix("https", port)}`, aliases: host !== undefined };
}

function portSuffix(scheme: "http" | "https", port: string): string {
  return port === (scheme === "http" ? "80" : "443") ? "" : `:${port}`;
}

function selectedHost(site: SiteContext): string | undefined {
  const target = property(site, "redirection");
  return target === undefined || target === "0" ? undefined : safeHost(target, `redirection of @${site.name}`);
}
