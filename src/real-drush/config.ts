import { join } from "node:path";
import { ShimError } from "../errors/shim-error.ts";
import { readIfThere } from "../files/look.ts";

/** What an administrator sets in /etc/provision-shim.json and ~/.provision-shim/config.json (the latter wins), or in the environment (which wins over both). */
export interface ShimConfig {
  /** Absolute path of the real drush. */
  readonly drush?: string;
  /** The PHP file that the real drush ends up running, where it is not beside `drush`. */
  readonly script?: string;
  /** Commands that stay with the real drush. */
  readonly commandsWithDrush?: readonly string[];
  /** Drush extensions whose hooks do not count. */
  readonly ignoredExtensions?: readonly string[];
  /** How long a task waits for another one on the same context, seconds. */
  readonly lockWaitSeconds?: number;
  /** Unix socket of the database server that is called `localhost`. */
  readonly mysqlSocket?: string;
  /** Time limit for a database connection and each statement, seconds. */
  readonly databaseTimeoutSeconds?: number;
  /** Time limit for one PHP program in a site's Drupal (its installer, its updates), seconds. */
  readonly phpTimeoutSeconds?: number;
}

/** Time limit for a database connection and each statement, milliseconds. */
export function databaseTimeoutMs({ databaseTimeoutSeconds = 20 }: ShimConfig): number {
  return databaseTimeoutSeconds * 1000;
}

export function configFiles(home: string, etc: string): string[] {
  return [join(etc, "provision-shim.json"), join(home, ".provision-shim/config.json")];
}

/**
 * Reads the configuration.
 *
 * @throws ShimError PROVISION_SHIM_CONFIG_BROKEN naming the file and what is wrong in it
 */
export async function readConfig(home: string, environment: Readonly<Record<string, string | undefined>>): Promise<ShimConfig> {
  let config: ShimConfig = {};
  for (const file of configFiles(home, environment["PROVISION_SHIM_ETC"] ?? "/etc")) {
    const bytes = readIfThere(file);
    if (bytes !== undefined) config = { ...config, ...(await parseConfig(file, bytes.toString("utf8"))) };
  }
  const drush = environment["PROVISION_SHIM_DRUSH"];
  return drush === undefined || drush === "" ? config : { ...config, drush };
}

async function parseConfig(file: string, text: string): Promise<ShimConfig> {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch (cause) {
    throw broken(file, cause instanceof Error ? cause.message : String(cause), cause);
  }
  if (isPlainlyRight(data)) return data;
  // zod takes 20 ms to load; it is only needed to say what is wrong.
  const { configProblem } = await import("./config-schema.ts");
  const problem = configProblem(data);
  if (problem !== undefined) throw broken(file, problem);
  return data as ShimConfig;
}

const KINDS: Readonly<Record<keyof ShimConfig, (value: unknown) => boolean>> = {
  drush: isPath,
  script: isPath,
  commandsWithDrush: isTexts,
  ignoredExtensions: isTexts,
  lockWaitSeconds: isPositive,
  mysqlSocket: isPath,
  databaseTimeoutSeconds: isPositive,
  phpTimeoutSeconds: isPositive,
};

function isPlainlyRight(data: unknown): data is ShimConfig {
  if (typeof data !== "object" || data === null || Array.isArray(data)) return false;
  return Object.entries(data).every(([key, value]) => key in KINDS && KINDS[key as keyof ShimConfig](value));
}

function isPath(value: unknown): boolean {
  return typeof value === "string" && value.startsWith("/");
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

function isPositive(value: unknown): boolean {
  return typeof value === "number" && Number.isFinite(value) && value > 0;
}

function broken(file: string, reason: string, cause?: unknown): ShimError {
  return new ShimError("PROVISION_SHIM_CONFIG_BROKEN", `The configuration file ${file} cannot be used: ${reason}`, { hint: "docs/configuration.md lists what may stand there", cause });
}
