import { ShimError } from "../errors/shim-error.ts";

/** Who the administrator of a database server is. The port of the URL is ignored: the server's `db_port` counts. */
export interface DbAdministrator {
  readonly host: string;
  readonly user: string;
  readonly password: string;
}

/**
 * Takes `mysql://user:password@host[:port]` apart as Provision does: split first, then each part is form-url-decoded.
 *
 * @throws ShimError PROVISION_DB_CONNECT_FAIL when it has no such form; the text of the URL is never in the message
 */
export function parseMasterDb(url: string | undefined): DbAdministrator {
  const match = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)([/?#].*)?$/i.exec(url ?? "");
  const authority = match?.[1] ?? "";
  const at = authority.lastIndexOf("@");
  const host = (at < 0 ? authority : authority.slice(at + 1)).replace(/:\d*$/, "");
  // A raw `#`, `?` or `/` in a password cuts the authority off in front of its host.
  if (host === "" || (at < 0 && (match?.[2] ?? "").includes("@"))) {
    throw new ShimError("PROVISION_DB_CONNECT_FAIL", "The server's master_db is no usable URL of the form mysql://user:password@host.", {
      hint: "write special characters of the password as %HH",
    });
  }
  const [user = "", ...password] = (at < 0 ? "" : authority.slice(0, at)).split(":");
  return { host: formDecode(host), user: formDecode(user), password: formDecode(password.join(":")) };
}

function formDecode(text: string): string {
  const bytes = text.replaceAll("+", " ").replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  // Only escapes made one character a byte; what was not ASCII before is left as it was.
  return /[\u0080-\u00ff]/.test(bytes) && !/[^\u0000-\u00ff]/.test(bytes) ? Buffer.from(bytes, "latin1").toString("utf8") : bytes;
}
