import { execFileSync, spawn, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type AegirHome } from "./aegir-home.ts";
import { fetchPage, fetchPageTls, phpModule, type Answer, type TlsAnswer } from "./apache.ts";
import { configuration, controlScript } from "./apache-files.ts";
import { startServer, type ServerProcess } from "./server-process.ts";
import { finish, type RunResult, type TestUser } from "./test-user.ts";
import { until } from "./until.ts";

/** Another machine, as far as ssh, rsync, the web server and the file system below Aegir's home go: it has the same paths, and other files in them. */
export interface SshHost {
  readonly name: string;
  /** Where it is reached: the value of `remote_host`. */
  readonly address: string;
  /** Where its tree of the home can be seen from here. */
  readonly tree: string;
  /** The value of its server's `http_restart_cmd`. */
  readonly restartCommand: string;
  readonly httpPort: number;
  /** Port for HTTPS. */
  readonly tlsPort: number;
  readonly sshPort: number;
  /** Its private key, which its sshd has. */
  readonly hostKey: string;
  /** The test's user on it: what he starts runs there. */
  readonly user: TestUser;
  /** A folder for its servers, which has the same path there. */
  readonly folder: string;
  /** Command lines that came by ssh so far. */
  commands: () => string[];
  forgetCommands: () => void;
  /** Shell code that runs there in front of each command; `$SSH_ORIGINAL_COMMAND` is the command, `drop` ends the connection. Undefined: none any more. */
  fault: (shell: string | undefined) => void;
  /** Runs a command in it as the test's user. */
  run: (command: readonly string[], mayFail?: boolean) => Promise<RunResult>;
  /** The same as root. */
  runAsRoot: (command: readonly string[]) => Promise<RunResult>;
  /** Asks its web server for a page. */
  fetch: (host: string, path: string) => Promise<Answer>;
  fetchTls: (host: string, path: string) => Promise<TlsAnswer>;
  /** Ends sshd with all its sessions: connections are refused. */
  shut: () => Promise<void>;
  /** Starts it again, with the same key or a new one. */
  open: (key?: "same" | "new") => Promise<void>;
  errorLog: () => string;
  stop: () => Promise<void>;
}

export interface SshHosts {
  readonly hosts: readonly SshHost[];
  /** Address of this machine as the hosts see it. */
  readonly here: string;
  /** The value of drush's option `ssh-options`: the user's keys, and the hosts' as known. */
  readonly sshOptions: string;
  /** Notes the host's present key as known, in the place of what was known. */
  know: (host: SshHost) => void;
  /** Takes the host's key from what is known. */
  forget: (host: SshHost) => void;
  /** False where they share this machine's network, and cannot be told apart by their addresses. */
  readonly apart: boolean;
  stop: () => Promise<void>;
}

/** Why such hosts cannot be made here; undefined when they can. */
export function whyNoHosts(): string | undefined {
  if (process.getuid?.() !== 0) return "only root can make hosts with a file system of their own";
  const missing = ["ip", "sshd", "rsync", "ssh", "ssh-keygen", "nsenter"].filter((program) => spawnSync("sh", ["-c", `command -v ${program}`], { env: PATHS }).status !== 0);
  if (missing.length > 0) return `there is no ${missing.join(", ")}`;
  if (spawnSync("unshare", ["-m", "mount", "--make-rprivate", "/"]).status !== 0) return "a mount of one's own is not permitted";
  return undefined;
}

