import type { ShimError } from "../errors/shim-error.ts";
import { scrubText } from "../php-values/text.ts";
import type { LogLevel, TaskEvent } from "../task/events.ts";
import { Descriptor } from "./descriptor.ts";

export interface LinesSettings {
  /** Width of the terminal in columns. */
  readonly columns: number;
  readonly verbose: boolean;
  readonly debug: boolean;
  readonly quiet: boolean;
  readonly stdout?: Descriptor;
  readonly stderr?: Descriptor;
}

/** Levels that drush shows to a person by itself, with -v, and with -d. */
const ALWAYS: ReadonlySet<string> = new Set(["error", "failed", "warning", "cancel"]);
const NOT_QUIET: ReadonlySet<string> = new Set(["ok", "success", "completed", "status"]);
const VERBOSE: ReadonlySet<string> = new Set(["notice", "message", "info"]);

/** Tells a person who calls the drop-in without backend mode what drush would: a line a message on standard error, its level at the right. */
export class DrushLines {
  readonly #settings: LinesSettings;
  readonly #stdout: Descriptor;
  readonly #stderr: Descriptor;

  constructor(settings: LinesSettings) {
    this.#settings = settings;
    this.#stdout = settings.stdout ?? new Descriptor(1);
    this.#stderr = settings.stderr ?? new Descriptor(2);
  }

  readonly sink = (event: TaskEvent): void => {
    if (event.type === "log") this.log(event.level, event.message);
    else if (event.type === "error") this.error(event.error);
    else if (event.type === "output") this.#stdout.write(event.text);
    else if (event.type === "undo") this.log("notice", `Undone: ${event.description}`);
  };

  log(level: LogLevel, message: string): void {
    if (this.#shows(level)) this.#stderr.write(drushLine(message, level, this.#settings.columns));
  }

  error(error: ShimError): void {
    this.#stderr.write(drushLine(`${error.fullText} [${error.code}]`, "error", this.#settings.columns));
  }

  #shows(level: string): boolean {
    const { quiet, verbose, debug } = this.#settings;
    if (ALWAYS.has(level)) return true;
    if (NOT_QUIET.has(level)) return !quiet;
    return VERBOSE.has(level) ? verbose || debug : debug;
  }
}

const TAG_WIDTH = 11;

/** As drush 8.4.12 prints a log entry: wrapped, `[type]` at the right end of the first line. */
export function drushLine(message: string, type: string, columns: number): string {
  const width = Math.max(columns - TAG_WIDTH, 20);
  const lines = wrap(scrubText(message), width);
  const tag = `[${type}]`.padStart(TAG_WIDTH);
  return lines.map((line, index) => (index === 0 ? line.padEnd(width) + tag : line)).join("\n") + "\n";
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const paragraph of text.split("\n")) {
    let line = "";
    for (const word of paragraph.split(" ")) {
      if (line !== "" && line.length + 1 + word.length > width) {
        lines.push(line);
        line = word;
      } else {
        line = line === "" ? word : `${line} ${word}`;
      }
    }
    lines.push(line);
  }
  return lines;
}
