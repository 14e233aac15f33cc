import { readIfThere } from "../files/look.ts";
import { textFromBytes } from "../php-values/text.ts";

/** A file of the web server's configuration. */
export interface WebFile {
  readonly path: string;
  /** As text of bytes (src/php-values/text.ts). */
  readonly content: string;
  /** What it is, for people. */
  readonly label: string;
  /** Its mode in any case; without it that of a new file, and one that is there keeps its own. */
  readonly mode?: number;
  /** The umask for it when it is new, instead of that of the transaction. */
  readonly umask?: number;
}

/** A file to write, or without content: to remove. */
export type WebFileChange = WebFile | GoneFile;

export interface GoneFile extends Pick<WebFile, "path" | "label"> {
  readonly content: undefined;
  readonly mode?: undefined;
  readonly umask?: undefined;
  /** Its directory goes with it when nothing else is in it. */
  readonly withDirectory?: boolean;
  /** Asked when nobody else can change the configuration any more: the file is needed after all. It is told what else the same transaction does. */
  readonly unless?: (beside: Beside) => boolean;
}

/** Paths of other files in the same transaction. */
export interface Beside {
  readonly written: ReadonlySet<string>;
  readonly going: ReadonlySet<string>;
}

/** What a site's PHP gets to know of its database. */
export interface VhostCredentials {
  readonly type: string;
  readonly name: string;
  readonly user: string;
  readonly password: string;
  readonly host: string;
  readonly port: string;
}

/** The same file, to be removed. */
export function goneFile({ path, label }: Pick<WebFile, "path" | "label">): WebFileChange {
  return { path, label, content: undefined };
}

/** What another task has come to need since, or one beside it in the same transaction writes, is not removed. */
export function stillWanted(files: readonly WebFileChange[]): readonly WebFileChange[] {
  const written = new Set(files.flatMap(({ path, content }) => (content === undefined ? [] : [path])));
  const going = new Set(files.flatMap((file) => (file.content === undefined && file.unless === undefined && !written.has(file.path) ? [file.path] : [])));
  return files.filter((file) => file.content !== undefined || (!written.has(file.path) && file.unless?.({ written, going }) !== true));
}

/** The file as it is now, as text of bytes; undefined when there is none. */
export function presentText(path: string): string | undefined {
  const bytes = readIfThere(path);
  return bytes === undefined ? undefined : textFromBytes(bytes);
}
