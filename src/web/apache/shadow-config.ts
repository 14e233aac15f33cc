import { mkdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, dirname, isAbsolute, join } from "node:path";
import { shellGlob } from "../../files/glob.ts";
import { isAbsent, namesIn, readIfThere } from "../../files/look.ts";
import { uniqueName } from "../../files/unique-name.ts";
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
  const shadowed = shadowDirectories(directory, changes, serverFile);
  const changedServerFile = changes.find(({ path }) => path === serverFile);
  const serverText = changedServerFile === undefined ? (readIfThere(serverFile)?.toString("utf8") ?? "") : (changedServerFile.content ?? "");
  const shadowFile = join(directory, "apache.conf");
  writeFileSync(shadowFile, redirected(serverText, shadowed), { mode: 0o600 });
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

/** For each directory with a changed file a shadow of it. Real path → shadow path. */
function shadowDirectories(directory: string, changes: readonly WebChange[], serverFile: string): Map<string, string> {
  const shadowed = new Map<string, string>();
  for (const { path } of changes) {
    const real = dirname(path);
    if (path === serverFile || shadowed.has(real)) continue;
    const shadow = join(directory, basename(real));
    mkdirSync(shadow, { mode: 0o700 });
    shadowed.set(real, shadow);
    const changed = new Map(changes.filter((change) => dirname(change.path) === real).map((change) => [basename(change.path), change.content]));
    for (const name of namesIn(real)) if (!changed.has(name)) symlinkSync(join(real, name), join(shadow, name));
    for (const [name, content] of changed) if (content !== undefined) writeFileSync(join(shadow, name), content, { mode: 0o600 });
  }
  return shadowed;
}

function redirected(text: string, shadowed: ReadonlyMap<string, string>): string {
  return [...shadowed].reduce((result, [real, shadow]) => result.replaceAll(new RegExp(`${escapeRegExp(real)}(?=[/"\\s])`, "g"), shadow), text);
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
