import { type ChildProcess } from "node:child_process";
import { createServer, type AddressInfo } from "node:net";
import { type TestUser } from "./test-user.ts";
import { until } from "./until.ts";

/** A server that this process started and that does not outlive it. */
export interface ServerProcess {
  readonly pid: number;
  /** What it wrote to its standard output and error so far. */
  output: () => string;
  /** Asks it to end, insists after ten seconds, and is done when it is gone. Asking twice is fine. */
  stop: (signal?: NodeJS.Signals) => Promise<void>;
}

export interface ServerStart {
  readonly user: TestUser;
  readonly command: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** Whether it serves now; asked again and again, with what it has written. */
  readonly isReady: (output: string) => boolean | Promise<boolean>;
}

const running = new Set<ChildProcess>();

/**
 * Starts a server as the test's user. Throws with its output when it ends before it is ready.
 *
 * Whatever happens to the tests, the server goes: the kernel sends it SIGTERM when this process is gone, even killed.
 */
export async function startServer({ user, command, env, isReady }: ServerStart): Promise<ServerProcess> {
  const child = user.spawn(["setpriv", "--pdeathsig=TERM", "--", ...command], {
    env: { ...user.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    // Of a group of its own: Apache, when it ends, sends SIGTERM to its whole group.
    detached: true,
  });
  running.add(child);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk: Buffer) => (output += chunk.toString()));
  let failure: Error | undefined;
  const gone = new Promise<void>((resolve) => {
    child.once("error", (error) => {
      failure = error;
      resolve();
    });
    child.once("close", resolve);
  }).finally(() => running.delete(child));
  const hasEnded = () => failure !== undefined || child.exitCode !== null || child.signalCode !== null;
  const stop = async (signal: NodeJS.Signals = "SIGTERM"): Promise<void> => {
    child.kill(signal);
    const timer = setTimeout(() => child.kill("SIGKILL"), 10_000);
    await gone.finally(() => clearTimeout(timer));
  };
  try {
    await until(`${command[0]} is ready`, async () => hasEnded() || (await isReady(output)));
  } catch (error) {
    await stop("SIGKILL");
    throw error;
  }
  if (hasEnded()) {
    await gone;
    throw new Error(`${command.join(" ")} ended at once. ${failure?.message ?? ""}\n${output}`);
  }
  return { pid: child.pid ?? -1, output: () => output, stop };
}

process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/**
 * Starts something on a port of 127.0.0.1 that nobody uses; takes another one when somebody else was quicker.
 */
export async function onFreePort<T>(start: (port: number) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start(await freePort());
    } catch (error) {
      if (attempt === 5 || !/address already in use|could not bind/i.test(String(error))) throw error;
    }
  }
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve, reject) => probe.once("error", reject).listen(0, "127.0.0.1", resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
