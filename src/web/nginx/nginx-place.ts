import { join } from "node:path";
import { isTruthy } from "../../php-values/convert.ts";
import { listProperty, property, type HttpService, type ServerContext, type SiteContext } from "../../contexts/context.ts";
import { MASTER } from "../../contexts/server.ts";
import { ShimError } from "../../errors/shim-error.ts";
import { readIfThere } from "../../files/look.ts";
import { textFromBytes } from "../../php-values/text.ts";
import tls from "../../../templates/nginx/tls.conf.hbs";
import challenges from "../../../templates/nginx/challenges.conf.hbs";
import type { ServedCertificate } from "../certificates/served-certificate.ts";
import type { WebOptions } from "../web-driver.ts";
import { safeHost, safePath, safePort } from "../safe-values.ts";

/** @throws ShimError PROVISION_WEB_NO_SERVICE */
export function nginxService(server: ServerContext): HttpService & { readonly paths: NonNullable<HttpService["paths"]> } {
  const { http } = server;
  if (http?.paths === undefined) throw new ShimError("PROVISION_WEB_NO_SERVICE", `The server @${server.name} has no web service.`);
  return { ...http, paths: http.paths };
}

export function isExtended(server: ServerContext): boolean {
  return property(server, "nginx_config_mode") !== "basic";
}

/** Whether the program of the server has what one of the properties `nginx_has_…` says. */
export function hasFeature(server: ServerContext, feature: "gzip" | "http2"): boolean {
  return isTruthy(server.properties.get(`nginx_has_${feature}`));
}

/** Since 1.25.1 HTTP/2 has a directive of its own, and the parameter of `listen` is to go. */
export function hasHttp2Directive(server: ServerContext): boolean {
  const version = /^(\d+)\.(\d+)\.(\d+)/.exec(property(server, "nginx_version") ?? "")?.slice(1).map(Number);
  return version !== undefined && isAtLeast(version, [1, 25, 1]);
}

/** The parameter of `listen` before that. What one server says of HTTP/2 holds for all that listen at the same place. */
export function http2Parameter(server: ServerContext): string {
  return hasFeature(server, "http2") && !hasHttp2Directive(server) ? " http2" : "";
}

/** Whether it is a newer version than the other one, or the same. */
export function isAtLeast(version: readonly number[], other: readonly number[]): boolean {
  for (const [index, part] of other.entries()) if (version[index] !== part) return (version[index] ?? 0) > part;
  return true;
}

const COMMON = "nginx_vhost_common.conf";

/**
 * What all sites on nginx have in common: written by the server's verify, included by each site. The folder `includes` is that of all servers; another one than the front end's
 * own has its rules beside its other files, and on its machine a link to them (in Provision it would write over the rules of the front end's machine).
 */
export function commonPath(server: ServerContext): string {
  return server.name === MASTER ? includePath(server, COMMON) : join(safePath(server.configPath, `config_path of @${server.name}`), "includes", COMMON);
}

/** Names under which virtual hosts that somebody has written by hand include those rules. */
export function commonLinks(server: ServerContext): { readonly path: string; readonly target: string }[] {
  const common = includePath(server, COMMON);
  const own = server.name === MASTER ? [] : [{ path: common, target: commonPath(server) }];
  return [...own, ...["nginx_simple_include.conf", "nginx_advanced_include.conf"].map((name) => ({ path: includePath(server, name), target: common }))];
}

function includePath(server: ServerContext, name: string): string {
  return join(safePath(server.includePath, `include_path of @${server.name}`), name);
}

/** Arguments of `listen` for all addresses of the machine. */
export function listenEverywhere(port: string, options: WebOptions, parameters = ""): string[] {
  return [`*:${port}${parameters}`, ...(options.nginx.ipv6 ? [`[::]:${port}${parameters}`] : [])];
}

export function httpPort(server: ServerContext): string {
  return safePort(nginxService(server).port, `http_port of @${server.name}`);
}

/**
 * Where PHP listens, for `fastcgi_pass`.
 *
 * @throws ShimError PROVISION_PHP_FPM_NOT_FOUND when it is to be a socket and none is known
 */
export function phpTarget(server: ServerContext): string {
  if (property(server, "phpfpm_mode") !== "socket") return "127.0.0.1:9000";
  const socket = property(server, "phpfpm_socket") ?? socketOfRules(server);
  if (socket === undefined) {
    throw new ShimError("PROVISION_PHP_FPM_NOT_FOUND", `The web server @${server.name} reaches PHP by a socket (phpfpm_mode), but none is known.`, { hint: "start PHP-FPM and verify the server, or save it with --phpfpm_socket=PATH" });
  }
  return `unix:${safePath(socket, `phpfpm_socket of @${server.name}`)}`;
}

/** The one in the rules of all sites. Provision saves no path: a server that it has verified last has it only there. */
function socketOfRules(server: ServerContext): string | undefined {
  const rules = readIfThere(commonPath(server));
  return rules === undefined ? undefined : /^\s*fastcgi_pass\s+unix:(\/[^;\s]+)\s*;/m.exec(textFromBytes(rules))?.[1];
}

/**
 * The location that answers certificate authorities: from the place where answers are put, else from the document root.
 *
 * @param root false where there is none
 * @param otherwise what is asked when it has no such file
 */
export function challengeLocation(options: WebOptions, { root, otherwise = "=404" }: { readonly root: boolean; readonly otherwise?: string }): string {
  const path = options.challengePath === undefined ? undefined : safePath(options.challengePath, "provision_acme_challenge_path");
  return challenges({ path, root, otherwise }).trimEnd();
}

/** Leaf and intermediates are one file for nginx. */
export function certificateLines({ fullChain, key }: Pick<ServedCertificate, "fullChain" | "key">): string {
  return tls({ certificate: safePath(fullChain, "The path of a certificate"), key: safePath(key, "The path of a key") }).trimEnd();
}

/** The site's hosts as `server_name` takes them, each once; a sub-folder's stands for itself with dots. */
export function siteHosts(site: SiteContext): { readonly uri: string; readonly aliases: readonly string[] } {
  const uri = safeHost(site.uri ?? "", `uri of @${site.name}`);
  const aliases = listProperty(site, "aliases").map((alias) => hostName(safeHost(alias.trim(), `An alias of @${site.name}`)));
  return { uri, aliases: [...new Set(aliases)].filter((alias) => alias !== uri) };
}

export function hostName(alias: string): string {
  return alias.replaceAll("/", ".");
}
