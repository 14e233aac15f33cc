import { existsSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { dirname, join } from "node:path";
import { searchedFolders, type AliasPlaces } from "./aliases/alias-files.ts";
import { Aliases, needsRealDrush } from "./aliases/find-alias.ts";
import { DrushrcLoader } from "./aliases/load-drushrc.ts";
import { KnownArrays } from "./aliases/reading/known-arrays.ts";
import type { PhpSettings } from "./aliases/reading/php-fallback.ts";
import { readVariable } from "./aliases/read-variable.ts";
import type { Command, CommandCall, Surroundings } from "./commands/command.ts";
import { Contexts, type ContextSources } from "./contexts/contexts.ts";
import { contextName } from "./contexts/names.ts";
import { NeedsRealDrush } from "./errors/needs-real-drush.ts";
import { ShimError } from "./errors/shim-error.ts";
import { foreignHooks, hooksInFiles, optionTexts } from "./extension-hooks.ts";
import { currentUser } from "./files/groups.ts";
import type { KnownFolders } from "./files/known-folders.ts";
import { refuseOverload, refuseRoot } from "./guards.ts";
import type { Invocation } from "./invocation.ts";
import { loadCommand } from "./load-command.ts";
import { NATIVE_COMMANDS } from "./native-commands.ts";
import { OptionStore } from "./option-store.ts";
import { isTruthy, phpFrom, scalarText } from "./php-values/convert.ts";
import { PhpArray } from "./php-values/php-array.ts";
import { plainPhpEnvironment } from "./real-drush/environment.ts";
import { refuseForeignCommand, refuseForeignOptions, refuseUnknownOptions } from "./reach.ts";
import { databaseTimeoutMs } from "./real-drush/config.ts";
import type { LineHook } from "./real-drush/hook-lines.ts";
import type { DrushChild } from "./real-drush/run-drush.ts";
import type { Plan } from "./task/plan.ts";

/** Updates of a large site take hours. */
const PHP_TIMEOUT_SECONDS = 6 * 3600;

/** A call that is native as far as its command line, aliases and the extensions of drush tell. */
export interface NativeCall {
  readonly options: OptionStore;
  /** Record of the alias in front of the command. */
  readonly record: PhpArray | undefined;
  /** Makes the plan, with the options that came on standard input. */
  prepare(stdin: PhpArray, signal: AbortSignal): Promise<Plan>;
}

/**
 * Decides from arguments, configuration, aliases and extension folders, before a byte of standard input is touched.
 *
 * @throws NeedsRealDrush when this call is one for the real drush; ShimError when it is wrong
 */
export async function examineCall(invocation: Invocation): Promise<NativeCall> {
  const { line, config } = invocation;
  refuseForeignCommand(line, config);
  if (line.command?.startsWith("provision-") !== true && process.geteuid?.() === 0) throw new NeedsRealDrush("the user root");
  refuseRoot();
  const php = phpSettings(invocation);
  const command = line.command ?? "";
  const known = searchedFolders(invocation.remembered);
  const { options, aliases } = await openOptions(invocation, { php, command, cli: line.options, known });
  refuseOverload((name) => options.get(name));
  const record = await targetRecord(invocation, aliases);
  if (record !== undefined) options.useAlias(record);
  refuseUnknownOptions(line);
  const { foreign, lines } = foreignHooks([command, ...(NATIVE_COMMANDS[command]?.within ?? [])], { invocation, values: (name) => options.all(name), known }, rootOf(record));
  known.keep();
  if (foreign !== undefined) throw new NeedsRealDrush(`the hook ${foreign}`);
  return { options, record, prepare: (stdin, signal) => preparePlan({ invocation, aliases, options, php, lines }, stdin, signal) };
}

interface Examined {
  readonly invocation: Invocation;
  readonly aliases: Aliases;
  readonly options: OptionStore;
  readonly php: PhpSettings;
  /** Hooks of extensions that add lines to files. */
  readonly lines: readonly LineHook[];
}

async function preparePlan(examined: Examined, stdin: PhpArray, signal: AbortSignal): Promise<Plan> {
  const { invocation, options } = examined;
  const { line } = invocation;
  refuseForeignOptions(stdin);
  options.useStdin(stdin);
  const command = line.command ?? "";
  const call = await commandCall(examined, { command, target: line.target, args: line.args, cli: line.options, stdin }, signal);
  return (await nativeCommand(command)).prepare(call);
}

async function nativeCommand(name: string): Promise<Command> {
  const command = await loadCommand(name);
  if (command === undefined) throw new NeedsRealDrush(`the command ${name}`);
  return command;
}

interface Words {
  readonly command: string;
  readonly target: string | undefined;
  readonly args: readonly string[];
  readonly cli: PhpArray;
  readonly stdin: PhpArray;
}

async function commandCall(examined: Examined, words: Words, signal: AbortSignal): Promise<CommandCall> {
  const { invocation, aliases, options, php, lines } = examined;
  const { config, home, cwd, variables, remembered, launcher, lib } = invocation;
  const sources = contextSources({ invocation, aliases, options });
  const contexts = new Contexts({ ...sources, call: { cli: words.cli, stdin: words.stdin } });
  const storedContexts = new Contexts({ ...sources, call: { cli: new PhpArray(), stdin: new PhpArray() } });
  const target = words.target === undefined || contextName(words.target) === "none" ? undefined : await contexts.get(words.target);
  const surroundings: Surroundings = {
    home,
    launcher,
    cwd,
    variables: plainPhpEnvironment(variables),
    remembered,
    php: {
      program: php.program,
      folder: php.phpDir,
      timeoutMs: (config.phpTimeoutSeconds ?? PHP_TIMEOUT_SECONDS) * 1000,
      environment: () => plainPhpEnvironment(variables),
    },
    mysqlSocket: config.mysqlSocket,
    webBatch: invocation.webBatch,
    databaseTimeoutMs: databaseTimeoutMs(config),
    signal,
    readPhpVariable: (path, name) => readVariable(path, name, php),
    callDrush: async ({ target: site, command, args, options: given, ...told }) => {
      const { runDrush } = await import("./real-drush/run-drush.ts");
      await runDrush({ drush: config.drush, script: config.script, lib, launcher, variables, cwd, signal, call: { target: site, command, args, options: given }, ...told });
    },
    hookLines: lineAsker(lines, { drush: config.drush, script: config.script, lib, launcher, variables, cwd, signal }),
    input: () => process.stdin,
    hooksIn: hooksInFiles,
  };
  return {
    command: words.command,
    target,
    args: words.args,
    contexts,
    storedContexts,
    options,
    surroundings,
    contextWith: (name, cli) => new Contexts({ ...sources, call: { cli, stdin: new PhpArray() } }).get(name),
    on: (context, command, cli = new PhpArray(), args = []) => childCall(examined, { command, target: contextName(context), args, cli, stdin: new PhpArray() }, signal),
  };
}

/** Asks extensions for their lines, once for what they are told. */
function lineAsker(lines: readonly LineHook[], place: DrushChild): Surroundings["hookLines"] {
  const asked = new Map<string, Promise<ReadonlyMap<string, readonly string[]>>>();
  return async (hook, subject) => {
    const ofSite = (name: string): boolean => name.endsWith("vhost_config") || name.endsWith("drupal_config");
    const concerned = lines.filter((one) => one.hook === hook || (ofSite(hook) && ofSite(one.hook)));
    if (!concerned.some((one) => one.hook === hook)) return [];
    const key = JSON.stringify([ofSite(hook) ? "site" : hook, subject]);
    let asking = asked.get(key);
    if (asking === undefined) {
      const { hookLines } = await import("./real-drush/hook-lines.ts");
      asked.set(key, (asking = hookLines(concerned, subject, place)));
    }
    return (await asking).get(hook) ?? [];
  };
}

/** The call that the original makes as a child: it begins anew with the files as they are. */
async function childCall({ invocation, php, lines }: Examined, words: Words & { readonly target: string }, signal: AbortSignal): Promise<CommandCall> {
  const { options, aliases } = await openOptions(invocation, { php, command: words.command, cli: words.cli });
  const found = await aliases.find(words.target);
  if (found.kind !== "record") throw new ShimError("DRUSH_BOOTSTRAP_NO_ALIAS", `Could not find the alias @${words.target}`);
  options.useAlias(found.record);
  return commandCall({ invocation, aliases, options, php, lines }, words, signal);
}

/** The contexts as their alias files describe them, for commands of `provision` that are not calls of drush. */
export async function openContexts(invocation: Invocation): Promise<Contexts> {
  const { options, aliases } = await openOptions(invocation, { php: phpSettings(invocation), command: "", cli: new PhpArray() });
  return new Contexts({ ...contextSources({ invocation, aliases, options }), call: { cli: new PhpArray(), stdin: new PhpArray() } });
}

/** The options that drush's configuration files and the command line give, and the aliases that can be found with them. */
async function openOptions(invocation: Invocation, call: { readonly php: PhpSettings; readonly command: string; readonly cli: PhpArray; readonly known?: KnownFolders }): Promise<{ readonly options: OptionStore; readonly aliases: Aliases }> {
  const { config, home, variables } = invocation;
  const etcPrefix = variables["ETC_PREFIX"] ?? "";
  const drushFolder = config.drush === undefined ? undefined : dirname(config.script ?? config.drush);
  const loader = new DrushrcLoader(call.php, new KnownArrays(invocation.remembered));
  const base = await loader.loadBase({ home, etcPrefix, drushFolder });
  const options = new OptionStore({ ...base, cli: call.cli, process: processFacts(invocation) }, loader, call.command);
  return { options, aliases: new Aliases(aliasPlaces({ home, etcPrefix, drushFolder, known: call.known ?? searchedFolders(invocation.remembered) }, options), call.php) };
}

function contextSources({ invocation, aliases, options }: Omit<Examined, "php" | "lines">): Omit<ContextSources, "call"> {
  const { home, variables } = invocation;
  const { name, gid } = currentUser();
  const features = options.get("hosting_features");
  return {
    findAlias: async (alias) => {
      const found = await aliases.find(alias);
      if (found.kind === "list") throw new NeedsRealDrush(`the list of sites @${alias}`);
      return found.kind === "record" ? found.record : undefined;
    },
    machine: { home, user: name, gid, path: (variables["PATH"] ?? "").split(":").filter((folder) => folder !== "") },
    subdirs: features instanceof PhpArray && isTruthy(features.get("subdirs")),
  };
}

function aliasPlaces(where: Pick<AliasPlaces, "home" | "etcPrefix" | "drushFolder" | "known">, options: OptionStore): AliasPlaces {
  const depth = options.get("alias-search-depth");
  return {
    ...where,
    aliasPaths: options.all("alias-path").flatMap(optionTexts),
    skipped: new Set(["exclude", "ignored-directories"].flatMap((name) => options.all(name).flatMap(optionTexts))),
    depth: depth === undefined || depth === true ? Infinity : Number(scalarText(depth) ?? 0) || 0,
  };
}

/** The record of the alias in front of the command; undefined for `@none` and when there is no alias. */
async function targetRecord(invocation: Invocation, aliases: Aliases): Promise<PhpArray | undefined> {
  const { line, home, variables, launcher } = invocation;
  if (line.target === undefined) {
    // A shell may have chosen a site for all calls, and a file may stand in for @self: both are drush's business.
    if (existsSync(join(home, ".drush/self.alias.drushrc.php"))) throw new NeedsRealDrush("the file ~/.drush/self.alias.drushrc.php");
    if (existsSync(chosenSiteFile(variables))) throw new NeedsRealDrush("the site chosen by site-set");
    return undefined;
  }
  if (!/^@[^@/#,]+$/.test(line.target)) throw new NeedsRealDrush(`the target ${line.target}`);
  if (line.target === "@none") return undefined;
  const found = await aliases.find(contextName(line.target));
  if (found.kind === "missing") {
    const broken = found.warnings.map(({ message }) => `; broken: ${message}`).join("");
    throw new ShimError("DRUSH_BOOTSTRAP_NO_ALIAS", `Could not find the alias ${line.target}`, { hint: `there is no ${contextName(line.target)}.alias.drushrc.php in ${home}/.drush${broken}` });
  }
  if (found.kind === "list") throw new NeedsRealDrush(`the list of sites ${line.target}`);
  const reason = needsRealDrush(found.record, line.command ?? "", launcher);
  if (reason !== undefined) throw new NeedsRealDrush(`${reason} of ${line.target}`);
  return found.record;
}

function chosenSiteFile(variables: Invocation["variables"]): string {
  const shell = variables["DRUSH_SHELL_PID"] ?? String(process.ppid);
  return join(variables["TMPDIR"] ?? tmpdir(), `drush-env-${userInfo().username}`, `drush-drupal-site-${shell}`);
}

function rootOf(record: PhpArray | undefined): string | undefined {
  const root = record?.get("root");
  return typeof root === "string" && root !== "" ? root : undefined;
}

function phpSettings({ lib, variables, cwd }: Invocation): PhpSettings {
  return { program: variables["DRUSH_PHP"] ?? "php", phpDir: join(lib, "../php"), env: variables, cwd, userId: process.geteuid?.() };
}

/** What drush 8.4 notes of itself among the options. */
function processFacts({ launcher, words, cwd }: Invocation): PhpArray {
  return PhpArray.of([["runtime.argv", phpFrom([launcher, ...words])], ["env.cwd", cwd]]);
}
