import { join } from "node:path";
import { property, type ServerContext } from "../../contexts/context.ts";
import { ShimError } from "../../errors/shim-error.ts";
import { isProgram, readIfThere } from "../../files/look.ts";
import { scrubText, textFromBytes } from "../../php-values/text.ts";
import { runProcess } from "../../processes/run-process.ts";
import type { Work } from "../../task/plan.ts";
import type { CertificateSource } from "./certificate-source.ts";

/** As long before its end a certificate is asked for anew, which is dehydrated's own rule. */
const RENEWED_BEFORE_MS = 30 * 86_400_000;
const TIME_LIMIT_MS = 600_000;

/**
 * Has hosting_https's script (dehydrated) ask Let's Encrypt for a certificate, unless there is one for all the names that lasts. The original runs the script each time and leaves that
 * question to it.
 *
 * @throws ShimError HTTPS_CERT_GEN_FAIL
 */
export async function askLetsEncrypt(work: Work, server: ServerContext, { source, names }: { readonly source: CertificateSource; readonly names: readonly string[] }): Promise<void> {
  const hosts = [...new Set(names.map((name) => name.split("/")[0] ?? ""))];
  if (await lasts(source, hosts)) return;
  const folder = property(server, "letsencrypt_script_path") ?? join(server.aegirRoot, "config/letsencrypt");
  const script = join(folder, "script");
  if (!isProgram(script)) throw failed(hosts, `${script} cannot be run`, "verify the server, which puts it there");
  const config = join(folder, property(server, "letsencrypt_ca") === "production" ? "config" : "config.staging");
  const out = join(source.directory, "..");
  const args = ["--cron", "--accept-terms", "--config", config, "--out", out, ...hosts.flatMap((host) => ["--domain", host])];
  await work.act(`have ${script} ask Let's Encrypt for a certificate for ${hosts.join(", ")}`, async () => {
    const env = { ...process.env, AEGIR_DRUSH_ALIAS: `@${hosts[0] ?? ""}` };
    const { status, stdout, stderr, timedOut } = await runProcess({ file: script, args, env, cwd: folder, timeoutMs: TIME_LIMIT_MS, maxOutputBytes: 1 << 20, signal: work.signal, onStart: (pid) => work.child(pid) });
    const lines = scrubText(textFromBytes(Buffer.concat([stdout, stderr]))).trim().split("\n").filter((line) => line.trim() !== "");
    if (status === 0) {
      for (const line of lines) work.log("notice", line);
      work.log("success", `Let's Encrypt has a certificate for ${hosts.join(", ")}`);
      return;
    }
    for (const line of lines) work.log("warning", line);
    throw failed(hosts, timedOut ? `no answer within ${TIME_LIMIT_MS / 1000} s` : (lines.at(-1) ?? "it gave no reason"), "the names must lead to this server for everybody");
  });
}

async function lasts({ certificate, key }: CertificateSource, hosts: readonly string[]): Promise<boolean> {
  const bytes = readIfThere(certificate);
  if (bytes === undefined || readIfThere(key) === undefined) return false;
  const { X509Certificate } = await import("node:crypto");
  try {
    const leaf = new X509Certificate(bytes);
    return Date.parse(leaf.validTo) > Date.now() + RENEWED_BEFORE_MS && hosts.every((host) => host.startsWith("*") || leaf.checkHost(host) !== undefined);
  } catch {
    return false;
  }
}

function failed(hosts: readonly string[], reason: string, hint: string): ShimError {
  return new ShimError("HTTPS_CERT_GEN_FAIL", `There is no certificate of Let's Encrypt for ${hosts.join(", ")}: ${reason.replace(/\.$/, "")}.`, { hint });
}
