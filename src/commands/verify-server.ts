import { readlinkSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { ServerContext } from "../contexts/context.ts";
import { MASTER } from "../contexts/server.ts";
import { NeedsRealDrush } from "../errors/needs-real-drush.ts";
import { isFile, lookAt } from "../files/look.ts";
import { ensureDirectory } from "../task/ensure-directory.ts";
import { step, type Plan, type Work } from "../task/plan.ts";
import { webDriver } from "../web/web-driver.ts";
import type { CommandCall } from "./command.ts";
import { checkDbServer, connectAsAdministrator, connectFailures, probePrefix } from "./database-work.ts";
import { hasLetsEncrypt, nativeServer } from "./native-reach.ts";
import { adoptServerFile, noteServer, pushServer, serverLinks } from "./push-server.ts";
import { remoteOf } from "./remote-host-of.ts";
import { withUtf8mb4 } from "./provision-save.ts";
import { writeAliasFiles } from "./save-context.ts";
import { hasWebFacts, neededWebFacts, withWebFacts } from "./web-probe.ts";
import { serveServer } from "./web-work.ts";

/** `provision-verify` of a server: its directories, database privileges and web server (Provision 7.x-3.x). */
export async function verifyServer(server: ServerContext, call: CommandCall): Promise<Plan> {
  await nativeServer(server, call);
  // They are copied from the extension's folder, which only drush knows.
  if (hasLetsEncrypt(server)) throw new NeedsRealDrush(`the programs for Let's Encrypt that hosting_https puts onto @${server.name}`);
  let saved = await call.storedContexts.get(server.name);
  let probed = server;
  const database = step("check what the database server lets us do", async (work) => {
    const supported = await checkDatabase(work, server, call);
    if (saved.type === "server" && supported !== undefined) saved = withUtf8mb4(saved, supported);
  });
  const web = step("write the web server's configuration and reload it", (work) => writeServerConfig(work, probed, call));
  const look = step("look what the web server's program can do", async (work) => {
    const facts = await neededWebFacts(work, server, call);
    probed = withWebFacts(probed, facts);
    saved = withWebFacts(saved, facts);
  });
  return {
    title: `verify server @${server.name}`,
    context: server.name,
    steps: [
      ...((await hasWebFacts(server)) ? [look] : []),
      step("arrange the server's directories", (work) => arrangeServer(work, server)),
      [...(server.http === undefined ? [] : [web]), ...(server.db === undefined ? [] : [database])],
      step("write the alias file", (work) => writeAliasFiles(work, saved, call.surroundings)),
    ],
  };
}

function arrangeServer(work: Work, server: ServerContext): void {
  ensureDirectory(work, dirname(server.configPath), "Provision configuration root", 0o711);
  ensureDirectory(work, server.configPath, "Provision configuration", 0o711);
  ensureDirectory(work, server.clientsPath, "Provision client home", 0o711);
  // Also where the front end's own server is no nginx.
  if (server.http?.application === "nginx") ensureDirectory(work, server.includePath, "Provision PHP configuration", 0o711);
  if (server.name !== MASTER) return;
  ensureDirectory(work, server.backupPath, "Backup", 0o700);
  ensureDirectory(work, server.includePath, "Provision PHP configuration", 0o711);
  const global = join(server.includePath, "global.inc");
  // The administrator's own file: made once, so that including it never fails.
  if (lookAt(global) === undefined) work.files.write({ path: global, content: "<?php # global settings.php\n", mode: "keep" });
}

/** Returns whether four-byte characters can be stored; undefined when the checks failed. */
async function checkDatabase(work: Work, server: ServerContext, call: CommandCall): Promise<boolean | undefined> {
  return work.act("create and drop a database and an account", async () => {
    let db;
    try {
      db = await connectAsAdministrator(server, call);
    } catch (thrown) {
      for (const error of connectFailures(thrown, server)) work.error(error);
      return undefined;
    }
    try {
      const verdict = await checkDbServer(db, probePrefix(call));
      for (const error of verdict.errors) work.error(error);
      if (verdict.errors.length > 0) return undefined;
      work.log("success", "Provision can create new databases.");
      work.log("success", "Provision can grant privileges on database users.");
      if (verdict.utf8mb4) work.log("success", "Provision can activate multi-byte UTF-8 support on Drupal 7 sites.");
      else work.log("warning", "Multi-byte UTF-8 is not supported by this database server; see https://www.drupal.org/docs/7/api/database-api for what Drupal 7 needs.");
      return verdict.utf8mb4;
    } finally {
      await db.close();
    }
  });
}

async function writeServerConfig(work: Work, server: ServerContext, call: CommandCall): Promise<void> {
  const paths = server.http?.paths;
  // A cluster has no directories of its own, and its members were verified for themselves.
  if (paths === undefined) return serveServer(work, server, call);
  const remote = await remoteOf(server, call);
  const driver = await webDriver(server);
  if (remote !== undefined) {
    await adoptServerFile(work, remote, join(server.configPath, `${driver.application}.conf`));
    await noteServer(work, remote, server);
  }
  ensureDirectory(work, paths.app, "Web server configuration", 0o711);
  ensureDirectory(work, paths.pre, "Webserver custom pre-configuration", 0o700);
  ensureDirectory(work, paths.post, "Webserver custom post-configuration", 0o700);
  ensureDirectory(work, paths.platform, "Webserver platform configuration", 0o700);
  ensureDirectory(work, paths.vhost, "Webserver virtual host configuration", 0o700);
  ensureDirectory(work, paths.subdir, "Webserver subdir configuration", 0o700);
  const more = driver.serverLinks?.(server) ?? [];
  if (remote === undefined) {
    for (const { path, target } of serverLinks(server, driver.application, more)) linkUnlessTaken(work, path, target);
  } else {
    await pushServer(work, remote, { server, links: serverLinks(server, driver.application, more) });
  }
  await serveServer(work, server, call);
}

/** Links such as the one that the distribution's Apache or nginx includes. None is taken from another server of this machine, whose sites would be gone then. */
function linkUnlessTaken(work: Work, link: string, own: string): void {
  const there = lookAt(link);
  const present = there === undefined ? undefined : there.isSymbolicLink() ? resolve(dirname(link), readlinkSync(link)) : link;
  if (present !== undefined && present !== own && isFile(present)) {
    work.log("warning", present === link ? `${link} is a file and no link to ${own}; it was left so.` : `${link} leads to ${present} of another server and was left so: only that server's sites are served.`);
    return;
  }
  if (present !== own && work.files.link(link, own)) work.log("notice", `Created symlink ${link} to ${own}`);
}
