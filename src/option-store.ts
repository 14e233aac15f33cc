import { GLOBAL_OPTIONS } from "./backend-protocol/global-options.ts";
import { effectiveOption, mergedOptions, OPTION_SET_NAMES, type OptionSetName } from "./backend-protocol/option-sets.ts";
import type { DrushrcLoader } from "./aliases/load-drushrc.ts";
import type { Options, ResultSet } from "./commands/command.ts";
import { PhpArray, type PhpKey } from "./php-values/php-array.ts";
import type { PhpValue } from "./php-values/value.ts";

/** Keys of an alias record that drush does not turn into options, and two that mean nothing on this machine. */
const NOT_OPTIONS: ReadonlySet<string> = new Set(["path-aliases", "command-specific", "site-aliases"]);
const REMOTE: ReadonlySet<string> = new Set(["remote-host", "remote-user"]);
/** The path aliases that become options. */
const PATH_OPTIONS: readonly string[] = ["drush-script", "dump", "dump-dir", "include"];
/** Notes that drush makes on where a set came from. */
const NOTES: ReadonlySet<string> = new Set(["config-file", "context-path"]);

/** All option sets of one call. */
export class OptionStore implements Options {
  readonly #sets: Partial<Record<OptionSetName, PhpArray>>;
  readonly #loader: DrushrcLoader;
  readonly #command: string;
  #object: PhpValue | undefined;
  /** The `site` set when nothing but the drushrc files in the site's directory have given it anything. */
  #siteAsRead: PhpArray | undefined;

  constructor(sets: Partial<Record<OptionSetName, PhpArray>>, loader: DrushrcLoader, command: string) {
    this.#sets = { ...sets };
    this.#loader = loader;
    this.#command = command;
    this.#useSpecific();
  }

  get(name: string): PhpValue | undefined {
    return effectiveOption(this.#sets, name);
  }

  /** The values of an option in every set that has it, strongest first: path lists add up over all drushrc files. */
  all(name: string): PhpValue[] {
    return OPTION_SET_NAMES.flatMap((set) => this.#sets[set]?.get(name) ?? []);
  }

  set(name: ResultSet): PhpArray {
    return this.#sets[name] ?? new PhpArray();
  }

  put(set: ResultSet, name: string, value: PhpValue): void {
    this.#sets[set] = this.set(set).clone().set(name, value);
  }

  putObject(value: PhpValue): void {
    this.#object = value;
  }

  /** What the command has set as its `object`; undefined when nothing. */
  get object(): PhpValue | undefined {
    return this.#object;
  }

  async loadRoot(root: string): Promise<void> {
    const { drupal, site } = await this.#loader.loadRoot(root);
    this.#sets.drupal = this.set("drupal").replace(drupal);
    this.#sets.site = this.set("site").replace(site);
    this.#useSpecific();
  }

  async loadSite(sitePath: string): Promise<void> {
    const former = this.set("site");
    const site = former.replace(await this.#loader.loadSite(sitePath));
    this.#sets.site = site;
    this.#siteAsRead = former.size === 0 ? site : undefined;
    this.#useSpecific();
  }

  isSiteAsRead(): boolean {
    return this.#siteAsRead !== undefined && this.#siteAsRead === this.#sets.site;
  }

  /** Options that drushrc files set for this command only. */
  #useSpecific(): void {
    const specific = this.#loader.commandSpecific.get(this.#command);
    if (specific instanceof PhpArray) this.#sets.specific = specific;
  }

  /** The `alias` set: what a target's record, which is one of this machine, gives as options. */
  useAlias(record: PhpArray): void {
    const paths = record.get("path-aliases");
    const fromPaths = PATH_OPTIONS.flatMap((name) => {
      const path = paths instanceof PhpArray ? paths.get(`%${name}`) : undefined;
      return path === undefined ? [] : [[name, path] as const];
    });
    const entries = [...record].filter(([key]) => typeof key !== "string" || (!NOT_OPTIONS.has(key) && !REMOTE.has(key)));
    this.#sets.alias = PhpArray.of([...entries.map(([key, value]) => [longName(key), value] as const), ...fromPaths]);
  }

  useStdin(options: PhpArray): void {
    this.#sets.stdin = options;
  }

  /** The `context` of the final frame. */
  context(): PhpArray {
    return mergedOptions(this.#sets);
  }

  /** The `self` of the final frame for a call on that alias: the site's own options, overlaid by the record. */
  self(record: PhpArray): PhpArray {
    const site = PhpArray.of([...this.set("site")].filter(([key]) => typeof key !== "string" || !NOTES.has(key)));
    return site.replace(PhpArray.of([...record].filter(([key]) => key !== "#name" && key !== "loaded-config")));
  }
}

function longName(key: PhpKey): PhpKey {
  return GLOBAL_OPTIONS.find(({ short }) => short === key)?.name ?? key;
}
