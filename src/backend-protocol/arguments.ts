import { PhpArray } from "../php-values/php-array.ts";
import { bytesFromText, textFromBytes } from "../php-values/text.ts";
import { GLOBAL_OPTIONS } from "./global-options.ts";

/** A command line as drush understands it. */
export interface CommandLine {
  /** The `cli` option set: long names, values are text or TRUE (NULL for `-r` as the last word). */
  readonly options: PhpArray;
  /** The alias in front of the command, as it was written: `@x`, `#x`, `a,b`, `user@host/path`. */
  readonly target: string | undefined;
  /** `help` or `version` when there is no word at all; undefined when a target stands alone. */
  readonly command: string | undefined;
  readonly args: readonly string[];
}

/** Options of these commands (and their short names) are drush's own only before the command name. */
const STRICT_COMMANDS: ReadonlySet<string> = new Set([
  "core-rsync", "rsync", "core:rsync", "core-execute", "exec", "execute", "core:execute", "site-ssh", "ssh", "site:ssh",
]);

/**
 * Reads the words after the program name as drush 8.4.12 does (drush_parse_args() in includes/command.inc). Options may stand anywhere
 * and a later one wins. For a command with strict options, those after its name are dropped here: such commands are handed over.
 */
export function parseCommandLine(words: readonly string[]): CommandLine {
  const options = new PhpArray();
  const plain: string[] = [];
  let before: PhpArray | undefined;
  let verbosity = 0;
  const rest = withoutInterpreter(words).values();
  for (const word of rest) {
    if (word.startsWith("--")) setLong(options, word.slice(2));
    else if (word.length > 1 && word.startsWith("-")) verbosity += setShort(options, word.slice(1), rest);
    else if (plain.push(word) === (isAliasShape(plain[0] ?? "") ? 2 : 1)) before = options.clone();
  }
  if (verbosity >= 3) options.set("debug", true);
  if (plain.length === 0) plain.push(options.has("version") ? "version" : "help");
  const target = isAliasShape(plain[0] ?? "") ? plain.shift() : undefined;
  const [command, ...args] = plain;
  const own = command !== undefined && STRICT_COMMANDS.has(command) && before !== undefined ? before : options;
  return { options: withLongNames(own), target, command, args };
}

/** Does the word name a site when it stands first? (drush_sitealias_valid_alias_format() in includes/sitealias.inc) */
export function isAliasShape(word: string): boolean {
  if (word.startsWith("@") || word.startsWith("#") || word.includes(",")) return true;
  return ["@", "/", "#"].filter((sign) => word.includes(sign)).length >= 2;
}

/**
 * The same command line with `~/` at the head of option values and arguments replaced by `home`. Only for a command that runs here:
 * drush passes such words on unchanged.
 */
export function expandTilde(line: CommandLine, home: string): CommandLine {
  if (line.command !== undefined && STRICT_COMMANDS.has(line.command)) return line;
  const expand = (word: string): string => (word.startsWith("~/") ? home + word.slice(1) : word);
  const options = new PhpArray();
  for (const [key, value] of line.options) options.set(key, typeof value === "string" ? expand(value) : value);
  return { ...line, options, args: line.args.map(expand) };
}

/** Drops `[php options] /path/drush.php`: a program that stands in for `php` is given these in front of the words of drush. */
function withoutInterpreter(words: readonly string[]): readonly string[] {
  const script = words.findIndex((word) => word === "drush.php" || word.endsWith("/drush.php"));
  const interpreter = words.slice(0, Math.max(script, 0));
  const isPhp = interpreter.every((word, index) => /^-[^-]/.test(word) || /^-[cdz]$/.test(interpreter[index - 1] ?? ""));
  return script >= 0 && isPhp ? words.slice(script + 1) : words;
}

function setLong(options: PhpArray, word: string): void {
  const at = word.indexOf("=");
  if (at < 0) options.set(word, true);
  else options.set(word.slice(0, at), word.slice(at + 1));
}

/** @returns how many times `v` was among several letters; drush does not count a `-v` that stands alone */
function setShort(options: PhpArray, word: string, rest: Iterator<string>): number {
  const letters = Array.from(bytesFromText(word), (byte) => textFromBytes(Uint8Array.of(byte)));
  if (letters.length === 1) {
    const next = ["c", "u", "r", "l", "i"].includes(word) ? rest.next() : undefined;
    options.set(word, next === undefined ? true : next.done === true ? null : next.value);
    return 0;
  }
  for (const letter of letters) options.set(letter, true);
  return letters.filter((letter) => letter === "v").length;
}

/** Renames short options (drush_expand_short_form_options() in includes/context.inc): they win over the long name and go to the end. */
function withLongNames(options: PhpArray): PhpArray {
  const result = options.clone();
  for (const { name, short, pathList, movedAway } of GLOBAL_OPTIONS) {
    if (movedAway === true) result.delete(name);
    const value = short === undefined ? undefined : result.get(short);
    if (short === undefined || value === undefined) continue;
    const long = result.get(name);
    result.set(name, pathList === true && long !== undefined ? PhpArray.list([long, value].filter((one) => one !== null)) : value);
    result.delete(short);
  }
  return result;
}
