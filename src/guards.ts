import { readFileSync } from "node:fs";
import { isNumeric } from "./backend-protocol/wire-text.ts";
import { ShimError } from "./errors/shim-error.ts";
import { readIfThere } from "./files/look.ts";
import { scalarText } from "./php-values/convert.ts";
import type { PhpValue } from "./php-values/value.ts";

/** Provision runs nothing as root (its init hook). */
export function refuseRoot(): void {
  if (process.geteuid?.() !== 0) return;
  throw new ShimError("PROVISION_IS_ROOT", "You are running the provision script as the root user. Exiting", { hint: "run it as the user of the Aegir backend" });
}

/**
 * Refuses to add to a load that is too high: five times the number of processors, or what the options say (Provision's init hook).
 *
 * @throws ShimError PROVISION_OVERLOAD
 */
export function refuseOverload(option: (name: string) => PhpValue | undefined): void {
  const loads = readFileSync("/proc/loadavg", "utf8").split(" ").slice(0, 3);
  const limit = loadLimit(option);
  if (Number(loads[0]) <= limit) return;
  throw new ShimError("PROVISION_OVERLOAD", `load on system too heavy (${loads.join(" ")}), aborting`, { hint: `the limit is ${limit}; it is set by critical_load_multiplier` });
}

function loadLimit(option: (name: string) => PhpValue | undefined): number {
  const processors = processorCount();
  const number = (name: string, fallback: number): number => {
    const text = scalarText(option(name)) ?? "";
    return isNumeric(text) ? Number(text) : fallback;
  };
  return processors === undefined ? number("critical_load_threshold", 10) : processors * number("critical_load_multiplier", 5);
}

function processorCount(): number | undefined {
  // Written by BOA systems, whose containers see too many processors.
  const told = Number.parseInt(readIfThere("/data/all/cpuinfo")?.toString("latin1") ?? "", 10);
  if (told > 0) return told;
  const counted = readIfThere("/proc/cpuinfo")?.toString("latin1").match(/^processor\s*:\s*\d+$/gm)?.length;
  return counted === undefined || counted === 0 ? undefined : counted;
}
