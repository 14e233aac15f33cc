import { basename } from "node:path";
import { NeedsRealDrush } from "../errors/needs-real-drush.ts";
import { asShimError, ShimError } from "../errors/shim-error.ts";
import { lookBehind } from "../files/look.ts";
import { isTruthy, scalarText } from "../php-values/convert.ts";
import { PhpArray } from "../php-values/php-array.ts";
import { entryFor, groupOf, listMembers, mergedEntries, withParent } from "./alias-entries.ts";
import { aliasFolders, type AliasFolder, type AliasPlaces } from "./alias-files.ts";
import { completed, NONE } from "./complete-record.ts";
import { orNeedsRealDrush } from "./only-drush.ts";
import type { PhpSettings } from "./reading/php-fallback.ts";
import type { PhpFile } from "./reading/read-as-data.ts";
import { readPhpFile } from "./reading/read-php-file.ts";

/** What an alias name leads to. `warnings` are about files that have another name and were passed over because they are broken. */
export type FoundAlias =
  | { readonly kind: "record"; readonly record: PhpArray; readonly warnings: readonly ShimError[] }
  /** Several sites; a command on it would run once on each. */
  | { readonly kind: "list"; readonly members: readonly string[]; readonly record: PhpArray; readonly warnings: readonly ShimError[] }
  | { readonly kind: "missing"; readonly warnings: readonly ShimError[] };

/**
 * Finds alias records as drush 8.4.12 does before a Drupal root is selected (includes/sitealias.inc). Each file is read once; {@link Aliases.forget}
 * makes it be read again.
 */
export class Aliases {
  readonly #places: AliasPlaces;
  readonly #php: PhpSettings;
  readonly #found = new Map<string, Promise<FoundAlias>>();
  readonly #files = new Map<string, Promise<PhpFile>>();
  #folders: AliasFolder[] | undefined;

  constructor(places: AliasPlaces, php: PhpSettings) {
    this.#places = places;
    this.#php = php;
  }

  /**
   * @param name without `@`
   * @throws ShimError ALIAS_LIST_LOOP when it leads to a list that contains itself, on which drush would never end; and the errors of {@link readPhpFile} when a
   *   file that bears its name is broken
   * @throws NeedsRealDrush when a file that bears its name, or that may define it, can be used by drush only
   */
  async find(name: string): Promise<FoundAlias> {
    const found = await this.#lookUp(name);
    if (found.kind === "list") await this.#refuseLoop(found.members, [name]);
    return found;
  }

