import { join } from "node:path";
import { property, type ServerContext } from "../../contexts/context.ts";
import { ShimError } from "../../errors/shim-error.ts";
import { lookAt, lookBehind, namesIn, readIfThere } from "../../files/look.ts";
import { textFromBytes } from "../../php-values/text.ts";
import { goneFile, type WebFileChange } from "../web-file.ts";
import { certificateSource, servedDirectory, type CertificateSource } from "./certificate-source.ts";
import { chainOf } from "./pem.ts";

/** A certificate as a web server's configuration names it, and what must be written for that. */
export interface ServedCertificate {
  /** Paths, for the configuration. */
  readonly certificate: string;
  readonly key: string;
  /** Intermediates to be sent after `certificate`; undefined when there are none, or when the leaf stands among them: then `fullChain` has all. */
  readonly chain: string | undefined;
  /** Leaf and intermediates in one file; `certificate` itself when there are no intermediates. */
  readonly fullChain: string;
  /** Copies to write, and those whose source is gone. */
  readonly changes: readonly WebFileChange[];
}

/** What there is: something to serve, or a reason why there is nothing, or what Provision makes when it is missing. */
export type CertificateLook = { readonly served: ServedCertificate } | { readonly problem: ShimError } | { readonly missing: readonly ("certificate" | "key")[] };

/** How the notes end that say which sites use a certificate. */
export const RECEIPT = ".receipt";

/** What `prepare…` has found to be of no use, by server: the files of this call leave it out. */
const unusable = new WeakMap<ServerContext, Set<string>>();

export function noteUnusable(server: ServerContext, key: string): void {
  unusable.set(server, (unusable.get(server) ?? new Set()).add(key));
}

/**
 * The certificate of the key on the server; undefined when HTTPS must be left out. One that is not there yet will be, by the time that the configuration is
 * read: `prepare…` makes it before.
 *
 * @param writer uri of the site whose virtual host will name it; without one it is the server's own file
 */
export function servedCertificate(server: ServerContext, key: string, writer?: string): ServedCertificate | undefined {
  if (unusable.get(server)?.has(key) === true) return undefined;
  const look = lookForCertificate(server, key, writer);
  if ("served" in look) return look.served;
  if ("problem" in look) return undefined;
  const { certificate, key: keyFile } = servedPaths(servedDirectory(server, key));
  return { certificate, key: keyFile, chain: undefined, fullChain: certificate, changes: [] };
}

export function lookForCertificate(server: ServerContext, key: string, writer?: string): CertificateLook {
  const directory = servedDirectory(server, key);
  const source = certificateSource(server, key);
  // A tool for certificates has linked the folder to its own: what is there is used as it is, and never written.
  const isForeign = lookAt(directory)?.isSymbolicLink() === true;
  const places = isForeign ? servedPaths(directory) : originsOf(directory, source);
  const read = readAll(places);
  if (read instanceof ShimError) return { problem: read };
  const { certificate, key: keyText, chain } = read;
  if (certificate === undefined || keyText === undefined) {
    const missing = (["certificate", "key"] as const).filter((name) => read[name] === undefined);
    return isForeign ? { problem: copyFailure(missing[0] ?? "certificate", places[missing[0] ?? "certificate"], "there is no such file") } : { missing };
  }
  return { served: build(server, { directory, isForeign, places, certificate, keyText, chain, writer }) };
}

interface Places {
  readonly certificate: string;
  readonly key: string;
  /** Undefined where the source has no chain of its own. */
  readonly chain: string | undefined;
}

function servedPaths(directory: string): Places & { readonly chain: string } {
  return { certificate: join(directory, "openssl.crt"), key: join(directory, "openssl.key"), chain: join(directory, "openssl_chain.crt") };
}

/** Where each file's content comes from: a link among the copies leads to something of an administrator, which is not overwritten through it. */
function originsOf(directory: string, source: CertificateSource): Places {
  const served = servedPaths(directory);
  const origin = <T extends string | undefined>(path: string, from: T): string | T => (isLinkToFile(path) ? path : from);
  return { certificate: origin(served.certificate, source.certificate), key: origin(served.key, source.key), chain: origin(served.chain, source.chain) };
}

function isLinkToFile(path: string): boolean {
  return lookAt(path)?.isSymbolicLink() === true && lookBehind(path)?.isFile() === true;
}

