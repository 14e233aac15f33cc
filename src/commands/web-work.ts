import { join } from "node:path";
import type { Context, PlatformContext, ServerContext, SiteContext } from "../contexts/context.ts";
import { isDirectory, lookAt, readIfThere } from "../files/look.ts";
import { isTruthy, textOrUndefined } from "../php-values/convert.ts";
import type { PhpArray } from "../php-values/php-array.ts";
import { bytesFromText } from "../php-values/text.ts";
import { allOrFirst } from "../task/all-or-first.ts";
import type { Work } from "../task/plan.ts";
import { certificateItems } from "../web/remote-config.ts";
import type { RemoteServer } from "../web/remote-server.ts";
import { resyncEntry } from "../web/undo-remote.ts";
import { webDriver, type ServedSite, type WebDriver, type WebOptions } from "../web/web-driver.ts";
import type { VhostCredentials, WebFileChange } from "../web/web-file.ts";
import { changeWebConfig, type WebSettings } from "../web/web-transaction.ts";
import type { CommandCall, LineSubject } from "./command.ts";
import { remoteOf } from "./remote-host-of.ts";
import { hasFeature, switchOption, textOption } from "./native-reach.ts";

/** How the files are written and read by the server, beside what follows from the call. */
type How = Pick<WebSettings, "umask" | "onlyWhenNeeded" | "anew">;

/** The servers whose files a web service consists of: itself, the members of a cluster or pack (masters first), or none. */
export async function webHosts(server: ServerContext, call: Pick<CommandCall, "contexts">): Promise<ServerContext[]> {
  const { http } = server;
  if (http === undefined) return [];
  if (http.driver !== "cluster" && http.driver !== "pack") return [server];
  const members = await Promise.all([...new Set(http.members)].map((name) => call.contexts.server(name)));
  return members.filter((member) => member.http !== undefined);
}

/**
 * Whether a site's credentials come to its PHP from the web server alone: option `provision_db_cloaking`, else what all servers of a cluster or pack can do. One without a web service
 * cannot.
 */
export async function isCloaked({ http }: ServerContext, call: CommandCall): Promise<boolean> {
  const set = call.options.get("provision_db_cloaking");
  if (set !== undefined) return isTruthy(set);
  if (http === undefined) return false;
  const members = await Promise.all(http.members.map((name) => call.contexts.server(name)));
  return members.every((member) => member.http !== undefined);
}

export async function webOptions(call: CommandCall): Promise<WebOptions> {
  const { home } = call.surroundings;
  const master = await call.contexts.master();
  return {
    confSuffix: switchOption(call, "provision_apache_conf_suffix", false),
    subdirs: hasFeature(call, "subdirs"),
    master,
    isSite: (name) => lookAt(join(home, ".drush", `${name}.alias.drushrc.php`)) !== undefined,
    challengePath: challengePath(master, call),
    nginx: {
      statePath: textOption(call, "provision_nginx_state_path", "/var/lib/nginx"),
      logPath: textOption(call, "provision_nginx_log_path", "/var/log/nginx"),
      ipv6: switchOption(call, "provision_nginx_ipv6", false),
    },
    certificateFailsTask: switchOption(call, "hosting_https_fail_task_if_certificate_fails", false),
    extra: [],
  };
}

/** Where Aegir's extensions for certificates keep answers to authorities, below its home: hosting_le, hosting_https. */
export const CHALLENGE_FOLDERS = ["tools/le/.acme-challenges", "config/letsencrypt.d/well-known/acme-challenge"] as const;

/** The option `provision_acme_challenge_path`, or where one of Aegir's extensions for certificates keeps answers. */
function challengePath({ aegirRoot }: ServerContext, call: CommandCall): string | undefined {
  const told = textOption(call, "provision_acme_challenge_path", "");
  if (told !== "") return told;
  return CHALLENGE_FOLDERS.map((path) => join(aegirRoot, path)).find(isDirectory);
}

