import { httpsService, sslService, type TlsService } from "../certificates/tls-service.ts";
import { warnOfUnservedParents } from "../subdirs.ts";
import type { WebDriver } from "../web-driver.ts";
import { nginxCommonFile, nginxServerFile } from "./nginx-files.ts";
import { nginxControl } from "./nginx-control.ts";
import { commonLinks } from "./nginx-place.ts";
import { probeNginx } from "./probe-nginx.ts";
import { goneNginxSite, nginxSubdirFiles } from "./nginx-subdirs.ts";
import { nginxVhostFile, nginxVhostPath, vhostFile } from "./nginx-vhost.ts";
import { buildShadow } from "./shadow-config.ts";
import { nginxWatched } from "./watched-files.ts";

/** `nginx` of Provision 7.x-3.x; also `nginx_inc`, its name of old. */
export const nginxDriver: WebDriver = driverWith();

/** `nginx_ssl` of Provision 7.x-3.x. It writes to the same paths. */
export const nginxSslDriver: WebDriver = driverWith(sslService);

/** `https_nginx` of hosting_https. */
export const nginxHttpsDriver: WebDriver = driverWith(httpsService);

function driverWith(tls?: TlsService): WebDriver {
  return {
    application: "nginx",
    serverFiles: (server, options) => [...(tls?.serverCertificate(server)?.changes ?? []), nginxCommonFile(server), nginxServerFile(server, options, tls)],
    // As in the original: the rules of all platforms are those of the server.
    platformFiles: () => [],
    goneWithPlatform: () => [],
    siteFiles: (served, server, options) => [
      ...(tls?.siteFiles(served.site, server) ?? []),
      nginxVhostFile(served, server, { options, tls: tls?.siteTls(served.site, server) }),
      ...nginxSubdirFiles(served, server, options),
    ],
    goneWithSite: (site, server, options) => [...goneNginxSite(site, server, options), ...(tls?.goneWithSite(site, server) ?? [])],
    serverLinks: commonLinks,
    probe: probeNginx,
    vhostPath: nginxVhostPath,
    ...(tls === undefined ? {} : { prepareServer: (work, server, options) => tls.prepareServer(work, server, options) }),
    prepareSite: async (work, site, server, options) => {
      await tls?.prepareSite(work, site, server, options);
      warnOfUnservedParents(work, site, server, { options, vhostOf: (name) => vhostFile(name, server, options) });
    },
    control: nginxControl,
    shadow: buildShadow,
    watched: nginxWatched,
  };
}
