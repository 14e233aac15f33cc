import { resolve } from "node:path";
import { verifyBackup } from "../backups/examine.ts";
import { listBackups, type ListedBackup } from "../backups/list.ts";
import type { Contexts } from "../contexts/contexts.ts";
import { contextName } from "../contexts/names.ts";
import { ShimError } from "../errors/shim-error.ts";
import { readInvocation } from "../invocation.ts";
import { openContexts } from "../native-call.ts";
import { plainPhpEnvironment } from "../real-drush/environment.ts";
import { Descriptor } from "../reporters/descriptor.ts";
import { onlyOptions } from "./arguments.ts";
import { EXIT, type CliCall } from "./cli-call.ts";
import { printReport } from "./print.ts";

/** `provision backups list [@site]`. */
export async function backups(call: CliCall): Promise<number> {
  const [verb, site, ...more] = call.arguments.words;
  onlyOptions(call.arguments, []);
  if (verb !== "list" || more.length > 0) {
    throw new ShimError("CLI_BAD_ARGUMENT", `provision backups ${call.arguments.words.join(" ")} is not known.`, { hint: "provision backups list [@site]; provision backup verify FILE" });
  }
  const contexts = await openContexts(await readInvocation({ words: [], lib: call.lib, cwd: process.cwd(), variables: process.env }));
  const { backupPath } = await contexts.master();
  const found = listBackups(backupPath, site === undefined ? undefined : await uriOf(site, contexts));
  const width = Math.max(0, ...found.map(({ size }) => sizeText(size).length));
  const report = found.map(({ file, uri, date, size, checksums }) => ({ file, site: uri ?? null, date, size, checksums: checksums ?? null }));
  printReport(call, { backups: report }, found.length === 0 ? [`There are no backups${site === undefined ? "" : ` of ${site}`} in ${backupPath}.`] : found.map((backup) => line(backup, width)));
  return EXIT.ok;
}

function line({ file, date, size, checksums }: ListedBackup, width: number): string {
  return `${date.slice(0, 19).replace("T", " ")}  ${sizeText(size).padStart(width)}  ${file}${checksums === false ? "  (without checksums)" : ""}`;
}

async function uriOf(site: string, contexts: Contexts): Promise<string> {
  const context = await contexts.existing(contextName(site));
  if (context.type !== "site") throw new ShimError("PROVISION_WRONG_CONTEXT_TYPE", `Backups are of sites, but @${context.name} is a ${context.type}.`);
  return context.uri ?? context.name;
}

/** `provision backup verify FILE`. */
export async function verify(call: CliCall): Promise<number> {
  const [, given, ...more] = call.arguments.words;
  onlyOptions(call.arguments, []);
  if (given === undefined || more.length > 0) throw new ShimError("CLI_BAD_ARGUMENT", "provision backup verify wants one file.", { hint: "provision backup verify FILE" });
  const file = resolve(given);
  const { json } = call.arguments;
  const progress = json || !process.stdout.isTTY ? undefined : new LiveProgress(file);
  const check = await verifyBackup(file, { env: plainPhpEnvironment(process.env), signal: call.signal, ...(progress === undefined ? {} : { onRead: (bytes) => progress.tell(bytes) }) }).finally(() => progress?.end());
  const { size, members, bytes, manifest } = check;
  const what = `${members} members with ${sizeText(bytes)}, ${sizeText(size)} in the archive`;
  const lines =
    manifest === undefined
      ? [`${file} can be read to its end: ${what}.`, "It has no checksums: it was not made by provision-shim."]
      : [
          `${file} is whole: ${what}; every checksum is right.`,
          `Site ${manifest.facts.uri} (@${manifest.facts.site}), made ${manifest.facts.made}, ${manifest.facts.database === null ? "without a database" : `database ${manifest.facts.database}`}.`,
          ...manifest.end.unsteady.map((path) => `When it was made, ${path} changed each time it was read, or could not be read.`),
        ];
  printReport(call, { file, whole: true, checksums: manifest !== undefined, members, bytes, size, packing: check.packing, ...(manifest === undefined ? {} : { backup: manifest.facts, unsteady: manifest.end.unsteady }) }, lines);
  return EXIT.ok;
}

/** How far reading has come, on one line of a terminal. */
class LiveProgress {
  readonly #out = new Descriptor(1);
  readonly #file: string;
  #next = 0;

  constructor(file: string) {
    this.#file = file;
  }

  tell(bytes: number): void {
    if (bytes < this.#next) return;
    this.#next = bytes + STEP;
    this.#out.write(`\r\u001b[K  … ${this.#file}: ${sizeText(bytes)} read`);
  }

  end(): void {
    this.#out.write("\r\u001b[K");
  }
}

const STEP = 8_000_000;

function sizeText(bytes: number): string {
  const [unit, factor] = bytes < 1e3 ? ["bytes", 1] : bytes < 1e6 ? ["kB", 1e3] : bytes < 1e9 ? ["MB", 1e6] : ["GB", 1e9];
  return `${(bytes / factor).toFixed(factor === 1 ? 0 : 1)} ${unit}`;
}
