import { textOrUndefined } from "../php-values/convert.ts";
import type { PhpArray } from "../php-values/php-array.ts";

interface ContextBase {
  /** Name without `@`. */
  readonly name: string;
  /** All properties in the order of the alias file. */
  readonly properties: PhpArray;
  /** The alias record that it was loaded from; undefined for a context that has no alias file yet. */
  readonly record: PhpArray | undefined;
}

/** Where a server's `http` service keeps its files; drivers without files of their own (cluster, pack) have none. */
export interface HttpPaths {
  readonly app: string;
  readonly pre: string;
  readonly post: string;
  readonly platform: string;
  readonly vhost: string;
  readonly subdir: string;
  readonly platforms: string;
}

export interface HttpService {
  /** The value of `http_service_type`. */
  readonly driver: string;
  /** The program that its drivers write files for. */
  readonly application: "apache" | "nginx" | undefined;
  readonly port: string;
  readonly restartCommand: string | undefined;
  readonly webGroup: string | undefined;
  readonly paths: HttpPaths | undefined;
  /** Names of the members of a cluster or pack, masters first. */
  readonly members: readonly string[];
}

export interface DbService {
  readonly driver: string;
  readonly port: string;
  /** The administrator's URL, `mysql://user:password@host`, or undefined. */
  readonly masterDb: string | undefined;
  readonly grantAllHosts: boolean;
  readonly utf8mb4: boolean;
}

export interface ServerContext extends ContextBase {
  readonly type: "server";
  readonly remoteHost: string;
  readonly aegirRoot: string;
  readonly scriptUser: string;
  readonly backupPath: string;
  readonly configPath: string;
  readonly includePath: string;
  readonly clientsPath: string;
  readonly db: DbService | undefined;
  readonly http: HttpService | undefined;
  /** Service types whose driver is not one of Provision's own, as `type: driver`. */
  readonly unknownDrivers: readonly string[];
}

export interface PlatformContext extends ContextBase {
  readonly type: "platform";
  readonly webServer: ServerContext;
  readonly root: string | undefined;
  readonly makefile: string | undefined;
}

export interface SiteContext extends ContextBase {
  readonly type: "site";
  readonly platform: PlatformContext;
  readonly dbServer: ServerContext;
  readonly uri: string | undefined;
  readonly root: string | undefined;
  readonly sitePath: string;
  readonly enabled: boolean;
}

export type Context = ServerContext | PlatformContext | SiteContext;

/** The property as text; undefined when it is empty or not set. */
export function property(context: Context, key: string): string | undefined {
  return textOrUndefined(context.properties.get(key));
}

/** The texts of a list property. */
export function listProperty(context: Context, key: string): string[] {
  return textList(context.properties, key);
}

export function textList(properties: PhpArray, key: string): string[] {
  const value = properties.get(key);
  if (typeof value !== "object" || value === null || !("values" in value)) return [];
  return [...value.values()].flatMap((item) => textOrUndefined(item) ?? []);
}
