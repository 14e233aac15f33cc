import { isTruthy, scalarText, textOrUndefined } from "../php-values/convert.ts";
import type { PhpArray } from "../php-values/php-array.ts";
import type { DbService, ServerContext } from "./context.ts";
import type { Machine } from "./guesses.ts";
import { buildHttp, HTTP_DRIVERS } from "./http-service.ts";
import { PropertyBuilder } from "./options.ts";

export const MASTER = "server_master";

export interface ServerSources {
  readonly name: string;
  readonly record: PhpArray | undefined;
  /** Record and options of the call, merged. */
  readonly options: PhpArray;
  readonly machine: Machine;
  /** `@server_master`, undefined when this server is it. */
  readonly master: ServerContext | undefined;
  readonly subdirs: boolean;
}

/** A server with its services, all properties in the order of Provision 7.x-3.x. */
export function buildServer(sources: ServerSources): ServerContext {
  const { name, machine, master, options } = sources;
  const build = new PropertyBuilder(options);
  const text = (key: string): string => scalarText(build.properties.get(key)) ?? "";
  build.compute("context_type", "server");
  build.compute("server", `@${MASTER}`);
  build.set("remote_host", "localhost");
  if (master === undefined) build.set("aegir_root", machine.home);
  else build.compute("aegir_root", master.aegirRoot);
  build.set("script_user", master === undefined ? machine.user : master.scriptUser);
  build.setList("ip_addresses");
  const root = text("aegir_root");
  build.compute("backup_path", `${root}/backups`);
  build.compute("config_path", `${root}/config/${name}`);
  build.compute("include_path", `${root}/config/includes`);
  build.compute("clients_path", `${root}/clients`);
  build.set("master_url", null);
  build.set("admin_email", `admin@${text("remote_host")}`);

  const unknownDrivers: string[] = [];
  // In the order of the extensions' names.
  const certificateDriver = chosenDriver(options, "Certificate", (driver) => CERTIFICATE_DRIVERS.has(driver), unknownDrivers);
  const dbDriver = chosenDriver(options, "db", (driver) => driver === "mysql", unknownDrivers);
  const httpDriver = chosenDriver(options, "http", (driver) => HTTP_DRIVERS.has(driver), unknownDrivers);
  if (certificateDriver !== undefined) build.compute("Certificate_service_type", certificateDriver);
  if (dbDriver !== undefined) build.compute("db_service_type", dbDriver);
  if (httpDriver !== undefined) build.compute("http_service_type", httpDriver);
  if (certificateDriver !== undefined) buildCertificates(build, certificateDriver, root);
  const db = dbDriver === undefined ? undefined : buildDb(build, dbDriver);
  const http = httpDriver === undefined ? undefined : buildHttp(build, httpDriver, { name, machine, master: master?.properties, subdirs: sources.subdirs });
  return {
    type: "server",
    name,
    properties: build.properties,
    record: sources.record,
    remoteHost: text("remote_host"),
    aegirRoot: root,
    scriptUser: text("script_user"),
    backupPath: text("backup_path"),
    configPath: text("config_path"),
    includePath: text("include_path"),
    clientsPath: text("clients_path"),
    db,
    http,
    unknownDrivers,
  };
}

/** The driver named by the options; nothing for a service that is off (`NONE`, falsy) or whose driver does not exist. */
function chosenDriver(options: PhpArray, service: string, exists: (driver: string) => boolean, unknown: string[]): string | undefined {
  const driver = textOrUndefined(options.get(`${service}_service_type`));
  if (driver === undefined || driver === "NONE" || driver === "0") return undefined;
  if (exists(driver)) return driver;
  unknown.push(`${service}: ${driver}`);
  return undefined;
}

/** Where hosting_https has its certificates from. */
const CERTIFICATE_DRIVERS: ReadonlySet<string> = new Set(["LetsEncrypt", "SelfSigned"]);

/** The properties of the service `Certificate` of hosting_https. */
function buildCertificates(build: PropertyBuilder, driver: string, root: string): void {
  if (driver === "SelfSigned") {
    build.set("self_signed_field", "default");
    build.compute("self_signed_config_path", `${root}/config/self_signed.d`);
    return;
  }
  build.set("letsencrypt_ca", "staging");
  build.compute("letsencrypt_script_path", `${root}/config/letsencrypt`);
  build.compute("letsencrypt_config_path", `${root}/config/letsencrypt.d`);
  build.compute("letsencrypt_challenge_path", `${root}/config/letsencrypt.d/well-known/acme-challenge`);
}

function buildDb(build: PropertyBuilder, driver: string): DbService {
  const port = build.set("db_port", 3306);
  const masterDb = build.set("master_db", null);
  const grantAllHosts = build.set("db_grant_all_hosts", false);
  const utf8mb4 = build.set("utf8mb4_is_supported", false);
  return { driver, port: scalarText(port) ?? "3306", masterDb: textOrUndefined(masterDb), grantAllHosts: isTruthy(grantAllHosts), utf8mb4: isTruthy(utf8mb4) };
}
