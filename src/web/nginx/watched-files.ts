import { dirname } from "node:path";
import type { ServerContext } from "../../contexts/context.ts";
import { isDirectory } from "../../files/look.ts";
import { folderContent } from "../folder-content.ts";

/** All files and folders of which an nginx configuration consists. */
export function nginxWatched(server: ServerContext, mainFile: string): string[] {
  const system = dirname(mainFile);
  const paths = server.http?.paths;
  // Debian keeps what is not in use in folders of their own; what is in use is a link to it.
  const inSystem = folderContent(system).filter((path) => !path.endsWith("-available"));
  const certificates = folderContent(`${server.configPath}/ssl.d`);
  const subdirs = paths === undefined ? [] : folderContent(paths.subdir).filter(isDirectory);
  const own = [server.configPath, server.includePath, ...(paths === undefined ? [] : [paths.app, paths.pre, paths.post, paths.platform, paths.vhost, paths.subdir]), ...subdirs, ...certificates];
  return [system, ...inSystem, ...own].flatMap((folder) => [folder, ...folderContent(folder)]);
}
