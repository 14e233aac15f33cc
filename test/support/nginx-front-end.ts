import { good, installSite, openFrontEnd, SERVER, serverOptions, type FrontEnd, type SiteOptions } from "./front-end.ts";
import { startNginx, type Nginx } from "./nginx.ts";
import { startPhpFpm, type PhpFpm } from "./php-fpm.ts";
import { copyStandIn } from "./stand-in.ts";
import type { PlainRecord } from "../../src/php-values/convert.ts";

/** The front end of Aegir on a machine whose web server is an nginx. */
export interface NginxFrontEnd extends FrontEnd {
  readonly nginx: Nginx;
  readonly php: PhpFpm;
  readonly serverOptions: PlainRecord;
  /** Saves and verifies the server and a platform of the stand-in; answers the platform's root. */
  readonly openPlatform: () => Promise<string>;
  readonly installSite: (root: string, uri: string, options?: SiteOptions) => Promise<void>;
}

export async function openNginxFrontEnd({ service = "nginx" } = {}): Promise<NginxFrontEnd> {
  const frontEnd = await openFrontEnd();
  const { home, mariadb } = frontEnd.stage;
  const servers = await Promise.allSettled([startNginx(home), startPhpFpm(home, mariadb.socket)]);
  const [nginx, php] = servers;
  const strike = async (): Promise<void> => {
    await Promise.all(servers.map((server) => (server.status === "fulfilled" ? server.value.stop() : Promise.resolve())));
    await frontEnd.strike();
  };
  if (nginx.status === "rejected" || php.status === "rejected") {
    await strike();
    throw (nginx.status === "rejected" ? nginx : (php as PromiseRejectedResult)).reason;
  }
  home.write(".drush/drushrc.php", `<?php\n$options['provision_nginx_state_path'] = '${nginx.value.statePath}';\n$options['provision_nginx_log_path'] = '${nginx.value.logPath}';\n`);
  const options = { ...serverOptions(frontEnd), http_service_type: service, http_port: String(nginx.value.port), http_ssl_port: String(nginx.value.tlsPort), http_restart_cmd: nginx.value.restartCommand, phpfpm_mode: "socket", phpfpm_socket: php.value.socket };
  return {
    ...frontEnd,
    nginx: nginx.value,
    php: php.value,
    serverOptions: options,
    strike,
    openPlatform: async () => {
      await good(frontEnd.save(SERVER, options));
      await good(frontEnd.task(SERVER, "verify"));
      const root = copyStandIn(home, "standin");
      await good(frontEnd.save("platform_standin", { context_type: "platform", server: `@${SERVER}`, web_server: `@${SERVER}`, root }));
      await good(frontEnd.task("platform_standin", "verify"));
      return root;
    },
    installSite: (root, uri, more) => installSite(frontEnd, root, uri, more),
  };
}
