import { basename } from "node:path";
import { property, type ServerContext } from "../../contexts/context.ts";
import { ShimError } from "../../errors/shim-error.ts";
import { commandWords } from "../restart-command.ts";
import { runControl, type Environment } from "../web-control.ts";
import { isAtLeast } from "./nginx-place.ts";
import type { ProgramFacts } from "../web-driver.ts";

// All questions in one process, which on another machine is one connection. $1: a program, $2: a socket to prefer.
const QUESTIONS = `
for program in "$1" /usr/local/sbin/nginx /usr/sbin/nginx /usr/local/bin/nginx "$(command -v nginx)"; do
  case $program in /*) [ -x "$program" ] && { echo "program $program"; "$program" -V 2>&1; break; };; esac
done
for socket in "$2" /run/php/*fpm*.sock /var/run/php/*fpm*.sock /run/php-fpm/*.sock /var/run/php5-fpm.sock; do
  [ -S "$socket" ] && echo "socket $socket"
done
# Port 9000 in state LISTEN.
grep -qs ":2328 [0-9A-F]*:0000 0A" /proc/net/tcp /proc/net/tcp6 && echo "port 9000"
[ -e /etc/nginx/basic_nginx.conf ] && echo "mode basic"
[ -e /data/conf/global.inc ] && echo "mode boa"
true`;

/**
 * What the server's nginx is and can do, and how it reaches PHP, as properties of the server (as save_server of Provision's nginx service). Undefined when
 * there is no nginx.
 */
export async function probeNginx(server: ServerContext, environment: Environment): Promise<ProgramFacts | undefined> {
  const { ok, output } = await runControl(["sh", "-c", QUESTIONS, "sh", ownProgram(server), property(server, "phpfpm_socket") ?? ""], environment);
  if (!ok || !/^program /m.test(output)) return undefined;
  const flag = (holds: boolean): number => (holds ? 1 : 0);
  const version = /nginx version: \S*?\/(\d+)\.(\d+)\.(\d+)/.exec(output)?.slice(1).map(Number) ?? [1, 0, 0];
  const socket = preferredSocket(allOf(output, "socket"), property(server, "phpfpm_socket"));
  const isSocketMode = property(server, "phpfpm_mode") === "socket";
  const modes = allOf(output, "mode");
  const properties: ProgramFacts["properties"] = [
    ...(modes.includes("basic") ? [["nginx_config_mode", "basic"] as const] : []),
    ["nginx_version", version.join(".")],
    ["nginx_is_modern", flag(isAtLeast(version, [1, 1, 8]))],
    ["nginx_has_etag", flag(isAtLeast(version, [1, 3, 3]))],
    ["nginx_has_http2", flag(output.includes("http_v2_module"))],
    ["nginx_has_gzip", flag(output.includes("http_gzip_static_module"))],
    // A module that was only built, not loaded, looks the same in nginx's words, and its directives would break everything.
    ["nginx_has_upload_progress", 0],
    ...(server.http?.driver === "nginx_ssl" ? [] : [["provision_db_cloaking", true] as const]),
    // A socket of PHP-FPM that is not there at the moment is no reason to look for PHP elsewhere.
    ...(socket !== undefined ? [["phpfpm_mode", "socket"] as const, ["phpfpm_socket", socket] as const] : isSocketMode ? [] : [["phpfpm_mode", "port"] as const]),
    ...(modes.includes("boa") ? [["satellite_mode", "boa"] as const] : []),
  ];
  if (socket !== undefined) return { properties };
  if (isSocketMode) return { properties, problem: noSocket(server) };
  const answers = allOf(output, "port").includes("9000");
  return answers ? { properties } : { properties, doubt: `Nobody listens at 127.0.0.1:9000, where the web server @${server.name} expects PHP-FPM: its sites will answer 502 until somebody does.` };
}

function noSocket(server: ServerContext): ShimError {
  const wanted = property(server, "phpfpm_socket");
  return new ShimError("PROVISION_PHP_FPM_NOT_FOUND", `The web server @${server.name} reaches PHP by a socket (phpfpm_mode), but ${wanted === undefined ? "there is none in /run/php" : `${wanted} is not there, nor another one`}.`, { hint: "start PHP-FPM, or save the server with --phpfpm_socket=PATH or --phpfpm_mode=port" });
}

/** The one that was chosen, else that of the newest PHP. */
function preferredSocket(sockets: readonly string[], chosen: string | undefined): string | undefined {
  if (chosen !== undefined && sockets.includes(chosen)) return chosen;
  const number = (socket: string): number => Number(/php-?(\d+)/.exec(basename(socket))?.[1] ?? 0) * 1000 + Number(/php-?\d+\.(\d+)/.exec(basename(socket))?.[1] ?? 0);
  return [...sockets].sort((one, two) => number(two) - number(one))[0];
}

/** The program that the restart command names, if it names nginx itself. */
function ownProgram(server: ServerContext): string {
  return commandWords(server.http?.restartCommand ?? "").find((word) => /^\/.*\/nginx[\w.-]*$/.test(word) && !word.includes("/init.d/")) ?? "";
}

function allOf(output: string, what: string): string[] {
  return [...output.matchAll(new RegExp(`^${what} (.+)$`, "gm"))].map(([, text = ""]) => text);
}
