import { mkdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, dirname, isAbsolute, join } from "node:path";
import { shellGlob } from "../../files/glob.ts";
import { isAbsent, isDirectory, isFile, namesIn, readIfThere } from "../../files/look.ts";
import { uniqueName } from "../../files/unique-name.ts";
import { bytesFromText, textFromBytes } from "../../php-values/text.ts";
import type { Journal } from "../../task/journal.ts";
import type { ServerContext } from "../../contexts/context.ts";
import type { ShadowConfig, WebChange, WebControl } from "../web-control.ts";

/**
 * Builds the shadow below the server's config_path: links to all real files but the changed ones, and a main file that includes
 * the shadow instead of the server's own file. Undefined when it cannot be found out how Apache includes that file.
 */
export async function buildShadow(server: ServerContext, changes: readonly WebChange[], { control, journal }: { readonly control: WebControl; readonly journal: Journal }): Promise<ShadowConfig | undefined> {
  const serverFile = join(server.configPath, "apache.conf");
  const main = await mainWithout(serverFile, control);
  if (main === undefined) return undefined;
  const directory = join(server.configPath, `.test-${uniqueName()}`);
  journal.scratch(directory);
  mkdirSync(directory, { mode: 0o700 });
  const shadowed = shadowFolders(server, changes, { directory, serverFile });
  for (const [real, shadow] of shadowed) fillFolder({ real, shadow }, changes, shadowed);
  const changedServerFile = changes.find(({ path }) => path === serverFile);
  const serverText = changedServerFile === undefined ? readText(serverFile) : (changedServerFile.content ?? "");
  const shadowFile = join(directory, "apache.conf");
  writeText(shadowFile, redirected(serverText, shadowed));
  const mainFile = join(directory, "main.conf");
  writeFileSync(mainFile, main(shadowFile), { mode: 0o600 });
  return {
    mainFile,
    realPaths: (message) => [...shadowed, [serverFile, shadowFile] as const].reduce((text, [real, shadow]) => text.replaceAll(shadow, real), message),
    remove: () => {
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/**
 * The folders that need a shadow: those with changes, and where the server's file does not include all of these itself (certificates, sub-folders of a host), those
 * whose files may name them. Real path → shadow.
 */
function shadowFolders(server: ServerContext, changes: readonly WebChange[], { directory, serverFile }: { readonly directory: string; readonly serverFile: string }): Map<string, string> {
  const paths = server.http?.paths;
  const changed = new Set(changes.filter(({ path }) => path !== serverFile).map(({ path }) => dirname(path)));
  const included = paths === undefined ? [] : [paths.pre, paths.vhost, paths.platform, paths.post];
  const isNested = [...changed].some((folder) => !included.includes(folder));
  const folders = new Set([...changed, ...(isNested && paths !== undefined && isDirectory(paths.vhost) ? [paths.vhost] : [])]);
  return new Map([...folders].map((real, index) => [real, join(directory, `${index}-${basename(real)}`)]));
}

/** Links to all files that stay, but for those that name a shadowed folder: they name its shadow in a copy. */
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
  return [...shadowed].reduce((result, [real, shadow]) => (result.includes(real) ? result.replaceAll(new RegExp(`(?<![\\w/.-])${escapeRegExp(real)}(?=[/"\\s])`, "g"), () => shadow) : result), text);
}

function readText(path: string): string {
  const bytes = readIfThere(path);
  return bytes === undefined ? "" : textFromBytes(bytes);
}

function writeText(path: string, text: string): void {
  writeFileSync(path, bytesFromText(text), { mode: 0o600 });
}

/**
 * Apache's main file as a function of what stands in the place of the server's file. Debian includes it by way of a link in conf-enabled, so the
 * line to replace is the one whose pattern matches a file that really is the server's.
 */
async function mainWithout(serverFile: string, control: WebControl): Promise<((replacement: string) => string) | undefined> {
  for (const fresh of [false, true]) {
    const mainFile = await control.mainFile(fresh);
    const main = mainFile === undefined ? undefined : splitAtInclude(mainFile, serverFile);
    if (main !== undefined) return main;
  }
  return undefined;
}

function splitAtInclude(mainFile: string, serverFile: string): ((replacement: string) => string) | undefined {
  const text = readIfThere(mainFile)?.toString("utf8");
  const real = realPath(serverFile);
  if (text === undefined || real === undefined) return undefined;
  const root = /^\s*ServerRoot\s+"?([^"\s]+)"?/im.exec(text)?.[1] ?? dirname(mainFile);
  const lines = text.split("\n");
  const included = lines.map((line) => {
    const pattern = /^\s*Include(?:Optional)?\s+"?([^"]+?)"?\s*$/i.exec(line)?.[1];
    return pattern === undefined ? [] : shellGlob(isAbsolute(pattern) ? pattern : join(root, pattern));
  });
  const at = included.findIndex((files) => files.some((file) => realPath(file) === real));
  if (at < 0) return undefined;
  return (replacement) => {
    const instead = (included[at] ?? []).map((file) => `Include ${realPath(file) === real ? replacement : file}`);
    return [...lines.slice(0, at), ...instead, ...lines.slice(at + 1)].join("\n");
  };
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch (thrown) {
    if (isAbsent(thrown)) return undefined;
    throw thrown;
  }
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
