import { join } from "node:path";
import type { ServerContext } from "../contexts/context.ts";
import { isDirectory } from "../files/look.ts";
import { runRemote } from "../remote/run-remote.ts";
import type { Work } from "../task/plan.ts";
import { pushItems, type RemoteServer, type SyncItem } from "./remote-server.ts";
import { resyncEntry } from "./undo-remote.ts";
import { controlOutcome, type ControlOutcome, type Environment } from "./web-control.ts";
import type { WebFileChange } from "./web-file.ts";

/** What a web server's configuration on another machine needs beside its files here. */
export interface RemoteConfig {
  /** Its commands run there. */
  readonly environment: Pick<Environment, "run">;
  /** Has the files brought back in line there, and read, when the task is undone. To be called before they are changed here. */
  noteUndo(restart: string | undefined): Promise<void>;
  /** Brings the files there to what they are here. @throws ShimError PROVISION_FILE_SYNC_FAILED */
  push(): Promise<void>;
}

const COMMAND_MS = 60_000;

export function remoteConfig(work: Work, remote: RemoteServer, { server, files }: { readonly server: ServerContext; readonly files: readonly WebFileChange[] }): RemoteConfig {
  const items = (): SyncItem[] => {
    const certificates = certificateItems(server);
    const others = files.filter(({ path }) => !certificates.some((item) => path.startsWith(`${item.path}/`)));
    return [...certificates, ...others.map(({ path }) => ({ path, filters: [] }))];
  };
  return {
    environment: { run: (words) => remoteControl(work, remote, words) },
    noteUndo: async (restart) => {
      await work.act(`bring ${remote.host.host} back in line if this task is undone`, () => undefined, resyncEntry(remote, items(), { kind: "config", ...(restart === undefined ? {} : { restart }) }));
    },
    push: async () => {
      await work.act(`sync the configuration to ${remote.host.host}`, () => pushItems(work, remote, items(), "config"));
    },
  };
}

/** The server's certificates, but for the notes of who uses them (as the ssl service of Provision 7.x-3.x). */
export function certificateItems({ configPath }: ServerContext): SyncItem[] {
  const path = join(configPath, "ssl.d");
  return isDirectory(path) ? [{ path, filters: ["--exclude=*.receipt"] }] : [];
}

/** A command of the web server where it is; the words are not looked at by a shell there. */
async function remoteControl(work: Work, { host, means }: RemoteServer, words: readonly string[]): Promise<ControlOutcome> {
  const { status, output } = await runRemote(host, { words, timeoutMs: COMMAND_MS }, { ...means, signal: work.signal });
  return controlOutcome(status, output);
}
