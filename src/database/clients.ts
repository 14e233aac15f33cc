import { realpathSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { ShimError } from "../errors/shim-error.ts";
import { isProgram } from "../files/look.ts";
import type { Remembered } from "../files/remembered.ts";
import { runProcess } from "../processes/run-process.ts";
import { socketFor, type DbAccount } from "./connection.ts";
import { optionsFile } from "./options-file.ts";

/** How the clients of the database are started. */
export interface ClientSettings {
  /** Environment of the children; it holds the PATH in which they are searched, and nothing secret. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Socket for the host `localhost`; unset: the client's own choice. */
  readonly socket?: string | undefined;
  readonly signal: AbortSignal;
  /** Keeps what version a client is of. */
  readonly remembered?: Remembered | undefined;
  /** A client that does nothing for so long is ended; milliseconds. */
  readonly silenceMs?: number;
  /** Told of each child that is started. */
  readonly onChild?: (pid: number) => void;
}

export const SILENCE_MS = 900_000;

export interface Client {
  readonly path: string;
  readonly flavour: "mariadb" | "mysql";
  /** Of the distribution, as 1,000,000 × major + 1,000 × minor + patch; 0 when it did not say. */
  readonly version: number;
}

const NAMES = { dump: ["mariadb-dump", "mysqldump"], load: ["mariadb", "mysql"] } as const;

/**
 * The client that dumps, or the one that loads, by either of its names; MariaDB's comes first, as its other name is to disappear. What it says of itself is remembered
 * as long as the file is the same.
 *
 * @throws ShimError with the code when there is none
 */
export async function findClient(role: keyof typeof NAMES, settings: ClientSettings, code: string): Promise<Client> {
  const folders = (settings.env["PATH"] ?? "").split(":").filter((folder) => folder.startsWith("/"));
  const path = NAMES[role].flatMap((name) => folders.map((folder) => join(folder, name))).find(isProgram);
  if (path === undefined) {
    throw new ShimError(code, `Neither ${NAMES[role].join(" nor ")} is in the PATH of the backend's user.`, { hint: "install the client of the database server (mariadb-client or mysql-client)" });
  }
  const { mtimeMs, size, ino } = statSync(path);
  const key = `${realpathSync(path)} ${mtimeMs} ${size} ${ino}`;
  const [knownKey, ...known] = (settings.remembered?.get(`client-${role}`) ?? "").split("\n");
  const text = knownKey === key ? known.join("\n") : await versionText(path, settings);
  if (knownKey !== key) settings.remembered?.set(`client-${role}`, `${key}\n${text}`);
  const isMariadb = /MariaDB/i.test(text) || basename(path).startsWith("mariadb");
  // MariaDB: `Ver 10.19 Distrib 10.11.19-MariaDB`, later `from 11.4.3-MariaDB`; MySQL: `Ver 8.0.36 for Linux`.
  const numbers = /(?:Distrib|from) (\d+)\.(\d+)\.(\d+)/.exec(text) ?? /Ver (\d+)\.(\d+)\.(\d+)/.exec(text);
  const version = numbers === null ? 0 : Number(numbers[1]) * 1_000_000 + Number(numbers[2]) * 1000 + Number(numbers[3]);
  return { path, flavour: isMariadb ? "mariadb" : "mysql", version };
}

async function versionText(path: string, { env, cwd }: ClientSettings): Promise<string> {
  try {
    const { stdout } = await runProcess({ file: path, args: ["--version"], env, cwd, timeoutMs: 10_000, maxOutputBytes: 4096 });
    return stdout.toString("utf8").trim();
  } catch {
    // It will say what is wrong when it is to work.
    return "";
  }
}

/** The options for the login in a file that only the child can read, and the argument that names it; the caller closes the descriptor. */
export function loginFor(client: Client, account: DbAccount, settings: ClientSettings): { readonly descriptor: number; readonly argument: string } {
  // Nobody verifies certificates here: MariaDB's clients do since 11.4, and would refuse the server's own.
  const more = client.flavour === "mariadb" ? ["loose-disable-ssl-verify-server-cert"] : [];
  const socket = socketFor(account.host, settings.socket ?? settings.env["MYSQL_UNIX_PORT"]);
  // As our own connection does where there is no socket.
  if (account.host === "localhost" && socket === undefined) more.push("protocol=TCP");
  return { descriptor: optionsFile(account, socket, more), argument: "--defaults-file=/dev/fd/3" };
}

/** Since then MariaDB's client can be kept from commands such as `\!`, which a dump by another could hold. */
export function hasSandbox({ flavour, version }: Client): boolean {
  if (flavour !== "mariadb") return false;
  const series: readonly (readonly [from: number, before: number])[] = [[10_005_025, 10_006_000], [10_006_018, 10_007_000], [10_011_008, 10_012_000], [11_000_006, 11_001_000], [11_001_005, 11_002_000], [11_002_004, 11_003_000], [11_004_002, Infinity]];
  return series.some(([from, before]) => version >= from && version < before);
}

/** What a client said, as one line, with the password out of it should it ever be there. */
export function clientWords(stderr: string, account: DbAccount): string {
  const words = stderr.replace(/\s*\n\s*/g, "; ").trim();
  return account.password.length < 4 ? words : words.replaceAll(account.password, "***");
}
