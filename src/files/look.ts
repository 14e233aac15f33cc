import { accessSync, constants, lstatSync, readFileSync, readdirSync, statSync, type Stats } from "node:fs";

/** Error codes that say "there is nothing at this path". */
const ABSENT = new Set(["ENOENT", "ENOTDIR"]);

export function isAbsent(thrown: unknown): boolean {
  return ABSENT.has(errnoOf(thrown));
}

/** The errno name of a system error, "" for anything else. */
export function errnoOf(thrown: unknown): string {
  const code = (thrown as { code?: unknown } | null)?.code;
  return typeof code === "string" ? code : "";
}

/** What is at the path itself, not behind a link; undefined when there is nothing. Throws on any other system error. */
export function lookAt(path: string): Stats | undefined {
  return unlessAbsent(() => lstatSync(path, { throwIfNoEntry: false }));
}

/** What is behind the path, links followed; undefined when there is nothing. */
export function lookBehind(path: string): Stats | undefined {
  return unlessAbsent(() => statSync(path, { throwIfNoEntry: false }));
}

/** Stands for the file that is at the path now: another one, or the same with new content, has another identity. Undefined when there is none. */
export function fileIdentity(path: string): string | undefined {
  const stats = lookBehind(path);
  return stats === undefined ? undefined : `${stats.dev}:${stats.ino}:${stats.size}:${stats.mtimeMs}`;
}

export function isFile(path: string): boolean {
  return lookBehind(path)?.isFile() === true;
}

export function isDirectory(path: string): boolean {
  return lookBehind(path)?.isDirectory() === true;
}

/** True for a file that this user can run. A directory of PATH that he may not look into has none. */
export function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** The bytes of the file, or undefined when there is none. */
export function readIfThere(path: string): Buffer | undefined {
  return unlessAbsent(() => readFileSync(path));
}

/** The file as text of single bytes, or undefined when it cannot be read, for whatever reason. */
export function readQuietly(path: string): string | undefined {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return undefined;
  }
}

/** The names in the directory, sorted; empty when there is no such directory. */
export function namesIn(path: string): string[] {
  try {
    return readdirSync(path).sort();
  } catch (thrown) {
    if (isAbsent(thrown)) return [];
    throw thrown;
  }
}

/** `throwIfNoEntry` does not cover a path that leads through a file. */
/** What the look finds; undefined where there is nothing. Throws on any other system error. */
export function unlessAbsent<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (thrown) {
    if (isAbsent(thrown)) return undefined;
    throw thrown;
  }
}

/** The low twelve permission bits, as chmod takes them. */
export function modeOf(stats: Stats): number {
  return stats.mode & 0o7777;
}
