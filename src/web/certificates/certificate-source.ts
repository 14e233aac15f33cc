import { join } from "node:path";
import { property, type ServerContext } from "../../contexts/context.ts";
import { HTTPS_DRIVERS } from "../../contexts/http-service.ts";
import { ShimError } from "../../errors/shim-error.ts";

/** Where the certificate of a key comes from, before its copies are put where the web server reads them. */
export interface CertificateSource {
  readonly directory: string;
  readonly certificate: string;
  readonly key: string;
  /** Intermediates, or leaf and intermediates; it need not be there. */
  readonly chain: string | undefined;
  /** Who makes what is missing. */
  readonly maker: "we" | "lets encrypt";
}

/** The server's own key, of which the virtual host for unknown names has its certificate. */
export const DEFAULT_KEY = "default";

/** Folder of all certificates, which all servers share and where an administrator, or a tool for certificates, puts his own. */
export function centralStore(server: ServerContext): string {
  return storePath(server, "ssld_path");
}

/** Folder of the copies that one server reads. */
export function serverStore(server: ServerContext): string {
  return storePath(server, "http_ssld_path");
}

export function certificateSource(server: ServerContext, key: string): CertificateSource {
  const directory = join(centralStore(server), checkedKey(key, server));
  const isHttps = HTTPS_DRIVERS.has(server.http?.driver ?? "");
  if (isHttps && property(server, "Certificate_service_type") === "LetsEncrypt") {
    return { directory, certificate: join(directory, "fullchain.pem"), key: join(directory, "privkey.pem"), chain: undefined, maker: "lets encrypt" };
  }
  return { directory, certificate: join(directory, "openssl.crt"), key: join(directory, "openssl.key"), chain: isHttps ? undefined : join(directory, "openssl_chain.crt"), maker: "we" };
}

/** Where the server has its copies for the key. */
export function servedDirectory(server: ServerContext, key: string): string {
  return join(serverStore(server), checkedKey(key, server));
}

/**
 * The front end allows lower-case letters, digits, `.`, `_` and `-`; here the key becomes a path.
 *
 * @throws ShimError PROVISION_WEB_BAD_VALUE
 */
function checkedKey(key: string, server: ServerContext): string {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/.test(key)) return key;
  throw new ShimError("PROVISION_WEB_BAD_VALUE", `ssl_key is ${JSON.stringify(key.slice(0, 200))}, which cannot be the name of a certificate on @${server.name}.`, { hint: "letters, digits, `.`, `_` and `-`, beginning with a letter or digit" });
}

function storePath(server: ServerContext, name: string): string {
  const path = property(server, name);
  if (path?.startsWith("/") !== true) throw new ShimError("PROVISION_WEB_NO_SERVICE", `The server @${server.name} has no service that serves HTTPS.`);
  return path;
}
