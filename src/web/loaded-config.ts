import { dirname, join } from "node:path";
import type { ServerContext } from "../contexts/context.ts";
import { lookBehind, namesIn, readIfThere } from "../files/look.ts";
import type { Remembered } from "../files/remembered.ts";

/**
 * Which configuration a web server has loaded last: a stamp of every file that it reads. Where the stamp is still the same, Apache runs exactly these bytes
 * and a reload would change nothing.
 */
export class LoadedConfig {
  readonly #server: ServerContext;
  readonly #remembered: Remembered;
  readonly #mainFile: string | undefined;

  /** @param mainFile Apache's main configuration file; without it nothing is known */
  constructor(server: ServerContext, remembered: Remembered, mainFile: string | undefined) {
    this.#server = server;
    this.#remembered = remembered;
    this.#mainFile = mainFile;
  }

  isPresent(): boolean {
    const stamp = this.#stamp();
    return stamp !== undefined && stamp === this.#remembered.get(this.#name());
  }

  /** Apache has just loaded what is there. */
  note(): void {
    this.#remembered.set(this.#name(), this.#stamp() ?? "");
  }

  forget(): void {
    this.#remembered.set(this.#name(), "");
  }

  #name(): string {
    return `loaded:${this.#server.name}`;
  }

  #stamp(): string | undefined {
    if (this.#mainFile === undefined) return undefined;
    const system = dirname(this.#mainFile);
    const paths = this.#server.http?.paths;
    const own = [this.#server.configPath, ...(paths === undefined ? [] : [paths.app, paths.pre, paths.post, paths.platform, paths.vhost, paths.subdir])];
    const folders = [system, ...namesIn(system).map((name) => join(system, name)), ...own];
    const files = folders.flatMap((folder) => [folder, ...contentOf(folder)]);
    const htaccess = paths === undefined ? [] : contentOf(paths.platform).flatMap(includedHtaccess);
    return [...files, ...htaccess].map(stampOf).join("\n");
  }
}

/** The .htaccess file that a platform's file includes, if any. */
function includedHtaccess(file: string): string[] {
  const path = /^\s*Include\s+(\S+\/\.htaccess)\s*$/m.exec(readIfThere(file)?.toString("latin1") ?? "")?.[1];
  return path === undefined ? [] : [path];
}

function contentOf(folder: string): string[] {
  return lookBehind(folder)?.isDirectory() === true ? namesIn(folder).map((name) => join(folder, name)) : [];
}

function stampOf(path: string): string {
  const stats = lookBehind(path);
  if (stats === undefined) return `${path} -`;
  // What is in a folder stands in the list itself; its time also changes with temporary files.
  return stats.isDirectory() ? path : `${path} ${stats.ino} ${stats.size} ${stats.mtimeMs} ${stats.ctimeMs}`;
}
