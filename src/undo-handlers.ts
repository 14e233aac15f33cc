import { fileUndoHandlers } from "./task/undo-files.ts";
import type { UndoHandlers } from "./task/undo.ts";

/** How every kind of change that a journal can hold is undone. */
export const undoHandlers: UndoHandlers = {
  ...fileUndoHandlers,
  "site-aliases": async (entry) => (await import("./undo-site-aliases.ts")).undoSiteAliases(entry),
  "site-database": async (entry) => (await import("./undo-database.ts")).undoSiteDatabase(entry),
  "drop-database": async (entry) => (await import("./undo-database.ts")).dropSiteDatabase(entry),
  "forget-context": async (entry) => (await import("./undo-context.ts")).forgetContext(entry),
  child: async (entry) => (await import("./task/undo-children.ts")).endChild(entry),
  "web-reload": async (entry) => (await import("./web/web-transaction.ts")).undoWebReload(entry),
  "remote-sync": async (entry) => (await import("./web/undo-remote.ts")).undoRemoteSync(entry),
  "remote-remove": async (entry) => (await import("./web/undo-remote.ts")).removeOnRemote(entry),
};
