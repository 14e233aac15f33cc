import { dirname, join } from "node:path";
import type { PhpSettings } from "./aliases/reading/php-fallback.ts";
import { plainPhpEnvironment } from "./real-drush/environment.ts";
import type { UndoEntry } from "./task/journal.ts";

/** How an undo handler, which may run in another process than the task, reads files that are PHP programs: by what the entry says of home and program. */
export function phpForUndo(entry: UndoEntry): PhpSettings {
  const text = (key: string): string => String(entry[key] ?? "");
  return { program: process.env["DRUSH_PHP"] ?? "php", phpDir: join(dirname(text("launcher")), "../php"), env: plainPhpEnvironment(process.env), cwd: text("home"), userId: process.geteuid?.() };
}
