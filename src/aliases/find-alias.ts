import { basename } from "node:path";
import { NeedsRealDrush } from "../errors/needs-real-drush.ts";
import { asShimError, ShimError } from "../errors/shim-error.ts";
import { isTruthy, scalarText } from "../php-values/convert.ts";
import { PhpArray } from "../php-values/php-array.ts";
import { entryFor, groupOf, mergedEntries, withParent } from "./alias-entries.ts";
import { aliasFolders, type AliasFolder, type AliasPlaces } from "./alias-files.ts";
import { completed, listMembers, NONE } from "./complete-record.ts";
import { orNeedsRealDrush } from "./only-drush.ts";
import type { PhpSettings } from "./reading/php-fallback.ts";
import type { PhpFile } from "./reading/read-as-data.ts";
import { readPhpFile } from "./reading/read-php-file.ts";

/** What an alias name leads to. `warnings` are about files that have another name and were passed over because they are broken. */
export type FoundAlias =
  | { readonly kind: "record"; readonly record: PhpArray; readonly warnings: readonly ShimError[] }
  /** Several sites; a command on it would run once on each. */
  | { readonly kind: "list"; readonly members: readonly string[]; readonly warnings: readonly ShimError[] }
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
  find(name: string): Promise<FoundAlias> {
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
  }

  /** @param children names whose parents are being looked up: a circle of parents ends there, as in drush */
  async #find(name: string, children: ReadonlySet<string>): Promise<FoundAlias> {
    if (name === "none") return { kind: "record", record: NONE.deepClone(), warnings: [] };
    const warnings: ShimError[] = [];
    const entries = await this.#entries(name, warnings);
    if (entries.length === 0) return missing(name, warnings);
    const names = [...new Set(entries.map((entry) => scalarText(entry.get("#name")) ?? ""))];
    if (names.length > 1) {
      refuseTwoNames(name, entries, names);
      return { kind: "list", members: names.map((member) => `@${member}`), warnings };
    }
    const merged = entries.slice(1).reduce(mergedEntries, entries[0] ?? new PhpArray());
    const members = listMembers(merged);
    if (members === undefined) return { kind: "record", record: completed(await this.#withParents(merged, new Set([...children, name])), this.#places.home), warnings };
    await this.#refuseLoop(name, { members, file: scalarText(merged.get("#file")) ?? "" });
    return { kind: "list", members, warnings };
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
  async #withParents(record: PhpArray, children: ReadonlySet<string>): Promise<PhpArray> {
    if (!record.has("parent")) return record;
    let result = record.clone();
    result.delete("parent");
    for (const parent of (scalarText(record.get("parent")) ?? "").split(",")) {
      // Drush does not trim: a parent with a blank in front has no alias's form.
      if (!parent.startsWith("@") || children.has(parent.slice(1))) continue;
      const found = await this.#find(parent.slice(1), children);
      if (found.kind === "record") result = withParent(result, found.record);
    }
    return result;
  }

  /** @throws ShimError ALIAS_LIST_LOOP */
  async #refuseLoop(name: string, list: { readonly members: readonly string[]; readonly file: string }): Promise<void> {
    const seen = new Set<string>();
    const waiting = [...list.members];
    for (let member = waiting.pop(); member !== undefined; member = waiting.pop()) {
      if (seen.has(member) || !member.startsWith("@")) continue;
      seen.add(member);
      if (member === `@${name}`) throw loop(`The alias @${name} of ${list.file} is a list that contains itself.`, "take it out of its own list");
      const entries = await this.#entries(member.slice(1), []);
      for (const entry of entries) waiting.push(...(listMembers(entry) ?? []));
    }
  }
}

function missing(name: string, warnings: readonly ShimError[]): FoundAlias {
  const unread = warnings.find((warning) => orNeedsRealDrush(warning, name) instanceof NeedsRealDrush);
  if (unread !== undefined) throw orNeedsRealDrush(unread, name);
  return { kind: "missing", warnings };
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
  return path.endsWith(`${name}.alias.drushrc.php`) || path.endsWith(`${name}.alias.drush8rc.php`);
}

/** Is this the file, or the group's file, that the name leads to? */
function bearsName(path: string, name: string): boolean {
  const base = basename(path);
  const group = groupOf(base);
  return base.startsWith(`${name}.alias.`) || (group !== undefined && (name === group || name.startsWith(`${group}.`)));
}

/** Keys of a record that make drush do something else than run the command here. */
const FOR_DRUSH = ["remote-host", "php", "php-options", "config", "from-list", "site-search-path", "#env-vars", "db-url"];

/** Why a command on this record is one for the real drush; undefined when it is not. */
export function needsRealDrush(record: PhpArray, command: string): string | undefined {
  const key = FOR_DRUSH.find((name) => isTruthy(record.get(name)) && !(name === "remote-host" && isLocalhost(record)));
  if (key !== undefined) return `the entry ${key}`;
  const paths = record.get("path-aliases");
  if (paths instanceof PhpArray && isTruthy(paths.get("%drush-script"))) return "the path alias %drush-script";
  const specific = record.get("command-specific");
  return specific instanceof PhpArray && specific.has(command) ? `the options for ${command}` : undefined;
}

function isLocalhost(record: PhpArray): boolean {
  return ["localhost", "127.0.0.1"].includes(scalarText(record.get("remote-host")) ?? "");
}
