import { join } from "node:path";
import { lookBehind, namesIn } from "../files/look.ts";

/** What a server that is not Debian's may keep beside its configuration. */
const WRITTEN_BY_SERVER = /[.-](?:log|pid|lock|sock)$|^(?:logs|run)$/;

/** The paths of what is in a folder of configuration; nothing when it is none. */
export function folderContent(folder: string): string[] {
  return lookBehind(folder)?.isDirectory() === true ? namesIn(folder).filter((name) => !WRITTEN_BY_SERVER.test(name)).map((name) => join(folder, name)) : [];
}
