import { join } from "node:path";
import { isFile } from "../files/look.ts";
import { PhpArray } from "../php-values/php-array.ts";
import type { PhpSettings } from "./reading/php-fallback.ts";
import { readPhpFile } from "./reading/read-php-file.ts";

/** The option sets that drush fills before it knows a Drupal root. */
export interface BaseSets {
  readonly drush: PhpArray;
  readonly system: PhpArray;
  readonly user: PhpArray;
  readonly "home.drush": PhpArray;
}

/** Loads drushrc files into option sets as drush 8.4.12 does (includes/context.inc); each file once. */
export class DrushrcLoader {
  readonly #php: PhpSettings;
  readonly #loaded = new Set<string>();
  /** `$command_specific` of all files: command → options. */
  commandSpecific = new PhpArray();

  constructor(php: PhpSettings) {
    this.#php = php;
  }

  async loadBase(places: { readonly home: string; readonly etcPrefix: string; readonly drushFolder: string | undefined }): Promise<BaseSets> {
    const { home, etcPrefix, drushFolder } = places;
    return {
      drush: drushFolder === undefined ? new PhpArray() : await this.#set([`${drushFolder}/`]),
      system: await this.#set([`${etcPrefix}/etc/drush/`]),
      user: await this.#set([`${home}/.`]),
      "home.drush": await this.#set([`${home}/.drush/`]),
    };
  }

  /** What selecting a root loads. The file of sites/default counts for every site of the platform. */
  async loadRoot(root: string): Promise<{ readonly drupal: PhpArray; readonly site: PhpArray }> {
    return { drupal: await this.#set([`${root}/../drush/`, `${root}/sites/all/drush/`, `${root}/drush/`]), site: await this.#set([`${root}/sites/default/`]) };
  }

  async loadSite(sitePath: string): Promise<PhpArray> {
    return this.#set([`${sitePath}/`]);
  }

  /** The plain files of all places, then those for this version of drush; a later file's options win. */
  async #set(places: readonly string[]): Promise<PhpArray> {
    let set = new PhpArray();
    for (const name of ["drushrc.php", "drush8rc.php"]) {
      for (const place of places) set = await this.#file(join(place + name), set);
    }
    return set;
  }

  async #file(path: string, set: PhpArray): Promise<PhpArray> {
    if (this.#loaded.has(path) || !isFile(path)) return set;
    this.#loaded.add(path);
    const { values } = await readPhpFile(path, { variables: ["options", "command_specific", "override"], php: this.#php });
    const [options, specific, override] = ["options", "command_specific", "override"].map((name) => values.get(name));
    if (specific instanceof PhpArray) this.commandSpecific = this.commandSpecific.replace(specific);
    const isEmpty = [options, specific, override].every((value) => !(value instanceof PhpArray) || value.size === 0);
    if (isEmpty || !(options instanceof PhpArray)) return set;
    // These belonged into alias files in drush 4.
    options.delete("site-aliases");
    return set.replace(options).set("config-file", path).set("context-path", contextPath(set, path));
  }
}

/** Drush's note on which files a set came from: the newest first once there are several. */
function contextPath(set: PhpArray, path: string) {
  const former = set.get("context-path");
  if (former === undefined) return path;
  return PhpArray.list([path, ...(former instanceof PhpArray ? former.values() : [former])]);
}
