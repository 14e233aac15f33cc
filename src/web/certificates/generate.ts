import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { domainToASCII } from "node:url";
import { ShimError } from "../../errors/shim-error.ts";
import { lookAt, readIfThere } from "../../files/look.ts";
import { removeTree } from "../../files/remove-tree.ts";
import { uniqueName } from "../../files/unique-name.ts";
import { scrubText, textFromBytes } from "../../php-values/text.ts";
import { runProcess } from "../../processes/run-process.ts";
import { ensureDirectory } from "../../task/ensure-directory.ts";
import type { Work } from "../../task/plan.ts";
import type { CertificateSource } from "./certificate-source.ts";
import { ipVersion } from "./ip-version.ts";

/** As long as Provision's. */
const DAYS = "365";
const TIME_LIMIT_MS = 120_000;

/**
 * Makes key (RSA 2048), request and a certificate signed by that key itself, for the names, into the source's folder; a key that is given stays. All comes from
 * `openssl`, in a folder that nobody else can look into, and gets its place whole.
 *
 * @param names the first one is the subject
 * @throws ShimError SSL_KEY_GEN_FAIL, SSL_CERT_GEN_FAIL; then nothing has changed
 */
export async function generateCertificate(work: Work, source: CertificateSource, { names, keepsKey }: { readonly names: readonly string[]; readonly keepsKey: boolean }): Promise<void> {
  if (lookAt(source.directory)?.isSymbolicLink() === true) throw failed("key", source, "the folder is a link to somebody else's");
  ensureDirectory(work, source.directory, "SSL certificate", 0o700);
  const made = await work.act(`make a certificate for ${names[0] ?? ""} in ${source.directory}`, () => inPrivate(work, source, async (directory) => {
    const key = join(directory, "key");
    if (keepsKey) writeFileSync(key, readIfThere(source.key) ?? "", { mode: 0o600 });
    else await openssl(["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", key], { directory, problem: (reason) => failed("key", source, reason) });
    const [request, certificate, config] = ["request", "certificate", "names"].map((name) => join(directory, name)) as [string, string, string];
    writeFileSync(config, namesConfig(names), { mode: 0o600 });
    const common = ["-new", "-sha256", "-key", key, "-config", config];
    const problem = (reason: string): ShimError => failed("certificate", source, reason);
    let hasRequest = true;
    try {
      await openssl(["req", ...common, "-out", request], { directory, problem });
    } catch (thrown) {
      if (!(thrown instanceof ShimError)) throw thrown;
      hasRequest = false;
      work.log("warning", `There is no request for a certificate in ${source.directory}: ${thrown.message}`);
    }
    await openssl(["req", "-x509", "-days", DAYS, ...common, "-out", certificate], { directory, problem });
    const read = (path: string): string => textFromBytes(readIfThere(path) ?? Buffer.alloc(0));
    return { key: read(key), certificate: read(certificate), request: hasRequest ? read(request) : undefined };
  }));
  if (made === undefined) return;
  if (!keepsKey) work.files.write({ path: source.key, content: made.key, mode: 0o600, secret: true });
  if (made.request !== undefined) work.files.write({ path: join(source.directory, "openssl.csr"), content: made.request, mode: "keep" });
  work.files.write({ path: source.certificate, content: made.certificate, mode: "keep" });
  work.log("success", `Generated a self-signed certificate for ${names[0] ?? ""} (${source.certificate})`);
}

async function inPrivate<T>(work: Work, source: CertificateSource, run: (directory: string) => Promise<T>): Promise<T> {
  const directory = join(source.directory, `.new-${uniqueName()}`);
  work.files.journal.scratch(directory);
  mkdirSync(directory, { mode: 0o700 });
  try {
    return await run(directory);
  } finally {
    await removeTree(directory);
  }
}

async function openssl(args: readonly string[], { directory, problem }: { readonly directory: string; readonly problem: (reason: string) => ShimError }): Promise<void> {
  let result;
  try {
    result = await runProcess({ file: "openssl", args, env: { PATH: process.env["PATH"], HOME: directory, LC_ALL: "C" }, cwd: directory, timeoutMs: TIME_LIMIT_MS, maxOutputBytes: 1 << 16 });
  } catch (thrown) {
    throw problem(`openssl cannot be started: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
  }
  if (result.status === 0) return;
  const said = scrubText(textFromBytes(result.stderr)).trim().split("\n").slice(-2).join(" ");
  throw problem(result.timedOut ? `openssl gave no answer within ${TIME_LIMIT_MS / 1000} s` : `openssl: ${said}`);
}

/** The configuration of `openssl req`: who the certificate is for. Limits of length are those of X.509. */
function namesConfig(names: readonly string[]): string {
  const [first = "default.invalid"] = names;
  const mail = `abuse@${first}`;
  const alternatives = [...new Set(names.flatMap(alternativeName))];
  return `[req]
prompt = no
distinguished_name = subject
req_extensions = extensions
x509_extensions = own
[subject]
CN = ${first.slice(0, 64)}
${mail.length <= 128 && isAscii(mail) ? `emailAddress = ${mail}\n` : ""}[extensions]
${alternatives.length === 0 ? "" : `subjectAltName = ${alternatives.join(", ")}\n`}[own]
${alternatives.length === 0 ? "" : `subjectAltName = ${alternatives.join(", ")}\n`}basicConstraints = CA:FALSE
`;
}

/** `host/folder` of a sub-folder site stands for its host; a name that no certificate can hold is left out. */
function alternativeName(name: string): string[] {
  const [host = ""] = name.split("/");
  if (ipVersion(host) !== 0) return [`IP:${host}`];
  const ascii = isAscii(host) ? host : domainToASCII(host);
  return ascii === "" ? [] : [`DNS:${ascii}`];
}

function isAscii(text: string): boolean {
  return !/[^\x00-\x7f]/.test(text);
}

function failed(what: "key" | "certificate", { directory }: CertificateSource, reason: string): ShimError {
  return new ShimError(what === "key" ? "SSL_KEY_GEN_FAIL" : "SSL_CERT_GEN_FAIL", `No ${what} could be made in ${directory}: ${reason}.`, { hint: "put a certificate of your own there, or mend what the message says; HTTPS is left out until the next verify" });
}
