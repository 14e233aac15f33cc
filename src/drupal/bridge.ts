import { join } from "node:path";
import { ShimError } from "../errors/shim-error.ts";
import { runWithChannel, type ChannelResult } from "../processes/run-with-channel.ts";
import type { LogLevel } from "../task/events.ts";
import type { DbCredentials } from "./settings-php.ts";

/** The programs in php/ that run inside a site's Drupal. */
export type BridgeJob = "install-7" | "flush-7" | "updates-7" | "access-rebuild-7" | "settings-7" | "login-7";

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };

export interface BridgeRequest {
  readonly job: BridgeJob;
  /** Root of the Drupal. */
  readonly root: string;
  readonly uri: string;
  /** Address of the site's front page, without a slash at its end. */
  readonly baseUrl: string;
  /** What the site's settings.php expects in the web server's environment. */
  readonly credentials: DbCredentials;
  readonly data: Readonly<Record<string, JsonValue>>;
  /** Code of the error when Drupal fails. */
  readonly failure: string;
}

export interface BridgeSettings {
  /** The interpreter, a path or a name in PATH. */
  readonly php: string;
  /** Folder of the programs. */
  readonly folder: string;
  /** Environment, without the setting that makes drush's children come back to us. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly onStart: (pid: number) => void;
  readonly onLog: (level: LogLevel, message: string) => void;
  readonly onProgress: (done: number, total: number, unit: string) => void;
}

/** PHP's own messages go to its standard error, and nothing into the page that would be. */
const PHP_OPTIONS = ["display_errors=stderr", "log_errors=0", "html_errors=0", "zend.exception_ignore_args=1"].flatMap((setting) => ["-d", setting]);
const MOST_LOGS = 5000;

/**
 * Runs a job inside the site's Drupal, in a PHP of its own. Nothing secret is in its arguments or environment. What Drupal logs is told at the level that
 * the job gives it: it does not decide what becomes of the task; the job's end does.
 *
 * @returns what the job answers
 * @throws ShimError PHP_NOT_FOUND; PROVISION_INTERRUPTED; PROVISION_PHP_TIMEOUT; the request's `failure` with PHP's message when the code throws, ends the program
 *   (exit), runs out of memory or dies
 */
export async function runInDrupal(request: BridgeRequest, settings: BridgeSettings): Promise<Readonly<Record<string, JsonValue>>> {
  const words = new BridgeWords(settings);
  const result = await start(request, settings, words);
  if (settings.signal.aborted) throw new ShimError("PROVISION_INTERRUPTED", `PHP (${request.job}) was told to stop.`);
  const { answer, failed } = words;
  const { password } = request.credentials;
  const printed = (password === "" ? result.printed : result.printed.replaceAll(password, "…")).trim();
  if (result.timedOut) {
    throw new ShimError("PROVISION_PHP_TIMEOUT", `PHP (${request.job}) did not end within ${settings.timeoutMs / 1000} seconds.${tail(printed)}`, { hint: "phpTimeoutSeconds in the configuration allows more" });
  }
  if (answer !== undefined) {
    if (printed !== "") settings.onLog("debug", `PHP (${request.job}) printed: ${printed.slice(-2000)}`);
    if (result.status !== 0) settings.onLog("warning", `PHP (${request.job}) had done its work and then ${howItEnded(result)}.${tail(printed)}`);
    return answer;
  }
  const reason = failed ?? `PHP ${howItEnded(result)} and gave no answer`;
  throw new ShimError(request.failure, `Drupal failed (${request.job}): ${reason}.${tail(printed)}`.replace(/\.\.+/g, "."), { hint: `the site is ${request.uri} in ${request.root}` });
}

async function start(request: BridgeRequest, settings: BridgeSettings, words: BridgeWords): Promise<ChannelResult> {
  const { type, host, port, name, user, password } = request.credentials;
  const server = { db_type: type, db_host: host, db_port: port, db_name: name, db_user: user, db_passwd: password };
  try {
    return await runWithChannel({
      file: settings.php,
      args: [...PHP_OPTIONS, join(settings.folder, "bridge.php"), request.job],
      env: settings.env,
      cwd: request.root,
      input: JSON.stringify({ site: { uri: request.uri, base_url: request.baseUrl }, server, data: request.data }),
      timeoutMs: settings.timeoutMs,
      signal: settings.signal,
      onStart: settings.onStart,
      onLine: (line) => words.hear(line),
    });
  } catch (cause) {
    if (cause instanceof ShimError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    if (!(cause instanceof Error) || !("syscall" in cause)) throw new ShimError(request.failure, `Drupal failed (${request.job}): ${reason}.`, { cause });
    throw new ShimError("PHP_NOT_FOUND", `PHP cannot be started as ${settings.php}: ${reason}`, { hint: "install the PHP command line interpreter, or name it by the option php or by DRUSH_PHP", cause });
  }
}

/** What comes on the descriptor. */
class BridgeWords {
  answer: Readonly<Record<string, JsonValue>> | undefined;
  /** Why the job failed, by its own words. */
  failed: string | undefined;
  #logs = 0;
  readonly #settings: BridgeSettings;

  constructor(settings: BridgeSettings) {
    this.#settings = settings;
  }

  hear(line: string): void {
    const words = JSON.parse(line) as unknown;
    if (!isRecord(words)) throw new Error(`it sent ${line.slice(0, 100)}`);
    const { log, progress, answer, failed } = words;
    if (isRecord(answer)) this.answer = answer;
    if (isRecord(failed)) this.failed = failureText(failed);
    if (isList(log)) this.#log(jsonText(log[0]), jsonText(log[1]));
    if (isList(progress)) this.#settings.onProgress(Number(progress[0]), Number(progress[1]), jsonText(progress[2]));
  }

  #log(level: string, message: string): void {
    this.#logs += 1;
    if (this.#logs < MOST_LOGS) this.#settings.onLog(LEVELS.find((known) => known === level) ?? "notice", message);
    else if (this.#logs === MOST_LOGS) this.#settings.onLog("warning", `Drupal logs more than ${MOST_LOGS} messages; the others are left out.`);
  }
}

const LEVELS: readonly LogLevel[] = ["warning", "notice", "info", "debug", "ok", "success"];

export function isRecord(value: unknown): value is Readonly<Record<string, JsonValue>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isList(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value);
}

function failureText(failed: Readonly<Record<string, JsonValue>>): string {
  const { message, file, line } = failed;
  const place = typeof file === "string" && file !== "" ? ` (${file} line ${jsonText(line)})` : "";
  return `${jsonText(message)}${place}`;
}

/** The text that a job has answered; something else as JSON. */
export function jsonText(value: JsonValue | undefined): string {
  return typeof value === "string" ? value : JSON.stringify(value ?? null);
}

function howItEnded({ status, signal }: ChannelResult): string {
  return signal === undefined ? `ended with status ${status ?? "unknown"}` : `was ended by ${signal}`;
}

/** What PHP printed last, which may say more. */
function tail(printed: string): string {
  return printed === "" ? "" : ` It printed: ${printed.slice(-500)}`;
}
