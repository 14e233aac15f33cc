import { groupNumbered, systemGroups, type Group } from "../files/groups.ts";
import { isProgram } from "../files/look.ts";

/** What the defaults of a server are guessed from. */
export interface Machine {
  readonly home: string;
  /** Name of the user that the backend runs as. */
  readonly user: string;
  readonly gid: number;
  /** The directories of $PATH. */
  readonly path: readonly string[];
}

const WEB_GROUPS = ["www-data", "apache", "nginx", "www", "_www", "webservd", "httpd", "nogroup", "nobody"];

/** The first of the usual groups of a web server that exists here, else the user's primary group. */
export function guessWebGroup(machine: Machine, groups: readonly Group[] = systemGroups()): string {
  const found = WEB_GROUPS.find((name) => groups.some((group) => group.name === name));
  return found ?? groupNumbered(machine.gid)?.name ?? String(machine.gid);
}

export function guessApacheRestart(machine: Machine): string {
  const inPath = machine.path.flatMap((directory) => [`${directory}/apache2ctl`, `${directory}/apachectl`]);
  const fixed = ["/usr/local/sbin/apachectl", "/usr/sbin/apache2ctl", "/usr/apache2/2.2/bin", "/usr/sbin/apachectl"];
  return `sudo ${[...inPath, ...fixed].find(isProgram) ?? "/usr/sbin/apachectl"} graceful`;
}

export function guessNginxRestart(machine: Machine): string {
  if (isProgram("/etc/init.d/nginx")) return "sudo /etc/init.d/nginx reload";
  const places = [...machine.path, "/usr/sbin", "/usr/local/sbin", "/usr/local/bin"].map((directory) => `${directory}/nginx`);
  return `sudo ${places.find(isProgram) ?? "/usr/local/bin/nginx"} -s reload`;
}
