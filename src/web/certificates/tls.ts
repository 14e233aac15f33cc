import { listProperty, property, type ServerContext, type SiteContext } from "../../contexts/context.ts";
import { ShimError } from "../../errors/shim-error.ts";
import { scalarText, textOrUndefined } from "../../php-values/convert.ts";
import { PhpArray } from "../../php-values/php-array.ts";
import { safePort } from "../safe-values.ts";
import { certificateSource, DEFAULT_KEY } from "./certificate-source.ts";
import { ipVersion } from "./ip-version.ts";
import { receiptOf, releasedCertificates } from "./receipts.ts";
import { noteUnusable, servedCertificate, type ServedCertificate } from "./served-certificate.ts";
import type { TlsService } from "./tls-service.ts";

/** How a site is served over HTTPS on one server. */
export interface SiteTls {
  /** Requests over plain HTTP are sent to HTTPS (`ssl_enabled` 2). */
  readonly isRequired: boolean;
  /** The address that the front end has set aside for the site's certificate on this server, in brackets for IPv6; undefined: any, told apart by name. */
  readonly address: string | undefined;
  readonly port: string;
  readonly certificate: ServedCertificate;
}

/** What the two families of services differ in. */
export interface TlsFamily {
  /** Properties of the site: 0 off, 1 beside HTTP, 2 instead of it; the name of its certificate. */
  readonly enabled: string;
  readonly key: string;
  /** Property of the server. */
  readonly port: string;
  /** Sites may have addresses of their own, and note which copies they use: with the last note they go. */
  readonly keepsReceipts: boolean;
}

/**
 * HTTPS by the properties of a family of services.
 *
 * Its functions throw ShimError PROVISION_WEB_BAD_VALUE; `prepare…` throws PROVISION_WEB_CERTIFICATE_BROKEN.
 */
export function tlsService(family: TlsFamily): TlsService {
  const mode = (site: SiteContext): "off" | "on" | "required" => {
    const value = property(site, family.enabled) ?? "0";
    return value === "2" ? "required" : value === "0" ? "off" : "on";
  };
  /** The key of the certificate that the site is served with. */
  const usedKey = (site: SiteContext): string | undefined => (mode(site) === "off" ? undefined : property(site, family.key));
  const port = (server: ServerContext): string => safePort(property(server, family.port) ?? "443", `${family.port} of @${server.name}`);
  const siteTls = (site: SiteContext, server: ServerContext): SiteTls | undefined => {
    const key = usedKey(site);
    const certificate = key === undefined ? undefined : servedCertificate(server, key, site.uri);
    if (certificate === undefined) return undefined;
    return { isRequired: mode(site) === "required", address: family.keepsReceipts ? siteAddress(site, server) : undefined, port: port(server), certificate };
  };
  return {
    port,
    siteTls,
    serverCertificate: (server) => servedCertificate(server, DEFAULT_KEY),
    siteFiles: (site, server) => {
      const key = usedKey(site);
      const tls = siteTls(site, server);
      const released = family.keepsReceipts ? releasedCertificates(site, server, key) : [];
      if (key === undefined || tls === undefined) return released;
      return [...tls.certificate.changes, ...(family.keepsReceipts ? receiptOf(site, server, key) : []), ...released];
    },
    goneWithSite: (site, server) => (family.keepsReceipts ? releasedCertificates(site, server) : []),
    prepareServer: async (work, server, options) => {
      // An authority gives none for no name (as hosting_https).
      if (certificateSource(server, DEFAULT_KEY).maker === "lets encrypt") noteUnusable(server, DEFAULT_KEY);
      else await (await preparation()).prepareCertificate(work, server, { key: DEFAULT_KEY, names: ["default.invalid"], whose: `The virtual host for unknown names of @${server.name}`, failsTask: family.keepsReceipts || options.certificateFailsTask });
    },
    prepareSite: async (work, site, server, options) => {
      if (mode(site) === "off") return;
      const key = usedKey(site);
      if (key === undefined) {
        work.log("warning", `@${site.name} is to be served over HTTPS, but names no certificate (${family.key}): it is served over HTTP only.`);
        return;
      }
      const names = [site.uri ?? "", ...listProperty(site, "aliases").map((alias) => alias.trim())];
      await (await preparation()).prepareCertificate(work, server, { key, names, whose: site.uri ?? "", putsUpWithBroken: !site.enabled, failsTask: family.keepsReceipts || options.certificateFailsTask });
      if (family.keepsReceipts && siteAddress(site, server) === undefined) work.log("info", `No address is set aside for ${site.uri ?? ""} on @${server.name}: its certificate is chosen by name.`);
    },
  };
}

/** Sites without HTTPS do without it. */
const preparation = () => import("./prepare.ts");

/** From the site's map of server (with or without `@`) → address. */
function siteAddress(site: SiteContext, server: ServerContext): string | undefined {
  const addresses = site.properties.get("ip_addresses");
  if (!(addresses instanceof PhpArray)) return undefined;
  const address = textOrUndefined(addresses.get(server.name)) ?? textOrUndefined(addresses.get(`@${server.name}`));
  if (address === undefined || address === "null") return undefined;
  const version = ipVersion(address.trim());
  if (version === 0) throw new ShimError("PROVISION_WEB_BAD_VALUE", `The address of @${site.name} on @${server.name} is ${JSON.stringify(scalarText(address))}, which is none.`, { hint: "correct ip_addresses; the present configuration is kept" });
  return version === 6 ? `[${address.trim()}]` : address.trim();
}
