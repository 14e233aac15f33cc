import type { PlatformContext, ServerContext, SiteContext } from "../contexts/context.ts";
import { ShimError } from "../errors/shim-error.ts";
import type { Remembered } from "../files/remembered.ts";
import type { PhpValue } from "../php-values/value.ts";
import type { Journal } from "../task/journal.ts";
import type { Work } from "../task/plan.ts";
import type { Environment, ShadowConfig, WebChange, WebControl } from "./web-control.ts";
import type { VhostCredentials, WebFile, WebFileChange } from "./web-file.ts";

/** What the files of a web server depend on beside their contexts. */
export interface WebOptions {
  /** Option `provision_apache_conf_suffix`: site files end in `.conf` and only such files are included. */
  readonly confSuffix: boolean;
  /** The front end's feature `subdirs`: sites in sub-folders of a host, as aliases `host/folder`. */
  readonly subdirs: boolean;
  readonly master: ServerContext;
  /** Whether a site of this name has a virtual host of its own. */
  readonly isSite: (name: string) => boolean;
  /** The name of a site that gives up its place to the one that is written. */
  readonly replaces?: string;
  /** Where answers to certificate authorities are put, if that is known: served for every host, in front of all redirects. */
  readonly challengePath: string | undefined;
  readonly nginx: NginxOptions;
  /** Option `hosting_https_fail_task_if_certificate_fails`: for hosting_https a certificate that cannot be had is more than a warning. */
  readonly certificateFailsTask: boolean;
  /** Lines that extensions of drush add to the file of the context that is written: of a server, a platform, or an enabled site. */
  readonly extra: readonly string[];
}

/** Where an nginx of another system than Debian keeps its things, and what not every host wants. */
export interface NginxOptions {
  /** Option `provision_nginx_state_path`: a folder for its cache and for bodies of requests. */
  readonly statePath: string;
  /** Option `provision_nginx_log_path`. */
  readonly logPath: string;
  /** Option `provision_nginx_ipv6`: listens to IPv6, too. */
  readonly ipv6: boolean;
}

/** A site as its web servers see it. */
export interface ServedSite {
  readonly site: SiteContext;
  readonly credentials: VhostCredentials;
}

/**
 * What a type of web service (`http_service_type`) writes on one server. `server` is that server, also where the platform names a cluster that it is a
 * member of. All of them look and change nothing, and throw ShimError PROVISION_WEB_BAD_VALUE for values that must not stand in a configuration.
 */
export interface WebDriver {
  readonly application: "apache" | "nginx";
  serverFiles(server: ServerContext, options: WebOptions): WebFileChange[];
  /** Nothing where the service has no file for platforms. */
  platformFiles(platform: PlatformContext, server: ServerContext, options: WebOptions): WebFile[];
  goneWithPlatform(platform: PlatformContext, server: ServerContext): WebFileChange[];
  /** All that the site needs as it is, and without content what it no longer needs. */
  siteFiles(served: ServedSite, server: ServerContext, options: WebOptions): WebFileChange[];
  goneWithSite(site: SiteContext, server: ServerContext, options: WebOptions): WebFileChange[];
  /** Links that lead to the server's files under names of old. */
  serverLinks?(server: ServerContext): { readonly path: string; readonly target: string }[];
  /** What its program is and can do; undefined when there is none. */
  probe?(server: ServerContext, environment: Environment): Promise<ProgramFacts | undefined>;
  /** Where the site's virtual host stands. */
  vhostPath(site: SiteContext, server: ServerContext, options: WebOptions): string;
  /** What must be there before the server's files can be written: certificates, facts about its program. */
  prepareServer?(work: Work, server: ServerContext, options: WebOptions): Promise<void>;
  prepareSite?(work: Work, site: SiteContext, server: ServerContext, options: WebOptions): Promise<void>;
  /** @param remembered keeps the place of the program's main file, which takes a whole test to find out */
  control(restartCommand: string, environment: Environment, remembered: Remembered): WebControl;
  /** The configuration with these changes, beside the real one; undefined when it cannot be found out how the program includes the server's file. */
  shadow(server: ServerContext, changes: readonly WebChange[], means: { readonly control: WebControl; readonly journal: Journal }): Promise<ShadowConfig | undefined>;
  /** All files and folders that the program reads. */
  watched(server: ServerContext, mainFile: string): string[];
}

/** What was found out about a server's program. */
export interface ProgramFacts {
  /** Properties of the server. */
  readonly properties: readonly (readonly [key: string, value: PhpValue])[];
  /** Why its sites could not be served at the moment. */
  readonly problem?: ShimError;
  /** The same where it may be right all the same. */
  readonly doubt?: string;
}

const apache = () => import("./apache/apache-driver.ts");
const nginx = () => import("./nginx/nginx-driver.ts");

/** Templates and rules of a server cost start-up time, and most hosts have one kind. */
const DRIVERS: Readonly<Record<string, () => Promise<WebDriver>>> = {
  apache: async () => (await apache()).apacheDriver,
  apache_ssl: async () => (await apache()).apacheSslDriver,
  https_apache: async () => (await apache()).apacheHttpsDriver,
  nginx: async () => (await nginx()).nginxDriver,
  nginx_inc: async () => (await nginx()).nginxDriver,
  nginx_ssl: async () => (await nginx()).nginxSslDriver,
  https_nginx: async () => (await nginx()).nginxHttpsDriver,
};

/** Whether the type of web service writes files itself. */
export function hasDriver(type: string): boolean {
  return Object.hasOwn(DRIVERS, type);
}

/** @throws ShimError PROVISION_WEB_NO_SERVICE */
export async function webDriver(server: ServerContext): Promise<WebDriver> {
  const load = server.http === undefined ? undefined : DRIVERS[server.http.driver];
  if (load === undefined) throw new ShimError("PROVISION_WEB_NO_SERVICE", `The server @${server.name} has no web service.`);
  return load();
}
