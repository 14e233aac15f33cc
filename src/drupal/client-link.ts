import { join } from "node:path";
import { lookAt, namesIn } from "../files/look.ts";
import { ensureDirectory } from "../task/ensure-directory.ts";
import type { Work } from "../task/plan.ts";

/**
 * Links the site into its client's folder, `clients/CLIENT/URI` → site directory, and removes the link that a former client has
 * (as provision_client_create_symlink). Nothing without a client.
 */
export function placeClientLink(work: Work, where: { readonly clientsPath: string; readonly client: string | undefined; readonly uri: string; readonly sitePath: string }): void {
  const { clientsPath, client, uri, sitePath } = where;
  if (client === undefined) return;
  const folder = join(clientsPath, client);
  ensureDirectory(work, folder, `Client home directory for ${client}`, 0o750);
  const link = join(folder, uri);
  if (lookAt(link) === undefined) {
    const former = namesIn(clientsPath).map((name) => join(clientsPath, name, uri)).find((path) => lookAt(path)?.isDirectory() === false);
    if (former !== undefined && work.files.remove(former)) work.log("success", `Removed the site's former link ${former}`);
  }
  try {
    work.files.link(link, sitePath);
    work.log("success", `The link ${link} leads to ${sitePath}`);
  } catch (thrown) {
    work.log("warning", `Could not create symlink ${link} to ${sitePath}: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
  }
}

/** Removes the client's link to the site; anything else of that name is left alone. */
export function deleteClientLink(work: Work, where: { readonly clientsPath: string; readonly client: string | undefined; readonly uri: string }): void {
  const { clientsPath, client, uri } = where;
  if (client === undefined) return;
  const link = join(clientsPath, client, uri);
  if (lookAt(link)?.isSymbolicLink() === true && work.files.remove(link)) work.log("success", `Deleted symlink ${link}`);
}
