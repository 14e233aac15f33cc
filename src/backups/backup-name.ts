import { realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { isProgram, lookAt, namesIn, readIfThere } from "../files/look.ts";

/**
 * The name for a site's backup that is free: `URI-YYYYMMDD.HHMMSS` and the suffix, with `_1`, `_2`, … before it when taken (as
 * provision_backup_suggest_filename of Provision 7.x-3.x).
 *
 * @param suffix with its dot
 */
export function suggestedName(directory: string, backup: { readonly uri: string; readonly suffix: string; readonly at: Date; readonly zone: string }): string {
  const stem = join(directory, `${backup.uri}-${timeText(backup.at, backup.zone)}`);
  for (let number = 0; ; number++) {
    const path = `${stem}${number === 0 ? "" : `_${number}`}${backup.suffix}`;
    if (lookAt(path) === undefined) return path;
  }
}

/** `20261129.174512` in that time zone. */
export function timeText(at: Date, zone: string): string {
  const iso = zone === "UTC" ? at.toISOString() : inZone(at, zone);
  const [, year, month, day, hour, minute, second] = /^(\d+)-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)/.exec(iso) ?? [];
  return `${year ?? ""}${month ?? ""}${day ?? ""}.${hour ?? ""}${minute ?? ""}${second ?? ""}`;
}

function inZone(at: Date, zone: string): string {
  try {
    // Swedish has the order of ISO 8601.
    return at.toLocaleString("sv-SE", { timeZone: zone });
  } catch {
    return at.toISOString();
  }
}

/**
 * The time zone in which PHP names files: that of its configuration, else UTC, whatever the machine's is. Read from the files of Debian's PHP; starting PHP to ask would
 * cost more than the name is worth.
 *
 * @param path value of PATH
 */
export function phpTimeZone(php: string, path: string): string {
  const program = php.includes("/") ? php : path.split(":").map((folder) => join(folder, php)).find(isProgram);
  if (program === undefined) return "UTC";
  let real;
  try {
    real = realpathSync(program);
  } catch {
    return "UTC";
  }
  const version = /^php(\d+\.\d+)$/.exec(basename(real))?.[1];
  const places = version === undefined ? [join(dirname(dirname(real)), "etc/php/cli")] : [`/etc/php/${version}/cli`];
  let zone = "UTC";
  for (const place of places) {
    const files = [join(place, "php.ini"), ...namesIn(join(place, "conf.d")).filter((name) => name.endsWith(".ini")).map((name) => join(place, "conf.d", name))];
    for (const file of files) zone = /^[ \t]*date\.timezone[ \t]*=[ \t]*"?([A-Za-z_/+\-0-9]+)"?/m.exec(iniText(file))?.[1] ?? zone;
  }
  return zone;
}

function iniText(file: string): string {
  try {
    return readIfThere(file)?.toString("latin1") ?? "";
  } catch {
    return "";
  }
}
