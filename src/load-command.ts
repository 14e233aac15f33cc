import type { Command } from "./commands/command.ts";

/** The code of each native command, loaded when it is called. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  "provision-save": () => import("./commands/provision-save.ts"),
  "provision-verify": () => import("./commands/provision-verify.ts"),
  "provision-lock": () => import("./commands/provision-lock.ts"),
  "provision-unlock": () => import("./commands/provision-lock.ts"),
  "provision-enable": () => import("./commands/provision-enable.ts"),
  "provision-disable": () => import("./commands/provision-disable.ts"),
  "provision-install": () => import("./commands/provision-install.ts"),
  "provision-install-backend": () => import("./commands/provision-install-backend.ts"),
  "provision-import": () => import("./commands/provision-import.ts"),
  "provision-login-reset": () => import("./commands/provision-login-reset.ts"),
  "provision-backup": () => import("./commands/provision-backup.ts"),
  "provision-backup-delete": () => import("./commands/provision-backup-delete.ts"),
  "provision-delete": () => import("./commands/provision-delete.ts"),
  "provision-deploy": () => import("./commands/provision-deploy.ts"),
  "provision-restore": () => import("./commands/provision-restore.ts"),
  "provision-clone": () => import("./commands/provision-clone.ts"),
  "provision-migrate": () => import("./commands/provision-migrate.ts"),
  "backend-parse": () => import("./commands/backend-parse.ts"),
};

/** Undefined for a command that is not native. */
export async function loadCommand(name: string): Promise<Command | undefined> {
  return COMMANDS[name]?.();
}
