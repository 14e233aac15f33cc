import { isTruthy, textOrUndefined } from "../php-values/convert.ts";
import { PhpArray } from "../php-values/php-array.ts";
import type { PlatformContext, ServerContext, SiteContext } from "./context.ts";
import { HTTPS_DRIVERS, SSL_DRIVERS } from "./http-service.ts";
import { PropertyBuilder } from "./options.ts";
import { MASTER } from "./server.ts";

export interface SiteSources {
  readonly name: string;
  readonly record: PhpArray | undefined;
  readonly options: PhpArray;
  readonly platform: (name: string | undefined) => Promise<PlatformContext>;
  readonly server: (name: string) => Promise<ServerContext>;
}

export async function buildSite(sources: SiteSources): Promise<SiteContext> {
  const build = new PropertyBuilder(sources.options);
  build.compute("context_type", "site");
  const platform = await sources.platform(textOrUndefined(build.set("platform", null)));
  build.compute("server", `@${MASTER}`);
  const dbServer = await sources.server(textOrUndefined(build.set("db_server", `@${MASTER}`)) ?? MASTER);
  const uri = textOrUndefined(build.set("uri", null));
  build.compute("root", platform.root ?? null);
  const sitePath = `${platform.root ?? ""}/sites/${uri ?? ""}`;
  build.compute("site_path", sitePath);
  const enabled = build.set("site_enabled", true);
  build.set("language", "en");
  build.set("client_name", null);
  build.setList("aliases");
  build.set("redirection", false);
  build.set("cron_key", "");
  build.setList("drush_aliases");
  build.set("profile", "standard");
  build.set("install_method", "profile");
  const drivers = await httpDrivers(platform.webServer, sources.server);
  if (drivers.some((driver) => SSL_DRIVERS.has(driver))) {
    build.set("ssl_enabled", 0);
    build.set("ssl_key", null);
    build.set("ip_addresses", new PhpArray());
  }
  if (drivers.some((driver) => HTTPS_DRIVERS.has(driver))) {
    build.set("https_enabled", 0);
    build.set("https_client_authentication_enabled", 0);
    build.set("https_client_authentication_path", null);
    build.set("https_key", null);
  }
  return {
    type: "site",
    name: sources.name,
    properties: build.properties,
    record: sources.record,
    platform,
    dbServer,
    uri,
    root: platform.root,
    sitePath,
    enabled: isTruthy(enabled),
  };
}

/** The driver of the web server, or those of the cluster's or pack's members. */
async function httpDrivers(server: ServerContext, find: (name: string) => Promise<ServerContext>): Promise<string[]> {
  if (server.http === undefined) return [];
  const drivers = [server.http.driver];
  for (const member of server.http.members) drivers.push((await find(member)).http?.driver ?? "");
  return drivers;
}

/** The same site with one property changed, in its place. */
export function withEnabled(site: SiteContext, enabled: boolean): SiteContext {
  return { ...site, properties: site.properties.clone().set("site_enabled", enabled), enabled };
}
