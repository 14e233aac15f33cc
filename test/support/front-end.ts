import { cpSync, existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { aliasFileText } from "../../src/aliases/write-alias.ts";
import { siteDrushrcText } from "../../src/aliases/write-drushrc.ts";
import { BackendReader } from "../../src/backend-protocol/read-stream.ts";
import type { Packet } from "../../src/backend-protocol/read-packet.ts";
import { phpFrom, type PlainRecord } from "../../src/php-values/convert.ts";
import { PhpArray } from "../../src/php-values/php-array.ts";
import type { AegirHome } from "./aegir-home.ts";
import { repositoryRoot } from "./repository.ts";
import { setStage, type Stage, type StageOptions } from "./stage.ts";
import { copyStandIn } from "./stand-in.ts";

/** What a caller in drush's place learns from a backend call. */
export interface BackendAnswer {
  readonly status: number;
  readonly signal: NodeJS.Signals | null;
  readonly kind: string;
  /** The final frame as plain data; empty when there was none. */
  readonly frame: Readonly<Record<string, unknown>>;
  readonly packets: readonly Packet[];
  readonly logs: readonly { readonly type: string; readonly message: string }[];
  /** Codes of the `set_error` packets, in order. */
  readonly errors: readonly string[];
  /** Code → message of the first error with it. */
  readonly messages: Readonly<Record<string, string>>;
  readonly text: string;
  readonly bytes: Buffer;
  readonly milliseconds: number;
}

export interface CallOptions {
  /** Posted as JSON on standard input, or bytes as they are. Unset: an input that is closed at once. */
  readonly stdin?: PlainRecord | string | Uint8Array;
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly timeout?: number;
}

/** The front end of Aegir as far as its backend sees it, in a home with real servers. */
export interface FrontEnd {
  readonly stage: Stage;
  readonly home: string;
  /** Our launcher, in a copy that the test's user may read. */
  readonly drush: string;
  readonly provision: string;
  /** A backend call as drush makes it: through a shell, standard error on the same pipe. */
  call: (words: readonly string[], options?: CallOptions) => Promise<BackendAnswer>;
  /** `provision-save @name` with these options on standard input. */
  save: (name: string, options: PlainRecord) => Promise<BackendAnswer>;
  /** `@name provision-TASK`. */
  task: (name: string, task: string, options?: CallOptions & { readonly args?: readonly string[] }) => Promise<BackendAnswer>;
  /** Environment of every call. */
  readonly env: NodeJS.ProcessEnv;
  strike: () => Promise<void>;
}

export const SERVER = "server_master";

export async function openFrontEnd(options: StageOptions = {}): Promise<FrontEnd> {
  const stage = await setStage(options);
  const { drush, provision } = installProgram(stage.home);
  const env = { ...stage.mariadb.env, ...settingsBeside(stage.home) };
  // On a site's host the socket of `localhost` is where the system's is.
  writeFileSync(join(stage.home.beside, "provision-shim.json"), JSON.stringify({ mysqlSocket: stage.mariadb.socket }));
  const call = backendCaller(stage.home, drush, env);
  return {
    stage,
    home: stage.home.path,
    drush,
    provision,
    env,
    call,
    save: (name, options) => call(["--root=", `--uri=`, "provision-save", `@${name}`], { stdin: options }),
    task: (name, task, options = {}) => call([`@${name}`, `provision-${task}`, ...(options.args ?? [])], options),
    strike: stage.strike,
  };
}

export interface InstalledProgram {
  /** Folder with bin, lib, dist and php. */
  readonly folder: string;
  readonly drush: string;
  readonly provision: string;
}

/** Copies the built program to where the test's user may read it. */
export function installProgram(home: AegirHome, name = "shim"): InstalledProgram {
  const folder = join(home.beside, name);
  if (!existsSync(join(repositoryRoot, "dist/drush.cjs"))) throw new Error("The program is not built: run `npm run build`.");
  for (const part of ["bin", "lib", "dist", "php"]) cpSync(join(repositoryRoot, part), join(folder, part), { recursive: true });
  home.user.own(folder);
  return { folder, drush: join(folder, "bin/drush"), provision: join(folder, "bin/provision") };
}

/** Lets neither our settings nor drush's come from this machine. */
export function settingsBeside(home: AegirHome): NodeJS.ProcessEnv {
  return { PROVISION_SHIM_ETC: home.beside, ETC_PREFIX: home.beside };
}

/** Backend calls as drush makes them: through a shell, standard error on the same pipe. */
export function backendCaller(home: AegirHome, drush: string, env: NodeJS.ProcessEnv): FrontEnd["call"] {
  return async (words, options = {}) => {
    const { stdin } = options;
    const input = stdin === undefined || typeof stdin === "string" || stdin instanceof Uint8Array ? (stdin ?? "") : JSON.stringify(stdin);
    const started = performance.now();
    const result = await home.user.run(["sh", "-c", `exec "$0" "$@" 2>&1`, drush, "--backend=2", ...words], {
      input,
      env: { ...env, ...options.env },
      mayFail: true,
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...(options.timeout === undefined ? {} : { timeout: options.timeout }),
    });
    return answer(result.stdoutBytes, result, performance.now() - started);
  };
}

export function answer(bytes: Buffer, ended: { readonly status: number; readonly signal: NodeJS.Signals | null }, milliseconds: number): BackendAnswer {
  const reader = new BackendReader();
  const events = reader.push(bytes);
  const { events: last, outcome } = reader.end(ended.status);
  const all = [...events, ...last];
  const packets = all.flatMap((event) => (event.kind === "packet" ? [event.packet] : []));
  const errors = packets.flatMap((packet) => (packet.kind === "set_error" ? [packet] : []));
  return {
    status: ended.status,
    signal: ended.signal,
    kind: outcome.kind,
    frame: outcome.kind === "frame" ? (plain(outcome.frame.toArray()) as Record<string, unknown>) : {},
    packets,
    logs: packets.flatMap((packet) => (packet.kind === "log" ? [{ type: packet.type, message: packet.message }] : [])),
    errors: errors.map(({ error }) => error),
    messages: Object.fromEntries(errors.map(({ error, message }) => [error, message])),
    text: Buffer.concat(all.flatMap((event) => (event.kind === "text" ? [event.bytes] : []))).toString("utf8"),
    bytes,
    milliseconds,
  };
}

/** PHP values as plain data for comparisons; floats as numbers. */
export function plain(value: unknown): unknown {
  if (value instanceof PhpArray) return value.isList() ? [...value.values()].map(plain) : Object.fromEntries([...value].map(([key, item]) => [String(key), plain(item)]));
  return typeof value === "object" && value !== null && "value" in value ? value.value : value;
}

/** What the front end sends for a machine with one web and database server. */
export function serverOptions({ stage }: FrontEnd): PlainRecord {
  return {
    context_type: "server",
    master_url: "http://aegir.test/",
    remote_host: "localhost",
    http_service_type: "apache",
    http_port: String(stage.apache.port),
    http_restart_cmd: stage.apache.restartCommand,
    web_group: stage.home.user.webGroup,
    db_service_type: "mysql",
    db_port: String(stage.mariadb.port),
    master_db: stage.mariadb.masterDb,
  };
}

/** Saves and verifies a server and a platform of the stand-in; answers the platform's root. */
export async function openPlatform(frontEnd: FrontEnd, name = "standin"): Promise<string> {
  await good(frontEnd.save(SERVER, serverOptions(frontEnd)));
  await good(frontEnd.task(SERVER, "verify"));
  const root = copyStandIn(frontEnd.stage.home, name);
  await good(frontEnd.save(`platform_${name}`, { context_type: "platform", server: `@${SERVER}`, web_server: `@${SERVER}`, root }));
  await good(frontEnd.task(`platform_${name}`, "verify"));
  return root;
}

export interface SiteOptions {
  readonly platform?: string;
  readonly aliases?: readonly string[];
  readonly redirection?: string;
  readonly client?: string;
  readonly profile?: string;
}

/** What Provision's installer would leave: a context, a database with an installed stand-in, and drushrc.php. The site is not verified yet. */
export async function installSite(frontEnd: FrontEnd, root: string, uri: string, options: SiteOptions = {}): Promise<void> {
  const { stage } = frontEnd;
  const database = uri.replace(/\W/g, "").slice(0, 16);
  const profile = options.profile ?? "standard";
  await good(
    frontEnd.call(["--root=", `--uri=${uri}`, "provision-save", `@${uri}`], {
      stdin: {
        context_type: "site",
        platform: `@platform_${options.platform ?? "standin"}`,
        db_server: `@${SERVER}`,
        profile,
        client_name: options.client ?? "admin",
        aliases: options.aliases?.join(",") ?? "null",
        redirection: options.redirection ?? "null",
      },
    }),
  );
  const credentials = { db_type: "mysql", db_host: "127.0.0.1", db_port: String(stage.mariadb.port), db_passwd: "Site-Pass_1", db_name: database, db_user: database };
  await stage.mariadb.query(
    `CREATE DATABASE ${database}; ` +
      ["localhost", "127.0.0.1"].map((host) => `CREATE USER '${database}'@'${host}' IDENTIFIED BY '${credentials.db_passwd}'; GRANT ALL ON ${database}.* TO '${database}'@'${host}'`).join("; "),
  );
  const site = `${root.slice(frontEnd.home.length + 1)}/sites/${uri}`;
  stage.home.makeDirectory(`${site}/files`, 0o2770);
  stage.home.write(`${site}/drushrc.php`, siteDrushrcText(phpFrom({ ...credentials, installed: true }) as PhpArray, join(frontEnd.home, site)), 0o440);
  stage.home.write(`${site}/settings.php`, installerSettings(credentials), 0o440);
  await stage.home.user.run(["php", "scripts/stand-in.php", `--uri=${uri}`, "install", `--profile=${profile}`, `--name=${uri}`], { cwd: root, env: frontEnd.env });
}

/** Enough settings for the stand-in's installer; the first verify writes the real ones. */
function installerSettings(credentials: Readonly<Record<string, string>>): string {
  const { db_type: driver, db_name: database, db_user: username, db_passwd: password, db_host: host, db_port: port } = credentials;
  return `<?php\n$databases['default']['default'] = ${JSON.stringify({ driver, database, username, password, host, port }).replace(/^\{/, "[").replace(/\}$/, "]").replaceAll('":"', '"=>"')};\n`;
}

/** The answer, when the call succeeded; else an error that says what it reported. */
export async function good(answering: Promise<BackendAnswer>): Promise<BackendAnswer> {
  const got = await answering;
  if (got.status !== 0 || got.errors.length > 0 || got.kind !== "frame") {
    throw new Error(`The call failed with status ${got.status} (${got.kind}): ${JSON.stringify(got.messages)} ${got.text.slice(0, 2000)} ${got.logs.filter(({ type }) => type !== "debug").map(({ type, message }) => `${type}: ${message}`).join("; ")}`);
  }
  return got;
}

/** Writes an alias file by hand. */
export function writeAlias(frontEnd: FrontEnd, name: string, record: PlainRecord): void {
  frontEnd.stage.home.write(`.drush/${name}.alias.drushrc.php`, aliasFileText(name, phpFrom(record) as PhpArray), 0o440);
}
