import { basename, dirname, join } from "node:path";
import { ShimError } from "../errors/shim-error.ts";
import { isFile, namesIn, readIfThere } from "../files/look.ts";
import type { WebChange } from "./web-control.ts";

/**
 * Of two virtual hosts with one name a web server quietly takes the first, and the other site is gone. A name that a change brings into a server's folder of virtual hosts must
 * be nobody else's there; what is there already stays as it is.
 *
 * @param folder the server's `vhost.d`
 * @throws ShimError PROVISION_WEB_NAME_TAKEN
 */
export function refuseTakenNames(folder: string, changes: readonly WebChange[]): void {
  const ours = changes.filter(({ path, content }) => dirname(path) === folder && content !== undefined);
  const becoming = new Map(changes.map(({ path, content }) => [path, content]));
  for (const { path, content = "" } of ours) {
    const fresh = serverNames(content);
    for (const name of serverNames(textOf(path))) fresh.delete(name);
    if (fresh.size === 0) continue;
    for (const other of new Set([...namesIn(folder).map((name) => join(folder, name)), ...ours.map((one) => one.path)])) {
      // With and without the suffix it is the same site's.
      if (siteOf(other) === siteOf(path)) continue;
      const taken = [...serverNames(becoming.has(other) ? (becoming.get(other) ?? "") : textOf(other))].find((name) => fresh.has(name));
      if (taken !== undefined) throw new ShimError("PROVISION_WEB_NAME_TAKEN", `The web server has a virtual host for ${taken} already, in ${other}.`, { hint: "remove the name from that site, or choose another one", files: [path] });
    }
  }
}

/** The host names of the virtual hosts in a file, lower case: Apache's ServerName and ServerAlias, nginx's server_name. */
export function serverNames(text: string): Set<string> {
  const names = [...text.matchAll(/^\s*(?:ServerName|ServerAlias|server_name)\s+([^;\n]+)/gim)].flatMap(([, list = ""]) => list.trim().toLowerCase().split(/\s+/));
  // A site in a sub-folder of a host shares its name.
  return new Set(names.filter((name) => name !== "_" && !name.includes("/")));
}

function siteOf(path: string): string {
  return basename(path).replace(/\.conf$/, "");
}

function textOf(path: string): string {
  return isFile(path) ? (readIfThere(path)?.toString("latin1") ?? "") : "";
}
