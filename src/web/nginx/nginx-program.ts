import { basename, join } from "node:path";
import { isProgram } from "../../files/look.ts";

/** How the server's nginx is spoken to, as follows from its restart command. */
export interface NginxProgram {
  /** Words in front of nginx's own options, as the restart command has them: `sudo -n /usr/sbin/nginx`, with `-p` and `-c` if it had them. */
  readonly privileged: readonly string[] | undefined;
  /** The same without another user's rights. */
  readonly plain: readonly string[] | undefined;
  /** The server runs with our own rights, so that a plain test is as good as any. */
  readonly isOurs: boolean;
  /** Tests the configuration in place where the restart command is a control script of its own. */
  readonly inPlace: readonly string[] | undefined;
}

/** Where Provision looks for the program, in this order. */
const PLACES = ["/usr/local/sbin/nginx", "/usr/sbin/nginx", "/usr/local/bin/nginx"];
const NGINX = /^nginx[\w.-]*$/;

/** The nginx of this machine, if there is one. */
export function nginxBinary(path: string | undefined): string | undefined {
  const inPath = (path ?? "").split(":").filter((directory) => directory.startsWith("/")).map((directory) => join(directory, "nginx"));
  return [...PLACES, ...inPath].find(isProgram);
}

/** @param path PATH of the environment */
export function nginxProgram(restart: readonly string[], path: string | undefined): NginxProgram {
  const isSudo = restart[0] !== undefined && basename(restart[0]) === "sudo";
  const sudo = isSudo ? [restart[0] ?? "sudo", "-n"] : [];
  const [control = "", ...rest] = isSudo ? restart.slice(1).filter((word) => word !== "-n") : restart;
  const name = basename(control);
  const signal = rest.indexOf("-s");
  if (NGINX.test(name) && signal >= 0 && rest[signal + 1] === "reload") {
    const own = rest.filter((_, index) => index !== signal && index !== signal + 1);
    return { privileged: isSudo ? [...sudo, control, ...own] : undefined, plain: [control, ...own], isOurs: !isSudo, inPlace: undefined };
  }
  const binary = nginxBinary(path);
  const plain = binary === undefined ? undefined : [binary];
  // Debian's control script; Aegir's sudo rule names it, and no other program.
  if (control.endsWith("/init.d/nginx") && rest[0] === "reload") return { privileged: undefined, plain, isOurs: false, inPlace: [...sudo, control, "configtest"] };
  const isService = (name === "systemctl" && rest[1]?.replace(/\.service$/, "") === "nginx") || (name === "service" && rest[0] === "nginx");
  return { privileged: undefined, plain: isService ? plain : undefined, isOurs: false, inPlace: undefined };
}
