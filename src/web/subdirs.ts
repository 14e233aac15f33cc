import { join } from "node:path";
import { listProperty, property, type ServerContext, type SiteContext } from "../contexts/context.ts";
import { ShimError } from "../errors/shim-error.ts";
import { isDirectory, isFile, lookAt, namesIn, readIfThere } from "../files/look.ts";
import type { Work } from "../task/plan.ts";
import { safeHost } from "./safe-values.ts";
import { serverNames } from "./server-names.ts";
import type { WebOptions } from "./web-driver.ts";
import { goneFile, type WebFileChange } from "./web-file.ts";

/** Folders of one host that are the same site, as one file serves them: mostly one, but `a/b` and `a_b` have the same file. */
export interface Subdir {
  readonly path: string;
  /** The host that has the folders. */
  readonly parent: string;
  /** Without slashes at the ends. */
  readonly folders: readonly string[];
}

/** How a web server writes the two kinds of files. */
export interface SubdirTexts {
  /** It must begin with {@link subdirHeader}. */
  readonly subdir: (subdir: Subdir) => string;
  /** The virtual host of a host of which only folders are sites; it must begin with {@link parentHeader}. */
  readonly parent: (host: string) => string;
  readonly parentPath: (host: string) => string;
}

/** First line of a sub-folder's file: whose it is. */
export function subdirHeader(site: SiteContext, { parent }: Subdir): string {
  return `# The ${site.enabled ? "" : "disabled "}site ${site.uri ?? ""} in a folder of ${parent}, written by provision-shim. Do not edit: the next verify of the site writes it anew.`;
}

/** First line of the virtual host of a host of which only folders are sites. */
export function parentHeader(host: string): string {
  return `# The host ${host}, of which only folders are sites, written by provision-shim. Do not edit.`;
}

/**
 * The site's aliases `host/folder`, by the files that serve them on the server.
 *
 * @throws ShimError PROVISION_WEB_BAD_VALUE
 */
export function subdirsOf(site: SiteContext, server: ServerContext): Subdir[] {
  const found = new Map<string, { path: string; parent: string; folders: string[] }>();
  for (const given of listProperty(site, "aliases")) {
    const alias = given.trim();
    if (!alias.includes("/")) continue;
    const whose = `An alias of @${site.name}`;
    const [parent = "", ...rest] = safeHost(alias, whose).split("/");
    const folder = rest.join("/").replace(/^\/+|\/+$/g, "");
    if (parent.startsWith("*")) throw badFolder(whose, alias, "a folder needs a host of its own");
    if (folder.split("/").some((part) => part === "" || part === "." || part === "..")) throw badFolder(whose, alias, "it has a part without a name");
    const path = subdirPath(server, parent, folder);
    const there = found.get(path) ?? { path, parent, folders: [] };
    if (!there.folders.includes(folder)) there.folders.push(folder);
    found.set(path, there);
  }
  return [...found.values()];
}

/** The file of one folder of a host. */
export function subdirPath(server: ServerContext, parent: string, folder: string): string {
  return join(subdirFolder(server, parent), `${folder.replaceAll("/", "_")}.conf`);
}

/** Where a host's folders have their files. */
export function subdirFolder(server: ServerContext, host: string): string {
  return join(server.http?.paths?.subdir ?? "", host);
}

/**
 * The files of the site's sub-folders and of hosts that are nobody's else; and what is left of former ones, to be removed (which Provision forgets: dead
 * sites go on being served).
 *
 * @throws ShimError PROVISION_WEB_BAD_VALUE, PROVISION_WEB_SUBDIR_TAKEN
 */
export function subdirFiles(site: SiteContext, server: ServerContext, { options, texts }: { readonly options: WebOptions; readonly texts: SubdirTexts }): WebFileChange[] {
  const wanted = options.subdirs ? subdirsOf(site, server) : [];
  for (const subdir of wanted) refuseTaken(subdir, site, options);
  const stale = ownFiles(site, server).filter(({ path }) => !wanted.some((subdir) => subdir.path === path));
  const parents = [...new Set(wanted.map(({ parent }) => parent))].filter((host) => !isServed(host, site, options) && (isParentVhost(texts.parentPath(host), host) || vhostNaming(host, server) === undefined));
  return [
    ...wanted.map((subdir) => ({ path: subdir.path, content: texts.subdir(subdir), label: "subdir configuration file" })),
    ...parents.map((host) => ({ path: texts.parentPath(host), content: texts.parent(host), label: "subdir parent virtual host configuration file" })),
    ...stale.map(gone),
    ...orphans(stale, server, texts),
  ];
}

/** What goes when the site goes. Folders of its own host that are other sites stay, and with them a virtual host for it. */
export function goneSubdirs(site: SiteContext, server: ServerContext, { vhost, options, texts }: { readonly vhost: string; readonly options: WebOptions; readonly texts: SubdirTexts }): WebFileChange[] {
  const own = ownFiles(site, server);
  // Files that drush has written do not say whose they are.
  const named = options.subdirs ? subdirsOf(site, server).filter(({ path }) => lookAt(path) !== undefined && ownerOf(path) === undefined) : [];
  const going = [...own, ...named];
  const uri = site.uri ?? "";
  const stays = options.subdirs && remaining(uri, going, server).length > 0 && texts.parentPath(uri) === vhost;
  return [
    stays ? { path: vhost, content: texts.parent(uri), label: "subdir parent virtual host configuration file" } : goneFile({ path: vhost, label: "virtual host configuration file" }),
    ...going.map(gone),
    ...orphans(going, server, texts).filter(({ path }) => path !== vhost),
  ];
}

