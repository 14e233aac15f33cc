import type { KeyObject } from "node:crypto";
import { dirname } from "node:path";
import type { ServerContext } from "../../contexts/context.ts";
import { ShimError } from "../../errors/shim-error.ts";
import { HTTPS_DRIVERS } from "../../contexts/http-service.ts";
import { lookAt, lookBehind, readIfThere } from "../../files/look.ts";
import { textFromBytes } from "../../php-values/text.ts";
import { ensureDirectory } from "../../task/ensure-directory.ts";
import type { Work } from "../../task/plan.ts";
import { certificateSource, serverStore, type CertificateSource } from "./certificate-source.ts";
import { generateCertificate } from "./generate.ts";
import { askLetsEncrypt } from "./lets-encrypt.ts";
import { lookForCertificate, noteUnusable, type ServedCertificate } from "./served-certificate.ts";

export interface Wanted {
  readonly key: string;
  /** Host names for a certificate that is made; the first is the subject. */
  readonly names: readonly string[];
  /** Whose it is, for people: "example.com". */
  readonly whose: string;
  /** What cannot be made or read is an error of the task, instead of a warning. It takes back nothing. */
  readonly failsTask: boolean;
  /** Leaves HTTPS out also where a broken certificate would otherwise stop the task. */
  readonly putsUpWithBroken?: boolean;
}

/**
 * Sees to the certificate of a key before the configuration that names it is written: makes one where there is none, or where one of ours has run out. What cannot be
 * made or read is told; HTTPS is left out then (as Provision 7.x-3.x and hosting_https).
 *
 * @throws ShimError PROVISION_WEB_CERTIFICATE_BROKEN for one that no web server could load: the configuration in place is kept. A server's test does not see that, and it
 * would not start any more.
 */
export async function prepareCertificate(work: Work, server: ServerContext, wanted: Wanted): Promise<void> {
  const { key, whose } = wanted;
  const source = certificateSource(server, key);
  // The answers of Let's Encrypt's users are below that folder: the web server must get through.
  const store = dirname(source.directory);
  // An administrator may have made it his own, for certificates that we only read.
  if (lookBehind(store) === undefined || lookBehind(store)?.uid === process.getuid?.()) ensureDirectory(work, store, "Central SSL certificate store", source.maker === "we" ? 0o700 : 0o711);
  ensureDirectory(work, serverStore(server), "Server SSL certificate store", 0o700);
  const problem = await work.exclusively(`certificate ${key}`, () => problemOf(work, server, wanted));
  if (problem === undefined) return;
  noteUnusable(server, key);
  if (wanted.failsTask) work.flaw(problem);
  else work.log("warning", problem.fullText);
  work.log("warning", `${whose} is served without HTTPS on ${server.remoteHost}: there is no usable certificate.`);
}

async function problemOf(work: Work, server: ServerContext, wanted: Wanted): Promise<ShimError | undefined> {
  const problem = await problemOfSource(work, server, wanted);
  const code = problem === undefined || !HTTPS_DRIVERS.has(server.http?.driver ?? "") ? undefined : HTTPS_CODES[problem.code];
  return problem === undefined || code === undefined ? problem : new ShimError(code, problem.message, { ...(problem.hint === undefined ? {} : { hint: problem.hint }), cause: problem });
}

/** What hosting_https calls the same. */
const HTTPS_CODES: Readonly<Record<string, string>> = {
  SSL_KEY_GEN_FAIL: "HTTPS_KEY_GEN_FAIL",
  SSL_CERT_GEN_FAIL: "HTTPS_CERT_GEN_FAIL",
  SSL_CERT_COPY_FAIL: "HTTPS_CERT_COPY_FAIL",
  SSL_KEY_COPY_FAIL: "HTTPS_KEY_COPY_FAIL",
  SSL_CHAIN_COPY_FAIL: "HTTPS_CHAIN_COPY_FAIL",
};

async function problemOfSource(work: Work, server: ServerContext, wanted: Wanted): Promise<ShimError | undefined> {
  const { key, putsUpWithBroken = false } = wanted;
  try {
    await ensureSource(work, server, wanted);
  } catch (thrown) {
    if (thrown instanceof ShimError && /^(?:SSL|HTTPS)_\w+_GEN_FAIL$|^DRUSH_PERM_ERROR$/.test(thrown.code)) return thrown.code === "DRUSH_PERM_ERROR" ? new ShimError("SSL_KEY_GEN_FAIL", thrown.message, { cause: thrown }) : thrown;
    throw thrown;
  }
  const look = lookForCertificate(server, key);
  if ("problem" in look) return look.problem;
  if ("missing" in look) {
    // In a dry run nothing was made.
    return work.dryRun ? undefined : new ShimError("SSL_CERT_GEN_FAIL", `There still is no ${look.missing.join(" and ")} in ${certificateSource(server, key).directory}.`, { hint: "HTTPS is left out until it is there and verified again" });
  }
  const broken = await brokenness(look.served);
  if (broken === undefined) return undefined;
  const error = new ShimError("PROVISION_WEB_CERTIFICATE_BROKEN", `The certificate "${key}" of @${server.name} cannot be served: ${broken}.`, { hint: `mend the files in ${certificateSource(server, key).directory}; the present configuration is kept` });
  if (putsUpWithBroken) return error;
  throw error;
}

