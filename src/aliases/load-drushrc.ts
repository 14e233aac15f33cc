import { realpathSync } from "node:fs";
import { join } from "node:path";
import { ShimError } from "../errors/shim-error.ts";
import { isFile } from "../files/look.ts";
import { PhpArray } from "../php-values/php-array.ts";
import type { PhpValue } from "../php-values/value.ts";
import { orNeedsRealDrush } from "./only-drush.ts";
import type { KnownArrays } from "./reading/known-arrays.ts";
import type { PhpSettings } from "./reading/php-fallback.ts";
import type { PhpFile } from "./reading/read-as-data.ts";
import { readPhpFile } from "./reading/read-php-file.ts";
import { withLongNames } from "./short-names.ts";

/** The option sets that drush fills before it knows a Drupal root. */
export interface BaseSets {
  readonly drush: PhpArray;
  readonly system: PhpArray;
  readonly user: PhpArray;
  readonly "home.drush": PhpArray;
}

type SetName = keyof BaseSets | "drupal" | "site";

/** Options that drush keeps elsewhere, or has given up. */
const NOT_IN_SETS = ["command-specific", "shell-aliases", "site-aliases"] as const;

/**
 * Loads drushrc files into option sets as drush 8.4.12 does (includes/context.inc); each file once. A set that is loaded again gives what is new.
 *
 * All methods throw ShimError when a file is broken, and NeedsRealDrush when only drush can use it.
 */
export class DrushrcLoader {
  readonly #php: PhpSettings;
  readonly #arrays: KnownArrays | undefined;
  readonly #loaded = new Set<string>();
  readonly #notes = new Map<SetName, PhpValue>();
  /** Options for one command only, of all files: command → options. */
  commandSpecific = new PhpArray();

  /** @param arrays what is known of large arrays in the files */
  constructor(php: PhpSettings, arrays?: KnownArrays) {
    this.#php = php;
    this.#arrays = arrays;
  }

  async loadBase(places: { readonly home: string; readonly etcPrefix: string; readonly drushFolder: string | undefined }): Promise<BaseSets> {
    const { home, etcPrefix, drushFolder } = places;
    return {
      drush: await this.#set("drush", drushFolder === undefined ? [] : [`${drushFolder}/`]),
      system: await this.#set("system", [`${etcPrefix}/etc/drush/`]),
      user: await this.#set("user", [`${home}/.`]),
      "home.drush": await this.#set("home.drush", [`${home}/.drush/`]),
    };
  }

  /** What selecting a root loads. The file of sites/default counts for every site of the platform. */
  async loadRoot(root: string): Promise<{ readonly drupal: PhpArray; readonly site: PhpArray }> {
    return { drupal: await this.#set("drupal", [`${root}/../drush/`, `${root}/sites/all/drush/`, `${root}/drush/`]), site: await this.#set("site", [`${root}/sites/default/`]) };
  }

  async loadSite(sitePath: string): Promise<PhpArray> {
    return this.#set("site", [`${sitePath}/`]);
  }

  /** The plain files of all places, then those for this version of drush; a later file's options win. */
  async #set(name: SetName, places: readonly string[]): Promise<PhpArray> {
    let set = new PhpArray();
    for (const base of ["drushrc.php", "drush8rc.php"]) {
      for (const place of places) set = await this.#file(join(place + base), name, set);
    }
    return set;
  }

  async #file(place: string, name: SetName, set: PhpArray): Promise<PhpArray> {
    if (!isFile(place)) return set;
    // As PHP's include_once: a file counts once, whatever links lead to it.
    const path = realpathSync(place);
    if (this.#loaded.has(path)) return set;
    this.#loaded.add(path);
    const file = await this.#read(path);
    const options = arrayIn(file, "options").clone();
    const specific = options.get("command-specific") ?? arrayIn(file, "command_specific");
    // A file that returns FALSE is passed over, and one without anything leaves no note.
    if (file.refused || (options.size === 0 && arrayIn(file, "command_specific").size === 0 && isEmpty(file.values.get("override")))) return set;
    if (specific instanceof PhpArray) this.#addSpecific(specific);
    for (const key of NOT_IN_SETS) options.delete(key);
    return withLongNames(set.merge(options).set("config-file", path).set("context-path", this.#note(name, path)));
  }

  async #read(path: string): Promise<PhpFile> {
    try {
      return await readPhpFile(path, { variables: ["options", "command_specific", "override"], php: this.#php, arrays: this.#arrays });
    } catch (thrown) {
      throw orNeedsRealDrush(thrown, path);
    }
  }

  /** Options of a later file win one by one. */
  #addSpecific(specific: PhpArray): void {
    const all = this.commandSpecific.clone();
    for (const [command, options] of specific) {
      const former = all.get(command);
      all.set(command, former instanceof PhpArray && options instanceof PhpArray ? former.merge(options) : options);
    }
    this.commandSpecific = all;
  }

  /** Drush's note on which files a set came from: the newest first once there are several. */
  #note(name: SetName, path: string): PhpValue {
    const former = this.#notes.get(name);
    const note = former === undefined ? path : PhpArray.list([path, ...(former instanceof PhpArray ? former.values() : [former])]);
    this.#notes.set(name, note);
    return note;
  }
}

/** @throws ShimError PHP_FILE_BROKEN when the variable is no array, on which drush dies */
function arrayIn(file: PhpFile, variable: string): PhpArray {
  const value = file.values.has(variable) ? file.values.get(variable) : new PhpArray();
  if (value instanceof PhpArray) return value;
  throw new ShimError("PHP_FILE_BROKEN", `The file ${file.path} is broken: $${variable} is not an array`, { hint: "mend or remove the file; drush dies on it" });
}

function isEmpty(value: PhpValue | undefined): boolean {
  return value === undefined || value === null || (value instanceof PhpArray && value.size === 0);
}
