import { mkdirSync, symlinkSync } from "node:fs";
import { basename, dirname, isAbsolute, join } from "node:path";
import type { ServerContext } from "../../contexts/context.ts";
import { shellGlob } from "../../files/glob.ts";
import { isDirectory, namesIn } from "../../files/look.ts";
import type { Journal } from "../../task/journal.ts";
import { inMainFile, realPath, shadowPlace, shadowWriter, writeShadow, type Shadowed } from "../shadow-folders.ts";
import type { ShadowConfig, WebChange, WebControl } from "../web-control.ts";
import { presentText } from "../web-file.ts";

/**
 * Builds the shadow below the server's config_path: the folders with changed files anew, with links to all that stays, and a main file that includes
 * the shadow instead of the server's own file. Files that name a changed folder are copied and name its shadow. Undefined when it cannot be found
 * out how nginx includes the server's file.
 */
export async function buildShadow(server: ServerContext, changes: readonly WebChange[], { control, journal }: { readonly control: WebControl; readonly journal: Journal }): Promise<ShadowConfig | undefined> {
  const serverFile = join(server.configPath, "nginx.conf");
  const main = await inMainFile(control, (mainFile) => splitAtInclude(mainFile, serverFile));
  if (main === undefined) return undefined;
  const { directory, remove } = shadowPlace(server, journal);
  // Names in a configuration that are no paths mean the folder of the main file.
  for (const name of namesIn(dirname(main.file))) symlinkSync(join(dirname(main.file), name), join(directory, name));
  const shadowed = shadowFolders(server, changes, join(directory, ".own"), serverFile);
  const writer = shadowWriter(changes, shadowed, `/"';\\s`);
  for (const [real, shadow] of shadowed) writer.folder(real, shadow);
  const [shadowFile, mainFile] = [join(directory, ".own/nginx.conf"), join(directory, ".main.conf")];
  writer.serverFile(serverFile, shadowFile);
  writeShadow(mainFile, main.text(shadowFile));
  const back = [...[...shadowed].map(([real, shadow]) => [shadow, real] as const), [shadowFile, serverFile] as const, [mainFile, main.file] as const];
  return {
    mainFile,
    realPaths: (message) => back.reduce((text, [shadow, real]) => text.replaceAll(shadow, real), message),
    remove,
  };
}

/** The folders that need a shadow: those with changes, and where the server's file does not include them itself, all that may name them. Real path → shadow. */
function shadowFolders(server: ServerContext, changes: readonly WebChange[], directory: string, serverFile: string): Shadowed {
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

interface MainFile {
  readonly file: string;
  /** Its text with another file in the place of the server's own. */
  readonly text: (replacement: string) => string;
}

/** Debian includes the server's file by way of a link in conf.d, so the line to replace is the one whose pattern matches a file that really is it. */
function splitAtInclude(file: string, serverFile: string): MainFile | undefined {
  const real = realPath(serverFile);
  const present = presentText(file);
  if (real === undefined || present === undefined) return undefined;
  const pieces = present.split(/(^[^#\n]*?\binclude\s+[^;#]+;)/m);
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
