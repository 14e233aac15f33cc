import { isIP } from "node:net";
import { listProperty, property, type ServerContext, type SiteContext } from "../../contexts/context.ts";
import { ShimError } from "../../errors/shim-error.ts";
import { scalarText, textOrUndefined } from "../../php-values/convert.ts";
import { PhpArray } from "../../php-values/php-array.ts";
import type { Work } from "../../task/plan.ts";
import { safePort } from "../safe-values.ts";
import type { WebFileChange } from "../web-file.ts";
import { DEFAULT_KEY } from "./certificate-source.ts";
import { prepareCertificate } from "./prepare.ts";
import { receiptOf, releasedCertificates } from "./receipts.ts";
import { servedCertificate, type ServedCertificate } from "./served-certificate.ts";

/** How a site is served over HTTPS on one server. */
export interface SiteTls {
  /** Requests over plain HTTP are sent to HTTPS (`ssl_enabled` 2). */
  readonly isRequired: boolean;
  /** The address that the front end has set aside for the site's certificate on this server, in brackets for IPv6; undefined: any, told apart by name. */
  readonly address: string | undefined;
  readonly port: string;
  readonly certificate: ServedCertificate;
}

/** The port for HTTPS. */
export function tlsPort(server: ServerContext): string {
  return safePort(property(server, "http_ssl_port") ?? "443", `http_ssl_port of @${server.name}`);
}

/** The certificate of the virtual host that answers for unknown names; undefined when there is none that can be served. */
export function serverCertificate(server: ServerContext): ServedCertificate | undefined {
  return servedCertificate(server, DEFAULT_KEY);
}

export async function prepareServerTls(work: Work, server: ServerContext): Promise<void> {
  await prepareCertificate(work, server, { key: DEFAULT_KEY, names: ["default.invalid"], whose: `The virtual host for unknown names of @${server.name}` });
}

/**
 * HTTPS of the site on the server; undefined when it is off, names no certificate, or has none that can be served.
 *
 * @throws ShimError PROVISION_WEB_BAD_VALUE
 */
export function siteTls(site: SiteContext, server: ServerContext): SiteTls | undefined {
  const key = usedKey(site);
  const certificate = key === undefined ? undefined : servedCertificate(server, key, site.uri);
  if (certificate === undefined) return undefined;
  return { isRequired: tlsMode(site) === "required", address: siteAddress(site, server), port: tlsPort(server), certificate };
}

/** The copies of the site's certificate and its receipt; and what it no longer uses, to be removed. */
export function siteCertificateFiles(site: SiteContext, server: ServerContext): WebFileChange[] {
  const key = usedKey(site);
  const tls = siteTls(site, server);
  if (key === undefined || tls === undefined) return releasedCertificates(site, server, key);
  return [...tls.certificate.changes, ...receiptOf(site, server, key), ...releasedCertificates(site, server, key)];
}

/** What the site has of certificates on the server, to be removed with it. */
export function goneSiteCertificates(site: SiteContext, server: ServerContext): WebFileChange[] {
  return releasedCertificates(site, server);
}

/** @throws ShimError PROVISION_WEB_CERTIFICATE_BROKEN, PROVISION_WEB_BAD_VALUE */
export async function prepareSiteTls(work: Work, site: SiteContext, server: ServerContext): Promise<void> {
  const mode = tlsMode(site);
  if (mode === "off") return;
  const key = usedKey(site);
  if (key === undefined) {
    work.log("warning", `@${site.name} is to be served over HTTPS, but names no certificate (ssl_key): it is served over HTTP only.`);
    return;
  }
  await prepareCertificate(work, server, { key, names: [site.uri ?? "", ...listProperty(site, "aliases").map((alias) => alias.trim())], whose: site.uri ?? "", putsUpWithBroken: !site.enabled });
  if (siteAddress(site, server) === undefined) work.log("info", `No address is set aside for ${site.uri ?? ""} on @${server.name}: its certificate is chosen by name.`);
}

function tlsMode(site: SiteContext): "off" | "on" | "required" {
  const value = property(site, "ssl_enabled") ?? "0";
  return value === "2" ? "required" : value === "0" ? "off" : "on";
}

/** The key of the certificate that the site is served with. */
function usedKey(site: SiteContext): string | undefined {
  return tlsMode(site) === "off" ? undefined : property(site, "ssl_key");
}

/** From the site's map of server (with or without `@`) → address. */
function siteAddress(site: SiteContext, server: ServerContext): string | undefined {
  const addresses = site.properties.get("ip_addresses");
  if (!(addresses instanceof PhpArray)) return undefined;
  const address = textOrUndefined(addresses.get(server.name)) ?? textOrUndefined(addresses.get(`@${server.name}`));
  if (address === undefined || address === "null") return undefined;
  const version = isIP(address.trim());
  if (version === 0) throw new ShimError("PROVISION_WEB_BAD_VALUE", `The address of @${site.name} on @${server.name} is ${JSON.stringify(scalarText(address))}, which is none.`, { hint: "correct ip_addresses; the present configuration is kept" });
  return version === 6 ? `[${address.trim()}]` : address.trim();
}
