import { apacheControl } from "./apache-control.ts";
import { apachePlatformFile, apachePlatformPath, apacheServerFile, apacheVhostFile, apacheVhostPath } from "./apache-files.ts";
import type { WebDriver } from "../web-driver.ts";
import { goneFile } from "../web-file.ts";
import { buildShadow } from "./shadow-config.ts";
import { apacheWatched } from "./watched-files.ts";

/** `apache` of Provision 7.x-3.x. */
export const apacheDriver: WebDriver = {
  application: "apache",
  serverFiles: (server, options) => [apacheServerFile(server, options)],
  platformFiles: (platform, server) => [apachePlatformFile(platform, server)],
  goneWithPlatform: (platform, server) => [goneFile({ path: apachePlatformPath(platform, server), label: "platform configuration file" })],
  siteFiles: (served, server, options) => [apacheVhostFile(served, server, options)],
  goneWithSite: (site, server, options) => [goneFile({ path: apacheVhostPath(site, server, options), label: "virtual host configuration file" })],
  vhostPath: apacheVhostPath,
  control: apacheControl,
  shadow: buildShadow,
  watched: apacheWatched,
};
