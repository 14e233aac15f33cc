import { join } from "node:path";
import { readIfThere } from "../files/look.ts";

export type Variables = Readonly<Record<string, string | undefined>>;

/** The folder with the PHP setting that makes drush's children come back to us, as lib/launch spells it. */
export function iniFolder(lib: string): string {
  return join(lib, "php-ini");
}

/**
 * The environment in which the real drush starts its children as us (see lib/prepend.php): PHP reads one more folder of settings. A value that
 * is there stays in front; an empty part stands for PHP's own folder.
 */
export function realDrushEnvironment(variables: Variables, where: { readonly lib: string; readonly drush: string; readonly script: string | undefined }): Variables {
  const folder = iniFolder(where.lib);
  const present = variables["PHP_INI_SCAN_DIR"];
  const parts = present === undefined ? [""] : present === "" ? [] : present.split(":");
  const scan = parts.some((part) => isIniFolder(part)) ? present : [...parts, folder].join(":");
  const { count, since } = handOverChain(variables);
  return {
    ...variables,
    PHP_INI_SCAN_DIR: scan,
    PROVISION_SHIM_LIB: where.lib,
    PROVISION_SHIM_REAL: where.script ?? where.drush,
    PROVISION_SHIM_HANDOVER: String(handOverDepth(variables) + 1),
    PROVISION_SHIM_CHAIN: `${count + 1}:${since}`,
  };
}

/** How often the call was handed over without a real drush in between, which clears the count (lib/prepend.php). */
export function handOverDepth(variables: Variables): number {
  return Number.parseInt(variables["PROVISION_SHIM_HANDOVER"] ?? "0", 10) || 0;
}

/** How many hand-overs of the last minute led to this one, and the machine's uptime in seconds at the first, as lib/launch counts them. */
export function handOverChain(variables: Variables): { readonly count: number; readonly since: number } {
  const now = Math.trunc(Number.parseFloat(readIfThere("/proc/uptime")?.toString("latin1") ?? "0"));
  const [, count, since] = /^(\d+):(\d+)$/.exec(variables["PROVISION_SHIM_CHAIN"] ?? "") ?? [];
  return since !== undefined && Number(since) <= now && now < Number(since) + 60 ? { count: Number(count), since: Number(since) } : { count: 0, since: now };
}

/** The environment for PHP programs that are not drush: our setting for drush does not concern them. */
export function plainPhpEnvironment(variables: Variables): Variables {
  const parts = (variables["PHP_INI_SCAN_DIR"] ?? "").split(":").filter((part) => !isIniFolder(part));
  const rest = { ...variables };
  for (const name of ["PHP_INI_SCAN_DIR", "PROVISION_SHIM_LIB", "PROVISION_SHIM_REAL", "PROVISION_SHIM_HANDOVER"]) Reflect.deleteProperty(rest, name);
  return parts.some((part) => part !== "") ? { ...rest, PHP_INI_SCAN_DIR: parts.join(":") } : rest;
}

function isIniFolder(part: string): boolean {
  return /\/lib\/php-ini\/?$/.test(part);
}
