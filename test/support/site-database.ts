import { readFileSync } from "node:fs";
import { join } from "node:path";
import { connectDb, type Db } from "../../src/database/connection.ts";
import type { FrontEnd } from "./front-end.ts";

/** A connection of the site's own account, as its PHP has one while it answers a request. */
export function connectAsSite(frontEnd: FrontEnd, sitePath: string): Promise<Db> {
  const text = readFileSync(join(sitePath, "drushrc.php"), "utf8");
  const of = (key: string): string => new RegExp(`\\['${key}'\\] = '([^']+)'`).exec(text)?.[1] ?? "";
  return connectDb({ host: "127.0.0.1", port: frontEnd.stage.mariadb.port, user: of("db_user"), password: of("db_passwd"), database: of("db_name") }, { timeoutMs: 20_000 });
}
