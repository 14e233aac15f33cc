import { join } from "node:path";
import { listProperty, property, type HttpService, type PlatformContext, type ServerContext, type SiteContext } from "../../contexts/context.ts";
import { ShimError } from "../../errors/shim-error.ts";
import { readIfThere } from "../../files/look.ts";
import { textOrUndefined } from "../../php-values/convert.ts";
import disabledVhost from "../../../templates/apache/vhost-disabled.conf.hbs";
import platformFile from "../../../templates/apache/platform.conf.hbs";
import serverFile from "../../../templates/apache/server.conf.hbs";
import vhost from "../../../templates/apache/vhost.conf.hbs";
import type { ServedSite, WebOptions } from "../web-driver.ts";
import type { WebFile } from "../web-file.ts";
import { safeHost, safeMail, safePath, safePort, safeUrl } from "../safe-values.ts";
import { urlEncode } from "../url-encode.ts";

/** The server's own file, which Apache's main configuration includes. */
export function apacheServerFile(server: ServerContext, options: Pick<WebOptions, "confSuffix">): WebFile {
  const http = apacheService(server);
  const include = (path: string): string => (options.confSuffix ? `IncludeOptional ${safePath(path, "A directory of the server")}/*.conf` : `Include ${safePath(path, "A directory of the server")}`);
  const data = { name: server.name, port: safePort(http.port, `http_port of @${server.name}`), paths: http.paths, extra: [] };
  return { path: join(server.configPath, "apache.conf"), label: "web server configuration file", content: serverFile(data, { helpers: { include } }) };
}

export function apachePlatformFile(platform: PlatformContext, server: ServerContext): WebFile {
  const root = safePath(platform.root ?? "", `root of @${platform.name}`);
  const htaccess = join(root, ".htaccess");
  const data = { name: platform.name, root, htaccess: isReadable(htaccess) ? htaccess : undefined, extra: [] };
  return { path: apachePlatformPath(platform, server), label: "platform configuration file", content: platformFile(data) };
}

/** Where the web server's file for the platform stands. */
export function apachePlatformPath(platform: PlatformContext, server: ServerContext): string {
  return join(apacheService(server).paths.platform, `${platform.name}.conf`);
}

/** Where the site's virtual host stands. */
export function apacheVhostPath(site: SiteContext, server: ServerContext, options: Pick<WebOptions, "confSuffix">): string {
  return join(apacheService(server).paths.vhost, `${site.uri ?? ""}${options.confSuffix ? ".conf" : ""}`);
}

/** The site's virtual host; that of a disabled site sends all requests to the front end. */
export function apacheVhostFile({ site, credentials }: ServedSite, server: ServerContext, options: WebOptions): WebFile {
  const http = apacheService(server);
  const uri = safeHost(site.uri ?? "", `uri of @${site.name}`);
  // Nobody declares this property; who wants it writes it into the alias.
  const mail = property(site, "site_mail") ?? textOrUndefined(site.record?.get("site_mail"));
  const common = {
    uri,
    port: safePort(http.port, `http_port of @${server.name}`),
    root: safePath(site.root ?? "", `root of @${site.platform.name}`),
    mail: mail === undefined ? undefined : safeMail(mail, `site_mail of @${site.name}`),
    aliases: listProperty(site, "aliases").map((alias) => safeHost(alias.trim(), `An alias of @${site.name}`)),
  };
  const path = apacheVhostPath(site, server, options);
  const label = "virtual host configuration file";
  if (!site.enabled) {
    const disableUrl = safeUrl(property(options.master, "web_disable_url") ?? "/hosting/disabled", "web_disable_url of @server_master");
    return { path, label, content: disabledVhost({ ...common, disableUrl }) };
  }
  const db = Object.fromEntries(Object.entries(credentials).map(([key, value]) => [key, urlEncode(value as string)]));
  return { path, label, content: vhost({ ...common, db, redirect: redirection(site, common.port), extra: [] }) };
}

function redirection(site: SiteContext, port: string): { pattern: string; base: string } | undefined {
  const target = property(site, "redirection");
  if (target === undefined || target === "0") return undefined;
  const host = safeHost(target, `redirection of @${site.name}`);
  return { pattern: host.replace(/[.*]/g, "\\$&"), base: `http://${host}${port === "80" ? "" : `:${port}`}` };
}

function apacheService(server: ServerContext): HttpService & { readonly paths: NonNullable<HttpService["paths"]> } {
  const { http } = server;
  if (http?.paths === undefined) throw new ShimError("PROVISION_WEB_NO_SERVICE", `The server @${server.name} has no web service.`);
  return { ...http, paths: http.paths };
}

function isReadable(path: string): boolean {
  try {
    return readIfThere(path) !== undefined;
  } catch {
    return false;
  }
}
