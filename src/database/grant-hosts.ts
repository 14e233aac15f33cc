import { ShimError } from "../errors/shim-error.ts";
import { connectDb, dbReason, type ConnectOptions } from "./connection.ts";

/** A user that no server has, so that its refusal says how it sees us (Provision's own name for it). */
export const PROBE_USER = "intntnllyInvalid";

export interface DbAddress {
  readonly host: string;
  readonly port: number;
}

/** How one web server is seen by the database server: a name or an address. */
export type HostProbe<Server> = (webServer: Server) => Promise<string>;

/**
 * The hosts that a site's accounts are for: how the database server sees each of the web servers.
 *
 * @param probe asks it on that server
 * @throws ShimError PROVISION_DB_CONNECT_FAIL when one probe fails. (Provision then grants to every host.)
 */
export async function grantHosts<Server>(webServers: readonly Server[], options: { readonly allHosts: boolean; readonly probe: HostProbe<Server> }): Promise<string[]> {
  if (options.allHosts) return ["%"];
  const hosts: string[] = [];
  // One after the other: the first failure is the one to report, and most sites have one server.
  for (const server of webServers) hosts.push(await options.probe(server));
  return [...new Set(hosts)];
}

/**
 * How the database server sees this machine.
 *
 * @throws ShimError PROVISION_DB_CONNECT_FAIL
 */
export async function probeFromHere(address: DbAddress, options: ConnectOptions): Promise<string> {
  let cause: unknown;
  try {
    // Without a password, as accounts without a name mostly are.
    const db = await connectDb({ ...address, user: PROBE_USER, password: "" }, options);
    await db.close();
  } catch (thrown) {
    cause = thrown instanceof ShimError && thrown.cause !== undefined ? thrown.cause : thrown;
  }
  return hostFromRefusal(cause === undefined ? "" : refusalText(cause), address);
}

/** The refusal as the clients of the server print it: `ERROR 1045 (28000): Access denied …`. */
function refusalText(thrown: unknown): string {
  const { errno, code } = thrown as { errno?: unknown; code?: unknown };
  return `ERROR ${typeof errno === "number" && errno > 0 ? errno : ""} (${typeof code === "string" ? code : ""}): ${dbReason(thrown)}`;
}

/**
 * The host in a refusal, whichever client and server it comes from: MySQL's words, MariaDB's, or those of Node's sockets.
 *
 * @throws ShimError PROVISION_DB_CONNECT_FAIL, with Provision's words for each cause
 */
export function hostFromRefusal(output: string, { host, port }: DbAddress): string {
  const denied = new RegExp(`Access denied for user '${PROBE_USER}'@'([^']+)'`).exec(output) ?? /Host '([^']+)' is not allowed to connect/.exec(output);
  if (denied?.[1] !== undefined) return denied[1];
  const socket = /through socket '([^']*)'|connect E\w+ (\/\S+)/.exec(output);
  if (socket !== null) throw refusal(`Local database server not running, or not accessible via socket (${socket[1] ?? socket[2] ?? ""}): ${output}`);
  // MariaDB's clients have 2002 for this, too, and `server` where MySQL's have `MySQL server`.
  if (/Unknown (?:\w+ )?(?:server )?host|ERROR 2005|ENOTFOUND|EAI_AGAIN/i.test(output)) throw refusal(`Cannot resolve database server hostname (${host}): ${output}`);
  if (/ERROR 200[23]|Can't connect to (?:\w+ )?server|ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|no answer within/i.test(output)) throw refusal(`Connection to database server failed: ${output} (${host}:${port})`);
  throw new ShimError("PROVISION_DB_CONNECT_FAIL", `Dummy connection failed to fail. Either your MySQL permissions are too lax, or the response was not understood. ${output}`.trim(), {
    hint: "remove accounts without a user name: SELECT Host FROM mysql.user WHERE User = ''",
  });
}

function refusal(message: string): ShimError {
  return new ShimError("PROVISION_DB_CONNECT_FAIL", message, { hint: "the server's remote_host and db_port must be how its web servers reach it" });
}