/** Writes a server's own files and has it read them. */
export function serveServer(work: Work, server: ServerContext, call: CommandCall): Promise<void> {
  return onHosts(work, server, call, { of: server }, async (driver, host, options) => {
    await driver.prepareServer?.(work, host, options);
    return driver.serverFiles(host, options);
  });
}

/** Has the web server read its files, which did not change. */
export function reloadServer(work: Work, server: ServerContext, call: CommandCall): Promise<void> {
  return onHosts(work, server, call, {}, () => []);
}

export function servePlatform(work: Work, platform: PlatformContext, call: CommandCall): Promise<void> {
  return onHosts(work, platform.webServer, call, { of: platform }, (driver, host, options) => driver.platformFiles(platform, host, options));
}

export function unservePlatform(work: Work, platform: PlatformContext, call: CommandCall): Promise<void> {
  return onHosts(work, platform.webServer, call, {}, (driver, host) => driver.goneWithPlatform(platform, host));
}

/**
 * Writes the site's files on all its web servers and has them read them.
 *
 * @param how.former the site as it was before it moved: what it leaves behind on these servers goes in the same transaction
 */
export async function serveSite(work: Work, site: SiteContext, call: CommandCall, how: How & { readonly former?: SiteContext } = {}): Promise<void> {
  const { former, ...settings } = how;
  const served = servedSite(site, call);
  const formerHosts = former === undefined ? [] : (await webHosts(former.platform.webServer, call)).map(({ name }) => name);
  await onHosts(work, site.platform.webServer, call, { ...settings, of: site }, async (driver, host, options) => {
    await driver.prepareSite?.(work, site, host, options);
    const files = driver.siteFiles(served, host, former?.uri === undefined ? options : { ...options, replaces: former.uri });
    const written = new Set(files.map(({ path }) => path));
    const gone = former !== undefined && formerHosts.includes(host.name) ? driver.goneWithSite(former, host, options) : [];
    return [...files, ...gone.filter(({ path }) => !written.has(path))];
  });
}

/** Takes the site's files from its web servers, but those of `butOn`, which serve it in its new place. */
export async function unserveSite(work: Work, site: SiteContext, call: CommandCall, { butOn }: { readonly butOn?: ServerContext } = {}): Promise<void> {
  const kept = butOn === undefined ? [] : (await webHosts(butOn, call)).map(({ name }) => name);
  await onHosts(work, site.platform.webServer, call, { except: kept }, (driver, host, options) => driver.goneWithSite(site, host, options));
}

/** @throws ShimError PROVISION_WEB_BAD_VALUE when a value of the site cannot stand in a web server's configuration */
export async function refuseBadWebValues(site: SiteContext, call: CommandCall): Promise<void> {
  await isServed(site, call);
}

/** True when all files of the site are in place as they are to be. */
export async function isServed(site: SiteContext, call: CommandCall): Promise<boolean> {
  const hosts = await webHosts(site.platform.webServer, call);
  const options = await webOptions(call);
  const served = servedSite(site, call);
  // All are looked at: each may refuse a value.
  const inPlace = await Promise.all(hosts.map(async (host) => (await webDriver(host)).siteFiles(served, host, { ...options, extra: await extraLines(site, host, call) }).every(isInPlace)));
  return hosts.length > 0 && !inPlace.includes(false);
}

/** The paths of the site's virtual hosts. */
export async function vhostPaths(site: SiteContext, call: CommandCall): Promise<string[]> {
  const options = await webOptions(call);
  return Promise.all((await webHosts(site.platform.webServer, call)).map(async (host) => (await webDriver(host)).vhostPath(site, host, options)));
}

type FilesOf = (driver: WebDriver, host: ServerContext, options: WebOptions) => readonly WebFileChange[] | Promise<readonly WebFileChange[]>;

