import { basename, posix } from "node:path";
import { asShimError, ShimError } from "../errors/shim-error.ts";
import { isTruthy, scalarText } from "../php-values/convert.ts";
import { PhpArray } from "../php-values/php-array.ts";
import { entryFor, mergedEntries } from "./alias-entries.ts";
import { aliasFolders, type AliasFolder, type AliasPlaces } from "./alias-files.ts";
import type { PhpSettings } from "./reading/php-fallback.ts";
import type { PhpFile } from "./reading/read-as-data.ts";
import { readPhpFile } from "./reading/read-php-file.ts";

/** What an alias name leads to. */
export type FoundAlias =
  | { readonly kind: "record"; readonly record: PhpArray; readonly warnings: readonly ShimError[] }
  /** Several sites; a command on it would run once on each. */
  | { readonly kind: "list"; readonly members: readonly string[]; readonly warnings: readonly ShimError[] }
  | { readonly kind: "missing"; readonly warnings: readonly ShimError[] };

/** Finds alias records as drush 8.4.12 does before a Drupal root is selected (includes/sitealias.inc). Each file is read once. */
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
   * @throws ShimError ALIAS_LIST_LOOP when it leads to a list that contains itself, on which drush would never end; and the errors of {@link readPhpFile} when the
   *   file that bears its name is broken
   */
  find(name: string): Promise<FoundAlias> {
    let finding = this.#found.get(name);
    if (finding === undefined) {
      // Known while its parents are looked up, so that a circle of parents ends.
      finding = this.#find(name, new Set());
      this.#found.set(name, finding);
    }
    return finding;
  }

  async #find(name: string, children: ReadonlySet<string>): Promise<FoundAlias> {
    const warnings: ShimError[] = [];
    const entries = await this.#entries(name, warnings);
    if (entries.length === 0) return { kind: "missing", warnings };
    const names = [...new Set(entries.map((entry) => scalarText(entry.get("#name")) ?? ""))];
    if (names.length > 1) return listOf(name, { members: names.map((member) => `@${member}`), entries, warnings });
    const merged = entries.slice(1).reduce(mergedEntries, entries[0] ?? new PhpArray());
    const list = listMembers(merged);
    if (list !== undefined) return listOf(name, { members: list, entries, warnings });
    const record = await this.#withParents(merged, new Set([...children, name]));
    return { kind: "record", record: completed(record), warnings };
  }

  async #entries(name: string, warnings: ShimError[]): Promise<PhpArray[]> {
    this.#folders ??= aliasFolders(this.#places);
    const entries: PhpArray[] = [];
    for (const { groups, singles } of this.#folders) {
      for (const path of [...groups, ...singles.filter((single) => isNamed(single, name))]) {
        try {
          const entry = entryFor(name, await this.#read(path));
          if (entry !== undefined) entries.push(entry);
        } catch (thrown) {
          // Drush would stop at any of them; here only the one that was asked for counts.
          if (!isNamed(path, name) || !basename(path).startsWith(`${name}.alias.`)) warnings.push(asShimError(thrown));
          else throw thrown;
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
    const parents = scalarText(record.get("parent")) ?? "";
    if (parents === "") return record;
    let result = record.clone();
    result.delete("parent");
    for (const parent of parents.split(",").map((name) => name.trim().replace(/^@/, ""))) {
      if (children.has(parent)) continue;
      const found = await this.#find(parent, children);
      if (found.kind === "record") result = inherited(result, found.record);
    }
    return result;
  }
}

/** Does a file of that name define the alias? As in drush anything may stand in front; such a file is opened and has nothing to say. */
function isNamed(path: string, name: string): boolean {
  return path.endsWith(`${name}.alias.drushrc.php`) || path.endsWith(`${name}.alias.drush8rc.php`);
}

function listMembers(record: PhpArray): string[] | undefined {
  const list = record.get("site-list");
  if (list instanceof PhpArray) return [...list.values()].flatMap((item) => scalarText(item) ?? []);
  return typeof list === "string" ? list.split(",") : undefined;
}

function listOf(name: string, list: { readonly members: readonly string[]; readonly entries: readonly PhpArray[]; readonly warnings: readonly ShimError[] }): FoundAlias {
  if (list.members.includes(`@${name}`)) {
    const files = list.entries.map((entry) => scalarText(entry.get("#file")) ?? "").join(" and ");
    throw new ShimError("ALIAS_LIST_LOOP", `The alias @${name} is a list that contains itself, because ${files} define it under different names.`, {
      hint: "remove or rename it in one of them; drush itself would never end on it",
    });
  }
  return { kind: "list", members: list.members, warnings: list.warnings };
}

const NOT_INHERITED = new Set(["#name", "#file", "#hidden", "parent"]);
const MERGED = new Set(["command-specific", "site-aliases", "path-aliases"]);

function inherited(child: PhpArray, parent: PhpArray): PhpArray {
  const result = child.clone();
  for (const [key, value] of parent) {
    if (NOT_INHERITED.has(String(key))) continue;
    const own = result.get(key);
    if (own === undefined) result.set(key, value);
    else if (MERGED.has(String(key)) && own instanceof PhpArray && value instanceof PhpArray) result.set(key, own.union(value));
  }
  return result;
}

/** What drush adds when a record is read: its name in front, a plain root, and the root as a path alias when there is a uri. */
function completed(record: PhpArray): PhpArray {
  const name = record.get("#name") ?? null;
  const result = PhpArray.of([["#name", name]]).replace(record);
  const root = scalarText(result.get("root"));
  if (root !== undefined && root !== "") result.set("root", plainPath(root));
  if (!result.has("uri")) return result;
  const given = result.get("path-aliases");
  const paths = given instanceof PhpArray ? given.clone() : new PhpArray();
  if (isTruthy(result.get("root"))) paths.set("%root", result.get("root") ?? null);
  return result.set("path-aliases", paths);
}

/** As Symfony's Path::canonicalize(): dots and slashes settled as text, links kept. */
function plainPath(path: string): string {
  const plain = posix.normalize(path.replaceAll("\\", "/"));
  return plain.length > 1 ? plain.replace(/\/+$/, "") : plain;
}

/** Keys of a record that make drush do something else than run the command here. */
const FOR_DRUSH = ["remote-host", "php", "php-options", "config", "from-list", "site-search-path", "#env-vars", "db-url"];

/** Why a command on this record is one for the real drush; undefined when it is not. */
export function needsRealDrush(record: PhpArray, command: string): string | undefined {
  const key = FOR_DRUSH.find((name) => isTruthy(record.get(name)));
  if (key !== undefined) return `the entry ${key}`;
  const specific = record.get("command-specific");
  return specific instanceof PhpArray && specific.has(command) ? `the options for ${command}` : undefined;
}
