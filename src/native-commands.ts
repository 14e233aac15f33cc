import type { Command } from "./commands/command.ts";

export interface NativeCommand {
  /** One line for people. */
  readonly summary: string;
  /** The words behind the command, for its help. */
  readonly usage: string;
  /** Accepts options that it does not declare; the others refuse them unless --strict=0. */
  readonly anyOption: boolean;
  readonly load: () => Promise<Command>;
}

/** The commands that this program does itself; lib/launch lists the same names. */
export const NATIVE_COMMANDS: Readonly<Record<string, NativeCommand>> = {
  "provision-save": {
    summary: "Create, change or delete a context (server, platform, site)",
    usage: "[@context] [--context_type=server|platform|site] [--property=value …] [--delete]",
    anyOption: true,
    load: () => import("./commands/provision-save.ts"),
  },
  "provision-verify": {
    summary: "Bring a server, platform or site into its right shape",
    usage: "",
    anyOption: true,
    load: () => import("./commands/provision-verify.ts"),
  },
  "provision-lock": { summary: "Lock a platform", usage: "", anyOption: false, load: () => import("./commands/provision-lock.ts") },
  "provision-unlock": { summary: "Unlock a platform", usage: "", anyOption: false, load: () => import("./commands/provision-lock.ts") },
  "provision-enable": { summary: "Serve a disabled site again", usage: "", anyOption: true, load: () => import("./commands/provision-enable.ts") },
  "provision-disable": { summary: "Send a site's visitors to the page for disabled sites", usage: "", anyOption: true, load: () => import("./commands/provision-disable.ts") },
  "provision-backup-delete": { summary: "Remove backups of a site", usage: "FILE[,FILE…]", anyOption: true, load: () => import("./commands/provision-backup-delete.ts") },
};
