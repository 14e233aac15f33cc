import { userInfo } from "node:os";
import { join } from "node:path";
import { ShimError } from "../errors/shim-error.ts";
import { readIfThere } from "../files/look.ts";
import { swapOff, swapOn, swapStatus, type SwapItem, type SwapReport, type SwapSettings } from "../swap/swap.ts";
import { onlyOptions } from "./arguments.ts";
import { EXIT, type CliCall } from "./cli-call.ts";
import { printReport } from "./print.ts";

/** `provision swap on|off|status`. */
export async function swap(call: CliCall): Promise<number> {
  const { words, dryRun } = call.arguments;
  onlyOptions(call.arguments, ["drush", "user"]);
  const settings = settingsOf(call);
  switch (words[0]) {
    case "on":
      return print(call, await swapOn(settings, dryRun), dryRun ? "would be in the place of drush" : "is in the place of drush");
    case "off":
      return print(call, await swapOff(settings, dryRun), dryRun ? "would give its place back to drush" : "has given its place back to drush");
    case "status":
      return print(call, await swapStatus(settings), undefined);
    default:
      throw new ShimError("CLI_BAD_ARGUMENT", `provision swap ${words[0] ?? ""} is not known.`, { hint: "on, off or status" });
  }
}

function settingsOf(call: CliCall): SwapSettings {
  const isRoot = process.geteuid?.() === 0;
  const named = call.arguments.options.get("user");
  const drush = call.arguments.options.get("drush");
  const systemRoot = process.env["PROVISION_SHIM_SYSTEM_ROOT"] ?? "";
  const forUser = isRoot ? (typeof named === "string" ? named : "aegir") : undefined;
  const home = forUser === undefined ? (process.env["HOME"] ?? userInfo().homedir) : homeOf(forUser);
  const etc = process.env["PROVISION_SHIM_ETC"] ?? "/etc";
  return {
    home,
    forUser,
    lib: call.lib,
    variables: process.env,
    drush: typeof drush === "string" ? drush : undefined,
    stateFolder: isRoot ? join(systemRoot, "/var/lib/provision-shim") : join(home, ".provision-shim"),
    configFile: isRoot ? join(etc, "provision-shim.json") : join(home, ".provision-shim/config.json"),
    systemRoot,
  };
}

function homeOf(user: string): string {
  const line = readIfThere("/etc/passwd")?.toString("utf8").split("\n").find((entry) => entry.startsWith(`${user}:`));
  const home = line?.split(":")[5];
  if (home === undefined) throw new ShimError("CLI_BAD_ARGUMENT", `There is no user ${user}.`, { hint: "name the user of the Aegir backend with --user=NAME" });
  return home;
}

function print(call: CliCall, report: SwapReport, outcome: string | undefined): number {
  const lines = report.items.map(itemLine);
  const head = report.drush === undefined ? [] : [`real drush: ${report.drush}${report.version === undefined ? "" : ` (${report.version})`}`];
  const last = outcome === undefined ? `The swap is ${report.on ? "on" : "off"}.` : lines.length === 0 ? "Nothing to do." : `provision-shim ${outcome}.`;
  printReport(call, report, [...head, ...lines, last]);
  const changes = report.items.some(({ state }) => state === "change");
  return call.arguments.dryRun && changes ? EXIT.changes : EXIT.ok;
}

const SIGNS: Readonly<Record<SwapItem["state"], string>> = { change: "*", fine: "✓", refused: "-", problem: "!" };

function itemLine({ path, what, state, detail }: SwapItem): string {
  return `  ${SIGNS[state]} ${path} (${what}): ${detail}`;
}
