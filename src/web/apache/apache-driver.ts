import { httpsService, sslService, type TlsService } from "../certificates/tls-service.ts";
import { warnOfUnservedParents } from "../subdirs.ts";
import type { WebDriver } from "../web-driver.ts";
import { goneFile } from "../web-file.ts";
import { apacheControl } from "./apache-control.ts";
import { apachePlatformFile, apachePlatformPath, apacheServerFile } from "./apache-files.ts";
import { apacheSubdirFiles, goneApacheSite } from "./apache-subdirs.ts";
import { apacheVhostFile, apacheVhostPath, vhostFile } from "./apache-vhost.ts";
import { buildShadow } from "./shadow-config.ts";
import { apacheWatched } from "./watched-files.ts";

/** `apache` of Provision 7.x-3.x. */
export const apacheDriver: WebDriver = driverWith();

/** `apache_ssl` of Provision 7.x-3.x. It writes to the same paths. */
export const apacheSslDriver: WebDriver = driverWith(sslService);

/** `https_apache` of hosting_https. */
export const apacheHttpsDriver: WebDriver = driverWith(httpsService);

function driverWith(tls?: TlsService): WebDriver {
  return {
    application: "apache",
    serverFiles: (server, options) => [...(tls?.serverCertificate(server)?.changes ?? []), apacheServerFile(server, options, tls)],
    platformFiles: (platform, server, options) => [apachePlatformFile(platform, server, options)],
    goneWithPlatform: (platform, server) => [goneFile({ path: apachePlatformPath(platform, server), label: "platform configuration file" })],
    siteFiles: (served, server, options) => [
      ...(tls?.siteFiles(served.site, server) ?? []),
      apacheVhostFile(served, server, { options, tls: tls?.siteTls(served.site, server) }),
      ...apacheSubdirFiles(served, server, options),
    ],
    goneWithSite: (site, server, options) => [...goneApacheSite(site, server, options), ...(tls?.goneWithSite(site, server) ?? [])],
    vhostPath: apacheVhostPath,
    ...(tls === undefined ? {} : { prepareServer: (work, server, options) => tls.prepareServer(work, server, options) }),
    prepareSite: async (work, site, server, options) => {
      await tls?.prepareSite(work, site, server, options);
      warnOfUnservedParents(work, site, server, { options, vhostOf: (name) => vhostFile(name, server, options) });
    },
    control: apacheControl,
    shadow: buildShadow,
    watched: apacheWatched,
  };
}
