import type { Context } from "../contexts/context.ts";
import type { Contexts } from "../contexts/contexts.ts";
import type { ShimError } from "../errors/shim-error.ts";
import type { Remembered } from "../files/remembered.ts";
import type { PhpArray } from "../php-values/php-array.ts";
import type { PhpValue } from "../php-values/value.ts";
import type { Plan } from "../task/plan.ts";
import type { WebBatch } from "./web-batch.ts";

/** Where a command's results go: into the option set that drush would keep them in. */
export type ResultSet = "process" | "site" | "drupal";

/** The options of a call over all of drush's option sets, and what the command adds to them. */
export interface Options {
  /** The effective value, undefined when no set has it. */
  get(name: string): PhpValue | undefined;
  /** One whole set, such as `site`: what the site's drushrc.php holds. */
  set(name: ResultSet): PhpArray;
  /** Loads what drush loads when it selects a Drupal root: the set `drupal`, and the drushrc.php of sites/default into `site`. */
  loadRoot(root: string): Promise<void>;
  /** Loads what drush loads when it selects a site: its drushrc.php into the set `site`. */
  loadSite(sitePath: string): Promise<void>;
  /** The set `site` is what the drushrc files in the site's directory hold, and nothing else. */
  isSiteAsRead(): boolean;
  /** Sets a result. */
  put(set: ResultSet, name: string, value: PhpValue): void;
  /** Sets the `object` of the answer: what the command is asked for, for programs. */
  putObject(value: PhpValue): void;
}

/** What a command gets to make its plan from. */
export interface CommandCall {
  readonly command: string;
  /** The context named by the alias in front of the command, loaded with the options of the call; undefined without an alias. */
  readonly target: Context | undefined;
  readonly args: readonly string[];
  readonly contexts: Contexts;
  /** The contexts as their alias files alone describe them: what a child call without options would see. */
  readonly storedContexts: Contexts;
  readonly options: Options;
  readonly surroundings: Surroundings;
  /** The context that `provision-save @name` with these options would write: what its alias says now, overlaid by them. */
  contextWith(name: string, options: PhpArray): Promise<Context>;
  /**
   * Another command on a context as the files describe it now, with options of its own: what the original starts as a child process.
   *
   * @throws ShimError DRUSH_BOOTSTRAP_NO_ALIAS when there is no such context
   */
  on(context: string, command: string, options?: PhpArray, args?: readonly string[]): Promise<CommandCall>;
}

/** A call of the real drush, and who hears what it reports. */
export interface DrushRequest {
  readonly target: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly options: PhpArray;
  readonly onStart: (pid: number) => void;
  readonly onLog: (type: string, message: string) => void;
  readonly onError: (error: ShimError) => void;
}

/** Hooks by which extensions of drush add lines to a file, and what Provision tells them (src/real-drush/hook-lines.ts). */
export type LineHookName = "provision_apache_server_config" | "provision_apache_dir_config" | "provision_apache_vhost_config" | "provision_nginx_server_config" | "provision_nginx_vhost_config" | "provision_drupal_config";

export interface LineSubject {
  readonly context: string;
  readonly uri?: string;
  readonly server: string;
  readonly options: Readonly<Record<string, string>>;
  readonly data: Readonly<Record<string, string>>;
}

export interface PhpSurroundings {
  /** The interpreter, a path or a name in PATH; the option `php` wins over it. */
  readonly program: string;
  /** Folder of our own PHP programs. */
  readonly folder: string;
  /** Time limit for one program, milliseconds. */
  readonly timeoutMs: number;
  /** Its environment at this moment: ours, without our setting for drush. */
  environment(): Readonly<Record<string, string | undefined>>;
}

/** The world outside of the call. */
export interface Surroundings {
  /** Home of the user, where `.drush` is. */
  readonly home: string;
  /** Our program as drush's callers know it. */
  readonly launcher: string;
  readonly cwd: string;
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly remembered: Remembered;
  /** How PHP is started for code of a site's Drupal. */
  readonly php: PhpSurroundings;
  readonly mysqlSocket: string | undefined;
  readonly databaseTimeoutMs: number;
  /** Where this call is one of many that are done together: takes the web servers' files, which are written at their end. */
  readonly webBatch: WebBatch | undefined;
  /** Aborted when the process is told to stop. */
  readonly signal: AbortSignal;
  /** The variables that a PHP data file sets: `$sites` of sites.php. */
  readPhpVariable(path: string, variable: string): Promise<PhpArray | undefined>;
  /**
   * The lines that extensions of drush add to a file; none where no extension does.
   *
   * @throws ShimError PROVISION_HOOK_FAILED, PROVISION_NO_REAL_DRUSH
   */
  hookLines(hook: LineHookName, subject: LineSubject): Promise<readonly string[]>;
  /** Standard input, which nobody has read. */
  input(): AsyncIterable<Buffer>;
  /** @throws ShimError PROVISION_NO_REAL_DRUSH */
  callDrush(request: DrushRequest): Promise<void>;
  /** Extensions' hooks in these files that take part in the command. */
  hooksIn(files: readonly string[], command: string): readonly string[];
}

/** A native command. */
export interface Command {
  /**
   * Looks at everything that the plan needs and makes it; changes nothing.
   *
   * @throws NeedsRealDrush when this call is not native; ShimError when it is wrong
   */
  prepare(call: CommandCall): Promise<Plan>;
}
