import { dirname, join } from "node:path";
import type { ServerContext } from "../../contexts/context.ts";
import { readIfThere } from "../../files/look.ts";
import { folderContent } from "../folder-content.ts";

/** All files and folders of which an Apache configuration consists. */
export function apacheWatched(server: ServerContext, mainFile: string): string[] {
  const system = dirname(mainFile);
  const paths = server.http?.paths;
  // Debian keeps what is not in use in folders of their own; what is in use is a link to it.
  const inSystem = folderContent(system).filter((path) => !path.endsWith("-available"));
  const own = [server.configPath, ...(paths === undefined ? [] : [paths.app, paths.pre, paths.post, paths.platform, paths.vhost, paths.subdir])];
  // Sites in sub-folders of a host, and certificates.
  const nested = [...(paths === undefined ? [] : [paths.subdir]), join(server.configPath, "ssl.d")].flatMap((folder) => [folder, ...folderContent(folder)]);
  const files = [system, ...inSystem, ...own, ...nested].flatMap((folder) => [folder, ...folderContent(folder)]);
  return [...files, ...(paths === undefined ? [] : folderContent(paths.platform).flatMap(includedHtaccess))];
}

/** The .htaccess file that a platform's file includes, if any. */
function includedHtaccess(file: string): string[] {
  const path = /^\s*Include\s+(\S+\/\.htaccess)\s*$/m.exec(readIfThere(file)?.toString("latin1") ?? "")?.[1];
  return path === undefined ? [] : [path];
}
