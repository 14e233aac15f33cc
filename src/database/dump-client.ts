import { closeSync } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { ShimError } from "../errors/shim-error.ts";
import { writeError } from "../files/write-whole.ts";
import { streamedProcess } from "../processes/streamed-process.ts";
import { Appender } from "./appender.ts";
import { clientWords, loginFor, SILENCE_MS, type Client, type ClientSettings } from "./clients.ts";
import type { DbAccount } from "./connection.ts";
import { DefinerFilter } from "./definer-filter.ts";

/** One dump: its clients share it. */
export interface DumpRun {
  readonly client: Client;
  readonly settings: ClientSettings;
  /** Name of the file, for messages. */
  readonly target: string;
  /** Told how many more bytes are written. */
  readonly onBytes: (count: number) => void;
}

export interface DumpPart {
  readonly account: DbAccount;
  readonly args: readonly string[];
  /** Told when the client has begun to read its first table. */
  readonly onFirstTable?: () => void;
}

/** Runs one client and appends what it says to the file. */
export async function dumpPart(file: FileHandle, run: DumpRun, part: DumpPart): Promise<void> {
  const { client, settings } = run;
  const login = loginFor(client, part.account, settings);
  const args = [login.argument, ...optionsFor(client), ...part.args];
  let child;
  try {
    child = await streamedProcess({
      file: client.path,
      args,
      env: settings.env,
      cwd: settings.cwd,
      stdin: "nothing",
      stdout: "pipe",
      more: [login.descriptor],
      signal: settings.signal,
      silenceMs: settings.silenceMs ?? SILENCE_MS,
      onStart: settings.onChild,
    });
  } finally {
    closeSync(login.descriptor);
  }
  const filter = new DefinerFilter();
  const appender = new Appender(file, (to, piece) => writeAll(to, piece, run.target));
  let end = "";
  let beginning = "";
  let isBeginning = true;
  const write = async (pieces: readonly Buffer[]): Promise<void> => {
    for (const piece of pieces) {
      await appender.add(piece);
      run.onBytes(piece.length);
      end = (end + piece.subarray(-TAIL).toString("latin1")).slice(-TAIL);
    }
    if (isBeginning) {
      beginning += pieces.map((piece) => piece.toString("latin1")).join("");
      isBeginning = !/^-- (?:Table structure|Temporary)/m.test(beginning) && beginning.length < BEGINNING;
      if (!isBeginning) part.onFirstTable?.();
    }
  };
  try {
    for await (const chunk of child.stdout ?? []) {
      child.alive();
      await write(filter.push(chunk as Buffer));
    }
    await write(filter.end());
    await appender.end();
  } catch (thrown) {
    child.kill();
    // The file must not be closed while something is written to it.
    await appender.end().catch(() => undefined);
    throw thrown;
  }
  const { status, signal, stderr, wasSilent } = await child.ended.catch((thrown: unknown) => {
    throw failure(`Could not run mysqldump for backups (${thrown instanceof Error ? thrown.message : String(thrown)})`, thrown);
  });
  if (status !== 0) {
    const reason = wasSilent ? "it did nothing for too long and was ended" : clientWords(stderr, part.account) || `it was ended by ${signal ?? "nobody"}`;
    throw failure(`Could not write database backup file mysqldump (command: ${[client.path, ...args].join(" ")}) (error: ${reason})`);
  }
  // A client behind a wrapper may end well without having said everything.
  if (!end.includes("-- Dump completed")) throw failure(`Could not write database backup file mysqldump (command: ${[client.path, ...args].join(" ")}) (error: the dump has no end)`);
}

/** More than the last line of a dump. */
const TAIL = 256;
/** More than a client says before its first table. */
const BEGINNING = 65_536;

/** As Provision calls it, and what newer clients and servers need. */
function optionsFor({ flavour, version }: Client): string[] {
  const common = ["--single-transaction", "--quick", "--no-autocommit", "--skip-add-locks", "--hex-blob", "--no-tablespaces"];
  if (flavour === "mariadb") return common;
  // The account that loads the dump may not set the server's transaction identifiers, and statistics are not MariaDB's nor 5.7's.
  return [...common, "--set-gtid-purged=OFF", ...(version >= 8_000_000 ? ["--column-statistics=0"] : [])];
}

export async function writeAll(file: FileHandle, piece: Buffer, name: string): Promise<void> {
  try {
    for (let written = 0; written < piece.length; ) written += (await file.write(piece, written)).bytesWritten;
  } catch (thrown) {
    const error = writeError(name, thrown);
    throw error.code === "FILE_NO_SPACE" ? error : failure(`Could not write database backup file mysqldump (${error.message})`, thrown);
  }
}

export const FAILED = "PROVISION_BACKUP_FAILED";

export function failure(message: string, cause?: unknown): ShimError {
  return new ShimError(FAILED, message, cause === undefined ? {} : { cause });
}
