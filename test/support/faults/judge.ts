import { readdirSync } from "node:fs";
import { dirname } from "node:path";
import type { FrontEnd } from "../front-end.ts";
import { until } from "../until.ts";
import { leftovers, worldOf, type World } from "../world.ts";
import { temporaryDirectory } from "./fault-run.ts";
import { likenessOf, timeless } from "./likeness.ts";
import type { SavedWorld } from "./saved-world.ts";

/** A page that must be served. */
export interface Page {
  readonly host: string;
  readonly path?: string;
  readonly status: number;
  readonly contains?: string;
}


export interface Expectation {
  /** As it was, to the byte; more than one when the task is made of several. */
  readonly before: readonly World[];
  /** As after a good run; more than one when another task may come in between. */
  readonly after: readonly (readonly string[])[];
  /** As before, but for what another task has done since. */
  readonly alike?: readonly (readonly string[])[];
  readonly pages: { readonly before: readonly Page[]; readonly after: readonly Page[] };
  readonly saved: SavedWorld;
}

export interface Verdict {
  readonly state: "before" | "after" | "told" | "neither";
  /** What is wrong; empty when all is well. */
  readonly complaints: readonly string[];
}

/**
 * Compares the world with what it may be.
 *
 * @param warnings what the task has warned of: modes and groups that could not be set, as in the original, do not fail it
 */
export async function judge(frontEnd: FrontEnd, { before, after, alike = [], pages }: Expectation, warnings: readonly string[] = []): Promise<Verdict> {
  const complaints = [...leftovers(frontEnd), ...readdirSync(temporaryDirectory(frontEnd)).map((name) => `tmp/${name}`)].map((name) => `left over: ${name}`);
  const now = await worldOf(frontEnd);
  const text = JSON.stringify(now);
  if (before.some((world) => JSON.stringify(world) === text)) return { state: "before", complaints: [...complaints, ...(await unserved(frontEnd, pages.before))] };
  const likeness = await likenessOf(frontEnd);
  const isOneOf = (states: readonly (readonly string[])[]): boolean => states.some((state) => JSON.stringify(state) === JSON.stringify(likeness));
  if (isOneOf(alike)) return { state: "before", complaints: [...complaints, ...(await unserved(frontEnd, pages.before))] };
  if (isOneOf(after)) return { state: "after", complaints: [...complaints, ...(await unserved(frontEnd, pages.after))] };
  if (wasTold(after[0] ?? [], likeness, warnings)) return { state: "told", complaints: [...complaints, ...(await unserved(frontEnd, pages.after))] };
  const first = linesOf(before[0]!);
  return { state: "neither", complaints: [...complaints, `from before: ${differences(first, linesOf(now))}`, `from after: ${differences(after[0] ?? [], likeness)}`] };
}

/** True when every file that is not as it should be is named by a warning, or its directory, from which it has its group. */
function wasTold(from: readonly string[], to: readonly string[], warnings: readonly string[]): boolean {
  const [there, here] = [new Set(from), new Set(to)];
  const paths = [...from.filter((line) => !here.has(line)), ...to.filter((line) => !there.has(line))].map((line) => line.split(" ")[0] ?? "");
  const told = warnings.map(timeless);
  // Two backups look alike, and so do the links to them.
  if (paths.length === 0) return told.some((warning) => warning.startsWith("Could not create symlink"));
  return paths.every((path) => !/^(?:database|table|account)$/.test(path) && told.some((warning) => warning.includes(path) || warning.includes(`${dirname(path)} `)));
}

async function unserved({ stage }: FrontEnd, pages: readonly Page[]): Promise<string[]> {
  const complaints: string[] = [];
  for (const { host, path = "/", status, contains = "" } of pages) {
    let got = "";
    try {
      // Apache's old children may answer for a moment after a reload.
      await until("the page", async () => {
        const answer = await stage.apache.fetch(host, path);
        got = `${answer.status} ${answer.body.slice(0, 100)}`;
        return answer.status === status && answer.body.includes(contains);
      }, 5000);
    } catch {
      complaints.push(`http://${host}${path} answers ${got}`);
    }
  }
  return complaints;
}

function linesOf({ files, databases, accounts }: World): string[] {
  return [...Object.entries(files).map(([path, state]) => `${path} ${state}`), ...Object.entries(databases).map(([name, state]) => `database ${name}: ${state}`), ...accounts.map((account) => `account ${account}`)];
}

export function differences(from: readonly string[], to: readonly string[]): string {
  const [there, here] = [new Set(from), new Set(to)];
  return [...from.filter((line) => !here.has(line)).map((line) => `- ${line}`), ...to.filter((line) => !there.has(line)).map((line) => `+ ${line}`)].slice(0, 12).join("\n    ");
}
