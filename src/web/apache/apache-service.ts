import type { HttpService, ServerContext } from "../../contexts/context.ts";
import { ShimError } from "../../errors/shim-error.ts";
import { safePath } from "../safe-values.ts";
import type { ServedCertificate } from "../certificates/served-certificate.ts";

/** @throws ShimError PROVISION_WEB_NO_SERVICE */
export function apacheService(server: ServerContext): HttpService & { readonly paths: NonNullable<HttpService["paths"]> } {
  const { http } = server;
  if (http?.paths === undefined) throw new ShimError("PROVISION_WEB_NO_SERVICE", `The server @${server.name} has no web service.`);
  return { ...http, paths: http.paths };
}

/** The files that Apache's directives name for a certificate. Where the chain has the leaf, one file has both. */
export function certificateLines({ certificate, key, chain, fullChain }: ServedCertificate): { readonly certificate: string; readonly key: string; readonly chain: string | undefined } {
  const safe = (path: string): string => safePath(path, "The path of a certificate");
  return { certificate: safe(chain === undefined ? fullChain : certificate), key: safe(key), chain: chain === undefined ? undefined : safe(chain) };
}
