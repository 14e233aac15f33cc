import { join } from "node:path";
import { namesIn, readIfThere } from "../files/look.ts";
import { textFromBytes } from "../php-values/text.ts";
import { varExport } from "../php-values/var-export.ts";
import { ownDrush, type TextPlace } from "./find-places.ts";

/**
 * Aliases of platforms, and of sites on them, whose root has a drush of its own: drush would start that one for calls on them, unless the alias names
 * another (backend-protocol §3.1, rules 1 and 3).
 */
export function ownDrushPlaces(home: string, launcher: string): TextPlace[] {
  const folder = join(home, ".drush");
  const block = scriptBlock(launcher);
  return namesIn(folder).filter((name) => name.endsWith(".alias.drushrc.php")).flatMap((name) => {
    const path = join(folder, name);
    const before = textFromBytes(readIfThere(path) ?? Buffer.alloc(0));
    const root = /^ {2}'root' => '((?:[^'\\]|\\.)*)',$/m.exec(before)?.[1]?.replace(/\\(.)/g, "$1");
    // Only aliases as Provision writes them; in others an administrator decides himself.
    if (root === undefined || !before.endsWith(");\n") || before.includes("%drush-script")) return [];
    const own = ownDrush(root);
    if (own === undefined) return [];
    const after = before.slice(0, -");\n".length) + block + ");\n";
    return [{ path, what: `alias on ${root}, which has a drush of its own (${own})`, before, after, replaced: [["", block] as const] }];
  });
}

/** Aliases that name us although no swap wrote it there: sites that came later to such a platform inherit the entry. */
export function aliasesNaming(home: string, launcher: string): TextPlace[] {
  const folder = join(home, ".drush");
  const block = scriptBlock(launcher);
  return namesIn(folder).filter((name) => name.endsWith(".alias.drushrc.php")).flatMap((name) => {
    const path = join(folder, name);
    const before = textFromBytes(readIfThere(path) ?? Buffer.alloc(0));
    const replaced = [["", block] as const];
    return before.includes(block) ? [{ path, what: "alias with %drush-script", before, after: withoutInsertions(before, replaced), replaced }] : [];
  });
}

/** A text without the lines that were put into it. */
export function withoutInsertions(text: string, replaced: TextPlace["replaced"]): string {
  return replaced.reduce((rest, [from, to]) => (from === "" ? rest.replaceAll(to, "") : rest), text);
}

/** The entry as Provision's alias files write an array in an array. */
function scriptBlock(launcher: string): string {
  return `  'path-aliases' => \n  array (\n    '%drush-script' => ${varExport(launcher)},\n  ),\n`;
}
