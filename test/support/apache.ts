import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { request, type ClientRequest, type IncomingHttpHeaders, type RequestOptions } from "node:http";
import { request as requestTls } from "node:https";
import { join } from "node:path";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { type AegirHome } from "./aegir-home.ts";
import { configuration, controlScript } from "./apache-files.ts";
import { onFreePort, startServer, type ServerProcess } from "./server-process.ts";
import { type RunResult } from "./test-user.ts";

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface FetchOptions {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  /** Default: 127.0.0.1. */
  readonly address?: string;
}

export interface TlsAnswer extends Answer {
  /** Subjects of the certificates that the server has sent, its own first. */
  readonly certificates: readonly string[];
}

/** An Apache of our own on 127.0.0.1 with PHP as its module, run by the test's user. */
export interface Apache {
  readonly port: number;
  /** Port for HTTPS; 0 when the server has no mod_ssl. */
  readonly tlsPort: number;
  readonly pid: number;
  readonly directory: string;
  /** A program like Debian's apache2ctl: `graceful`, `configtest`, or options of apache2 (`-t`, `-S`). */
  readonly control: string;
  /** The value of a server's property `http_restart_cmd`. */
  readonly restartCommand: string;
  /** What is wrong in PHP code, notices too; empty when all is well. */
  phpErrors: () => string;
  errorLog: () => string;
  /** Asks for a page of a virtual host. Redirections are answers. The Host header is `host` as given; a browser would add `:port`. */
  fetch: (host: string, path: string, options?: FetchOptions) => Promise<Answer>;
  /** The same over HTTPS, whoever has signed the certificate. */
  fetchTls: (host: string, path: string, options?: FetchOptions) => Promise<TlsAnswer>;
  /** Runs `control graceful`; does not throw when it is refused. */
  graceful: () => Promise<RunResult>;
  stop: () => Promise<void>;
}

/**
 * Starts it in `beside` the home, with `config/apache.conf` of the home linked in, as Aegir's installation does with `conf-enabled`. That
 * file need not be there yet. PHP takes the database host `localhost` to mean the socket, which need not be there yet either.
 */
export async function startApache(home: AegirHome, databaseSocket: string, { tls = false }: { readonly tls?: boolean } = {}): Promise<Apache> {
  const { user, beside } = home;
  const directory = join(beside, "apache");
  const [pidFile, errorLog, phpLog] = ["apache2.pid", "error.log", "php.log"].map((name) => join(directory, name)) as [string, string, string];
  mkdirSync(join(directory, "conf-enabled"), { recursive: true });
  symlinkSync(join(home.path, "config/apache.conf"), join(directory, "conf-enabled/aegir.conf"));
  const control = join(directory, "apachectl");
  writeFileSync(control, controlScript({ directory, pidFile, errorLog }));
  chmodSync(control, 0o755);
  writeFileSync(phpLog, "");
  user.own(directory);

  const onPorts = async (port: number, tlsPort?: number): Promise<{ port: number; tlsPort: number; server: ServerProcess }> => {
    const place = { directory, pidFile, errorLog, phpLog, port, tlsPort, phpModule: phpModule(), databaseSocket };
    writeFileSync(join(directory, "apache2.conf"), configuration(place));
    return { port, tlsPort: tlsPort ?? 0, server: await start(home, directory, errorLog) };
  };
  const { port, tlsPort, server } = await onFreePort((port) => (tls ? onFreePort((tlsPort) => onPorts(port, tlsPort)) : onPorts(port)));
  return {
    port,
    tlsPort,
    pid: server.pid,
    directory,
    control,
    restartCommand: `${control} graceful`,
    phpErrors: () => readFileSync(phpLog, "utf8"),
    errorLog: () => readFileSync(errorLog, "utf8"),
    fetch: (host, path, options) => fetchPage(port, host, path, options),
    fetchTls: (host, path, options) => fetchPageTls(tlsPort, host, path, options),
    graceful: () => user.run([control, "graceful"], { mayFail: true }),
    stop: () => server.stop(),
  };
}

function start({ user }: AegirHome, directory: string, errorLog: string): Promise<ServerProcess> {
  return startServer({
    user,
    command: ["apache2", "-d", directory, "-f", join(directory, "apache2.conf"), "-DFOREGROUND"],
    isReady: () => existsSync(errorLog) && readFileSync(errorLog, "utf8").includes("resuming normal operations"),
  });
}

export function phpModule(): string {
  const modules = "/usr/lib/apache2/modules";
  const name = readdirSync(modules).find((file) => /^libphp\d.*\.so$/.test(file));
  if (name === undefined) throw new Error(`There is no PHP module in ${modules} (package libapache2-mod-php).`);
  return join(modules, name);
}

export async function fetchPage(port: number, host: string, path: string, options: FetchOptions = {}): Promise<Answer> {
  return answerOf((sent) => request(sent), { port, host, path, options });
}

export async function fetchPageTls(port: number, host: string, path: string, options: FetchOptions = {}): Promise<TlsAnswer> {
  let certificates: string[] = [];
  const answer = await answerOf((sent) => requestTls({ ...sent, servername: host.replace(/:\d+$/, ""), rejectUnauthorized: false }), { port, host, path, options }, (socket) => {
    // https has made it.
    certificates = subjects(socket as unknown as TLSSocket);
  });
  return { ...answer, certificates };
}

function subjects(socket: TLSSocket): string[] {
  const found: string[] = [];
  const seen = new Set<string>();
  for (let certificate = socket.getPeerCertificate(true); !seen.has(certificate.fingerprint256); certificate = certificate.issuerCertificate) {
    seen.add(certificate.fingerprint256);
    found.push(String(certificate.subject.CN));
    if (typeof certificate.issuerCertificate !== "object") break;
  }
  return found;
}

interface Asked {
  readonly port: number;
  readonly host: string;
  readonly path: string;
  readonly options: FetchOptions;
}

function answerOf(send: (sent: RequestOptions) => ClientRequest, { port, host, path, options }: Asked, onSocket: (socket: Socket) => void = () => undefined): Promise<Answer> {
  const { method = "GET", headers = {}, body, address = "127.0.0.1" } = options;
  return new Promise((resolve, reject) => {
    // No kept connections: an old child of Apache that still holds one would answer by the old configuration.
    const sent = send({ host: address, port, path, method, headers: { ...headers, Host: host }, agent: false });
    sent.on("response", (response) => {
      onSocket(response.socket);
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks).toString() }));
    });
    sent.setTimeout(20_000, () => sent.destroy(new Error(`No answer from ${host}${path} in 20 s.`)));
    sent.on("error", reject);
    sent.end(body);
  });
}
