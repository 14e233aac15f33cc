import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type AegirHome } from "./aegir-home.ts";
import { startServer } from "./server-process.ts";

/** A PHP-FPM of our own with one pool, run by the test's user. */
export interface PhpFpm {
  readonly socket: string;
  /** What is wrong in PHP code, notices too; empty when all is well. */
  phpErrors: () => string;
  stop: () => Promise<void>;
}

/** Starts it in `beside` the home. PHP takes the database host `localhost` to mean that socket, which need not be there. */
export async function startPhpFpm({ beside, user }: AegirHome, databaseSocket = "/nonexistent"): Promise<PhpFpm> {
  const directory = join(beside, "php-fpm");
  mkdirSync(directory);
  const [socket, log, phpLog, file] = ["php8.2-fpm.sock", "fpm.log", "php.log", "fpm.conf"].map((name) => join(directory, name)) as [string, string, string, string];
  writeFileSync(phpLog, "");
  writeFileSync(file, configuration({ socket, log, phpLog, databaseSocket }));
  user.own(directory);
  const server = await startServer({
    user,
    command: [program(), "-F", "-y", file],
    isReady: () => existsSync(socket) && existsSync(log) && readFileSync(log, "utf8").includes("ready to handle connections"),
  });
  return { socket, phpErrors: () => readFileSync(phpLog, "utf8"), stop: () => server.stop() };
}

function program(): string {
  const name = readdirSync("/usr/sbin").filter((file) => /^php-fpm\d/.test(file)).sort().at(-1);
  if (name === undefined) throw new Error("There is no php-fpm in /usr/sbin (package php-fpm).");
  return join("/usr/sbin", name);
}

function configuration({ socket, log, phpLog, databaseSocket }: { readonly socket: string; readonly log: string; readonly phpLog: string; readonly databaseSocket: string }): string {
  return `[global]
error_log = ${log}
log_level = notice
daemonize = no

[www]
listen = ${socket}
pm = static
pm.max_children = 3
php_admin_value[error_reporting] = 32767
php_admin_flag[display_errors] = off
php_admin_flag[log_errors] = on
php_admin_value[error_log] = ${phpLog}
php_admin_value[pdo_mysql.default_socket] = ${databaseSocket}
php_admin_value[mysqli.default_socket] = ${databaseSocket}
php_admin_flag[opcache.enable] = off
`;
}
