/** An option that drush itself understands, for whatever command. */
export interface GlobalOption {
  readonly name: string;
  /** The short name; drush takes it with two dashes as well. */
  readonly short?: string;
  /** Which of the caller's values a child inherits: the effective one, that of its own command line, or a switch that follows from several options. */
  readonly inherit?: "effective" | "cli" | "context";
  /** Never handed to a child, whatever the call says. */
  readonly neverPropagate?: true;
  /** Stays on the command line also in POST mode, because drush needs it before it reads its input. */
  readonly neverPost?: true;
  /** Several values are joined by colons. */
  readonly pathList?: true;
  /** Taken out of the command line's set into a context of its own. */
  readonly movedAway?: true;
}

const PLAIN = {} as const;
const NEVER = { neverPropagate: true } as const;
const SWITCH = { inherit: "context" } as const;
const CLI = { inherit: "cli" } as const;
const EFFECTIVE = { inherit: "effective" } as const;
const PATHS = { inherit: "cli", neverPost: true, pathList: true } as const;

/** All global options in the order in which drush 8.4.12 adds them to a call (drush_get_global_options() in includes/drush.inc). */
export const GLOBAL_OPTIONS: readonly GlobalOption[] = [
  { name: "root", short: "r", neverPost: true },
  { name: "uri", short: "l", neverPost: true },
  { name: "verbose", short: "v", ...SWITCH },
  { name: "debug", short: "d", ...SWITCH },
  { name: "yes", short: "y", ...SWITCH },
  { name: "no", short: "n", ...SWITCH },
  { name: "simulate", short: "s", ...SWITCH, ...NEVER },
  { name: "pipe", short: "p" },
  { name: "help", short: "h" },
  { name: "version" },
  { name: "php", ...NEVER },
  { name: "interactive", short: "ia", ...NEVER },
  { name: "tty", ...NEVER },
  { name: "quiet", short: "q" },
  { name: "include", short: "i", ...PATHS },
  { name: "exclude", ...PATHS },
  { name: "config", short: "c", ...PATHS },
  { name: "user", short: "u", ...CLI },
  { name: "backend", short: "b", ...NEVER },
  ...named(PLAIN, "choice", "variables", "search-depth", "ignored-modules", "no-label", "label-separator"),
  { name: "nocolor", ...CLI },
  ...named(PLAIN, "show-passwords", "show-invoke", "watchdog", "cache-default-class", "cache-class-<bin>", "early"),
  { name: "alias-path", ...CLI, pathList: true },
  ...named(PLAIN, "backup-location", "confirm-rollback", "complete-debug"),
  { name: "php-options", ...NEVER },
  { name: "halt-on-error", ...CLI },
  ...named(PLAIN, "deferred-sanitization", "remote-host", "remote-user", "remote-os", "site-list", "reserve-margin"),
  { name: "strict", ...EFFECTIVE },
  { name: "command-specific", movedAway: true },
  { name: "site-aliases", movedAway: true },
  { name: "shell-aliases", ...NEVER, movedAway: true },
  ...named(NEVER, "path-aliases", "ssh-options", "editor", "bg"),
  { name: "db-url" },
  { name: "drush-coverage", ...CLI, neverPost: true },
  { name: "redirect-port", ...NEVER },
  ...named(EFFECTIVE, "cache-clear", "local"),
  { name: "no-interaction" },
  { name: "ignored-directories", ...EFFECTIVE },
  // From command files that come with drush.
  ...named(NEVER, "notify", "notify-audio"),
  { name: "xh" },
];

const BY_NAME: ReadonlyMap<string, GlobalOption> = new Map(GLOBAL_OPTIONS.map((option) => [option.name, option]));

/** The global option with this long name. */
export function globalOption(name: string): GlobalOption | undefined {
  return BY_NAME.get(name);
}

function named(flags: Omit<GlobalOption, "name">, ...names: readonly string[]): GlobalOption[] {
  return names.map((name) => ({ name, ...flags }));
}
