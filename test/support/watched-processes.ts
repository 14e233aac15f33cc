import { lstatSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import type { FrontEnd } from "./front-end.ts";

/** All that anybody could have read of processes and files while something ran. */
export interface Watch {
  /** Looks one last time; answers what was seen, by where it was. */
  end: () => Promise<ReadonlyMap<string, string>>;
}

/** Looks again and again, without a pause, at arguments and environment of all processes of the test's user, at journals and locks, and at every file that others than he may read. */
export function watchAll(frontEnd: FrontEnd): Watch {
  const seen = new Map<string, string>();
  const files = new Map<string, string>();
  const { uid } = frontEnd.stage.home.user;
  const state = { running: true };
  const look = (): void => {
    for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) lookAtProcess(pid, uid, seen);
    for (const place of WATCHED) lookBelow(join(frontEnd.home, place), { seen, files });
    lookBelow(join(frontEnd.stage.home.beside, "tmp"), { seen, files });
  };
  const watching = (async () => {
    while (state.running) {
      look();
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  return {
    end: async () => {
      state.running = false;
      await watching;
      look();
      return seen;
    },
  };
}

const WATCHED = [".drush", ".provision-shim", "backups", "clients", "config", "platforms/standin/sites", "platforms/other/sites"];

function lookAtProcess(pid: string, uid: number, seen: Map<string, string>): void {
  try {
    if (statSync(`/proc/${pid}`).uid !== uid) return;
    const words = readFileSync(`/proc/${pid}/cmdline`, "latin1");
    seen.set(`arguments of ${words.replaceAll("\0", " ").slice(0, 80)} ${hashOf(words)}`, words);
    const environment = readFileSync(`/proc/${pid}/environ`, "latin1");
    seen.set(`environment of ${words.replaceAll("\0", " ").slice(0, 80)} ${hashOf(environment)}`, environment);
  } catch {
    // It has ended meanwhile.
  }
}

function lookBelow(path: string, into: { readonly seen: Map<string, string>; readonly files: Map<string, string> }): void {
  try {
    const { mode, ino, size, mtimeMs, ctimeMs } = lstatSync(path);
    if ((mode & 0o170000) === 0o040000) {
      for (const name of readdirSync(path)) lookBelow(join(path, name), into);
    } else if ((mode & 0o170000) === 0o100000) {
      const stamp = `${ino} ${size} ${mtimeMs} ${ctimeMs} ${mode}`;
      if (into.files.get(path) === stamp) return;
      into.files.set(path, stamp);
      // What a task keeps of old files is in a directory for nobody else.
      const isLog = path.includes("/.provision-shim/") && !/[/]journal[/][^/]+[/]\d+$/.test(path);
      if (isLog || isReadableByOthers(path)) into.seen.set(`${isLog ? "state" : "file for everybody"} ${path} ${stamp}`, readFileSync(path, "latin1"));
    }
  } catch {
    // It is gone already.
  }
}

/** By its own mode, and by those of all directories that lead to it. */
export function isReadableByOthers(path: string): boolean {
  if ((lstatSync(path).mode & 0o004) === 0) return false;
  for (let folder = dirname(path); folder !== "/"; folder = dirname(folder)) if ((statSync(folder).mode & 0o001) === 0) return false;
  return true;
}

function hashOf(text: string): number {
  let sum = 7;
  for (let at = 0; at < text.length; at++) sum = (sum * 31 + text.charCodeAt(at)) % 1_000_003;
  return sum;
}
