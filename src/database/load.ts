import { accessSync, closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { ShimError } from "../errors/shim-error.ts";
import { isAbsent, readIfThere } from "../files/look.ts";
import { streamedProcess, type StreamedProcess } from "../processes/streamed-process.ts";
import { clientWords, findClient, hasSandbox, loginFor, SILENCE_MS, type Client, type ClientSettings } from "./clients.ts";
import type { SiteDbAccount } from "./dump.ts";
import { checkedName } from "./site-names.ts";
import { loadSideBySide, loadPieces } from "./load-pieces.ts";
import type { SideBySide } from "./side-by-side.ts";

export interface LoadRequest {
  readonly account: SiteDbAccount;
  /** The dump. */
  readonly file: string;
  /** Told how many bytes of the file are read, of how many. */
  readonly onProgress?: (done: number, total: number) => void;
  /** When a dump is loaded by several clients; unset: when that is worth it here. */
  readonly sideBySide?: SideBySide | undefined;
}

/**
 * Loads a dump into the account's database, which must be empty, by the server's own client: where several do it, one would wait for another's tables while it drops its own. The first statement that fails ends it; the database is then the half of something.
 *
 * @throws ShimError PROVISION_DB_DUMP_NOT_FOUND, PROVISION_DB_DUMP_NOT_READABLE, PROVISION_DB_IMPORT_FAILED with what the client said, PROVISION_INTERRUPTED
 */
export async function loadDatabase(request: LoadRequest, settings: ClientSettings): Promise<void> {
  const { account, file } = request;
  checkedName(account.database, "database", FAILED);
  const descriptor = openDump(file);
  try {
    const client = await findClient("load", settings, FAILED);
    const { size } = fstatSync(descriptor);
    const start = sandboxLength(descriptor);
    const load: Load = { request, settings, client, descriptor, size, start };
    const pieces = loadPieces(load);
    if (pieces === undefined) await loadWhole(load);
    else await loadSideBySide(load, pieces);
  } catch (thrown) {
    throw settings.signal.aborted ? new ShimError("PROVISION_INTERRUPTED", "The import was told to stop.") : thrown;
  } finally {
    closeSync(descriptor);
  }
}

export interface Load {
  readonly request: LoadRequest;
  readonly settings: ClientSettings;
  readonly client: Client;
  /** The open dump. */
  readonly descriptor: number;
  readonly size: number;
  /** Where the dump begins for clients of all kinds. */
  readonly start: number;
}

/** The client gets the file itself: nothing passes through us. */
async function loadWhole(load: Load): Promise<void> {
  const { request, descriptor, start, size } = load;
  // The file's position, which the child takes over.
  readSync(descriptor, Buffer.alloc(start), 0, start, null);
  const child = await startLoadClient(load, descriptor);
  const watch = setInterval(() => {
    const position = Number(/^pos:\s*(\d+)/m.exec(readIfThere(`/proc/self/fdinfo/${descriptor}`)?.toString("latin1") ?? "")?.[1] ?? 0);
    request.onProgress?.(position, size);
  }, WATCH_MS);
  try {
    await loadEnd(load, child);
  } finally {
    clearInterval(watch);
  }
  request.onProgress?.(size, size);
}

const WATCH_MS = 500;

/** @param stdin an open file, or a pipe to write to */
export async function startLoadClient({ client, request, settings }: Load, stdin: number | "pipe"): Promise<StreamedProcess> {
  const login = loginFor(client, request.account, settings);
  try {
    return await streamedProcess({
      file: client.path,
      args: loadArguments(client, login.argument, request.account.database),
      env: settings.env,
      cwd: settings.cwd,
      stdin,
      stdout: "nothing",
      more: [login.descriptor],
      signal: settings.signal,
      // A single statement, such as a new index of a large table, may take its time without a word.
      silenceMs: (settings.silenceMs ?? SILENCE_MS) * LOAD_PATIENCE,
      onStart: settings.onChild,
    });
  } finally {
    closeSync(login.descriptor);
  }
}

const LOAD_PATIENCE = 8;

/** Waits until the client has ended well. */
export async function loadEnd({ client, request }: Load, child: StreamedProcess): Promise<void> {
  const { status, signal, stderr, wasSilent } = await child.ended.catch((cause: unknown) => {
    throw new ShimError(FAILED, `Database import failed: ${client.path} could not be started: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  });
  if (status === 0) return;
  const reason = wasSilent ? "the client did nothing for too long and was ended" : clientWords(stderr, request.account) || `the client was ended by ${signal ?? "nobody"}`;
  throw new ShimError(FAILED, `Database import failed: ${reason}`, { hint: `the dump is ${request.file}` });
}

function loadArguments(client: Client, login: string, database: string): string[] {
  // Commands of the client itself, with which a dump by another could start programs, are refused where the client can do that.
  const refusing = hasSandbox(client) ? ["--sandbox"] : client.flavour === "mysql" ? ["--loose-system-command=OFF"] : [];
  // Comments in the bodies of triggers and routines are part of them.
  return [login, "--batch", "--comments", ...refusing, database];
}

function openDump(file: string): number {
  try {
    accessSync(file, constants.R_OK);
    const descriptor = openSync(file, "r");
    if (fstatSync(descriptor).isFile()) return descriptor;
    closeSync(descriptor);
    throw new Error("it is no file");
  } catch (cause) {
    if (isAbsent(cause)) throw new ShimError("PROVISION_DB_DUMP_NOT_FOUND", `No database dump was found at ${file}.`, { cause });
    throw new ShimError("PROVISION_DB_DUMP_NOT_READABLE", `The database dump at ${file} could not be read.`, { hint: cause instanceof Error ? cause.message : String(cause), cause });
  }
}

/** Length of the first line when only MariaDB's newer clients understand it. */
function sandboxLength(descriptor: number): number {
  const head = Buffer.alloc(256);
  const length = readSync(descriptor, head, 0, head.length, 0);
  return /^\/\*M?!999999\\- [^\n]*\n/.exec(head.toString("latin1", 0, length))?.[0].length ?? 0;
}

const FAILED = "PROVISION_DB_IMPORT_FAILED";
