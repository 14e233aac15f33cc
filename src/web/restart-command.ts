import { basename, isAbsolute } from "node:path";
import { readQuietly } from "../files/look.ts";

/**
 * The words of an `http_restart_cmd`. Provision passes the command through escapeshellcmd(): operators and expansions are literal text, only
 * paired quotes still hold words together.
 */
export function commandWords(command: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  for (let at = 0; at < command.length; at++) {
    const char = command[at] ?? "";
    const close = char === "'" || char === '"' ? command.indexOf(char, at + 1) : -1;
    if (close > at) {
      word = (word ?? "") + command.slice(at + 1, close);
      at = close;
    } else if (/\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      word = (word ?? "") + char;
    }
  }
  return word === undefined ? words : [...words, word];
}

const CONTROL = /^(?:apache2?ctl|apachectl2?|httpd|apache2)$/;
const RELOADS = new Set(["graceful", "restart", "reload", "graceful-stop"]);

/**
 * The beginning of a command that tests the same server's configuration, to which `-t` and more may be added; undefined when the restart command
 * is not an Apache control program. sudo must not ask for a password then.
 */
export function apacheTestCommand(restart: readonly string[]): string[] | undefined {
  const isSudo = restart[0] !== undefined && basename(restart[0]) === "sudo";
  const plain = isSudo ? restart.slice(1).filter((word) => word !== "-n") : [...restart];
  const [control, ...rest] = plain;
  const verb = rest.filter((word) => word !== "-k");
  if (control === undefined || !CONTROL.test(basename(control)) || verb.length !== 1 || !RELOADS.has(verb[0] ?? "")) return undefined;
  return isSudo ? [restart[0] ?? "sudo", "-n", control] : [control];
}

/** What Debian's apache2ctl does for `graceful`: test, then tell the server by apache2 itself, which reads the configuration once more and refuses a broken one. */
const TESTS_TWICE = /^[^#\n]*\bgraceful\)\n\s*if \$HTTPD \$\{APACHE_ARGUMENTS\} -t 2> ?\/dev\/null ?; then\n\s*\$HTTPD \$\{APACHE_ARGUMENTS\} -k "\$ARGV"\n/m;

/**
 * A command that does what `apache2ctl graceful` does and reads the configuration once instead of twice, which is half of its time; undefined for any other restart
 * command, and where the control program is not the script that Debian has.
 */
export function apacheReloadCommand(restart: readonly string[]): string[] | undefined {
  const tester = apacheTestCommand(restart);
  const control = tester?.at(-1);
  if (tester === undefined || control === undefined || !isAbsolute(control) || restart.at(-1) !== "graceful") return undefined;
  // One that cannot be read here may be run by root all the same.
  return TESTS_TWICE.test(readQuietly(control) ?? "") ? [...tester, "-k", "graceful"] : undefined;
}
