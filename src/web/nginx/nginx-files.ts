import { join } from "node:path";
import type { ServerContext } from "../../contexts/context.ts";
import common from "../../../templates/nginx/common.conf.hbs";
import maps from "../../../templates/nginx/maps.conf.hbs";
import serverFile from "../../../templates/nginx/server.conf.hbs";
import type { TlsService } from "../certificates/tls-service.ts";
import { safePath } from "../safe-values.ts";
import type { WebOptions } from "../web-driver.ts";
import type { WebFile } from "../web-file.ts";
import { certificateLines, challengeLocation, commonPath, hasFeature, hasHttp2Directive, http2Parameter, httpPort, isExtended, listenEverywhere, nginxService, phpTarget } from "./nginx-place.ts";
import { nginxRules, phpLines } from "./nginx-rules.ts";

/** The server's own file, which nginx's main configuration includes. */
export function nginxServerFile(server: ServerContext, options: WebOptions, tls?: TlsService): WebFile {
  const { paths } = nginxService(server);
  for (const path of [paths.pre, paths.platform, paths.vhost, paths.post]) safePath(path, "A directory of the server");
  const extended = isExtended(server);
  const data = {
    name: server.name,
    paths,
    extended,
    http2: tls !== undefined && hasFeature(server, "http2") && hasHttp2Directive(server),
    tls: tls === undefined ? undefined : catchAllTls(server, options, tls),
    gzipStatic: hasFeature(server, "gzip"),
    statePath: safePath(options.nginx.statePath, "provision_nginx_state_path"),
    logPath: safePath(options.nginx.logPath, "provision_nginx_log_path"),
    // Files of sites in folders that were written by the extended rules name these until they are written again.
    maps: extended || options.subdirs ? mapsText() : "",
    listen: listenEverywhere(httpPort(server), options),
    challenges: challengeLocation(options, { root: false }),
    extra: options.extra,
  };
  return { path: join(server.configPath, "nginx.conf"), label: "web server configuration file", content: serverFile(data) };
}

/** Requests over TLS for names that no site has. An address that a site has for itself is that site's, whatever the name. */
function catchAllTls(server: ServerContext, options: WebOptions, tls: TlsService): { readonly listen: readonly string[]; readonly lines: string | undefined } {
  const certificate = tls.serverCertificate(server);
  return { listen: listenEverywhere(tls.port(server), options, ` ssl${http2Parameter(server)} default_server`), lines: certificate === undefined ? undefined : certificateLines(certificate) };
}

/** So many parameters that only say where a visitor comes from are taken out of a page's name. */
const STRIPPED = 6;

function mapsText(): string {
  const names = ["request_uri", ...Array.from({ length: STRIPPED }, (_, index) => `key_uri_${index + 1}`)];
  const strips = names.slice(1).map((to, index) => ({ from: names[index], to }));
  return maps({ strips, stripped: names.at(-1) }).trimEnd();
}

/** The rules that each site includes. */
export function nginxCommonFile(server: ServerContext): WebFile {
  const extended = isExtended(server);
  const rules = nginxRules({ extended, at: "", suffix: "", siteFiles: "/sites/$main_site_name/files", lookup: "$uri", root: undefined, parameters: [], php: phpLines(phpTarget(server)) });
  return { path: commonPath(server), label: "configuration file of all sites", content: common({ ...rules, extended }, { helpers: { use: rules.use } }) };
}
