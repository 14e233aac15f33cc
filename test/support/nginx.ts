import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type AegirHome } from "./aegir-home.ts";
import { fetchPage, fetchPageTls, type Answer, type FetchOptions, type TlsAnswer } from "./apache.ts";
import { onFreePort, startServer, type ServerProcess } from "./server-process.ts";
import { type RunResult } from "./test-user.ts";

/** An nginx of our own, run by the test's user. */
export interface Nginx {
  readonly port: number;
  /** For HTTPS. */
  readonly tlsPort: number;
  readonly pid: number;
  readonly directory: string;
  /** A program like nginx that means this one: `-s reload` returns when the new configuration is in force, `-t` tests it. */
  readonly control: string;
  /** The value of a server's property `http_restart_cmd`. */
  readonly restartCommand: string;
  /** Where it may keep its cache, and its logs: the options of Aegir's side for it. */
  readonly statePath: string;
  readonly logPath: string;
  errorLog: () => string;
  /** Asks for a page of a virtual host. Redirections are answers. The Host header is `host` as given. */
  fetch: (host: string, path: string, options?: FetchOptions) => Promise<Answer>;
  /** The same over HTTPS, whoever has signed the certificate. */
  fetchTls: (host: string, path: string, options?: FetchOptions) => Promise<TlsAnswer>;
  reload: () => Promise<RunResult>;
  stop: () => Promise<void>;
}

/**
 * Starts it in `beside` the home, with `config/nginx.conf` of the home linked in, as Aegir's installation does with `conf.d`. That file need not
 * be there yet.
 */
export async function startNginx(home: AegirHome): Promise<Nginx> {
  const { user, beside } = home;
  const directory = join(beside, "nginx");
  const [statePath, logPath] = [join(directory, "state"), join(directory, "log")];
  for (const path of ["conf.d", "state", "log", "bin"]) mkdirSync(join(directory, path), { recursive: true });
  // nginx takes a bare name to be beside its main file.
  for (const name of ["fastcgi_params", "mime.types"]) symlinkSync(join("/etc/nginx", name), join(directory, name));
  const control = join(directory, "bin/nginx");
  writeFileSync(control, controlScript(directory));
  chmodSync(control, 0o755);
  user.own(directory);
  const errorLog = (): string => (existsSync(join(logPath, "error.log")) ? readFileSync(join(logPath, "error.log"), "utf8") : "");

  const tlsPort = await onFreePort((port) => Promise.resolve(port));
  const { port, server } = await onFreePort(async (port) => {
    const main = join(directory, "nginx.conf");
    // Aegir's file, which is not there yet, will have this line.
    writeFileSync(main, configuration(directory, port, `client_body_temp_path ${statePath}/body 1 2;`));
    const server = await start(home, directory, errorLog);
    writeFileSync(main, configuration(directory, port));
    // nginx would not start with a link that leads nowhere.
    symlinkSync(join(home.path, "config/nginx.conf"), join(directory, "conf.d/aegir.conf"));
    return { port, server };
  });
  return {
    port,
    tlsPort,
    pid: server.pid,
    directory,
    control,
    restartCommand: `${control} -s reload`,
    statePath,
    logPath,
    errorLog,
    fetch: (host, path, options) => fetchPage(port, host, path, options),
    fetchTls: (host, path, options) => fetchPageTls(tlsPort, host, path, options),
    reload: () => user.run([control, "-s", "reload"], { mayFail: true }),
    stop: () => server.stop(),
  };
}

function start({ user }: AegirHome, directory: string, errorLog: () => string): Promise<ServerProcess> {
  return startServer({
    user,
    command: ["/usr/sbin/nginx", "-e", join(directory, "log/error.log"), "-p", directory, "-c", join(directory, "nginx.conf"), "-g", "daemon off;"],
    isReady: () => errorLog().includes("start worker process"),
  });
}

/** The stock file of Debian with other places, and a server of last resort that keeps the port. */
function configuration(directory: string, port: number, more = ""): string {
  return `worker_processes 1;
pid ${directory}/nginx.pid;
error_log ${directory}/log/error.log notice;
events {
  worker_connections 64;
}
http {
  sendfile on;
  tcp_nopush on;
  types_hash_max_size 2048;
  include mime.types;
  default_type application/octet-stream;
  ssl_protocols TLSv1.2 TLSv1.3;
  ssl_prefer_server_ciphers on;
  access_log off;
  gzip on;
  fastcgi_temp_path ${directory}/state/fastcgi;
  proxy_temp_path ${directory}/state/proxy;
  scgi_temp_path ${directory}/state/scgi;
  uwsgi_temp_path ${directory}/state/uwsgi;
  ${more}
  include ${directory}/conf.d/*.conf;
  server {
    listen *:${port};
    server_name keeps-the-port.invalid;
    return 444;
  }
}
`;
}

/** Like nginx it reads the configuration before it reloads, and says what is wrong. Unlike nginx it returns when the old worker is gone. */
function controlScript(directory: string): string {
  return `#!/bin/sh
# Control of the private nginx in ${directory}.
nginx() { /usr/sbin/nginx -e '${directory}/log/error.log' -p '${directory}' -c '${directory}/nginx.conf' "$@"; }
failures() { grep -c 'emerg' '${directory}/log/error.log'; }
# The main process says when the worker that serves now is gone; the children that the kernel names are not always all.
worker=$(sed -n 's/.*start worker process \\([0-9]*\\)$/\\1/p' '${directory}/log/error.log' | tail -n 1)
is_gone() { grep -q "worker process $worker exited" '${directory}/log/error.log'; }

if [ "$*" != '-s reload' ]; then
  nginx "$@"
  exit
fi
before=$(failures)
nginx -s reload || exit 1
tries=0
until is_gone || [ "$(failures)" -gt "$before" ]; do
  tries=$((tries + 1))
  [ $tries -lt 500 ] || { echo 'nginx did not reload.' >&2; exit 1; }
  sleep 0.02
done
`;
}
