import { spawn } from "node:child_process";
import { dirname } from "node:path";

/** Makes one call, and says how long it took from its start to its end. */
export type Runner = (words: readonly string[], stdin?: string, env?: NodeJS.ProcessEnv) => Promise<{ readonly milliseconds: number; readonly status: number }>;

/** Calls in a home. `prefix`: a program that takes another user's identity; it is timed too, so a comparison with real drush has none. */
export function runner(home: string, env: NodeJS.ProcessEnv, prefix: readonly string[]): Runner {
  const base = { HOME: home, PATH: `${dirname(process.execPath)}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`, LANG: "C.UTF-8", ...env };
  return (words, stdin, more = {}) =>
    new Promise((resolve, reject) => {
      const began = performance.now();
      const [file = "", ...args] = [...prefix, ...words];
      const child = spawn(file, args, { cwd: home, env: { ...base, ...more }, stdio: [stdin === undefined ? "ignore" : "pipe", "ignore", "ignore"] });
      child.once("error", reject);
      child.stdin?.on("error", () => undefined).end(stdin);
      child.once("exit", (status) => {
        resolve({ milliseconds: performance.now() - began, status: status ?? 255 });
      });
    });
}

/** Gives up root for the owner of a home, with all his groups: what is started then needs no program to change its identity. */
export function becomeOwner({ uid, gid }: { readonly uid: number; readonly gid: number }): void {
  if (process.getuid?.() !== 0) return;
  // @types/node 20 leaves this one out.
  (process as { initgroups?: (user: number, group: number) => void }).initgroups?.(uid, gid);
  process.setgid?.(gid);
  process.setuid?.(uid);
}
