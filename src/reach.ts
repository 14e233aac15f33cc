import { GLOBAL_OPTIONS } from "./backend-protocol/global-options.ts";
import type { CommandLine } from "./backend-protocol/arguments.ts";
import { NeedsRealDrush } from "./errors/needs-real-drush.ts";
import { ShimError } from "./errors/shim-error.ts";
import { isTruthy } from "./php-values/convert.ts";
import type { PhpArray } from "./php-values/php-array.ts";
import { NATIVE_COMMANDS } from "./native-commands.ts";
import type { ShimConfig } from "./real-drush/config.ts";

/** Drush's own options that a native command understands or may ignore. All others change what drush does in ways that only drush knows. */
const UNDERSTOOD: ReadonlySet<string> = new Set([
  "root", "uri", "backend", "verbose", "debug", "yes", "no", "quiet", "nocolor", "strict", "php", "no-label", "label-separator", "reserve-margin", "cache-clear",
  "no-interaction", "show-invoke", "deferred-sanitization", "halt-on-error",
]);

/** @throws NeedsRealDrush when the command, or an option of drush on it, is not native */
export function refuseForeignCommand(line: CommandLine, config: ShimConfig): void {
  const { command } = line;
  if (command === undefined || !Object.hasOwn(NATIVE_COMMANDS, command)) throw new NeedsRealDrush(`the command ${command ?? "(none)"}`);
  if (config.commandsWithDrush?.includes(command) === true) throw new NeedsRealDrush(`the configuration, which leaves ${command} to it`);
  refuseForeignOptions(line.options);
}

/** @throws NeedsRealDrush */
export function refuseForeignOptions(options: PhpArray): void {
  for (const { name } of GLOBAL_OPTIONS) {
    const value = options.get(name);
    if (!UNDERSTOOD.has(name) && value !== undefined && value !== null && value !== false && value !== "") throw new NeedsRealDrush(`the option --${name}`);
  }
}

/**
 * Commands that declare all their options refuse others (lock and unlock).
 *
 * @throws ShimError DRUSH_UNKNOWN_OPTION with drush's words
 */
export function refuseUnknownOptions(line: CommandLine): void {
  const command = line.command ?? "";
  const strict = line.options.get("strict");
  if (NATIVE_COMMANDS[command]?.anyOption !== false || (strict !== undefined && !isTruthy(strict))) return;
  const global = new Set(GLOBAL_OPTIONS.map(({ name }) => name));
  const unknown = [...line.options.keys()].map(String).filter((name) => !global.has(name) && !global.has(name.replace(/^no-/, "")));
  if (unknown.length === 0) return;
  const listed = unknown.map((name) => `--${name}`).join(", ");
  throw new ShimError(
    "DRUSH_UNKNOWN_OPTION",
    `Unknown option${unknown.length > 1 ? "s" : ""}: ${listed}.  See \`drush help ${command}\` for available options. To suppress this error, add the option --strict=0.`,
  );
}
