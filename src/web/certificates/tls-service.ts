import type { ServerContext, SiteContext } from "../../contexts/context.ts";
import type { Work } from "../../task/plan.ts";
import type { WebFileChange } from "../web-file.ts";
import type { WebOptions } from "../web-driver.ts";
import type { ServedCertificate } from "./served-certificate.ts";
import { tlsService, type SiteTls } from "./tls.ts";

/** Where a type of web service has its certificates from, and what it asks of a site and its server for that. */
export interface TlsService {
  /** The port for HTTPS. */
  port(server: ServerContext): string;
  /** Of the virtual host for unknown names; undefined when there is none that can be served. */
  serverCertificate(server: ServerContext): ServedCertificate | undefined;
  /** HTTPS of the site on the server; undefined when it is off, names no certificate, or has none that can be served. */
  siteTls(site: SiteContext, server: ServerContext): SiteTls | undefined;
  /** The copies of the site's certificate and its receipt; and what it no longer uses, to be removed. */
  siteFiles(site: SiteContext, server: ServerContext): WebFileChange[];
  goneWithSite(site: SiteContext, server: ServerContext): WebFileChange[];
  prepareServer(work: Work, server: ServerContext, options: TlsOptions): Promise<void>;
  prepareSite(work: Work, site: SiteContext, server: ServerContext, options: TlsOptions): Promise<void>;
}

export type TlsOptions = Pick<WebOptions, "certificateFailsTask">;

/** `apache_ssl` and `nginx_ssl` of Provision 7.x-3.x. */
export const sslService: TlsService = tlsService({ enabled: "ssl_enabled", key: "ssl_key", port: "http_ssl_port", keepsReceipts: true });

/** `https_apache` and `https_nginx` of hosting_https, with certificates of its services LetsEncrypt and SelfSigned. */
export const httpsService: TlsService = tlsService({ enabled: "https_enabled", key: "https_key", port: "https_port", keepsReceipts: false });
