import { join } from "node:path";
import { PhpArray } from "./php-values/php-array.ts";
import { scalarText } from "./php-values/convert.ts";
import type { PhpValue } from "./php-values/value.ts";
import type { KnownFolders } from "./files/known-folders.ts";
import { readIfThere } from "./files/look.ts";
import { scanExtensions, type ExtensionFile } from "./real-drush/extension-scan.ts";
import type { LineHook } from "./real-drush/hook-lines.ts";
import { isDoneHere, lineHook, possibleHooks, takesPart } from "./real-drush/hooks.ts";
import type { Invocation } from "./invocation.ts";

export interface HookSearch {
  readonly invocation: Invocation;
  /** The values of an option in all sets. */
  readonly values: (name: string) => readonly PhpValue[];
  /** What is in the folders that drush searches. */
  readonly known: KnownFolders;
}

/** How extensions of drush take part in commands. */
export interface ForeignHooks {
  /** One that may do anything, with its file. */
  readonly foreign: string | undefined;
  /** Those that only add lines to files. */
  readonly lines: readonly LineHook[];
}

/** The hooks of extensions that take part in one of the commands. */
export function foreignHooks(commands: readonly string[], { invocation, values, known }: HookSearch, root?: string): ForeignHooks {
  const skipped = new Set([...["exclude", "ignored-modules", "ignored-directories"].flatMap((name) => values(name).flatMap(optionTexts)), ...(invocation.config.ignoredExtensions ?? [])]);
  const share = invocation.variables["SHARE_PREFIX"] ?? "/usr";
  const ofRoot = root === undefined ? [] : [join(root, "../drush"), join(root, "drush"), join(root, "sites/all/drush")];
  const folders = [...values("include").flatMap(optionTexts), `${share}/share/drush/commands`, join(invocation.home, ".drush"), ...ofRoot];
  const files = scanExtensions({ folders, skipped, known, remembered: invocation.remembered });
  const taking = files.flatMap(({ file, hooks }) => hooks.filter((name) => !isDoneHere(name, file) && commands.some((command) => takesPart(name, command))).map((name) => ({ name, file, hook: lineHook(name) })));
  const foreign = taking.find(({ hook }) => hook === undefined);
  return { foreign: foreign === undefined ? undefined : `${foreign.name} in ${foreign.file}`, lines: taking.flatMap(({ name, file, hook }) => (hook === undefined ? [] : [{ name, file, hook }])) };
}

/** Hooks in these very files that take part in the command. */
export function hooksInFiles(files: readonly string[], command: string): string[] {
  const read = files.map((file) => ({ file, hooks: possibleHooks(readIfThere(file)?.toString("latin1") ?? "") }));
  const hook = firstHook(read, command);
  return hook === undefined ? [] : [hook];
}

function firstHook(files: readonly ExtensionFile[], command: string): string | undefined {
  for (const { file, hooks } of files) {
    const hook = hooks.find((name) => takesPart(name, command));
    if (hook !== undefined) return `${hook} in ${file}`;
  }
  return undefined;
}

/** An option that is a list of names, or a map whose values are paths (`include`), or text with colons. */
export function optionTexts(value: PhpValue): string[] {
  if (value instanceof PhpArray) return [...value.values()].flatMap((item) => scalarText(item) ?? []).filter((text) => text !== "");
  return (scalarText(value) ?? "").split(":").filter((text) => text !== "");
}
