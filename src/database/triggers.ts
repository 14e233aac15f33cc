import { closeSync } from "node:fs";
import { ShimError } from "../errors/shim-error.ts";
import { runProcess } from "../processes/run-process.ts";
import { clientWords, findClient, loginFor, type ClientSettings } from "./clients.ts";
import type { DbAccount } from "./connection.ts";

const TIMEOUT_MS = 60_000;

/**
 * Whether the account's database has triggers, as far as the account may see them, by the server's own client: it answers before a connection of ours would be there.
 *
 * @throws ShimError PROVISION_BACKUP_FAILED when it does not say
 */
export async function askForTriggers(account: DbAccount & { readonly database: string }, settings: ClientSettings): Promise<boolean> {
  const client = await findClient("load", settings, "PROVISION_BACKUP_FAILED");
  const login = loginFor(client, account, settings);
  const { status, stdout, stderr } = await runProcess({
    file: client.path,
    args: [login.argument, "--batch", "--skip-column-names", "--execute=SELECT COUNT(*) FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = DATABASE()", account.database],
    env: settings.env,
    cwd: settings.cwd,
    more: [login.descriptor],
    timeoutMs: TIMEOUT_MS,
    maxOutputBytes: 4096,
    signal: settings.signal,
    ...(settings.onChild === undefined ? {} : { onStart: settings.onChild }),
  }).finally(() => closeSync(login.descriptor));
  const answer = stdout.toString("latin1").trim();
  if (status !== 0 || !/^\d+$/.test(answer)) throw new ShimError("PROVISION_BACKUP_FAILED", `The triggers of ${account.database} could not be counted: ${clientWords(stderr.toString("utf8"), account)}`);
  return answer !== "0";
}