interface Parts extends Pick<CertificateSource, "directory"> {
  readonly isForeign: boolean;
  readonly places: Places;
  readonly certificate: string;
  readonly keyText: string;
  readonly chain: string | undefined;
  readonly writer: string | undefined;
}

function build(server: ServerContext, parts: Parts): ServedCertificate {
  const { directory, isForeign, places, certificate, keyText, chain: chainText, writer } = parts;
  const served = servedPaths(directory);
  const chain = chainText === undefined ? undefined : chainOf(certificate, chainText);
  // Only nginx needs leaf and intermediates in one file where the chain has intermediates alone.
  const needsWhole = chain !== undefined && !chain.isWhole && (chain.hasLeaf || server.http?.application === "nginx");
  const whole = isForeign ? `${directory}.fullchain.crt` : join(directory, "openssl_fullchain.crt");
  const copies: WebFileChange[] = [
    ...(places.certificate === served.certificate ? [] : [{ path: served.certificate, content: certificate, label: "certificate" }]),
    ...(places.key === served.key ? [] : [{ path: served.key, content: keyText, label: "certificate's key", mode: 0o600 }]),
    ...(chainText !== undefined && places.chain !== served.chain ? [{ path: served.chain, content: chainText, label: "certificate chain" }] : []),
    ...(needsWhole ? [{ path: whole, content: chain.whole, label: "certificate with its chain" }] : []),
  ];
  const stale = isForeign ? [] : [...(chain === undefined ? [served.chain] : []), ...(needsWhole ? [] : [whole])];
  return {
    certificate: served.certificate,
    key: served.key,
    chain: chain === undefined || chain.hasLeaf ? undefined : served.chain,
    fullChain: chain === undefined ? served.certificate : needsWhole ? whole : chain.isWhole ? served.chain : served.certificate,
    changes: [...copies, ...stale.filter((path) => lookAt(path) !== undefined && !isNamedElsewhere(server, path, { directory, writer })).map((path) => goneFile({ path, label: "certificate chain" }))],
  };
}

/**
 * Another site may have the same certificate, and its virtual host, which is not written now, may still name a file that is no longer wanted: without it
 * the server could not start.
 */
function isNamedElsewhere(server: ServerContext, path: string, { directory, writer }: Pick<Parts, "directory" | "writer">): boolean {
  const vhosts = server.http?.paths?.vhost ?? "";
  const others = namesIn(directory).flatMap((name) => (name.endsWith(RECEIPT) && name !== `${writer ?? ""}${RECEIPT}` ? [name.slice(0, -RECEIPT.length)] : []));
  const files = others.flatMap((name) => [join(vhosts, name), join(vhosts, `${name}.conf`)]);
  if (writer !== undefined) files.push(...["apache.conf", "nginx.conf"].map((name) => join(server.configPath, name)));
  return files.some((file) => readIfThere(file)?.includes(path) === true);
}

function readAll(places: Places): { readonly certificate: string | undefined; readonly key: string | undefined; readonly chain: string | undefined } | ShimError {
  const texts: Partial<Record<keyof Places, string | undefined>> = {};
  for (const name of ["certificate", "key", "chain"] as const) {
    const path = places[name];
    if (path === undefined) continue;
    try {
      const bytes = readIfThere(path);
      texts[name] = bytes === undefined ? undefined : textFromBytes(bytes);
    } catch (thrown) {
      return copyFailure(name, path, thrown instanceof Error ? thrown.message : String(thrown));
    }
  }
  return { certificate: texts.certificate, key: texts.key, chain: texts.chain };
}

const COPY_CODES = { certificate: "SSL_CERT_COPY_FAIL", key: "SSL_KEY_COPY_FAIL", chain: "SSL_CHAIN_COPY_FAIL" } as const;

function copyFailure(what: keyof typeof COPY_CODES, path: string, reason: string): ShimError {
  return new ShimError(COPY_CODES[what], `The ${what === "chain" ? "certificate chain" : what} ${path} cannot be used: ${reason}.`, { hint: "HTTPS is left out until it is mended and verified again" });
}

/** The marker of hosting_le: a site's certificates are not ours to remove. */
export function isProtected(server: ServerContext, uri: string): boolean {
  const root = property(server, "aegir_root") ?? server.aegirRoot;
  return lookAt(join(root, "tools/le/.ctrl", `dont-overwrite-${uri}.pid`)) !== undefined;
}
