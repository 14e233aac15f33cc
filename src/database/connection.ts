import type { EventEmitter } from "node:events";
import type { Connection, RowDataPacket } from "mysql2/promise";
import { ShimError } from "../errors/shim-error.ts";
import { onlyAddressInHosts } from "../files/hosts-file.ts";
import { lookBehind } from "../files/look.ts";
import { textFromBytes } from "../php-values/text.ts";

export interface DbAccount {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** Database to use; unset: none. */
  readonly database?: string;
}

export interface ConnectOptions {
  /** Socket for the host `localhost`; unset: the usual places are tried. */
  readonly socket?: string | undefined;
  /** For the connection, and for each statement; milliseconds. */
  readonly timeoutMs: number;
  /** There will be statements that take their time, such as the drop of a large database: each gets so many times as long. Default: 1. */
  readonly patience?: number;
  readonly signal?: AbortSignal;
}

/** A row: column name → text (bytes that are not UTF-8 kept, see php-values/text.ts) or null. */
export type DbRow = Readonly<Record<string, string | null>>;

/** One connection to a MySQL or MariaDB server. */
export interface Db {
  /** @throws the server's error; ShimError PROVISION_DB_CONNECT_FAIL when the connection is lost or nothing comes in time, PROVISION_INTERRUPTED */
  rows(sql: string, values?: readonly (string | number)[]): Promise<DbRow[]>;
  run(sql: string, values?: readonly (string | number)[]): Promise<void>;
  close(): Promise<void>;
}

/** Ten minutes for each statement, where the limit is the usual one. */
export const PATIENCE = 30;

const SOCKETS = ["/run/mysqld/mysqld.sock", "/var/run/mysqld/mysqld.sock", "/var/lib/mysql/mysql.sock", "/tmp/mysql.sock"];

/**
 * Connects as PHP's client library does: the host `localhost` means the Unix socket and the port does not matter then.
 *
 * @throws ShimError PROVISION_DB_CONNECT_FAIL with the server's own reason, never with the password
 */
export async function connectDb(account: DbAccount, options: ConnectOptions): Promise<Db> {
  // 30 ms of start-up: only calls that need a database pay for it.
  const { createConnection } = await import("mysql2/promise");
  const socket = socketFor(account.host, options.socket);
  const connecting = createConnection({
    ...(socket === undefined ? { host: onlyAddressInHosts(account.host) ?? account.host, port: account.port } : { socketPath: socket }),
    user: account.user,
    password: account.password,
    ...(account.database === undefined ? {} : { database: account.database }),
    charset: "utf8mb4",
    multipleStatements: false,
    // A parser made for each kind of row pays off for thousands of them, and is compiled each time.
    disableEval: true,
    connectTimeout: options.timeoutMs,
    typeCast: (field) => {
      const bytes = field.buffer();
      return bytes === null ? null : textFromBytes(bytes);
    },
  });
  try {
    return new OpenDb(await within(connecting, options), { ...options, where: whereIs(account) });
  } catch (thrown) {
    // A connection that comes after all must not stay open.
    connecting.then((late) => late.destroy(), () => undefined);
    if (options.signal?.aborted === true) throw interrupted(thrown);
    throw connectError(account, thrown);
  }
}

/** The Unix socket for that host: the one given, or one of the usual places; undefined for TCP. */
export function socketFor(host: string, given: string | undefined): string | undefined {
  if (host !== "localhost") return undefined;
  return given ?? SOCKETS.find((path) => lookBehind(path)?.isSocket());
}

class OpenDb implements Db {
  readonly #connection: Connection;
  readonly #options: ConnectOptions & { readonly where: string };

  constructor(connection: Connection, options: ConnectOptions & { readonly where: string }) {
    this.#connection = connection;
    this.#options = options;
    // One that breaks while nobody asks shows with the next statement.
    (connection as unknown as EventEmitter).on("error", () => undefined);
  }

  async rows(sql: string, values: readonly (string | number)[] = []): Promise<DbRow[]> {
    const query = this.#connection.query<RowDataPacket[]>({ sql, values: [...values] });
    try {
      const { timeoutMs, patience = 1, signal } = this.#options;
      const [rows] = await within(query, { timeoutMs: timeoutMs * patience, ...(signal === undefined ? {} : { signal }) });
      return rows;
    } catch (thrown) {
      query.catch(() => undefined);
      if (thrown instanceof TimeLimit) this.#connection.destroy();
      // What the server itself says has a state.
      if (thrown instanceof Error && "sqlState" in thrown) throw thrown;
      if (this.#options.signal?.aborted === true) throw interrupted(thrown);
      throw new ShimError("PROVISION_DB_CONNECT_FAIL", `The connection to the database server ${this.#options.where} was lost: ${dbReason(thrown)}`, { hint: "is the server running?", cause: thrown });
    }
  }

  async run(sql: string, values: readonly (string | number)[] = []): Promise<void> {
    await this.rows(sql, values);
  }

  async close(): Promise<void> {
    try {
      await within(this.#connection.end(), { timeoutMs: 1000 });
    } catch {
      this.#connection.destroy();
    }
  }
}

class TimeLimit extends Error {}

async function within<T>(work: Promise<T>, { timeoutMs, signal }: ConnectOptions): Promise<T> {
  let giveUp: (reason: string) => void = () => undefined;
  const limit = new Promise<never>((_, reject) => {
    giveUp = (reason) => {
      reject(new TimeLimit(reason));
    };
  });
  const stop = (): void => {
    giveUp("stopped");
  };
  const timer = setTimeout(() => {
    giveUp(`no answer within ${timeoutMs / 1000} s`);
  }, timeoutMs);
  signal?.addEventListener("abort", stop);
  try {
    return await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", stop);
  }
}

function connectError(account: DbAccount, thrown: unknown): ShimError {
  const where = whereIs(account);
  return new ShimError("PROVISION_DB_CONNECT_FAIL", `Could not connect to the database server ${where} as ${account.user}: ${dbReason(thrown)}`, {
    hint: "is the server running, and are name, password and port right?",
    cause: thrown,
  });
}

function whereIs({ host, port }: DbAccount): string {
  return host === "localhost" ? "localhost" : `${host}:${port}`;
}

function interrupted(cause: unknown): ShimError {
  return new ShimError("PROVISION_INTERRUPTED", "A statement to the database server was told to stop.", { cause });
}

/** The server's reason as one line, with the password of a failed statement out of it. */
export function dbReason(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const { code } = thrown as Error & { code?: string };
  // An AggregateError (all addresses of a host refused) has an empty message.
  const message = thrown.message === "" ? (code ?? "refused") : thrown.message;
  return message.replace(/IDENTIFIED BY\s+'(?:[^'\\]|\\.)*'/gi, "IDENTIFIED BY '…'");
}

/** An identifier in backticks. mysql2's own form would split it at dots. */
export function quoteIdentifier(name: string): string {
  return "`" + name.replaceAll("`", "``") + "`";
}