/** Hosts of other sites in whose virtual hosts the site's folders are not included (yet). */
function unservedParents(site: SiteContext, server: ServerContext, { options, vhostOf }: { readonly options: WebOptions; readonly vhostOf: (host: string) => string }): string[] {
  if (!options.subdirs) return [];
  const parents = [...new Set(subdirsOf(site, server).map(({ parent }) => parent))].filter((host) => !ownHosts(site).includes(host));
  return parents.filter((host) => {
    const vhost = lookAt(vhostOf(host)) === undefined ? vhostNaming(host, server) : vhostOf(host);
    if (vhost === undefined) return isServed(host, site, options);
    return readIfThere(vhost)?.includes(`${subdirFolder(server, host)}/`) !== true;
  });
}

/** Says of which hosts of other sites the virtual host does not include the site's folders (yet). */
export function warnOfUnservedParents(work: Work, site: SiteContext, server: ServerContext, how: Parameters<typeof unservedParents>[2]): void {
  for (const host of unservedParents(site, server, how)) {
    work.log("warning", `Folders of ${host} that are the site ${site.uri ?? ""} are served when the site with that name has been verified: its virtual host does not include ${subdirFolder(server, host)} yet.`);
  }
}

/** Folders with the files of sub-folders of the site's own hosts: of its uri, and of those of its aliases that have some. */
export function includedSubdirs(site: SiteContext, server: ServerContext): string[] {
  const own = new Set(subdirsOf(site, server).map(({ parent }) => parent));
  return ownHosts(site).filter((host) => host === site.uri || own.has(host) || isDirectory(subdirFolder(server, host))).map((host) => subdirFolder(server, host));
}

function ownHosts(site: SiteContext): string[] {
  return [...new Set([site.uri ?? "", ...listProperty(site, "aliases").map((alias) => alias.trim())])].filter((host) => host !== "" && !/[/*]/.test(host));
}

/** The file of another virtual host that has the name, as that of a site whose alias it is. */
function vhostNaming(host: string, server: ServerContext): string | undefined {
  const folder = server.http?.paths?.vhost ?? "";
  return namesIn(folder).map((name) => join(folder, name)).find((path) => isFile(path) && serverNames(readIfThere(path)?.toString("latin1") ?? "").has(host.toLowerCase()));
}

function badFolder(whose: string, alias: string, why: string): ShimError {
  return new ShimError("PROVISION_WEB_BAD_VALUE", `${whose} is ${JSON.stringify(alias)}, which cannot be a folder of a host: ${why}.`, { hint: "correct the property; the present configuration is kept" });
}

function gone({ path }: Pick<Subdir, "path">): WebFileChange {
  return { path, content: undefined, label: "subdir configuration file", withDirectory: true };
}

/** Two sites cannot have the same folder: the second would take the first one's place. */
function refuseTaken({ path, parent, folders }: Subdir, site: SiteContext, options: WebOptions): void {
  const owner = ownerOf(path);
  if (owner === undefined || owner === site.uri || owner === options.replaces || !options.isSite(owner)) return;
  throw new ShimError("PROVISION_WEB_SUBDIR_TAKEN", `${parent}/${folders[0] ?? ""} cannot be the site ${site.uri ?? ""}: its configuration file ${path} belongs to the site ${owner}.`, {
    hint: "choose another alias, or take it from that site and verify that",
  });
}

/** Whether a virtual host of its own includes the host's folders. The front end's own site has another name than its host. */
function isServed(host: string, site: SiteContext, options: WebOptions): boolean {
  if (ownHosts(site).includes(host) || options.isSite(host)) return true;
  return /^https?:\/\/([^/:]+)/.exec(property(options.master, "master_url") ?? "")?.[1] === host;
}

/** The sub-folders' files of a site, whatever its aliases are now. */
function ownFiles(site: SiteContext, server: ServerContext): Pick<Subdir, "path" | "parent">[] {
  const root = server.http?.paths?.subdir ?? "";
  return namesIn(root).flatMap((parent) => filesOf(join(root, parent)).flatMap((path) => (ownerOf(path) === site.uri ? [{ path, parent }] : [])));
}

function filesOf(folder: string): string[] {
  return namesIn(folder).flatMap((name) => (name.endsWith(".conf") ? [join(folder, name)] : []));
}

/** The site that the file says it belongs to. */
function ownerOf(path: string): string | undefined {
  return /^# The (?:disabled )?site (\S+) in a folder of /.exec(readIfThere(path)?.toString("utf8") ?? "")?.[1];
}

/** The sub-folders' files of a host beside these. */
function remaining(host: string, going: readonly Pick<Subdir, "path">[], server: ServerContext): string[] {
  return filesOf(subdirFolder(server, host)).filter((path) => !going.some((one) => one.path === path));
}

/** Virtual hosts of hosts that have nothing but sub-folders, and now not even these. */
function orphans(going: readonly Pick<Subdir, "path" | "parent">[], server: ServerContext, texts: SubdirTexts): WebFileChange[] {
  return [...new Set(going.map(({ parent }) => parent))].flatMap((host) => {
    const path = texts.parentPath(host);
    if (remaining(host, going, server).length > 0 || !isParentVhost(path, host)) return [];
    return [goneFile({ path, label: "subdir parent virtual host configuration file" })];
  });
}

/** A virtual host that only includes a host's folders, of ours or of drush's. */
export function isParentVhost(path: string, host: string): boolean {
  const text = readIfThere(path)?.toString("utf8") ?? "";
  return text.includes(`/subdir.d/${host}/*.conf`) && !/\bdb_name\b|\bDocumentRoot\b|^\s*root\s/im.test(text);
}