/** Makes what is not in the central store, and anew what has run out there. */
async function ensureSource(work: Work, server: ServerContext, { key, names }: Wanted): Promise<void> {
  const look = lookForCertificate(server, key);
  if ("problem" in look) return;
  const source = certificateSource(server, key);
  if (source.maker === "lets encrypt") {
    await refreshed(work, server, { source, names, isThere: "served" in look });
    return;
  }
  if ("served" in look) {
    const own = await ownCertificate(source);
    if (own?.isExpired === true) await generateCertificate(work, source, { names, keepsKey: own.keyIsStrong });
    return;
  }
  // A new key would not belong to a certificate that an authority has signed.
  if (!look.missing.includes("certificate") && (await ownCertificate(source)) === undefined) {
    throw new ShimError("SSL_KEY_GEN_FAIL", `${source.certificate} has no key beside it, and a new one would not belong to it.`, { hint: `put its key to ${source.key}, or remove the certificate` });
  }
  await generateCertificate(work, source, { names, keepsKey: !look.missing.includes("key") });
}

/** One that is there is good enough when Let's Encrypt gives no other. */
async function refreshed(work: Work, server: ServerContext, { source, names, isThere }: { readonly source: CertificateSource; readonly names: readonly string[]; readonly isThere: boolean }): Promise<void> {
  try {
    await askLetsEncrypt(work, server, { source, names });
  } catch (thrown) {
    if (!isThere || !(thrown instanceof ShimError) || thrown.code !== "HTTPS_CERT_GEN_FAIL") throw thrown;
    work.log("warning", `${thrown.fullText} The one that is there goes on being served.`);
  }
}

/** What is known of a certificate that we, or Provision, had signed with its own key; undefined for any other. */
async function ownCertificate(source: CertificateSource): Promise<{ readonly isExpired: boolean; readonly keyIsStrong: boolean } | undefined> {
  const { X509Certificate } = await import("node:crypto");
  // Files of a tool for certificates are links.
  if ([source.directory, source.certificate, source.key].some((path) => lookAt(path)?.isSymbolicLink() === true)) return undefined;
  try {
    const certificate = new X509Certificate(readIfThere(source.certificate) ?? "");
    const isOwn = certificate.checkIssued(certificate) && /^emailAddress=abuse@/m.test(certificate.subject) && certificate.verify(certificate.publicKey);
    return isOwn ? { isExpired: Date.parse(certificate.validTo) < Date.now(), keyIsStrong: isStrong(certificate.publicKey) } : undefined;
  } catch {
    return undefined;
  }
}

/** Why a web server could not load it, or undefined when it can. */
async function brokenness({ certificate, key, chain, fullChain, changes }: ServedCertificate): Promise<string | undefined> {
  const { createPrivateKey, X509Certificate } = await import("node:crypto");
  const { pemCertificates, pemText } = await import("./pem.ts");
  const text = (path: string): string => changes.find((change) => change.path === path)?.content ?? textFromBytes(readIfThere(path) ?? Buffer.alloc(0));
  let leaf;
  try {
    leaf = new X509Certificate(text(certificate));
  } catch {
    return "it is no certificate in PEM format";
  }
  try {
    if (!leaf.checkPrivateKey(createPrivateKey(text(key)))) return "certificate and key do not belong together";
  } catch {
    return "its key is no private key in PEM format without a passphrase";
  }
  if (!isStrong(leaf.publicKey)) return "its key is shorter than 2048 bits, which OpenSSL refuses";
  const more = [...new Set([chain, fullChain].filter((path) => path !== undefined && path !== certificate))] as string[];
  for (const path of more) {
    const chained = pemCertificates(text(path));
    if (chained.length === 0) return "its chain holds no certificate";
    try {
      for (const one of chained) new X509Certificate(pemText([one]));
    } catch {
      return "its chain holds something that is no certificate";
    }
  }
  return undefined;
}

function isStrong({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): boolean {
  return asymmetricKeyType !== "rsa" || (asymmetricKeyDetails?.modulusLength ?? 0) >= 2048;
}
