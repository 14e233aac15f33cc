import { fileUndoHandlers } from "./task/undo-files.ts";
import type { UndoHandlers } from "./task/undo.ts";

/** How every kind of change that a journal can hold is undone. */
export const undoHandlers: UndoHandlers = {
  ...fileUndoHandlers,
  child: async (entry) => (await import("./task/undo-children.ts")).endChild(entry),
  "web-reload": async (entry) => (await import("./web/web-transaction.ts")).undoWebReload(entry),
};
