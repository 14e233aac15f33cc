import { dirname, join } from "node:path";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { bytesFromText } from "../../src/php-values/text.ts";
import { phpFrom, type PlainRecord } from "../../src/php-values/convert.ts";
import type { PhpArray } from "../../src/php-values/php-array.ts";
import type { PlatformContext, ServerContext, SiteContext } from "../../src/contexts/context.ts";
import type { WebOptions } from "../../src/web/web-driver.ts";
import { webDriver } from "../../src/web/web-driver.ts";
import type { VhostCredentials, WebFileChange } from "../../src/web/web-file.ts";
import { makeAegirHome, type AegirHome } from "../support/aegir-home.ts";
import type { Answer, FetchOptions } from "../support/apache.ts";
import { startNginx, type Nginx } from "../support/nginx.ts";
import { startPhpFpm, type PhpFpm } from "../support/php-fpm.ts";

export interface SiteRequest {
  readonly uri: string;
  readonly enabled?: boolean;
  readonly root?: string;
  readonly credentials?: Partial<VhostCredentials>;
  readonly [property: string]: unknown;
}

/** An nginx and a PHP that run what our driver writes, without commands, contexts on disk or a database. */
export interface NginxHost {
  readonly home: AegirHome;
  readonly nginx: Nginx;
  readonly php: PhpFpm;
  /** Document root of the platform, with an index.php that prints what it got. */
  readonly root: string;
  readonly server: (properties?: PlainRecord) => ServerContext;
  readonly options: (changes?: Partial<WebOptions>) => WebOptions;
  /** Puts the files in place and has nginx read them; throws with its words when it does not like them. */
  readonly apply: (files: readonly WebFileChange[]) => Promise<void>;
  readonly serveServer: (properties?: PlainRecord, changes?: Partial<WebOptions>) => Promise<void>;
  readonly serve: (site: SiteRequest, changes?: Partial<WebOptions>) => Promise<string>;
  readonly site: (request: SiteRequest) => SiteContext;
  /** Writes a file below the document root. */
  readonly put: (path: string, content: string) => void;
  /** What index.php and other scripts got; undefined when the answer is not theirs. */
  readonly ran: (uri: string, path: string, options?: FetchOptions) => Promise<Record<string, string> | undefined>;
  readonly get: (uri: string, path: string, options?: FetchOptions) => Promise<Answer>;
  readonly status: (uri: string, path: string, options?: FetchOptions) => Promise<number>;
  readonly close: () => Promise<void>;
}

const PRINTS = `<?php header('Content-Type: application/json'); echo json_encode(['ran' => basename(__FILE__), 'q' => $_GET['q'] ?? null, 'nonce' => uniqid()] + $_SERVER);`;

export async function openNginxHost(): Promise<NginxHost> {
  const home = makeAegirHome();
  const [nginx, php] = await Promise.all([startNginx(home), startPhpFpm(home)]);
  const config = join(home.path, "config/server_master");
  const root = join(home.path, "platforms/standin");
  const app = join(config, "nginx");
  const paths = { app, pre: join(app, "pre.d"), post: join(app, "post.d"), platform: join(app, "platform.d"), vhost: join(app, "vhost.d"), subdir: join(app, "subdir.d"), platforms: join(home.path, "platforms") };
  for (const path of [...Object.values(paths), join(home.path, "config/includes")]) mkdirSync(path, { recursive: true });

  const server = (properties: PlainRecord = {}): ServerContext => {
    const all = { nginx_config_mode: "extended", nginx_has_gzip: 1, phpfpm_mode: "socket", phpfpm_socket: php.socket, web_disable_url: "http://aegir.test/hosting/disabled", ...properties };
    const driver = (properties["http_service_type"] as string | undefined) ?? "nginx";
    const http = { driver, application: "nginx", port: String(nginx.port), restartCommand: nginx.restartCommand, webGroup: home.user.webGroup, paths, members: [] };
    return { type: "server", name: "server_master", properties: phpFrom(all) as PhpArray, aegirRoot: home.path, configPath: config, includePath: join(home.path, "config/includes"), http } as unknown as ServerContext;
  };
  const options = (changes: Partial<WebOptions> = {}): WebOptions => ({
    confSuffix: false,
    subdirs: false,
    master: server(),
    isSite: () => false,
    challengePath: undefined,
    certificateFailsTask: false,
    extra: [],
    nginx: { statePath: nginx.statePath, logPath: nginx.logPath, ipv6: false },
    ...changes,
  });
  const site = ({ uri, enabled = true, root: ownRoot = root, ...properties }: SiteRequest): SiteContext => {
    const platform = { type: "platform", name: "platform_standin", root: ownRoot, webServer: server(), properties: phpFrom({}) } as unknown as PlatformContext;
    return { type: "site", name: uri, uri, root: ownRoot, enabled, platform, sitePath: join(ownRoot, "sites", uri), properties: phpFrom({ uri, aliases: [], ...properties }) } as unknown as SiteContext;
  };
  const apply = async (files: readonly WebFileChange[]): Promise<void> => {
    for (const { path, content } of files) {
      mkdirSync(dirname(path), { recursive: true });
      if (content === undefined) rmSync(path, { force: true });
      else writeFileSync(path, bytesFromText(content));
    }
    home.user.own(home.path);
    const { status, stdout, stderr } = await nginx.reload();
    if (status !== 0) throw new Error(stdout + stderr);
  };
  const put = (path: string, content: string): void => void home.write(join("platforms/standin", path), content);
  const get = (uri: string, path: string, more?: FetchOptions): Promise<Answer> => nginx.fetch(uri, path, more);

  put("index.php", PRINTS);
  const serveServer = async (properties: PlainRecord = {}, changes: Partial<WebOptions> = {}): Promise<void> => apply((await webDriver(server(properties))).serverFiles(server(properties), options(changes)));
  home.user.own(home.path);
  await home.user.run(["ln", "-s", join(config, "nginx.conf"), join(home.path, "config/nginx.conf")]);
  await serveServer();
  return {
    home,
    nginx,
    php,
    root,
    server,
    options,
    apply,
    serveServer,
    site,
    put,
    get,
    serve: async (request, changes = {}) => {
      const credentials = { type: "mysql", name: "db", user: "me", password: "Pass_1", host: "127.0.0.1", port: "3306", ...request.credentials };
      const files = (await webDriver(server())).siteFiles({ site: site(request), credentials }, server(), options(changes));
      await apply(files);
      return files[0]?.content ?? "";
    },
    ran: async (uri, path, more) => {
      const { body } = await get(uri, path, more);
      return body.startsWith("{") ? (JSON.parse(body) as Record<string, string>) : undefined;
    },
    status: async (uri, path, more) => (await get(uri, path, more)).status,
    close: async () => {
      await Promise.all([nginx.stop(), php.stop()]);
      home.remove();
    },
  };
}
