import { cpus } from "node:os";
import { ShimError } from "../errors/shim-error.ts";
import { refuseRoot } from "../guards.ts";
import { readInvocation } from "../invocation.ts";
import { Descriptor } from "../reporters/descriptor.ts";
import { verifyMany, type ContextReport } from "../verify-many.ts";
import { onlyOptions } from "./arguments.ts";
import { EXIT, type CliCall } from "./cli-call.ts";

const OPTIONS = ["all", "platform", "force", "jobs"];

/** Whether `provision verify` is called for more than one context. */
export function isForMany({ arguments: { options, words } }: CliCall): boolean {
  return options.has("all") || (options.has("platform") && words.length === 0);
}

/**
 * `provision verify --all` and `--platform=@name`: many contexts in one process, each web server reloaded once.
 *
 * @throws ShimError CLI_BAD_OPTION, CLI_BAD_ARGUMENT
 */
export async function verifyAll(call: CliCall): Promise<number> {
  const { options, words, json, verbose, dryRun } = call.arguments;
  onlyOptions(call.arguments, OPTIONS);
  const platform = options.get("platform");
  const all = options.get("all");
  if (words.length > 0 || (all !== undefined && (all !== true || platform !== undefined)) || platform === true) {
    throw new ShimError("CLI_BAD_OPTION", "What is to be verified is not clear.", { hint: "write `provision verify @context`, `provision verify --all` or `provision verify --platform=@name`" });
  }
  refuseRoot();
  const invocation = await readInvocation({ words: ["provision-verify"], lib: call.lib, cwd: process.cwd(), variables: process.env });
  const printer = new Printer({ json, verbose, live: process.stdout.isTTY });
  const began = performance.now();
  const { failed, changes } = await verifyMany(invocation, { platform, force: options.has("force"), jobs: jobsFrom(options.get("jobs")), dryRun, signal: call.signal, onReport: (report, done, total) => printer.report(report, done, total) });
  printer.summary(performance.now() - began);
  if (failed > 0) return EXIT.error;
  return dryRun && changes > 0 ? EXIT.changes : EXIT.ok;
}

function jobsFrom(given: string | true | undefined): number {
  // Most of a verify is waiting for the database and the disk.
  if (given === undefined) return Math.min(8, cpus().length * 2);
  const jobs = Number(given);
  if (!Number.isInteger(jobs) || jobs < 1 || jobs > 64) throw new ShimError("CLI_BAD_OPTION", `--jobs=${String(given)} is no number from 1 to 64.`, { hint: "it says how many contexts are verified at a time" });
  return jobs;
}

class Printer {
  readonly #how: { readonly json: boolean; readonly verbose: boolean; readonly live: boolean };
  readonly #out = new Descriptor(1);
  readonly #counts: Record<ContextReport["outcome"], number> = { verified: 0, unchanged: 0, failed: 0, "would change": 0 };

  constructor(how: { readonly json: boolean; readonly verbose: boolean; readonly live: boolean }) {
    this.#how = how;
  }

  report(report: ContextReport, done: number, total: number): void {
    const { context, outcome, milliseconds, errors, warnings, byDrush, former } = report;
    this.#counts[outcome] += 1;
    if (former !== undefined) this.#counts[former] -= 1;
    if (this.#how.json) {
      const told = errors.map(({ code, message, hint }) => ({ code, message, ...(hint === undefined ? {} : { hint }) }));
      this.#out.write(JSON.stringify({ time: Date.now() / 1000, type: "context", context, outcome, milliseconds: Math.round(milliseconds), errors: told, warnings, done, total, ...(byDrush === undefined ? {} : { byDrush }) }) + "\n");
      return;
    }
    const isQuiet = errors.length === 0 && warnings.length === 0 && outcome !== "would change" && !this.#how.verbose;
    if (!isQuiet) {
      this.#line(`@${context}: ${outcome}${byDrush === undefined ? "" : ` (by the real drush, because of ${byDrush})`} ${Math.round(milliseconds)} ms`);
      for (const error of errors) this.#line(`    error ${error.message} [${error.code}]${error.hint === undefined ? "" : `\n          ${error.hint}`}`);
      for (const warning of warnings) this.#line(`    warning ${warning}`);
    }
    if (this.#how.live) this.#out.write(`\r\u001b[K${done} of ${total} contexts`);
  }

  summary(milliseconds: number): void {
    const counts = Object.entries(this.#counts).filter(([, count]) => count > 0);
    if (this.#how.json) this.#out.write(JSON.stringify({ time: Date.now() / 1000, type: "ended", ...Object.fromEntries(counts), milliseconds: Math.round(milliseconds) }) + "\n");
    else this.#line(`${counts.length === 0 ? "There is nothing to verify" : counts.map(([outcome, count]) => `${count} ${outcome}`).join(", ")} in ${(milliseconds / 1000).toFixed(1)} s`);
  }

  #line(text: string): void {
    this.#out.write(`${this.#how.live ? "\r\u001b[K" : ""}${text}\n`);
  }
}
