import { dirname, join } from "node:path";
import { isFile, readIfThere } from "../files/look.ts";
import { entriesOf } from "../files/scan.ts";
import { textFromBytes } from "../php-values/text.ts";
import type { DrupalCore } from "./core.ts";
import type { SystemRow } from "./site-packages.ts";

export interface PendingUpdates {
  /** Module → numbers of its updates that the database has not had, lowest first. */
  readonly pending: ReadonlyMap<string, readonly number[]>;
  /** Modules whose code is not where the site's table `system` says: only Drupal can find it and tell. */
  readonly unsure: readonly string[];
}

/** Depth of folders that are searched when a .install file includes others. */
const DEPTH = 3;

/**
 * The updates of a Drupal 7 site that are not applied yet, by its table `system` and the functions `NAME_update_N` in its code (as
 * update_get_update_list()). Nothing pending here means nothing pending for Drupal, too; so no PHP need be started then.
 */
export async function pendingUpdates(rows: readonly SystemRow[], core: DrupalCore): Promise<PendingUpdates> {
  const installed = new Map<string, number>();
  const unsure: string[] = [];
  const files: string[] = [];
  for (const row of rows) {
    const name = row["name"] ?? "";
    const schema = Number(row["schema_version"] ?? -1);
    if (row["type"] !== "module" || schema < 0) continue;
    installed.set(name.toLowerCase(), schema);
    const module = join(core.root, row["filename"] ?? "");
    if (isFile(module)) files.push(...codeWithUpdates(dirname(module), name, module));
    else unsure.push(name);
  }
  const found = new Map<string, Set<number>>();
  for (const file of files) {
    for (const [name, number] of await updateFunctions(file, installed)) {
      const numbers = found.get(name) ?? new Set<number>();
      found.set(name, numbers.add(number));
    }
  }
  const pending = new Map([...found].map(([name, numbers]) => [name, [...numbers].sort((a, b) => a - b)] as const));
  return { pending, unsure };
}

/** Where the functions may be: NAME.install, the module itself, and what the former includes. */
function codeWithUpdates(folder: string, name: string, module: string): string[] {
  const install = join(folder, `${name}.install`);
  const text = textOf(install);
  if (text === undefined) return [module];
  const includes = /\b(?:include|require)(?:_once)?\b|module_load_include|\beval\b/i.test(text);
  return includes ? [install, module, ...included(folder, DEPTH)] : [install, module];
}

function included(folder: string, depth: number): string[] {
  return entriesOf(folder).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return depth > 1 ? included(path, depth - 1) : [];
    return /\.(?:inc|php|install)$/.test(entry.name) ? [path] : [];
  });
}

/** Functions in the file whose number is above that of the module. PHP does not tell upper from lower case in them. */
async function updateFunctions(file: string, installed: ReadonlyMap<string, number>): Promise<[string, number][]> {
  const text = textOf(file) ?? "";
  const suspects = [...text.matchAll(/\bfunction\s+&?\s*(\w+)_update_(\d+)\s*\(/gi)].flatMap(([, name = "", digits]): [string, number][] => {
    const [module, number] = [name.toLowerCase(), Number(digits)];
    const schema = installed.get(module);
    return schema === undefined || number <= schema ? [] : [[module, number]];
  });
  if (suspects.length === 0) return [];
  // A comment may look like a function.
  const declared = await declaredFunctions(text);
  return declared === undefined ? suspects : suspects.filter(([module, number]) => declared.has(`${module}_update_${number}`));
}

/** Names of all functions that the PHP text declares, in lower case; undefined when it cannot be read as PHP. */
async function declaredFunctions(text: string): Promise<Set<string> | undefined> {
  const { Engine } = await import("php-parser");
  const names = new Set<string>();
  const collect = (node: unknown): void => {
    if (Array.isArray(node)) {
      for (const item of node) collect(item);
    } else if (typeof node === "object" && node !== null) {
      if ("kind" in node && node.kind === "function" && "name" in node && isNamed(node.name)) names.add(node.name.name.toLowerCase());
      for (const value of Object.values(node)) collect(value);
    }
  };
  try {
    collect(new Engine({ parser: { suppressErrors: false }, ast: { withPositions: false } }).parseCode(text, "install"));
    return names;
  } catch {
    return undefined;
  }
}

function isNamed(value: unknown): value is { readonly name: string } {
  return typeof value === "object" && value !== null && "name" in value && typeof value.name === "string";
}

function textOf(path: string): string | undefined {
  const bytes = readIfThere(path);
  return bytes === undefined ? undefined : textFromBytes(bytes);
}
