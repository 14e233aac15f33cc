import { setTimeout as sleep } from "node:timers/promises";
import type { SiteContext } from "../contexts/context.ts";
import type { Db } from "../database/connection.ts";
import { milliseconds } from "../task/clock.ts";
import type { Work } from "../task/plan.ts";
import type { VhostCredentials } from "../web/web-file.ts";
import type { CommandCall } from "./command.ts";
import { connectToDatabase } from "./database-files.ts";
import { siteCredentials } from "./web-work.ts";

/** So long it may take until what has begun before has ended, milliseconds. */
const LONGEST = 10_000;
/** More than a server needs to read the configuration of thousands of sites, milliseconds. */
const LONGEST_READING = 5_000;

/**
 * Takes a site from its visitors, and waits for the requests that it is answering: they go on to their end, and what they write belongs into the backup that comes next. Each has
 * a connection of the site's account. (Provision does not wait.)
 *
 * @param takeAway has the web server read a configuration in which the site is not served
 */
export async function withoutVisitors(work: Work, site: SiteContext, call: CommandCall, takeAway: () => Promise<void>): Promise<void> {
  const began = milliseconds();
  await takeAway();
  if (work.dryRun) return;
  // The server was only told: it still has to read what its control program has read, and answers requests as before until then. A disabled site has none.
  const credentials = siteCredentials(call.options.set("site"));
  const [db] = await Promise.all([connected(site, call, credentials), site.enabled ? sleep(Math.min(milliseconds() - began, LONGEST_READING)) : undefined]);
  if (db !== undefined) await awaitRequests(work, site, { db, credentials });
}

async function awaitRequests(work: Work, site: SiteContext, { db, credentials }: { readonly db: Db; readonly credentials: VhostCredentials }): Promise<void> {
  try {
    const began = milliseconds();
    for (let pause = 2; !work.signal.aborted; pause = Math.min(2 * pause, 100)) {
      const others = await othersOn(db, credentials);
      if (others === 0) return;
      if (milliseconds() - began > LONGEST) {
        work.log("warning", `Something has used the database of @${site.name} for ${LONGEST / 1000} s (connections: ${others}), since before it went offline. What it writes from now on may be lost.`);
        return;
      }
      await sleep(pause);
    }
  } finally {
    await db.close();
  }
}

/** Undefined when there is no connection to be had: why, the dump says. */
async function connected(site: SiteContext, call: CommandCall, credentials: VhostCredentials): Promise<Db | undefined> {
  if (credentials.name === "" || credentials.user === "") return undefined;
  try {
    return await connectToDatabase({ credentials, server: site.dbServer }, call, call.surroundings.signal);
  } catch {
    return undefined;
  }
}

/** How many more connections of this account use this database. */
async function othersOn(db: Db, { name, user }: VhostCredentials): Promise<number> {
  try {
    const [row] = await db.rows("SELECT COUNT(*) AS others FROM information_schema.PROCESSLIST WHERE USER = ? AND DB = ? AND ID <> CONNECTION_ID()", [user, name]);
    return Number(row?.["others"] ?? 0);
  } catch {
    return 0;
  }
}
