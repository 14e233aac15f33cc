import type { ServerContext, SiteContext } from "../contexts/context.ts";
import { grantHosts, hostFromRefusal, probeFromHere, PROBE_USER } from "../database/grant-hosts.ts";
import { ShimError } from "../errors/shim-error.ts";
import { runRemote } from "../remote/run-remote.ts";
import type { RemoteServer } from "../web/remote-server.ts";
import type { CommandCall } from "./command.ts";
import { dbPort } from "./database-work.ts";
import { isLocalHost } from "./local-host.ts";
import { remoteOf } from "./remote-host-of.ts";
import { webHosts } from "./web-work.ts";

/**
 * How the database server sees the site's web servers, all members of a cluster or pack, and this machine, from where dumps and Drupal's own programs come.
 *
 * @throws ShimError PROVISION_DB_CONNECT_FAIL, PROVISION_REMOTE_…
 */
export async function grantHostsOf(site: SiteContext, call: CommandCall): Promise<string[]> {
  const { dbServer, platform } = site;
  const { mysqlSocket, databaseTimeoutMs, signal } = call.surroundings;
  let here: Promise<string> | undefined;
  const probe = async (webServer: ServerContext): Promise<string> => {
    const remote = webServer.http === undefined ? undefined : await remoteOf(webServer, call);
    if (remote !== undefined) return probeFromThere(remote, dbServer, call);
    here ??= probeFromHere({ host: dbServer.remoteHost, port: dbPort(dbServer) }, { socket: mysqlSocket, timeoutMs: databaseTimeoutMs, signal });
    return here;
  };
  return grantHosts([...(await webHosts(platform.webServer, call)), await call.contexts.master()], { allHosts: dbServer.db?.grantAllHosts === true, probe });
}

/** Asks without any of the user's settings, as a user that no server has. */
const PROBE = `client=$(command -v mariadb || command -v mysql) || { echo "there is no client of the database (mariadb, mysql)" >&2; exit 127; }
"$client" --no-defaults --connect-timeout=20 -u "$1" -h "$2" -P "$3" -e "SELECT VERSION()" 2>&1`;

async function probeFromThere(remote: RemoteServer, dbServer: ServerContext, call: CommandCall): Promise<string> {
  const { host, means } = remote;
  if (await isLocalHost(dbServer.remoteHost)) {
    throw new ShimError("PROVISION_DB_CONNECT_FAIL", `The web server ${host.host} (@${host.server}) would look for the database of @${dbServer.name} on itself: that server's remote_host is ${dbServer.remoteHost}.`, {
      hint: "save the database server with a remote_host by which other machines reach it",
    });
  }
  const { status, output } = await runRemote(host, { words: ["sh", "-c", PROBE, "sh", PROBE_USER, dbServer.remoteHost, String(dbPort(dbServer))], timeoutMs: 60_000 }, { ...means, signal: call.surroundings.signal });
  if (status === 127) throw new ShimError("PROVISION_DB_CONNECT_FAIL", `It cannot be seen how the database server sees ${host.host} (@${host.server}): ${output}`, { hint: "install default-mysql-client there" });
  return hostFromRefusal(output, { host: dbServer.remoteHost, port: dbPort(dbServer) });
}
