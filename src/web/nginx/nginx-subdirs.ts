import type { ServerContext, SiteContext } from "../../contexts/context.ts";
import disabledSubdir from "../../../templates/nginx/subdir-disabled.conf.hbs";
import parentVhost from "../../../templates/nginx/subdir-parent.conf.hbs";
import subdirFile from "../../../templates/nginx/subdir.conf.hbs";
import { safeHost, safePath } from "../safe-values.ts";
import { goneSubdirs, parentHeader, subdirFiles, subdirFolder, subdirHeader, type Subdir, type SubdirTexts } from "../subdirs.ts";
import type { ServedSite, WebOptions } from "../web-driver.ts";
import type { VhostCredentials, WebFileChange } from "../web-file.ts";
import { challengeLocation, httpPort, isExtended, listenEverywhere, phpTarget } from "./nginx-place.ts";
import { escapePattern } from "../escape-pattern.ts";
import { nginxRules, phpLines, splitLine } from "./nginx-rules.ts";
import { databaseParameters, disableUrl, nginxVhostPath, safeRoot, vhostFile } from "./nginx-vhost.ts";

/** The site's sub-folders of other hosts, and what is left of former ones. */
export function nginxSubdirFiles(served: ServedSite, server: ServerContext, options: WebOptions): WebFileChange[] {
  return subdirFiles(served.site, server, { options, texts: texts(served.site, server, { options, credentials: served.credentials }) });
}

/** The virtual host and all sub-folders of a site that goes. */
export function goneNginxSite(site: SiteContext, server: ServerContext, options: WebOptions): WebFileChange[] {
  return goneSubdirs(site, server, { vhost: nginxVhostPath(site, server, options), options, texts: texts(site, server, { options, credentials: NONE }) });
}

const NONE: VhostCredentials = { type: "", name: "", user: "", password: "", host: "", port: "" };

interface Given {
  readonly options: WebOptions;
  readonly credentials: VhostCredentials;
}

function texts(site: SiteContext, server: ServerContext, given: Given): SubdirTexts {
  const { options } = given;
  return {
    subdir: (subdir) => subdirText(site, subdir, { ...given, server }),
    parent: (host) =>
      parentVhost({
        header: parentHeader(host),
        listen: listenEverywhere(httpPort(server), options),
        parent: safeHost(host, "The host of a sub-folder"),
        challenges: challengeLocation(options, { root: false }),
        subdirs: safePath(subdirFolder(server, host), `A directory of @${server.name}`),
      }),
    parentPath: (host) => vhostFile(host, server, options),
  };
}

function subdirText(site: SiteContext, subdir: Subdir, { server, ...given }: Given & { readonly server: ServerContext }): string {
  const uri = safeHost(site.uri ?? "", `uri of @${site.name}`);
  const header = subdirHeader(site, subdir);
  if (!site.enabled) return disabledSubdir({ header, folders: subdir.folders.map((folder) => ({ at: `/${folder}`, uri, disableUrl: disableUrl(given.options) })) });
  const target = phpTarget(server);
  return subdirFile({ header, folders: subdir.folders.map((folder) => folderRules(folder, { uri, root: safeRoot(site), target, extended: isExtended(server), parameters: parameters(folder, uri, given) })) });
}

interface Folder {
  readonly uri: string;
  readonly root: string;
  /** Where PHP listens. */
  readonly target: string;
  readonly extended: boolean;
  readonly parameters: readonly string[];
}

function folderRules(folder: string, { uri, root, target, extended, parameters: lines }: Folder): object {
  const at = `/${folder}`;
  const siteFiles = `/sites/${uri}/files`;
  const rules = nginxRules({ extended, at, suffix: `_${folder}`, siteFiles, lookup: "$subdir_rest $uri", root, parameters: lines, php: phpLines(target) });
  const [denials, scripts, entries, files, pages] = [rules.denials, rules.scripts, rules.entries, rules.files, rules.pages].map(indented);
  return { at, re: escapePattern(at), root, extended, siteFiles, parameters: [splitLine(escapePattern(at)), ...lines], statements: rules.statements, denials, scripts, entries, files, pages, cached: rules.use("  ", "cached"), named: rules.named };
}

/** What PHP gets. Whatever a location says of it takes the place of all that stands further out, the parent site's. */
function parameters(folder: string, uri: string, { credentials, options }: Given): string[] {
  const db = databaseParameters(credentials, options.master);
  return [
    "include fastcgi_params;",
    'fastcgi_param HTTP_PROXY "";',
    "fastcgi_param REDIRECT_STATUS 200;",
    "fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;",
    `fastcgi_param SCRIPT_NAME /${folder}$fastcgi_script_name;`,
    "fastcgi_param PATH_INFO $fastcgi_path_info;",
    // settings.php makes the site's address of these.
    `fastcgi_param HTTP_HOST ${uri};`,
    "fastcgi_param RAW_HOST $host;",
    `fastcgi_param SITE_SUBDIR ${folder};`,
    `fastcgi_param MAIN_SITE_NAME ${uri};`,
    `fastcgi_param db_type ${db.type};`,
    `fastcgi_param db_name ${db.name};`,
    `fastcgi_param db_user ${db.user};`,
    `fastcgi_param db_passwd ${db.password};`,
    `fastcgi_param db_host ${db.host};`,
    `fastcgi_param db_port ${db.port};`,
  ];
}

function indented(text: string): string {
  return text.replace(/^(?=.)/gm, "  ");
}
