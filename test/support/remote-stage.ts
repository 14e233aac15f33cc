import { existsSync } from "node:fs";
import { join } from "node:path";
import { makeAegirHome } from "./aegir-home.ts";
import { good, openFrontEnd, SERVER, serverOptions, type FrontEnd } from "./front-end.ts";
import { makeSshHosts, type SshHost, type SshHosts } from "./ssh-hosts.ts";
import { copyStandIn } from "./stand-in.ts";
import { treeOf } from "./tree.ts";

/** A front end whose sites are served by other hosts: `@server_web1`, `@server_web2` …, and `@server_db`, the database server as they reach it. */
export interface RemoteStage {
  readonly frontEnd: FrontEnd;
  readonly network: SshHosts;
  readonly hosts: readonly SshHost[];
  strike: () => Promise<void>;
}

export const DATABASE = "server_db";

export async function setRemoteStage(count: number): Promise<RemoteStage> {
  const home = makeAegirHome();
  const network = await makeSshHosts(home, count);
  let frontEnd: FrontEnd | undefined;
  try {
    frontEnd = await openFrontEnd({ home, databaseAddresses: [network.here] });
    home.write(".drush/drushrc.php", `<?php\n$options['ssh-options'] = '${network.sshOptions}';\n`);
    const { strike } = frontEnd;
    const stage = { frontEnd, network, hosts: network.hosts, strike: async () => {
      await network.stop();
      await strike();
    } };
    await good(frontEnd.save(SERVER, serverOptions(frontEnd)));
    await good(frontEnd.task(SERVER, "verify"));
    const { mariadb } = frontEnd.stage;
    await good(frontEnd.save(DATABASE, { context_type: "server", remote_host: network.here, db_service_type: "mysql", db_port: String(mariadb.port), master_db: mariadb.masterDb }));
    return stage;
  } catch (error) {
    await network.stop();
    await frontEnd?.strike();
    home.remove();
    throw error;
  }
}

export function serverName(host: SshHost): string {
  return `server_${host.name}`;
}

/** Saves the server of a host, as the front end would. */
export async function saveHost({ frontEnd }: RemoteStage, host: SshHost, service = "apache"): Promise<void> {
  await good(frontEnd.save(serverName(host), { context_type: "server", remote_host: host.address, http_service_type: service, ...(service === "apache" ? {} : { http_ssl_port: String(host.tlsPort) }), http_port: String(host.httpPort), http_restart_cmd: host.restartCommand }));
}

/** A platform of the stand-in on that web server, saved; answers its root. */
export async function savePlatform({ frontEnd }: RemoteStage, name: string, webServer: string): Promise<string> {
  const root = copyStandIn(frontEnd.stage.home, name);
  await good(frontEnd.save(`platform_${name}`, { context_type: "platform", server: `@${SERVER}`, web_server: `@${webServer}`, root }));
  return root;
}

export async function saveSite({ frontEnd }: RemoteStage, uri: string, platform: string, more: Readonly<Record<string, string>> = {}): Promise<void> {
  await good(frontEnd.save(uri, { context_type: "site", platform: `@platform_${platform}`, db_server: `@${DATABASE}`, profile: "standard", client_name: "admin", uri, ...more }));
}

/** The parts of the tree that a host has of a path, in a form that can be compared. */
export function treeThere({ frontEnd }: RemoteStage, host: SshHost, path: string): Record<string, string> {
  const place = join(host.tree, path.slice(frontEnd.home.length + 1));
  return existsSync(place) ? treeOf(place) : {};
}
