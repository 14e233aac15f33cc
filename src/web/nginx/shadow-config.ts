import { mkdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, dirname, isAbsolute, join } from "node:path";
import type { ServerContext } from "../../contexts/context.ts";
import { shellGlob } from "../../files/glob.ts";
import { isAbsent, isDirectory, isFile, namesIn, readIfThere } from "../../files/look.ts";
import { uniqueName } from "../../files/unique-name.ts";
import { textFromBytes, bytesFromText } from "../../php-values/text.ts";
import type { Journal } from "../../task/journal.ts";
import type { ShadowConfig, WebChange, WebControl } from "../web-control.ts";
import { escapePattern } from "./nginx-rules.ts";

/**
 * Builds the shadow below the server's config_path: the folders with changed files anew, with links to all that stays, and a main file that includes
 * the shadow instead of the server's own file. Files that name a changed folder are copied and name its shadow. Undefined when it cannot be found
 * out how nginx includes the server's file.
 */
export async function buildShadow(server: ServerContext, changes: readonly WebChange[], { control, journal }: { readonly control: WebControl; readonly journal: Journal }): Promise<ShadowConfig | undefined> {
  const serverFile = join(server.configPath, "nginx.conf");
  const main = await mainWithout(serverFile, control);
  if (main === undefined) return undefined;
  const directory = join(server.configPath, `.test-${uniqueName()}`);
  journal.scratch(directory);
  mkdirSync(directory, { mode: 0o700 });
  // Names in a configuration that are no paths mean the folder of the main file.
  for (const name of namesIn(dirname(main.file))) symlinkSync(join(dirname(main.file), name), join(directory, name));
  const shadowed = shadowFolders(server, changes, join(directory, ".own"), serverFile);
  for (const [real, shadow] of shadowed) fillFolder({ real, shadow }, changes, shadowed);
  const changed = changes.find(({ path }) => path === serverFile);
  const serverText = changed === undefined ? readText(serverFile) : (changed.content ?? "");
  const [shadowFile, mainFile] = [join(directory, ".own/nginx.conf"), join(directory, ".main.conf")];
  writeText(shadowFile, redirected(serverText, shadowed));
  writeText(mainFile, main.text(shadowFile));
  const back = [...[...shadowed].map(([real, shadow]) => [shadow, real] as const), [shadowFile, serverFile] as const, [mainFile, main.file] as const];
  return {
    mainFile,
    realPaths: (message) => back.reduce((text, [shadow, real]) => text.replaceAll(shadow, real), message),
    remove: () => {
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** The folders that need a shadow: those with changes, and where the server's file does not include them itself, all that may name them. Real path → shadow. */
function shadowFolders(server: ServerContext, changes: readonly WebChange[], directory: string, serverFile: string): Map<string, string> {
  mkdirSync(directory, { mode: 0o700 });
  const paths = server.http?.paths;
  const included = paths === undefined ? [] : [paths.pre, paths.platform, paths.vhost, paths.post];
  const changed = new Set(changes.filter(({ path }) => path !== serverFile).map(({ path }) => dirname(path)));
  const isNested = [...changed].some((folder) => !included.includes(folder));
  const subdirs = paths === undefined ? [] : namesIn(paths.subdir).map((name) => join(paths.subdir, name)).filter(isDirectory);
  const folders = new Set([...changed, ...(isNested ? [...included.filter(isDirectory), ...subdirs] : [])]);
  // Of two folders that are in each other the inner one is looked for first.
  const inner = [...folders].sort((one, two) => two.length - one.length);
  return new Map(inner.map((real, index) => [real, join(directory, `${index}-${basename(real)}`)]));
}

function fillFolder({ real, shadow }: { readonly real: string; readonly shadow: string }, changes: readonly WebChange[], shadowed: ReadonlyMap<string, string>): void {
  mkdirSync(shadow, { mode: 0o700 });
  const changed = new Map(changes.filter(({ path }) => dirname(path) === real).map(({ path, content }) => [basename(path), content]));
  for (const name of namesIn(real)) {
    if (changed.has(name)) continue;
    const path = join(real, name);
    const text = shadowed.size > 1 && isFile(path) ? readText(path) : "";
    const copy = redirected(text, shadowed);
    if (copy === text) symlinkSync(path, join(shadow, name));
    else writeText(join(shadow, name), copy);
  }
  for (const [name, content] of changed) if (content !== undefined) writeText(join(shadow, name), redirected(content, shadowed));
}

function redirected(text: string, shadowed: ReadonlyMap<string, string>): string {
  return [...shadowed].reduce((result, [real, shadow]) => (result.includes(real) ? result.replaceAll(new RegExp(`(?<![\\w/.-])${escapePattern(real)}(?=[/"';\\s])`, "g"), shadow) : result), text);
}

interface MainFile {
  readonly file: string;
  /** Its text with another file in the place of the server's own. */
  readonly text: (replacement: string) => string;
}

/** Debian includes the server's file by way of a link in conf.d, so the line to replace is the one whose pattern matches a file that really is it. */
async function mainWithout(serverFile: string, control: WebControl): Promise<MainFile | undefined> {
  for (const fresh of [false, true]) {
    const file = await control.mainFile(fresh);
    const main = file === undefined ? undefined : splitAtInclude(file, serverFile);
    if (main !== undefined) return main;
  }
  return undefined;
}

function splitAtInclude(file: string, serverFile: string): MainFile | undefined {
  const real = realPath(serverFile);
  const bytes = readIfThere(file);
  if (real === undefined || bytes === undefined) return undefined;
  const pieces = textFromBytes(bytes).split(/(^[^#\n]*?\binclude\s+[^;#]+;)/m);
  for (const [at, piece] of pieces.entries()) {
    const [, before = "", given = ""] = /^([^]*?\b)include\s+"?([^;"]+?)"?\s*;$/.exec(piece) ?? [];
    if (given === "") continue;
    const files = shellGlob(isAbsolute(given) ? given : join(dirname(file), given));
    if (!files.some((each) => realPath(each) === real)) continue;
    const instead = (replacement: string): string => before + files.map((each) => `include ${realPath(each) === real ? replacement : each};`).join("\n");
    return { file, text: (replacement) => [...pieces.slice(0, at), instead(replacement), ...pieces.slice(at + 1)].join("") };
  }
  return undefined;
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch (thrown) {
    if (isAbsent(thrown)) return undefined;
    throw thrown;
  }
}

function readText(path: string): string {
  const bytes = readIfThere(path);
  return bytes === undefined ? "" : textFromBytes(bytes);
}

function writeText(path: string, text: string): void {
  writeFileSync(path, bytesFromText(text), { mode: 0o600 });
}
