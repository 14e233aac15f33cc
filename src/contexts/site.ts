import { isTruthy, textOrUndefined } from "../php-values/convert.ts";
import { PhpArray } from "../php-values/php-array.ts";
import type { PlatformContext, ServerContext, SiteContext } from "./context.ts";
import { SSL_DRIVERS } from "./http-service.ts";
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
  if (await servesTls(platform.webServer, sources.server)) {
    build.set("ssl_enabled", 0);
    build.set("ssl_key", null);
    build.set("ip_addresses", new PhpArray());
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

/** True when the web server, or a member of the cluster or pack, has an SSL driver. */
async function servesTls(server: ServerContext, find: (name: string) => Promise<ServerContext>): Promise<boolean> {
  if (server.http === undefined) return false;
  if (SSL_DRIVERS.has(server.http.driver)) return true;
  for (const member of server.http.members) {
    const driver = (await find(member)).http?.driver;
    if (driver !== undefined && SSL_DRIVERS.has(driver)) return true;
  }
  return false;
}

/** The same site with one property changed, in its place. */
export function withEnabled(site: SiteContext, enabled: boolean): SiteContext {
  return { ...site, properties: site.properties.clone().set("site_enabled", enabled), enabled };
}