  #lookUp(name: string): Promise<FoundAlias> {
    let finding = this.#found.get(name);
    if (finding === undefined) {
      finding = this.#find(name, new Set());
      this.#found.set(name, finding);
    }
    return finding;
  }

  /** Forgets what was read, after alias files were written. */
  forget(): void {
    this.#found.clear();
    this.#files.clear();
    this.#folders = undefined;
    this.#places.known.forget();
  }

  /** @param children names whose parents are being looked up: a circle of parents ends there, as in drush */
  async #find(name: string, children: ReadonlySet<string>): Promise<FoundAlias> {
    if (name === "none") return { kind: "record", record: NONE.deepClone(), warnings: [] };
    const warnings: ShimError[] = [];
    const entries = await this.#entries(name, warnings);
    if (entries.length === 0) return missing(name, warnings);
    const inheriting = await this.#withParents(mergedHits(name, entries), { children: new Set([...children, name]), warnings });
    const record = completed(inheriting, this.#places.home);
    const members = listMembers(record);
    return members === undefined ? { kind: "record", record, warnings } : { kind: "list", members, record, warnings };
  }

  async #entries(name: string, warnings: ShimError[]): Promise<PhpArray[]> {
    this.#folders ??= aliasFolders(this.#places);
    const entries: PhpArray[] = [];
    for (const { groups, singles, problems } of this.#folders) {
      warnings.push(...problems);
      for (const path of [...groups, ...singles.filter((single) => mayDefine(single, name))]) {
        try {
          const entry = entryFor(name, await this.#read(path));
          if (entry !== undefined) entries.push(entry);
        } catch (thrown) {
          // Drush would stop at any of them; here only those count that were asked for.
          if (bearsName(path, name)) throw orNeedsRealDrush(thrown, path);
          warnings.push(asShimError(thrown));
        }
      }
    }
    return entries;
  }

  #read(path: string): Promise<PhpFile> {
    let reading = this.#files.get(path);
    if (reading === undefined) {
      reading = readPhpFile(path, { variables: ["aliases", "options"], php: this.#php, refuseBelowDrupal: true });
      this.#files.set(path, reading);
    }
    return reading;
  }

  /** The deprecated key `parent`: the record's own values win, then those of the first parent named. */
  async #withParents(record: PhpArray, { children, warnings }: { readonly children: ReadonlySet<string>; readonly warnings: ShimError[] }): Promise<PhpArray> {
    if (!record.has("parent")) return record;
    let result = record.clone();
    result.delete("parent");
    for (const parent of (scalarText(record.get("parent")) ?? "").split(",")) {
      // A parent may be a place as well (`user@host/path`): then the key stays, for needsRealDrush().
      if (/[/\\#]/.test(parent)) result.set("parent", parent);
      // Drush does not trim: a parent with a blank in front has no alias's form.
      if (!/^@[^/\\#]+$/.test(parent) || children.has(parent.slice(1))) continue;
      const found = await this.#find(parent.slice(1), children);
      warnings.push(...found.warnings);
      if (found.kind !== "missing") result = withParent(result, found.record);
    }
    return result;
  }

  /**
   * @param path names of the lists that lead to these members
   * @throws ShimError ALIAS_LIST_LOOP
   */
  async #refuseLoop(members: readonly string[], path: readonly string[]): Promise<void> {
    for (const member of new Set(members)) {
      const name = /^@([^@/#,]+)$/.exec(member)?.[1];
      if (name === undefined) continue;
      if (path.includes(name)) throw loop(`The alias @${name} is a list that contains itself: ${[...path.slice(path.indexOf(name)), name].map((list) => `@${list}`).join(" has ")}.`, "take it out of its own list");
      const found = await this.#lookUp(name);
      if (found.kind === "list") await this.#refuseLoop(found.members, [...path, name]);
    }
  }
}

function missing(name: string, warnings: readonly ShimError[]): FoundAlias {
  const unread = warnings.find((warning) => orNeedsRealDrush(warning, name) instanceof NeedsRealDrush);
  if (unread !== undefined) throw orNeedsRealDrush(unread, name);
  return { kind: "missing", warnings };
}

/** Several hits: one record as long as they bear one name, else a list of the names. */
function mergedHits(name: string, entries: readonly PhpArray[]): PhpArray {
  const names: string[] = [];
  let record = new PhpArray();
  for (const entry of entries) {
    const entryName = scalarText(entry.get("#name")) ?? "";
    if (entryName === names.at(-1)) {
      record = mergedEntries(record, entry);
    } else {
      names.push(entryName);
      record = entry;
    }
  }
  if (names.length === 1) return record;
  refuseTwoNames(name, entries, names);
  return PhpArray.of([["#name", name], ["site-list", PhpArray.list(names.map((member) => `@${member}`))]]);
}

/**
 * Members of a group file have the group's name in front, so one name in a group file and in a file of its own is a list of both, which contains itself.
 *
 * @throws ShimError ALIAS_LIST_LOOP
 */
function refuseTwoNames(name: string, entries: readonly PhpArray[], names: readonly string[]): void {
  if (!names.includes(name)) return;
  const files = [...new Set(entries.map((entry) => scalarText(entry.get("#file")) ?? ""))].join(" and ");
  throw loop(`The alias @${name} is defined under different names by ${files}, and so is a list that contains itself.`, "remove or rename it in one of them");
}

function loop(message: string, hint: string): ShimError {
  return new ShimError("ALIAS_LIST_LOOP", message, { hint: `${hint}; drush would never end on it` });
}

/** As in drush anything may stand in front of the name; such a file is opened, and mostly has nothing to say. */
function mayDefine(path: string, name: string): boolean {
  const base = basename(path);
  return base.endsWith(`${name}.alias.drushrc.php`) || base.endsWith(`${name}.alias.drush8rc.php`);
}

/** Is this the file, or the group's file, that the name leads to? */
function bearsName(path: string, name: string): boolean {
  const base = basename(path);
  const group = groupOf(base);
  return base.startsWith(`${name}.alias.`) || (group !== undefined && (name === group || name.startsWith(`${group}.`)));
}

/** Keys of a record that make drush do something else than run the command here. */
const FOR_DRUSH = ["remote-host", "php", "php-options", "config", "alias-path", "from-list", "site-search-path", "#env-vars", "db-url", "parent"];
/** Of these drush makes options. */
const PATHS_FOR_DRUSH = ["%drush-script", "%include"];

/**
 * Why a command on this record is one for the real drush; undefined when it is not.
 *
 * @param launcher our own program: `provision swap on` names it in `%drush-script`
 */
export function needsRealDrush(record: PhpArray, command: string, launcher?: string): string | undefined {
  const key = FOR_DRUSH.find((name) => isTruthy(record.get(name)) && !(name === "remote-host" && isLocalhost(record)));
  if (key !== undefined) return `the entry ${key}`;
  const paths = record.get("path-aliases");
  const path = paths instanceof PhpArray ? PATHS_FOR_DRUSH.find((name) => isTruthy(paths.get(name)) && !isSameFile(scalarText(paths.get(name)), launcher)) : undefined;
  if (path !== undefined) return `the path alias ${path}`;
  const specific = record.get("command-specific");
  return specific instanceof PhpArray && specific.has(command) ? `the options for ${command}` : undefined;
}

function isSameFile(path: string | undefined, other: string | undefined): boolean {
  if (path === undefined || other === undefined) return false;
  const [one, two] = [lookBehind(path), lookBehind(other)];
  return one !== undefined && one.ino === two?.ino && one.dev === two.dev;
}

function isLocalhost(record: PhpArray): boolean {
  return ["localhost", "127.0.0.1"].includes(scalarText(record.get("remote-host")) ?? "");
}
