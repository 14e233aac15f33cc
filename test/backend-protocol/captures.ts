import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** One recorded drush process. */
export interface Capture {
  /** `platform-verify/03-provision-verify` */
  readonly name: string;
  readonly args: readonly string[];
  readonly stdin: string | null;
  readonly exit: number;
  readonly stdout: Buffer;
}

const OURS = join(import.meta.dirname, "../../fixtures/captures");

/** The captures that are part of this repository. */
export const captures: readonly Capture[] = readCaptures(OURS);

const ALL = process.env["SHIM_TEST_CAPTURES"] ?? join(import.meta.dirname, "../../../shared/captures");

/** All that were recorded; none when they are not at hand. */
export const allCaptures: readonly Capture[] = existsSync(ALL) ? readCaptures(ALL) : [];

export function capture(name: string): Capture {
  const found = captures.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no capture ${name} in ${OURS}`);
  return found;
}

function readCaptures(folder: string): Capture[] {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".json"));
  return names.sort().map((file) => {
    const name = file.slice(0, -".json".length);
    const facts = JSON.parse(readFileSync(join(folder, file), "utf8")) as Omit<Capture, "name" | "stdout">;
    return { ...facts, name, stdout: readFileSync(join(folder, `${name}.stdout`)) };
  });
}
