import { lookBehind } from "../files/look.ts";
import type { Remembered } from "../files/remembered.ts";
import { fingerprint } from "../files/fingerprint.ts";
import type { WebChange } from "./web-control.ts";
import { presentText } from "./web-file.ts";

/** So many good configurations are kept: a site that is switched off and on again has two. */
const KEPT = 16;

/**
 * What we know of the configuration that a web server reads, by a stamp of every file in it. Where all stamps are as when it was loaded last, it runs
 * exactly these bytes and a reload would change nothing. Where they are, with a change, as they once were when it loaded them, a test of that change would say
 * nothing new.
 */
export class KnownConfig {
  readonly #server: string;
  readonly #remembered: Remembered;
  readonly #paths: (() => readonly string[]) | undefined;
  #stamps: Map<string, string> | undefined;

  /** @param paths all files and folders that the server reads; without them nothing is known */
  constructor(server: string, remembered: Remembered, paths: (() => readonly string[]) | undefined) {
    this.#server = server;
    this.#remembered = remembered;
    this.#paths = paths;
  }

  isLoaded(): boolean {
    return this.#paths !== undefined && this.#remembered.get(this.#name("loaded")) === this.#whole();
  }

  /** Whether Apache has loaded the configuration as it will be with these changes, not long ago. */
  wasLoaded(changes: readonly WebChange[]): boolean {
    return this.#paths !== undefined && this.#goodOnes().includes(this.#with(changes));
  }

  /**
   * To be called with the changes in place and *before* the reload: what is changed after this look is then not taken for loaded. `noteLoaded` is for
   * when Apache has loaded it.
   *
   * @param before the same files as they were, when that was loaded too
   */
  look(changes: readonly WebChange[], before: readonly WebChange[] | undefined): { noteLoaded: () => void } {
    if (this.#paths === undefined) return { noteLoaded: () => undefined };
    const stamps = this.#look();
    for (const { path } of changes) stamps.set(path, stampOf(path));
    const good = [this.#with(changes), ...(before === undefined ? [] : [this.#with(before)])];
    const whole = this.#whole();
    return {
      noteLoaded: () => {
        this.#remembered.set(this.#name("loaded"), whole);
        if (changes.length > 0) this.#remembered.set(this.#name("good"), [...new Set([...good, ...this.#goodOnes()])].slice(0, KEPT).join("\n"));
      },
    };
  }

  forget(): void {
    this.#remembered.set(this.#name("loaded"), "");
  }

  #goodOnes(): string[] {
    return this.#remembered.get(this.#name("good"))?.split("\n") ?? [];
  }

  #name(what: string): string {
    return `${what}:${this.#server}`;
  }

  #whole(): string {
    return fingerprint([...this.#look().values()].sort().join("\n"));
  }

  #with(changes: readonly WebChange[]): string {
    const paths = new Set(changes.map(({ path }) => path));
    const others = [...this.#look()].flatMap(([path, stamp]) => (paths.has(path) ? [] : [stamp]));
    return fingerprint([...others, ...changes.map(({ path, content }) => `${path}\n${content ?? "-"}`)].sort().join("\n"));
  }

  #look(): Map<string, string> {
    return (this.#stamps ??= new Map((this.#paths?.() ?? []).map((path) => [path, stampOf(path)])));
  }
}

/** A file that is to be written or removed, as it is now. */
export function presentState(path: string): WebChange {
  return { path, content: presentText(path) };
}

function stampOf(path: string): string {
  const stats = lookBehind(path);
  if (stats === undefined) return `${path} -`;
  // What is in a folder stands in the list itself; its time also changes with temporary files.
  return stats.isDirectory() ? path : `${path} ${stats.ino} ${stats.size} ${stats.mtimeMs} ${stats.ctimeMs}`;
}
