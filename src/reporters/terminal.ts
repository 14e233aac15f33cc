import type { ShimError } from "../errors/shim-error.ts";
import type { Change, TaskEvent } from "../task/events.ts";
import { Descriptor } from "./descriptor.ts";
import { fileDifference } from "./file-difference.ts";

export interface TerminalSettings {
  readonly colour: boolean;
  /** A terminal, on which a line may be written again. */
  readonly live: boolean;
  readonly verbose: boolean;
  readonly dryRun: boolean;
  readonly stdout?: Descriptor;
}

const SHOWN: ReadonlySet<string> = new Set(["warning", "error", "failed"]);

/** Live steps for people: one line a step with its time, warnings below it, errors with code and hint. */
export class Terminal {
  readonly #settings: TerminalSettings;
  readonly #out: Descriptor;
  readonly #running: string[] = [];
  #changes = 0;

  constructor(settings: TerminalSettings) {
    this.#settings = settings;
    this.#out = settings.stdout ?? new Descriptor(1);
  }

  readonly sink = (event: TaskEvent): void => {
    switch (event.type) {
      case "task-started":
        this.#line(this.#bold(`${event.title}${this.#settings.dryRun ? " (dry run: nothing is changed)" : ""}`));
        break;
      case "step-started":
        this.#running.push(event.step);
        this.#live(event.step);
        break;
      case "step-ended":
        this.#running.splice(this.#running.indexOf(event.step), 1);
        this.#step(event.step, event.outcome === "done", event.milliseconds);
        break;
      case "progress":
        this.#live(`${event.step}: ${event.done} of ${event.total} ${event.unit}`);
        break;
      case "output":
        this.#line(event.text.trimEnd());
        break;
      case "log":
        if (SHOWN.has(event.level) || this.#settings.verbose) this.#line(`    ${this.#level(event.level)}${event.message}`);
        break;
      case "change":
        this.#changes += 1;
        if (this.#settings.dryRun || this.#settings.verbose) this.#change(event.change);
        break;
      case "action":
        if (this.#settings.dryRun || this.#settings.verbose) this.#line(`    ${this.#settings.dryRun ? "would " : ""}${event.description}`);
        break;
      case "undo":
        this.#line(`    ${this.#paint(33, "undone")} ${event.description}`);
        break;
      case "error":
        this.error(event.error);
        break;
      case "task-ended":
        this.#line(this.#summary(event.outcome === "done", event.milliseconds));
        break;
    }
  };

  error(error: ShimError): void {
    this.#line(`${this.#paint(31, "error")} ${error.message} [${error.code}]`);
    if (error.hint !== undefined) this.#line(`      ${error.hint}`);
  }

  #step(name: string, done: boolean, milliseconds: number): void {
    this.#line(`  ${done ? this.#paint(32, "✓") : this.#paint(31, "✗")} ${name} ${this.#paint(2, duration(milliseconds))}`);
  }

  #change(change: Change): void {
    const { kind, path } = change;
    const detail = kind === "mode" || kind === "group" ? ` ${change.before ?? ""} → ${change.after ?? ""}` : kind === "link" ? ` → ${change.after ?? ""}` : "";
    this.#line(`    ${this.#paint(36, kind)} ${path}${detail}`);
    if ((kind === "create" || kind === "replace") && change.after !== undefined) {
      const lines = fileDifference(change.before ?? "", change.after);
      for (const line of lines) this.#line(`      ${this.#paint(line.startsWith("+") ? 32 : line.startsWith("-") ? 31 : 2, line)}`);
      if (lines.length === 0 && change.secret === true) this.#line("      (only passwords differ)");
    }
  }

  #summary(done: boolean, milliseconds: number): string {
    if (!done) return this.#paint(31, `Failed after ${duration(milliseconds)}.`);
    const changes = this.#changes === 1 ? "1 change" : `${this.#changes} changes`;
    return this.#settings.dryRun ? `${changes} would be made.` : `Done in ${duration(milliseconds)}, ${changes}.`;
  }

  #level(level: string): string {
    return level === "warning" ? `${this.#paint(33, "warning")} ` : SHOWN.has(level) ? `${this.#paint(31, level)} ` : "";
  }

  #bold(text: string): string {
    return this.#paint(1, text);
  }

  #paint(code: number, text: string): string {
    return this.#settings.colour ? `\u001b[${code}m${text}\u001b[0m` : text;
  }

  /** The line of what goes on now; the next line replaces it. */
  #live(text: string): void {
    if (this.#settings.live) this.#out.write(`\r\u001b[K  … ${text}`);
  }

  #line(text: string): void {
    this.#out.write(`${this.#settings.live ? "\r\u001b[K" : ""}${text}\n`);
    const running = this.#running.at(-1);
    if (running !== undefined) this.#live(running);
  }
}

function duration(milliseconds: number): string {
  return milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
}