/** One transaction on each host; the task fails as a whole when one of them does. */
async function onHosts(work: Work, server: ServerContext, call: CommandCall, how: How & { readonly except?: readonly string[]; readonly of?: Context }, filesOf: FilesOf): Promise<void> {
  const { except = [], of, ...settings } = how;
  const hosts = (await webHosts(server, call)).filter(({ name }) => !except.includes(name));
  if (hosts.length === 0) return;
  const options = await webOptions(call);
  const { webBatch } = call.surroundings;
  await allOrFirst(
    hosts.map(async (host) => {
      const remote = await remoteOf(host, call);
      if (remote !== undefined) await noteCertificates(work, host, remote);
      const files = await filesOf(await webDriver(host), host, of === undefined ? options : { ...options, extra: await extraLines(of, host, call) });
      // A dry run shows what would become of this context alone.
      if (webBatch === undefined || work.dryRun) return changeWebConfig(work, host, files, { ...webSettings(call, settings), remote });
      webBatch.add({ server: host, remote }, call.target?.name ?? "", files.map((file) => (file.content === undefined || how.umask === undefined ? file : { ...file, umask: how.umask })));
    }),
  );
}

/** What extensions of drush add to the file of the context on that server. */
async function extraLines(context: Context, host: ServerContext, call: CommandCall): Promise<readonly string[]> {
  const { application } = await webDriver(host);
  if (context.type === "site") return context.enabled ? call.surroundings.hookLines(`provision_${application}_vhost_config`, siteSubject(context, host, call)) : [];
  // An nginx has no file for platforms.
  if (context.type === "platform" && application === "nginx") return [];
  const hook = context.type === "platform" ? "provision_apache_dir_config" : (`provision_${application}_server_config` as const);
  return call.surroundings.hookLines(hook, { context: context.name, server: host.name, options: {}, data: serverData(host) });
}

/** What Provision tells hooks that write a site's files. */
export function siteSubject(site: SiteContext, host: ServerContext, call: CommandCall): LineSubject {
  const { type, name, user, password, host: databaseHost, port } = siteCredentials(call.options.set("site"));
  const credentials = { db_type: type, db_name: name, db_user: user, db_passwd: password, db_host: databaseHost, db_port: port };
  return { context: site.name, uri: site.uri ?? "", server: host.name, options: credentials, data: { ...serverData(host), ...credentials, uri: site.uri ?? "" } };
}

function serverData({ http, properties }: ServerContext): Record<string, string> {
  const paths = Object.entries({ http_pred_path: http?.paths?.pre, http_postd_path: http?.paths?.post, http_platformd_path: http?.paths?.platform, http_vhostd_path: http?.paths?.vhost, http_subdird_path: http?.paths?.subdir });
  const sslPort = textOrUndefined(properties.get("http_ssl_port"));
  return {
    application_name: http?.application === "nginx" ? "nginx" : "apache",
    http_port: http?.port ?? "80",
    ...(sslPort === undefined ? {} : { http_ssl_port: sslPort }),
    ...Object.fromEntries(paths.flatMap(([key, path]) => (path === undefined ? [] : [[key, path]]))),
  };
}

/** Certificates are made before the files that name them, and undone after them. */
async function noteCertificates(work: Work, host: ServerContext, remote: RemoteServer): Promise<void> {
  const items = certificateItems(host);
  if (items.length > 0) await work.act(`bring the certificates on ${remote.host.host} back in line if this task is undone`, () => undefined, resyncEntry(remote, items, { kind: "config" }));
}

function webSettings(call: CommandCall, how: How): WebSettings {
  const { cwd, variables, remembered } = call.surroundings;
  return { environment: { cwd, variables }, remembered, ...how };
}

function servedSite(site: SiteContext, call: CommandCall): ServedSite {
  return { site, credentials: siteCredentials(call.options.set("site")) };
}

function isInPlace({ path, content }: WebFileChange): boolean {
  const present = readIfThere(path);
  return content === undefined ? present === undefined : present?.equals(bytesFromText(content)) === true;
}

/** The credentials that a site's drushrc.php holds; what is not there is empty. On Drupal 7 the type is never `mysqli`. */
export function siteCredentials(site: PhpArray): VhostCredentials {
  const text = (key: string): string => textOrUndefined(site.get(key)) ?? "";
  const type = text("db_type");
  return { type: type === "mysqli" ? "mysql" : type, name: text("db_name"), user: text("db_user"), password: text("db_passwd"), host: text("db_host"), port: text("db_port") };
}
