import { NATIVE_COMMANDS } from "../native-commands.ts";

interface HelpEntry {
  readonly usage: string;
  readonly summary: string;
  readonly details: readonly string[];
}

const COMMON = ["--dry-run     Show the plan and what would change; exit 0: nothing, 2: changes, 1: error", "--json        One JSON object a line for each event", "--verbose, -v Show every message and change"];

/** What commands can beside what they do for the front end. */
const MORE: Readonly<Record<string, { readonly usage: string; readonly details: readonly string[] }>> = {
  verify: {
    usage: "provision verify --all|--platform=@name",
    details: [
      "",
      "--all             All servers, platforms and sites, in this order. Sites of which nothing has changed since their last such verify are",
      "                  left out, and each web server tests and reads its configuration once, at the end.",
      "--platform=@name  That platform and its sites",
      "--force           With these: also what has not changed",
      "--jobs=N          With these: so many at a time",
    ],
  },
};

const OTHERS: Readonly<Record<string, HelpEntry>> = {
  swap: {
    usage: "provision swap on|off|status [--drush=FILE] [--user=NAME] [--dry-run] [--json]",
    summary: "Put provision-shim in the place of drush, undo that, or show what is where",
    details: [
      "on      Finds every place where the path of drush is fixed (PATH, crontab, units, init scripts, aliases, platforms with",
      "        a drush of their own), shows what it does and does it. The real drush stays where it is.",
      "off     Undoes exactly what `on` did.",
      "status  Shows each place and whether calls reach us.",
      "",
      "--drush=FILE  The real drush; default: the one in PATH",
      "--user=NAME   The backend's user, for root; default: aegir",
      "--dry-run     Show what would be done; exit 0: nothing, 2: changes, 1: error",
      "--json        The report as one JSON object",
    ],
  },
  backups: {
    usage: "provision backups list [@site] [--json] | provision backup verify FILE [--json]",
    summary: "Show the backups that there are, or read one through and check it",
    details: [
      "list    The archives in the backup directory, of one site or of all, oldest first.",
      "verify  Reads FILE to its end: compression, form, and every checksum of its manifest. An archive of an older backend has no",
      "        checksums; then it is seen that it can be read. Exit 0: it is whole, 1: it is not, or cannot be read.",
      "",
      "--json  The report as one JSON object",
    ],
  },
  ps: { usage: "provision ps [--json]", summary: "Show which tasks hold which contexts", details: [] },
  recover: { usage: "provision recover [--json]", summary: "Undo what killed tasks have left half done", details: [] },
  help: { usage: "provision help [COMMAND]", summary: "Show this, or the help of one command", details: [] },
};

/** True for a command of `provision` that is none of the backend's. */
export function isOwnCommand(name: string): boolean {
  return Object.hasOwn(OTHERS, name);
}

/** Names that `provision help` explains. */
export function commandNames(): string[] {
  const ofProvision = Object.keys(NATIVE_COMMANDS).filter((name) => name.startsWith("provision-"));
  return [...ofProvision.map(shortName), ...Object.keys(OTHERS)];
}

export function shortName(command: string): string {
  return command.replace(/^provision-/, "");
}

/** The help of one command, or of all; undefined for a command that does not exist. */
export function helpText(command: string | undefined): string | undefined {
  if (command === undefined) return overview();
  const entry = entryFor(command);
  if (entry === undefined) return undefined;
  return [`Usage: ${entry.usage}`, "", entry.summary, ...(entry.details.length === 0 ? [] : ["", ...entry.details]), ""].join("\n");
}

function entryFor(command: string): HelpEntry | undefined {
  if (Object.hasOwn(OTHERS, command)) return OTHERS[command];
  const name = `provision-${command}`;
  const native = Object.hasOwn(NATIVE_COMMANDS, name) ? NATIVE_COMMANDS[name] : undefined;
  if (native === undefined) return undefined;
  const more = Object.hasOwn(MORE, command) ? MORE[command] : undefined;
  const usage = `provision ${command} @context ${native.usage}`.replace("@context [@context]", "@context").trimEnd();
  return { usage: more === undefined ? usage : `${usage} | ${more.usage}`, summary: native.summary, details: [...COMMON, ...(more?.details ?? [])] };
}

function overview(): string {
  const lines = commandNames().map((name) => `  ${name.padEnd(16)}${entryFor(name)?.summary ?? ""}`);
  return ["Usage: provision COMMAND [@context] [options]", "", "The backend of Aegir 3 for people: what the front end gives to drush, with steps, dry runs and JSON.", "", ...lines, "", ...COMMON.map((line) => `  ${line}`), ""].join("\n");
}
