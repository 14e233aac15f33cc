import { randomBytes } from "node:crypto";
import { execFileSync } from "node:child_process";
import { lstatSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onFreePort, startServer, type ServerProcess } from "./server-process.ts";
import { type TestUser } from "./test-user.ts";

export type Row = Record<string, unknown>;

export interface Login {
  readonly user: string;
  readonly password: string;
  readonly database?: string;
}

/** A MariaDB of our own on 127.0.0.1, whose administrator is `aegir_root` as on a host of Aegir. */
export interface MariaDb {
  readonly port: number;
  readonly socket: string;
  /** Its data directory. */
  readonly data: string;
  readonly pid: number;
  readonly admin: Login;
  /** The value of a server's property `master_db`. */
  readonly masterDb: string;
  /** For programs that take the host name `localhost` to mean the socket: clients by the variable, PHP by a directory with an .ini file. */
  readonly env: NodeJS.ProcessEnv;
  /** Runs statements, more than one if wanted; answers the rows of a single one. By the administrator unless told otherwise. */
  query: (sql: string, login?: Login) => Promise<Row[]>;
  stop: () => Promise<void>;
  /** Starts it again after a stop, with its data and on its port. */
  startAgain: () => Promise<void>;
}

// Durability is of no use to data that is thrown away, and small files are quickly copied.
const LAYOUT = ["--innodb-log-file-size=4M", "--innodb-data-file-path=ibdata1:4M:autoextend", "--innodb-autoextend-increment=1", "--innodb-fast-shutdown=1"];
const QUICK = [
  "--skip-log-bin", "--innodb-flush-log-at-trx-commit=0", "--innodb-flush-method=nosync", "--skip-innodb-doublewrite", "--sync-frm=0",
  "--innodb-buffer-pool-size=24M", "--key-buffer-size=1M", "--aria-pagecache-buffer-size=1M", "--performance-schema=0", "--max-connections=60",
];

/**
 * Starts it below `directory`, which must not be there yet. The first start for a version of MariaDB makes a template of the data
 * directory (some seconds); later ones copy it.
 */
export async function startMariadb(user: TestUser, directory: string, { addresses = [] }: { readonly addresses?: readonly string[] } = {}): Promise<MariaDb> {
  const data = join(directory, "data");
  const socket = socketIn(directory);
  const init = join(directory, "accounts.sql");
  const admin = { user: "aegir_root", password: randomBytes(12).toString("hex") };
  mkdirSync(directory);
  mkdirSync(join(directory, "tmp"));
  writeFileSync(init, accounts(admin), { mode: 0o600 });
  writeFileSync(join(directory, "localhost.ini"), `pdo_mysql.default_socket=${socket}\nmysqli.default_socket=${socket}\n`);
  execFileSync("cp", ["-a", "--reflink=auto", await template(user), data]);
  user.own(directory);
  const first = await onFreePort(async (port) => ({ port, server: await start(user, { data, socket, init, port, addresses }) }));
  const { port } = first;
  let { server } = first;
  return {
    port,
    socket,
    data,
    pid: server.pid,
    admin,
    masterDb: `mysql://${admin.user}:${admin.password}@127.0.0.1:${port}`,
    env: { MYSQL_UNIX_PORT: socket, PHP_INI_SCAN_DIR: `:${directory}` },
    query: (sql, login = admin) => query(socket, sql, login),
    stop: () => server.stop(),
    startAgain: async () => {
      server = await start(user, { data, socket, init, port, addresses });
    },
  };
}

/** The socket of the MariaDB that is started, or will be, below the directory. */
export function socketIn(directory: string): string {
  return join(directory, "mysqld.sock");
}

interface Place {
  readonly data: string;
  readonly socket: string;
  readonly init: string;
  readonly port: number;
  /** Where it listens beside 127.0.0.1. */
  readonly addresses: readonly string[];
}

function start(user: TestUser, { data, socket, init, port, addresses }: Place): Promise<ServerProcess> {
  return startServer({
    user,
    command: [
      "mariadbd", "--no-defaults", `--datadir=${data}`, `--socket=${socket}`, `--bind-address=${["127.0.0.1", ...addresses].join(",")}`, `--port=${port}`,
      `--pid-file=${join(data, "mariadbd.pid")}`, `--init-file=${init}`,
      // A server that starts removes all temporary tables from there, those of another one too.
      `--tmpdir=${join(data, "../tmp")}`,
      // Debian's own choice, which its configuration files make.
      "--character-set-server=utf8mb4", "--collation-server=utf8mb4_general_ci",
      ...LAYOUT, ...QUICK,
    ],
    // Said after the accounts were made.
    isReady: (output) => output.includes("ready for connections"),
  });
}

function accounts(admin: Login): string {
  const administrators = ["localhost", "127.0.0.1"].map((host) => `'${admin.user}'@'${host}'`);
  return [
    ...administrators.map((account) => `CREATE OR REPLACE USER ${account} IDENTIFIED BY '${admin.password}';`),
    ...administrators.map((account) => `GRANT ALL PRIVILEGES ON *.* TO ${account} WITH GRANT OPTION;`),
    // Anonymous accounts would answer the probe that must fail (db.md §6.1), and nobody needs root.
    "DELETE FROM mysql.global_priv WHERE User IN ('', 'root');",
    "FLUSH PRIVILEGES;",
    "",
  ].join("\n");
}

async function query(socketPath: string, sql: string, login: Login): Promise<Row[]> {
  const { createConnection } = await import("mysql2/promise");
  const connection = await createConnection({ socketPath, ...login, multipleStatements: true });
  try {
    const [rows] = await connection.query(sql);
    return Array.isArray(rows) ? (rows as Row[]) : [];
  } finally {
    await connection.end();
  }
}

/** Directory to copy, one per version, user and layout; somebody else's directory of that name is not touched. */
async function template(user: TestUser): Promise<string> {
  const version = /\d+\.\d+\.\d+/.exec((await user.run(["mariadbd", "--no-defaults", "--version"], { cwd: "/" })).stdout)?.[0] ?? "unknown";
  const kept = join(tmpdir(), `provision-shim-mariadb-${version}-${user.uid}-1`);
  const found = lstatSync(kept, { throwIfNoEntry: false });
  if (found !== undefined) {
    if (found.isDirectory() && found.uid === user.uid && (found.mode & 0o022) === 0) return kept;
    throw new Error(`${kept} is not a directory of ${user.name} alone; remove it.`);
  }
  const fresh = mkdtempSync(`${kept}-`);
  user.own(fresh);
  const data = join(fresh, "data");
  await user.run([
    "mariadb-install-db", "--no-defaults", `--datadir=${data}`, "--auth-root-authentication-method=normal", "--skip-test-db", ...LAYOUT, ...QUICK,
  ], { cwd: "/" });
  try {
    renameSync(data, kept);
  } catch (error) {
    // Another test file was quicker; its template is as good.
    if (lstatSync(kept, { throwIfNoEntry: false }) === undefined) throw error;
  }
  rmSync(fresh, { recursive: true, force: true });
  return kept;
}
