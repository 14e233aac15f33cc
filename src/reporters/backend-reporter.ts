import { BackendResult, type FrameParts } from "../backend-protocol/backend-result.ts";
import type { ShimError } from "../errors/shim-error.ts";
import type { LogLevel, TaskEvent } from "../task/events.ts";
import { Descriptor } from "./descriptor.ts";

const MEASURE_MS = 50;

export interface BackendReporterSettings {
  /** Told `B` before the first byte of the frame and `E` after the last: lib/launch then knows what is missing if this process dies. */
  readonly progress: (mark: "B" | "E") => void;
  readonly stdout?: Descriptor;
  readonly stderr?: Descriptor;
}

/** Turns a task into drush's backend protocol: packets on standard error while it runs, the final frame on standard output. */
export class BackendReporter {
  readonly result = new BackendResult();
  readonly #settings: BackendReporterSettings;
  readonly #stdout: Descriptor;
  readonly #stderr: Descriptor;

  constructor(settings: BackendReporterSettings) {
    this.#settings = settings;
    this.#stdout = settings.stdout ?? new Descriptor(1);
    this.#stderr = settings.stderr ?? new Descriptor(2);
    // drush's own first entries; one of its tests looks at the second.
    this.result.remember(entry("preflight", "provision-shim takes the call."));
    this.result.remember(entry("preflight", "Starting Drush preflight."));
  }

  log(level: LogLevel, message: string): void {
    const packet = this.result.log(entry(level, message));
    if (packet !== undefined) this.#stderr.write(packet);
  }

  error(error: ShimError): void {
    this.#stderr.write(this.result.setError(error.code, error.fullText));
  }

  readonly sink = (event: TaskEvent): void => {
    switch (event.type) {
      case "log":
        this.log(event.level, event.message);
        break;
      case "error":
        this.error(event.error);
        break;
      case "output":
        this.result.print(event.text);
        break;
      case "undo":
        this.log("notice", `Undone: ${event.description}`);
        break;
      case "step-started":
        this.log("debug", `Step: ${event.step}`);
        break;
      default:
        break;
    }
  };

  /** Sends the final frame. Returns the exit status of the call. */
  end(parts: FrameParts): number {
    const frame = this.result.frame(parts);
    this.#settings.progress("B");
    this.#stdout.write(frame);
    this.#settings.progress("E");
    return this.result.exitStatus;
  }
}

function entry(type: string, message: string) {
  const now = Date.now();
  return { type, message, timestamp: now / 1000, memory: memoryAt(now) };
}

let measured = { at: 0, memory: 0 };

/** The most memory so far, bytes; asked for no more often than it changes. */
function memoryAt(now: number): number {
  if (Math.abs(now - measured.at) > MEASURE_MS) measured = { at: now, memory: process.resourceUsage().maxRSS * 1024 };
  return measured.memory;
}