const PATHS = { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" };
/** Interfaces have names of 15 letters at most. */
const tag = process.pid.toString(36);

/**
 * Makes hosts of network namespaces behind a bridge. Where those are not permitted they are addresses of the loopback; a file system of its own each has in any case.
 */
export async function makeSshHosts(home: AegirHome, count: number): Promise<SshHosts> {
  const network = openNetwork(count);
  const keys = makeKeys(home);
  const hosts: Host[] = [];
  // A namespace outlives everything that was in it.
  process.once("exit", network.close);
  const stop = async (): Promise<void> => {
    await Promise.allSettled(hosts.map((host) => host.stop()));
    network.close();
    process.off("exit", network.close);
  };
  try {
    for (let index = 0; index < count; index++) hosts.push(new Host(home, { ...keys, name: `web${index + 1}`, ...network.places[index]! }));
    writeFileSync(keys.config, sshConfig(keys, hosts));
    home.user.own(join(home.beside, "ssh"));
    await Promise.all(hosts.map((host) => host.start()));
    for (const host of hosts) know(keys, host);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    hosts,
    here: network.here,
    sshOptions: `-F ${keys.config}`,
    know: (host) => know(keys, host),
    forget: (host) => forget(keys, host),
    apart: network.places[0]?.namespace !== undefined,
    stop,
  };
}

interface Place {
  readonly address: string;
  readonly sshPort: number;
  readonly httpPort: number;
  readonly tlsPort: number;
  /** Name of its network namespace; undefined where it has none. */
  readonly namespace: string | undefined;
}

interface Network {
  readonly here: string;
  readonly places: readonly Place[];
  readonly close: () => void;
}

function openNetwork(count: number): Network {
  for (let attempt = 0; attempt < 20 && process.env["SHIM_TEST_NO_NETNS"] === undefined; attempt++) {
    const network = namespaces(count, `10.${180 + ((process.pid + attempt) % 60)}.${(process.pid >> 6) % 250}`);
    if (network !== undefined) return network;
  }
  const first = 10 + (process.pid % 60) * 4;
  const places = Array.from({ length: count }, (_, index) => ({ address: `127.0.0.${first + 1 + index}`, sshPort: 22_000 + (process.pid % 9000), httpPort: 32_000 + (process.pid % 9000), tlsPort: 42_000 + (process.pid % 9000), namespace: undefined }));
  return { here: `127.0.0.${first}`, places, close: () => undefined };
}

function namespaces(count: number, subnet: string): Network | undefined {
  const bridge = `sb${tag}`;
  const names = Array.from({ length: count }, (_, index) => `sh${tag}${index + 1}`);
  const close = (): void => {
    for (const name of names) ip("netns", "del", name);
    ip("link", "del", bridge);
  };
  const taken = spawnSync("ip", ["-br", "addr"], { env: PATHS, encoding: "utf8" }).stdout.includes(`${subnet}.`);
  const made = !taken && ip("link", "add", bridge, "type", "bridge") && ip("addr", "add", `${subnet}.1/24`, "dev", bridge) && ip("link", "set", bridge, "up") && names.every((name, index) => namespace(name, { bridge, address: `${subnet}.${index + 2}` }));
  if (!made) {
    close();
    return undefined;
  }
  return { here: `${subnet}.1`, places: names.map((name, index) => ({ address: `${subnet}.${index + 2}`, sshPort: 22, httpPort: 80, tlsPort: 443, namespace: name })), close };
}

function namespace(name: string, { bridge, address }: { readonly bridge: string; readonly address: string }): boolean {
  const inside = (...words: string[]): boolean => ip("-n", name, ...words);
  return (
    ip("netns", "add", name) &&
    ip("link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", name) &&
    ip("link", "set", name, "master", bridge, "up") &&
    inside("addr", "add", `${address}/24`, "dev", "eth0") &&
    inside("link", "set", "eth0", "up") &&
    inside("link", "set", "lo", "up") &&
    // Its servers are the test user's, on the ports that such servers have.
    spawnSync("ip", ["netns", "exec", name, "sh", "-c", "echo 0 > /proc/sys/net/ipv4/ip_unprivileged_port_start"], { env: PATHS }).status === 0
  );
}

function ip(...words: string[]): boolean {
  return spawnSync("ip", words, { env: PATHS, stdio: "ignore" }).status === 0;
}

interface Keys {
  readonly folder: string;
  readonly identity: string;
  readonly known: string;
  readonly config: string;
}

function makeKeys(home: AegirHome): Keys {
  const folder = join(home.beside, "ssh");
  mkdirSync(folder);
  const identity = join(folder, "id_ed25519");
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", identity]);
  writeFileSync(join(folder, "known_hosts"), "");
  return { folder, identity, known: join(folder, "known_hosts"), config: join(folder, "config") };
}

function sshConfig({ identity, known }: Keys, hosts: readonly SshHost[]): string {
  const ports = hosts.map(({ address, sshPort }) => `Host ${address}\n  Port ${sshPort}\n`).join("");
  return `${ports}Host *\n  IdentityFile ${identity}\n  IdentitiesOnly yes\n  UserKnownHostsFile ${known}\n  GlobalKnownHostsFile /dev/null\n`;
}

function know(keys: Keys, host: SshHost): void {
  forget(keys, host);
  const [type, key] = readFileSync(`${host.hostKey}.pub`, "utf8").split(" ");
  const { sshPort } = host;
  writeFileSync(keys.known, `${readFileSync(keys.known, "utf8")}${sshPort === 22 ? host.address : `[${host.address}]:${sshPort}`} ${type} ${key}\n`);
}

function forget({ known }: Keys, { address }: Pick<SshHost, "address">): void {
  writeFileSync(known, readFileSync(known, "utf8").split("\n").filter((line) => line !== "" && !line.includes(address)).map((line) => `${line}\n`).join(""));
}

class Host implements SshHost {
  readonly name: string;
  readonly address: string;
  readonly httpPort: number;
  readonly tlsPort: number;
  readonly sshPort: number;
  readonly place: Place;
  readonly tree: string;
  readonly restartCommand: string;
  readonly hostKey: string;
  readonly #home: AegirHome;
  readonly #folder: string;
  readonly #keys: Keys;
  /** Holds its view of the file system, in which all else is started. */
  #init: ServerProcess | undefined;
  #sshd: ServerProcess | undefined;
  #apache: ServerProcess | undefined;

  constructor(home: AegirHome, { name, folder, identity, known, config, ...place }: Keys & Place & { readonly name: string }) {
    this.name = name;
    this.address = place.address;
    this.httpPort = place.httpPort;
    this.tlsPort = place.tlsPort;
    this.sshPort = place.sshPort;
    this.place = place;
    this.#home = home;
    this.#keys = { folder, identity, known, config };
    this.#folder = join(home.beside, "hosts", name);
    this.tree = join(this.#folder, "aegir");
    this.hostKey = join(this.#folder, "host_key");
    this.restartCommand = `${join(this.#folder, "apache/apachectl")} graceful`;
  }

  async start(): Promise<void> {
    const { user, path } = this.#home;
    mkdirSync(join(this.tree, "config"), { recursive: true });
    mkdirSync(join(this.#folder, "etc"));
    // sshd goes where the account says that the user's home is.
    writeFileSync(join(this.#folder, "etc/passwd"), readFileSync("/etc/passwd", "utf8").replace(new RegExp(`^(${user.name}:.*:)[^:]*(:[^:]*)$`, "m"), `$1${path}$2`));
    writeFileSync(join(this.#folder, "gate"), gate(this.#folder), { mode: 0o755 });
    writeFileSync(join(this.#folder, "commands.log"), "");
    this.#newKey();
    this.#apacheFiles();
    user.own(join(this.#home.beside, "hosts"));
    const view = `mount --make-rprivate / && mount --bind '${this.tree}' '${path}' && mount --bind '${this.#folder}/etc/passwd' /etc/passwd && echo ready && exec sleep infinity`;
    const inside = this.place.namespace === undefined ? [] : ["ip", "netns", "exec", this.place.namespace];
    this.#init = await startServer({ user: asRoot(user), command: [...inside, "unshare", "-m", "sh", "-c", view], isReady: (output) => output.includes("ready") });
    await Promise.all([this.open(), this.#startApache()]);
  }

  async open(key: "same" | "new" = "same"): Promise<void> {
    if (key === "new") this.#newKey();
    writeFileSync(join(this.#folder, "sshd_config"), this.#sshdConfig());
    this.#sshd = await this.#serve(["/usr/sbin/sshd", "-D", "-e", "-f", join(this.#folder, "sshd_config")], (output) => output.includes("Server listening"));
  }

  async shut(): Promise<void> {
    const pid = this.#sshd?.pid;
    if (pid === undefined) return;
    const all = [pid, ...descendants(pid)];
    for (const one of all) killProcess(one);
    await this.#sshd?.stop("SIGKILL");
    await until("the host's sessions are gone", () => all.every((one) => !existsSync(`/proc/${one}`) || /^State:\s+[ZX]/m.test(statusOf(one))));
    this.#sshd = undefined;
  }

  fault(shell: string | undefined): void {
    for (const name of ["fault", "gate.died"]) rmSync(join(this.#folder, name), { force: true });
    if (shell === undefined) return;
    writeFileSync(join(this.#folder, "fault"), shell);
    this.#home.user.own(join(this.#folder, "fault"));
  }

  commands(): string[] {
    return readFileSync(join(this.#folder, "commands.log"), "utf8").split("\n").filter((line) => line !== "");
  }

  forgetCommands(): void {
    writeFileSync(join(this.#folder, "commands.log"), "");
  }

  get user(): TestUser {
    return entering(this.#home.user, () => this.#enter());
  }

  get folder(): string {
    return this.#folder;
  }

  run(command: readonly string[], mayFail = false): Promise<RunResult> {
    return this.user.run(command, { mayFail });
  }

  runAsRoot(command: readonly string[]): Promise<RunResult> {
    return asRoot(this.#home.user).run([...this.#view(), ...command], { cwd: "/" });
  }

  fetch(host: string, path: string): Promise<Answer> {
    return fetchPage(this.httpPort, host, path, { address: this.address });
  }

  fetchTls(host: string, path: string): Promise<TlsAnswer> {
    return fetchPageTls(this.tlsPort, host, path, { address: this.address });
  }

  errorLog(): string {
    return readFileSync(join(this.#folder, "apache/error.log"), "utf8");
  }

  async stop(): Promise<void> {
    await this.shut();
    await this.#apache?.stop();
    await this.#init?.stop("SIGKILL");
  }

  #newKey(): void {
    for (const file of [this.hostKey, `${this.hostKey}.pub`]) rmSync(file, { force: true });
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", this.name, "-f", this.hostKey]);
    if (existsSync(this.#folder)) this.#home.user.own(this.#folder);
  }

  #sshdConfig(): string {
    return `Port ${this.sshPort}
ListenAddress ${this.address}
HostKey ${this.hostKey}
PidFile ${join(this.#folder, "sshd.pid")}
AuthorizedKeysFile ${this.#keys.identity}.pub
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PrintMotd no
MaxStartups 100
ForceCommand ${join(this.#folder, "gate")}
`;
  }

  #apacheFiles(): void {
    const directory = join(this.#folder, "apache");
    mkdirSync(join(directory, "conf-enabled"), { recursive: true });
    symlinkSync(join(this.#home.path, "config/apache.conf"), join(directory, "conf-enabled/aegir.conf"));
    const [pidFile, errorLog, phpLog] = ["apache2.pid", "error.log", "php.log"].map((name) => join(directory, name)) as [string, string, string];
    writeFileSync(phpLog, "");
    writeFileSync(join(directory, "apachectl"), controlScript({ directory, pidFile, errorLog }));
    chmodSync(join(directory, "apachectl"), 0o755);
    const place = { directory, pidFile, errorLog, phpLog, port: this.httpPort, tlsPort: this.tlsPort, address: this.address, phpModule: phpModule(), databaseSocket: "/nonexistent/mysqld.sock" };
    writeFileSync(join(directory, "apache2.conf"), configuration(place));
  }

  async #startApache(): Promise<void> {
    const directory = join(this.#folder, "apache");
    this.#apache = await this.#serve(["apache2", "-d", directory, "-f", join(directory, "apache2.conf"), "-DFOREGROUND"], () => existsSync(join(directory, "error.log")) && this.errorLog().includes("resuming normal operations"));
  }

  #serve(command: readonly string[], isReady: (output: string) => boolean): Promise<ServerProcess> {
    return startServer({ user: this.user, command, isReady });
  }

  /** Into its view of files and network, as the test's user. */
  #enter(): string[] {
    const { uid, gid } = this.#home.user;
    return [...this.#view(), "setpriv", "--pdeathsig=TERM", `--reuid=${uid}`, `--regid=${gid}`, "--init-groups", "--"];
  }

  #view(): string[] {
    return ["nsenter", "-t", String(this.#init?.pid ?? 0), "-m", ...(this.place.namespace === undefined ? [] : ["-n"]), "--"];
  }
}

/** Entering another view of the system is root's right; what runs there is the user's again. */
function asRoot(user: TestUser): TestUser {
  return entering(user, () => []);
}

function entering(user: TestUser, enter: () => readonly string[]): TestUser {
  const start: TestUser["spawn"] = (command, options = {}) => {
    const [program = "", ...args] = [...enter(), ...command];
    return spawn(program, args, { cwd: "/", env: user.env, ...options });
  };
  return { ...user, spawn: start, run: (command, options = {}) => finish(start(command, { stdio: "pipe", cwd: options.cwd ?? "/" }), command, options) };
}

/** Stands in front of every command that comes by ssh. */
function gate(folder: string): string {
  return `#!/bin/sh
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
printf '%s\\n' "$SSH_ORIGINAL_COMMAND" >> '${folder}/commands.log'
drop() {
  p=$$
  while [ "$(cat /proc/$p/comm)" != sshd ]; do p=$(cut -d' ' -f4 /proc/$p/stat); done
  kill -9 $p
  exit 1
}
[ ! -f '${folder}/fault' ] || . '${folder}/fault'
exec sh -c "$SSH_ORIGINAL_COMMAND"
`;
}

function descendants(pid: number): number[] {
  const children = spawnSync("pgrep", ["-P", String(pid)], { env: PATHS, encoding: "utf8" }).stdout.split("\n").filter((line) => line !== "").map(Number);
  return children.flatMap((child) => [child, ...descendants(child)]);
}

function killProcess(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended.
  }
}

function statusOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, "utf8");
  } catch {
    return "";
  }
}
