import { join } from "node:path";
import { readVariable } from "./aliases/read-variable.ts";
import { sitesPhpText } from "./aliases/write-drushrc.ts";
import { lookAt } from "./files/look.ts";
import { writeWhole } from "./files/write-whole.ts";
import { PhpArray } from "./php-values/php-array.ts";
import { bytesFromText } from "./php-values/text.ts";
import type { UndoEntry } from "./task/journal.ts";
import { takeLock } from "./task/lock.ts";
import { newToken } from "./task/run-plan.ts";
import { phpForUndo } from "./undo-php.ts";

const PATIENCE_MS = 60_000;

/** Undo handler `site-aliases`: gives one site the entries in sites.php back that it had, and leaves those of other sites as they are by now. */
export async function undoSiteAliases(entry: UndoEntry): Promise<string | undefined> {
  const text = (key: string): string => String(entry[key]);
  const [path, uri, home] = [text("path"), text("uri"), text("home")];
  if (lookAt(path) === undefined) return undefined;
  const php = phpForUndo(entry);
  const lock = await takeLock({ directory: join(home, ".provision-shim/locks"), name: `sites.php @${text("platform")}`, what: "undo", token: newToken(), waitMs: PATIENCE_MS });
  try {
    const present = (await readVariable(path, "sites", php)) ?? new PhpArray();
    const former = JSON.parse(text("former")) as [string, string][];
    const had = former.filter(([, value]) => value === uri).map(([key]) => key).sort();
    const has = [...present].filter(([, value]) => value === uri).map(([key]) => String(key)).sort();
    if (JSON.stringify(had) === JSON.stringify(has)) return undefined;
    const sites = PhpArray.of([...present].filter(([, value]) => value !== uri));
    for (const [key, value] of former) sites.set(key, value);
    writeWhole(path, bytesFromText(sitesPhpText(sites)), { mode: 0o644 });
    return `put the aliases of ${uri} back into ${path}`;
  } finally {
    lock.release();
  }
}
