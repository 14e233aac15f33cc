import { join } from "node:path";
import type { PlatformContext, ServerContext } from "../../contexts/context.ts";
import { readIfThere } from "../../files/look.ts";
import platformFile from "../../../templates/apache/platform.conf.hbs";
import serverFile from "../../../templates/apache/server.conf.hbs";
import type { TlsService } from "../certificates/tls-service.ts";
import type { WebOptions } from "../web-driver.ts";
import type { WebFile } from "../web-file.ts";
import { safePath, safePort } from "../safe-values.ts";
import { apacheService, certificateLines } from "./apache-service.ts";

/** The server's own file, which Apache's main configuration includes. */
export function apacheServerFile(server: ServerContext, options: Pick<WebOptions, "confSuffix" | "challengePath" | "extra">, tls?: TlsService): WebFile {
  const http = apacheService(server);
  const include = (path: string): string => (options.confSuffix ? `IncludeOptional ${safePath(path, "A directory of the server")}/*.conf` : `Include ${safePath(path, "A directory of the server")}`);
  const certificate = tls?.serverCertificate(server);
  const data = {
    name: server.name,
    port: safePort(http.port, `http_port of @${server.name}`),
    paths: http.paths,
    tls: tls === undefined ? undefined : { port: tls.port(server), ...(certificate === undefined ? {} : certificateLines(certificate)) },
    challenges: options.challengePath === undefined ? undefined : safePath(options.challengePath, "provision_acme_challenge_path"),
    extra: options.extra,
  };
  return { path: join(server.configPath, "apache.conf"), label: "web server configuration file", content: serverFile(data, { helpers: { include } }) };
}

export function apachePlatformFile(platform: PlatformContext, server: ServerContext, options: Pick<WebOptions, "extra">): WebFile {
  const root = safePath(platform.root ?? "", `root of @${platform.name}`);
  const htaccess = join(root, ".htaccess");
  const data = { name: platform.name, root, htaccess: isReadable(htaccess) ? htaccess : undefined, extra: options.extra };
  return { path: apachePlatformPath(platform, server), label: "platform configuration file", content: platformFile(data) };
}

/** Where the web server's file for the platform stands. */
export function apachePlatformPath(platform: PlatformContext, server: ServerContext): string {
  return join(apacheService(server).paths.platform, `${platform.name}.conf`);
}

function isReadable(path: string): boolean {
  try {
    return readIfThere(path) !== undefined;
  } catch {
    return false;
  }
}
