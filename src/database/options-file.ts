import { tmpdir } from "node:os";
import { ShimError } from "../errors/shim-error.ts";
import { unnamedFile } from "../files/unnamed-file.ts";
import { bytesFromText } from "../php-values/text.ts";
import type { DbAccount } from "./connection.ts";

/**
 * An options file for the clients, with the login in it, that has no name any more: a child that gets the descriptor as its third reads it as `/dev/fd/3`. (A pipe
 * of Node's is a pair of sockets, which cannot be opened that way.) The password is never in a file with a name, in arguments or in the environment.
 *
 * @returns the descriptor; the caller closes it once the child was started
 * @throws ShimError PROVISION_DB_CONNECT_FAIL for a value that such a file cannot hold
 */
export function optionsFile(account: DbAccount, socket: string | undefined, more: readonly string[] = []): number {
  const { host, port, user, password } = account;
  const lines = [
    "[client]",
    `host=${quoted(host)}`,
    `user=${quoted(user)}`,
    `password=${quoted(password)}`,
    `port=${port}`,
    ...(host === "localhost" && socket !== undefined ? [`socket=${quoted(socket)}`] : []),
    "default-character-set=utf8mb4",
    ...more,
    "",
  ];
  return unnamedFile(bytesFromText(lines.join("\n")), tmpdir());
}

function quoted(value: string): string {
  if (/[\n\r\0]/.test(value)) {
    throw new ShimError("PROVISION_DB_CONNECT_FAIL", "A database credential has a line break or a NUL in it, which the clients of the server cannot take.", { hint: "give the account another password" });
  }
  return `"${value.replace(/["\\]/g, "\\$&")}"`;
}
