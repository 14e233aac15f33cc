import { isAbsolute, join, relative } from "node:path";
import { lookBehind, namesIn } from "./look.ts";

/**
 * The files that a shell pattern with `*`, `?` and `[…]` matches, sorted; a pattern without them is itself. Enough for a web server's Include lines. (fast-glob
 * takes 10 ms to load and start.)
 */
export function shellGlob(pattern: string): string[] {
  if (!isAbsolute(pattern)) throw new TypeError(`The pattern ${pattern} is not absolute.`);
  if (!/[*?[]/.test(pattern)) return [pattern];
  const root = "/";
  let found = [root];
  for (const part of relative(root, pattern).split("/")) {
    const matches = /[*?[]/.test(part) ? partPattern(part) : undefined;
    found = found.flatMap((folder) => (matches === undefined ? [join(folder, part)] : namesIn(folder).filter((name) => matches.test(name)).map((name) => join(folder, name))));
  }
  return found.filter((path) => lookBehind(path) !== undefined);
}

function partPattern(part: string): RegExp {
  const source = part.replace(/\[!?[^\]]+\]|[*?]|[.+^${}()|\\[\]]/g, (piece) => {
    if (piece === "*") return ".*";
    if (piece === "?") return ".";
    return piece.startsWith("[") && piece.length > 1 ? `[${piece.slice(1, -1).replace(/^!/, "^").replaceAll("\\", "\\\\")}]` : `\\${piece}`;
  });
  // As in a shell, a leading dot must be written.
  return new RegExp(`^${part.startsWith(".") ? "" : "(?!\\.)"}${source}$`);
}
