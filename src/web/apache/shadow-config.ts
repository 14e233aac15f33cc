import { writeFileSync } from "node:fs";
import { basename, dirname, isAbsolute, join } from "node:path";
import type { ServerContext } from "../../contexts/context.ts";
import { shellGlob } from "../../files/glob.ts";
import { isDirectory, readIfThere } from "../../files/look.ts";
import type { Journal } from "../../task/journal.ts";
import { inMainFile, realPath, shadowPlace, shadowWriter, type Shadowed } from "../shadow-folders.ts";
import type { ShadowConfig, WebChange, WebControl } from "../web-control.ts";

/**
 * Builds the shadow below the server's config_path: links to all real files but the changed ones, and a main file that includes
 * the shadow instead of the server's own file. Undefined when it cannot be found out how Apache includes that file.
 */
export async function buildShadow(server: ServerContext, changes: readonly WebChange[], { control, journal }: { readonly control: WebControl; readonly journal: Journal }): Promise<ShadowConfig | undefined> {
  const serverFile = join(server.configPath, "apache.conf");
  const main = await inMainFile(control, (mainFile) => splitAtInclude(mainFile, serverFile));
  if (main === undefined) return undefined;
  const { directory, remove } = shadowPlace(server, journal);
  const shadowed = shadowFolders(server, changes, { directory, serverFile });
  const writer = shadowWriter(changes, shadowed, '/"\\s');
  for (const [real, shadow] of shadowed) writer.folder(real, shadow);
  const [shadowFile, mainFile] = [join(directory, "apache.conf"), join(directory, "main.conf")];
  writer.serverFile(serverFile, shadowFile);
  writeFileSync(mainFile, main(shadowFile), { mode: 0o600 });
  return {
    mainFile,
    realPaths: (message) => [...shadowed, [serverFile, shadowFile] as const].reduce((text, [real, shadow]) => text.replaceAll(shadow, real), message),
    remove,
  };
}

/**
 * The folders that need a shadow: those with changes, and where the server's file does not include all of these itself (certificates, sub-folders of a host), those
 * whose files may name them. Real path → shadow.
 */
function shadowFolders(server: ServerContext, changes: readonly WebChange[], { directory, serverFile }: { readonly directory: string; readonly serverFile: string }): Shadowed {
  const paths = server.http?.paths;
  const changed = new Set(changes.filter(({ path }) => path !== serverFile).map(({ path }) => dirname(path)));
  const included = paths === undefined ? [] : [paths.pre, paths.vhost, paths.platform, paths.post];
  const isNested = [...changed].some((folder) => !included.includes(folder));
  const folders = new Set([...changed, ...(isNested && paths !== undefined && isDirectory(paths.vhost) ? [paths.vhost] : [])]);
  return new Map([...folders].map((real, index) => [real, join(directory, `${index}-${basename(real)}`)]));
}

/**
 * Apache's main file as a function of what stands in the place of the server's file. Debian includes it by way of a link in conf-enabled, so the
 * line to replace is the one whose pattern matches a file that really is the server's.
 */
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
