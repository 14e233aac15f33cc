import { mkdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { ServerContext } from "../contexts/context.ts";
import { isFile, namesIn, unlessAbsent } from "../files/look.ts";
import { uniqueName } from "../files/unique-name.ts";
import { bytesFromText } from "../php-values/text.ts";
import type { Journal } from "../task/journal.ts";
import { escapePattern } from "./escape-pattern.ts";
import type { WebChange, WebControl } from "./web-control.ts";
import { presentText } from "./web-file.ts";

/** Real path of a folder → its shadow. */
export type Shadowed = ReadonlyMap<string, string>;

/** Writes files and folders of a configuration as they shall become, with the shadows' names in them. */
export interface ShadowWriter {
  /** Links to all files of the folder that stay, but for those that name a shadowed folder: they name its shadow in a copy. */
  folder(real: string, shadow: string): void;
  /** The server's own file, as it is or as it shall become. */
  serverFile(path: string, shadow: string): void;
}

/** An empty folder for a shadow below the server's config_path, noted in the journal; and what removes it. */
export function shadowPlace(server: ServerContext, journal: Journal): { readonly directory: string; readonly remove: () => void } {
  const directory = join(server.configPath, `.test-${uniqueName()}`);
  journal.scratch(directory);
  mkdirSync(directory, { mode: 0o700 });
  return {
    directory,
    remove: () => {
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** @param ends what may stand behind a folder's name in the server's language, as characters of a class in a pattern */
export function shadowWriter(changes: readonly WebChange[], shadowed: Shadowed, ends: string): ShadowWriter {
  const redirected = (text: string): string =>
    [...shadowed].reduce((result, [real, shadow]) => (result.includes(real) ? result.replaceAll(new RegExp(`(?<![\\w/.-])${escapePattern(real)}(?=[${ends}])`, "g"), () => shadow) : result), text);
  return {
    folder: (real, shadow) => {
      mkdirSync(shadow, { mode: 0o700 });
      const changed = new Map(changes.filter(({ path }) => dirname(path) === real).map(({ path, content }) => [basename(path), content]));
      for (const name of namesIn(real)) {
        if (changed.has(name)) continue;
        const path = join(real, name);
        const text = shadowed.size > 1 && isFile(path) ? (presentText(path) ?? "") : "";
        const copy = redirected(text);
        if (copy === text) symlinkSync(path, join(shadow, name));
        else writeShadow(join(shadow, name), copy);
      }
      for (const [name, content] of changed) if (content !== undefined) writeShadow(join(shadow, name), redirected(content));
    },
    serverFile: (path, shadow) => {
      const changed = changes.find((change) => change.path === path);
      writeShadow(shadow, redirected((changed === undefined ? presentText(path) : changed.content) ?? ""));
    },
  };
}

export function writeShadow(path: string, text: string): void {
  writeFileSync(path, bytesFromText(text), { mode: 0o600 });
}

/** What `split` makes of the program's main file as it is remembered, or where that does not include the server's file any more, as it is asked for afresh. */
export async function inMainFile<T>(control: WebControl, split: (mainFile: string) => T | undefined): Promise<T | undefined> {
  for (const fresh of [false, true]) {
    const mainFile = await control.mainFile(fresh);
    const main = mainFile === undefined ? undefined : split(mainFile);
    if (main !== undefined) return main;
  }
  return undefined;
}

/** The path without links; undefined when nothing is there. */
export function realPath(path: string): string | undefined {
  return unlessAbsent(() => realpathSync(path));
}
