import { isTruthy, scalarText, textOrUndefined } from "../php-values/convert.ts";
import type { PhpArray } from "../php-values/php-array.ts";
import { textList, type HttpPaths, type HttpService } from "./context.ts";
import { guessApacheRestart, guessNginxRestart, guessWebGroup, type Machine } from "./guesses.ts";
import type { PropertyBuilder } from "./options.ts";

/** Drivers that serve TLS: their sites have three more properties. */
export const SSL_DRIVERS: ReadonlySet<string> = new Set(["ssl", "apache_ssl", "nginx_ssl"]);

/** Drivers of hosting_https, which Hostmaster brings along; their sites have four more properties. */
export const HTTPS_DRIVERS: ReadonlySet<string> = new Set(["https_apache", "https_nginx"]);

/** All drivers of Provision and Hostmaster for the http service. */
export const HTTP_DRIVERS: ReadonlySet<string> = new Set([...HTTPS_DRIVERS, "public", "ssl", "apache", "apache_ssl", "nginx", "nginx_ssl", "nginx_inc", "cluster", "pack"]);

interface HttpSurroundings {
  readonly name: string;
  readonly machine: Machine;
  /** The properties of `@server_master`, undefined when this server is it. */
  readonly master: PhpArray | undefined;
  /** True for the pseudo feature `subdirs` of the front end. */
  readonly subdirs: boolean;
}

/** The properties that an http driver adds to its server, in the order of Provision's drivers. */
export function buildHttp(build: PropertyBuilder, driver: string, around: HttpSurroundings): HttpService {
  if (driver === "cluster") {
    build.setList("cluster_web_servers");
    return memberService(driver, textList(build.properties, "cluster_web_servers"));
  }
  if (driver === "pack") {
    build.setList("slave_web_servers");
    build.setList("master_web_servers");
    return memberService(driver, [...textList(build.properties, "master_web_servers"), ...textList(build.properties, "slave_web_servers")]);
  }
  const application = /^(?:https_)?(apache|nginx)/.exec(driver)?.[1] as HttpService["application"];
  const port = build.set("http_port", 80);
  if (application !== undefined) build.set("http_restart_cmd", () => (application === "apache" ? guessApacheRestart(around.machine) : guessNginxRestart(around.machine)));
  if (around.master === undefined) build.set("web_group", () => guessWebGroup(around.machine));
  else build.compute("web_group", around.master.get("web_group") ?? null);
  const masterUrl = (scalarText(build.properties.get("master_url")) ?? "").replace(/\/+$/, "");
  build.compute("web_disable_url", `${masterUrl}/hosting/disabled`);
  build.compute("web_maintenance_url", `${masterUrl}/hosting/maintenance`);
  const paths = application === undefined ? undefined : buildPaths(build, application);
  if (SSL_DRIVERS.has(driver)) buildSsl(build);
  if (HTTPS_DRIVERS.has(driver)) buildHttps(build);
  if (application === "nginx") buildNginx(build, driver, around.subdirs);
  return {
    driver,
    application,
    port: scalarText(port) ?? "80",
    restartCommand: textOrUndefined(build.properties.get("http_restart_cmd")),
    webGroup: textOrUndefined(build.properties.get("web_group")),
    paths,
    members: [],
  };
}

function memberService(driver: string, members: string[]): HttpService {
  return { driver, application: undefined, port: "", restartCommand: undefined, webGroup: undefined, paths: undefined, members };
}

function buildPaths(build: PropertyBuilder, application: string): HttpPaths {
  const app = `${scalarText(build.properties.get("config_path")) ?? ""}/${application}`;
  const paths = { app, pre: `${app}/pre.d`, post: `${app}/post.d`, platform: `${app}/platform.d`, vhost: `${app}/vhost.d`, subdir: `${app}/subdir.d` };
  const platforms = `${scalarText(build.properties.get("aegir_root")) ?? ""}/platforms`;
  build.compute("http_app_path", paths.app);
  build.compute("http_pred_path", paths.pre);
  build.compute("http_postd_path", paths.post);
  build.compute("http_platformd_path", paths.platform);
  build.compute("http_vhostd_path", paths.vhost);
  build.compute("http_subdird_path", paths.subdir);
  build.compute("http_platforms_path", platforms);
  return { ...paths, platforms };
}

function buildSsl(build: PropertyBuilder): void {
  build.set("http_ssl_port", 443);
  build.compute("ssld_path", `${scalarText(build.properties.get("aegir_root")) ?? ""}/config/ssl.d`);
  build.compute("http_ssld_path", `${scalarText(build.properties.get("config_path")) ?? ""}/ssl.d`);
  build.compute("ssl_enabled", 1);
  build.compute("ssl_key", "default");
}

/** The certificates' source is that of the service `Certificate` of the same server, see server.ts. */
function buildHttps(build: PropertyBuilder): void {
  // The front end sends the port under another name, which the original does not look at.
  build.set("https_port", () => build.options.get("http_https_port") ?? 443);
  build.compute("ssld_path", `${scalarText(build.properties.get("letsencrypt_config_path") ?? build.properties.get("self_signed_config_path")) ?? ""}/`);
  build.compute("http_ssld_path", `${scalarText(build.properties.get("config_path")) ?? ""}/ssl.d`);
  build.compute("https_enabled", 1);
  build.compute("https_key", "default");
}

function buildNginx(build: PropertyBuilder, driver: string, subdirs: boolean): void {
  build.set("nginx_config_mode", "extended");
  const isHttps = HTTPS_DRIVERS.has(driver);
  for (const key of ["nginx_is_modern", ...(isHttps ? [] : ["nginx_has_etag"]), "nginx_has_http2", "nginx_has_gzip", "nginx_has_upload_progress"]) build.set(key, false);
  build.set("provision_db_cloaking", true);
  build.set("phpfpm_mode", "port");
  // Not the original's: which of several sockets it is, and which nginx.
  for (const key of ["phpfpm_socket", "nginx_version"]) if (textOrUndefined(build.options.get(key)) !== undefined) build.set(key, null);
  if (driver !== "nginx_ssl" && !isHttps) {
    const stored = build.set("subdirs_support", false);
    if (subdirs && !isTruthy(stored)) build.compute("subdirs_support", true);
  }
  build.set("satellite_mode", "vanilla");
}
