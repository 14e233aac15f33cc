import type { ServerContext, SiteContext } from "../../contexts/context.ts";
import type { Work } from "../../task/plan.ts";
import type { WebFileChange } from "../web-file.ts";
import type { ServedCertificate } from "./served-certificate.ts";
import { goneSiteCertificates, prepareServerTls, prepareSiteTls, serverCertificate, siteCertificateFiles, siteTls, tlsPort, type SiteTls } from "./tls.ts";

/** Where a type of web service has its certificates from, and what it asks of a site and its server for that. */
export interface TlsService {
  port(server: ServerContext): string;
  /** Of the virtual host for unknown names; undefined when there is none that can be served. */
  serverCertificate(server: ServerContext): ServedCertificate | undefined;
  /** HTTPS of the site on the server, undefined when it is off or has no certificate that can be served. */
  siteTls(site: SiteContext, server: ServerContext): SiteTls | undefined;
  /** What the site's HTTPS needs on the server, and what it no longer needs. */
  siteFiles(site: SiteContext, server: ServerContext): WebFileChange[];
  goneWithSite(site: SiteContext, server: ServerContext): WebFileChange[];
  prepareServer(work: Work, server: ServerContext): Promise<void>;
  prepareSite(work: Work, site: SiteContext, server: ServerContext): Promise<void>;
}

/** Certificates of `apache_ssl` and `nginx_ssl` of Provision 7.x-3.x. */
export const sslService: TlsService = {
  port: tlsPort,
  serverCertificate,
  siteTls,
  siteFiles: siteCertificateFiles,
  goneWithSite: goneSiteCertificates,
  prepareServer: prepareServerTls,
  prepareSite: prepareSiteTls,
};
