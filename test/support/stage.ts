import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeAegirHome, type AegirHome } from "./aegir-home.ts";
import { startApache, type Apache } from "./apache.ts";
import { socketIn, startMariadb, type MariaDb } from "./mariadb.ts";
import { requirePackages } from "./packages.ts";

/** A host for system tests: a home of Aegir with a database and a web server, all private. */
export interface Stage {
  readonly home: AegirHome;
  readonly mariadb: MariaDb;
  readonly apache: Apache;
  /** Stops both servers and removes the home. */
  strike: () => Promise<void>;
}

export interface StageOptions {
  readonly home?: AegirHome;
  /** Where the database server listens beside 127.0.0.1. */
  readonly databaseAddresses?: readonly string[];
  /** Gives the Apache a port for HTTPS. */
  readonly tls?: boolean;
}

/** Starts both servers side by side; throws when one of them does not come up, with nothing left behind. */
export async function setStage({ home = makeAegirHome(), databaseAddresses = [], tls = false }: StageOptions = {}): Promise<Stage> {
  requirePackages();
  const databaseDirectory = join(home.beside, "mariadb");
  const mariadb = startMariadb(home.user, databaseDirectory, { addresses: databaseAddresses });
  const apache = startApache(home, socketIn(databaseDirectory), { tls });
  const strike = async (): Promise<void> => {
    const started = await Promise.allSettled([mariadb, apache]);
    await Promise.all(started.map((server) => (server.status === "fulfilled" ? server.value.stop() : Promise.resolve())));
    home.remove();
  };
  try {
    const [database, webServer] = await Promise.all([mariadb, apache]);
    ignoreLoad(home);
    return { home, mariadb: database, apache: webServer, strike };
  } catch (error) {
    await strike();
    throw error;
  }
}

/** Provision refuses to work on a busy machine; tests make it busy. Drush finds this file where ETC_PREFIX names the folder beside the home. */
export function ignoreLoad({ beside, user }: AegirHome): void {
  const folder = join(beside, "etc/drush");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "drushrc.php"), "<?php\n$options['critical_load_multiplier'] = 1000;\n");
  user.own(join(beside, "etc"));
}
