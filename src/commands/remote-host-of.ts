import type { ServerContext } from "../contexts/context.ts";
import { scalarText } from "../php-values/convert.ts";
import { PhpArray } from "../php-values/php-array.ts";
import { DEFAULT_SSH_OPTIONS, type RemoteHost } from "../remote/remote-host.ts";
import type { RsyncOptions } from "../remote/rsync.ts";
import type { RemoteServer } from "../web/remote-server.ts";
import { commandWords } from "../web/restart-command.ts";
import type { CommandCall } from "./command.ts";
import { isLocalHost } from "./local-host.ts";
import { switchOption, textOption } from "./native-reach.ts";

/** How a server on another machine is reached; undefined for one on this machine. */
export async function remoteOf(server: ServerContext, call: CommandCall): Promise<RemoteServer | undefined> {
  if (await isLocalHost(server.remoteHost)) return undefined;
  const { variables, home, remembered } = call.surroundings;
  const host: RemoteHost = { server: server.name, host: server.remoteHost, user: server.scriptUser, root: server.aegirRoot, sshOptions: commandWords(textOption(call, "ssh-options", DEFAULT_SSH_OPTIONS)) };
  return { host, means: { variables, home }, rsync: rsyncOptions(call), remembered };
}

function rsyncOptions(call: CommandCall): RsyncOptions {
  const paths = (name: string, kind: string): string[] => textOption(call, name, "").split(":").filter((path) => path !== "").map((path) => `--${kind}=${path}`);
  const given = call.options.get("global_sync_options");
  const global = new Map<string, string | boolean>();
  if (given instanceof PhpArray) {
    for (const [name, value] of given) {
      const text = typeof value === "boolean" ? value : scalarText(value);
      if (text !== undefined) global.set(String(name), text);
    }
  }
  return { includeVcs: switchOption(call, "include-vcs", false), filters: [...paths("include-paths", "include"), ...paths("exclude-paths", "exclude")], global };
}
