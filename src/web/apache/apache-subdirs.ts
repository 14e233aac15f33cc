import type { ServerContext, SiteContext } from "../../contexts/context.ts";
import disabledSubdir from "../../../templates/apache/subdir-disabled.conf.hbs";
import parentVhost from "../../../templates/apache/subdir-parent.conf.hbs";
import subdirFile from "../../../templates/apache/subdir.conf.hbs";
import type { ServedSite, WebOptions } from "../web-driver.ts";
import type { VhostCredentials, WebFileChange } from "../web-file.ts";
import { safeHost, safePath, safePort } from "../safe-values.ts";
import { goneSubdirs, parentHeader, subdirFiles, subdirFolder, subdirHeader, type Subdir, type SubdirTexts } from "../subdirs.ts";
import { apacheService } from "./apache-service.ts";
import { apacheVhostPath, disableUrl, encodedCredentials, escapedPattern, vhostFile } from "./apache-vhost.ts";

/** The site's sub-folders of other hosts, and what is left of former ones. */
export function apacheSubdirFiles(served: ServedSite, server: ServerContext, options: WebOptions): WebFileChange[] {
  return subdirFiles(served.site, server, { options, texts: texts(served.site, server, { options, credentials: served.credentials }) });
}

/** The virtual host and all sub-folders of a site that goes. */
export function goneApacheSite(site: SiteContext, server: ServerContext, options: WebOptions): WebFileChange[] {
  return goneSubdirs(site, server, { vhost: apacheVhostPath(site, server, options), options, texts: texts(site, server, { options, credentials: undefined }) });
}

function texts(site: SiteContext, server: ServerContext, { options, credentials }: { readonly options: WebOptions; readonly credentials: VhostCredentials | undefined }): SubdirTexts {
  return {
    subdir: (subdir) => subdirText(site, subdir, { options, credentials }),
    parent: (host) => parentVhost({ header: parentHeader(host), parent: safeHost(host, "The host of a sub-folder"), port: safePort(apacheService(server).port, `http_port of @${server.name}`), subdirs: safePath(subdirFolder(server, host), `A directory of @${server.name}`) }),
    parentPath: (host) => vhostFile(host, server, options),
  };
}

function subdirText(site: SiteContext, subdir: Subdir, { options, credentials }: { readonly options: WebOptions; readonly credentials: VhostCredentials | undefined }): string {
  const uri = safeHost(site.uri ?? "", `uri of @${site.name}`);
  const folders = subdir.folders.map((folder) => ({ folder, pattern: escapedPattern(folder) }));
  const header = subdirHeader(site, subdir);
  if (!site.enabled) return disabledSubdir({ header, folders: folders.map((one) => ({ ...one, uri, disableUrl: disableUrl(options) })) });
  const root = safePath(site.root ?? "", `root of @${site.platform.name}`);
  const common = { root, rootPattern: escapedPattern(root), db: credentials === undefined ? undefined : encodedCredentials(credentials) };
  return subdirFile({ header, folders: folders.map((one) => ({ ...one, ...common })) });
}
