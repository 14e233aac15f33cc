import { execFileSync, spawn, type ChildProcess, type SpawnOptions } from "node:child_process";
import { dirname } from "node:path";

export interface RunOptions {
  readonly cwd?: string;
  /** Added to the user's environment. */
  readonly env?: NodeJS.ProcessEnv;
  readonly input?: string | Uint8Array;
  /** Milliseconds; the command is killed after them. Default 180000. */
  readonly timeout?: number;
  /** Answer a status that is not 0 instead of throwing. */
  readonly mayFail?: boolean;
}

export interface RunResult {
  /** 128 + signal number would hide which; a killed command has status -1 and a signal. */
  readonly status: number;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly stdoutBytes: Buffer;
}

/** The account that does the work in tests: never root, because Provision refuses root. */
export interface TestUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  /** HOME of everything that is run; the account database names another directory, which does not exist. */
  readonly home: string;
  /** Group for site directories: one that lists the user as a member, www-data if possible, else the user's own. */
  readonly webGroup: string;
  /** The whole environment of commands; nothing of the caller's gets in. */
  readonly env: NodeJS.ProcessEnv;
  /** Runs to the end. Throws, with what the command said, when the status is not 0 (unless it may fail). */
  run: (command: readonly string[], options?: RunOptions) => Promise<RunResult>;
  /** Starts; the process id is the command's own. `env` is taken as it is. */
  spawn: (command: readonly string[], options?: SpawnOptions) => ChildProcess;
  /** Gives a path and everything below it to the user. */
  own: (path: string) => void;
}

/**
 * As root makes the account when it is missing (an ordinary one with its own group, and a listed member of www-data, as Debian's aegir is);
 * as an ordinary user takes that user and needs no privilege.
 */
export function takeTestUser(home: string, name = "shimtest"): TestUser {
  const isRoot = process.getuid?.() === 0;
  if (isRoot) makeAccount(name);
  const account = isRoot ? name : id("-un");
  const uid = Number(id("-u", account));
  const gid = Number(id("-g", account));
  const env = {
    HOME: home,
    USER: account,
    LOGNAME: account,
    LANG: "C.UTF-8",
    PATH: `${dirname(process.execPath)}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
  };
  const prefix = isRoot ? ["setpriv", `--reuid=${uid}`, `--regid=${gid}`, "--init-groups", "--"] : [];
  const start = (command: readonly string[], options: SpawnOptions = {}): ChildProcess => {
    const [program = "", ...args] = [...prefix, ...command];
    return spawn(program, args, { cwd: home, env, ...options });
  };
  return {
    name: account,
    uid,
    gid,
    home,
    env,
    webGroup: webGroupOf(account),
    spawn: start,
    run: (command, options = {}) => {
      const child = start(command, { cwd: options.cwd ?? home, env: { ...env, ...options.env }, stdio: "pipe" });
      return finish(child, command, options);
    },
    own: (path) => {
      if (isRoot) execFileSync("chown", ["-hR", `${uid}:${gid}`, path]);
    },
  };
}

function makeAccount(name: string): void {
  // Two test files may come here at once: the loser of the race finds the account there, or the account files locked for a moment.
  for (let attempt = 1; !exists("passwd", name); attempt++) {
    tryToRun("useradd", ["--user-group", "--no-create-home", "--home-dir", "/nonexistent", "--shell", "/bin/sh", name], attempt);
  }
  for (let attempt = 1; exists("group", "www-data") && !membersOf("www-data").includes(name); attempt++) {
    tryToRun("usermod", ["--append", "--groups", "www-data", name], attempt);
  }
}

function tryToRun(program: string, args: readonly string[], attempt: number): void {
  try {
    execFileSync(program, args, { stdio: "pipe" });
  } catch (error) {
    if (attempt >= 10) throw error;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
  }
}

function webGroupOf(account: string): string {
  const listed = execFileSync("getent", ["group"], { encoding: "utf8" }).split("\n").map((line) => line.split(":"));
  const groups = listed.filter(([, , , members]) => members?.split(",").includes(account)).map(([group = ""]) => group);
  return groups.includes("www-data") ? "www-data" : (groups[0] ?? id("-gn", account));
}

function membersOf(group: string): string[] {
  return (execFileSync("getent", ["group", group], { encoding: "utf8" }).trim().split(":")[3] ?? "").split(",");
}

function exists(database: "passwd" | "group", name: string): boolean {
  try {
    execFileSync("getent", [database, name], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

function id(...args: string[]): string {
  return execFileSync("id", args, { encoding: "utf8" }).trim();
}

/** Waits for the end of a child whose three streams are pipes. */
export async function finish(child: ChildProcess, command: readonly string[], options: RunOptions): Promise<RunResult> {
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout?.on("data", (chunk: Buffer) => out.push(chunk));
  child.stderr?.on("data", (chunk: Buffer) => err.push(chunk));
  // A command that does not read its input is not an error of the test.
  child.stdin?.on("error", () => undefined).end(options.input ?? "");
  const timer = setTimeout(() => child.kill("SIGKILL"), options.timeout ?? 180_000);
  const [status, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, killedBy) => resolve([code, killedBy]));
  }).finally(() => clearTimeout(timer));
  const stdoutBytes = Buffer.concat(out);
  const stderr = Buffer.concat(err).toString();
  if (status !== 0 && options.mayFail !== true) {
    throw new Error(`${command.join(" ")} ended with ${status ?? signal ?? "nothing"}:\n${stderr}${stdoutBytes.toString()}`);
  }
  return { status: status ?? -1, signal, stdout: stdoutBytes.toString(), stderr, stdoutBytes };
}
