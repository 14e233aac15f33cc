import { jsonEncode } from "../php-values/json-encode.ts";
import { isTruthy } from "../php-values/convert.ts";
import { PhpArray } from "../php-values/php-array.ts";
import { bytesFromText, textFromBytes } from "../php-values/text.ts";
import type { PhpValue } from "../php-values/value.ts";
import { EXIT_STATUS } from "./exit-status.ts";
import type { LogPacket, SetErrorPacket } from "./read-packet.ts";
import { finalFrame } from "./write-frame.ts";
import { logEntryData, logPacket, setErrorPacket, type LogEntry } from "./write-packet.ts";
import { wireErrorCode, wireText, type WireOptions } from "./wire-text.ts";

/** What only the end of a run knows. */
export interface FrameParts {
  /** All options (`mergedOptions`), with those that the command set during the run. */
  readonly context: PhpArray;
  /** The record of the selected site, when there is one. */
  readonly self?: PhpArray | undefined;
  /** Stands in for the printed text: the pipe buffer of `--pipe`. */
  readonly output?: PhpValue | undefined;
  /** What the command was asked for, see {@link BackendResult.setObject}. */
  readonly object?: PhpValue | undefined;
}

/**
 * What a callee remembers for its final frame. Each method that a caller must hear of at once returns the bytes of a packet, to be written
 * to standard error in one write; so every entry of the frame has its packet, and every error exactly one.
 */
export class BackendResult {
  readonly #options: WireOptions;
  readonly #log: PhpValue[] = [];
  readonly #errors = new PhpArray();
  readonly #output: string[] = [];
  readonly #encoded = new Map<PhpArray, string>();
  #object: PhpValue = new PhpArray();

  /** An exit status asked for by the command; 0 does not hide an error (drush_return_status()). */
  exitCode: number = EXIT_STATUS.success;

  constructor(options: WireOptions = {}) {
    this.#options = options;
  }

  /** Keeps an entry for the frame only: what happens before backend mode is on, such as `Starting Drush preflight.` */
  remember(entry: LogEntry): void {
    this.#log.push(logEntryData(entry, this.#options));
  }

  /** @returns the packet, or undefined for `debugnotify`, which drush sends in the frame only */
  log(entry: LogEntry): Buffer | undefined {
    const data = logEntryData(entry, this.#options);
    this.#log.push(data);
    return entry.type === "debugnotify" ? undefined : logPacket(data);
  }

  /** Records a failure. There is no `log` entry for it: the front end makes its row from this packet. */
  setError(code: string, message: string): Buffer {
    const key = wireErrorCode(code);
    const messages = this.#errors.get(key);
    const text = wireText(message, this.#options);
    if (messages instanceof PhpArray) messages.push(text);
    else this.#errors.set(key, PhpArray.list([text]));
    return setErrorPacket(code, message, this.#options);
  }

  /** Takes over a packet of a child, with the child's time, as drush does (drush_backend_packet_log(), drush_backend_packet_set_error()). */
  relay(packet: LogPacket | SetErrorPacket): Buffer {
    if (packet.kind === "set_error") return this.setError(packet.error, packet.message);
    const data = logEntryData(packet, this.#options);
    this.#log.push(data.clone().set("packet", "log"));
    return logPacket(data);
  }

  /** Adds to `output` what this command itself prints; the text of children does not belong there. */
  print(text: string): void {
    this.#output.push(text);
  }

  /** Sets `object`, which is an empty array without it. While it is falsy the command's return value counts. */
  setObject(value: PhpValue): void {
    this.#object = value ?? new PhpArray();
  }

  /** The return value of the command; NULL and FALSE leave `object` alone, and so does any value after a failure. */
  setReturnValue(value: PhpValue): void {
    if (value !== null && value !== false && this.errorStatus === 0 && !isTruthy(this.#object)) this.#object = value;
  }

  get errorStatus(): 0 | 1 {
    return this.#errors.size === 0 ? 0 : 1;
  }

  get exitStatus(): number {
    return this.exitCode === EXIT_STATUS.success ? this.errorStatus : this.exitCode;
  }

  /** Encodes the large parts of a context ahead, in a moment when the process waits for something else. They must not change any more. */
  foresee(context: PhpArray): void {
    for (const value of context.values()) {
      if (value instanceof PhpArray && !this.#encoded.has(value)) this.#encoded.set(value, jsonEncode(value));
    }
  }

  /** The final frame, to be written to standard output as the last bytes of all. */
  frame({ context, self, output, object }: FrameParts): Buffer {
    const data = PhpArray.of([
      ["output", output ?? wholeText(this.#output)],
      ["object", object ?? this.#object],
      ["error_status", this.errorStatus],
      ["log", PhpArray.list(this.#log)],
      ["error_log", this.#errors],
    ]);
    if (self === undefined) return finalFrame(data.set("context", context), this.#encoded);
    // Most of it, above all a site's packages, stands in the context once more.
    this.foresee(self);
    return finalFrame(data.set("self", self).set("context", context), this.#encoded);
  }
}

/** The halves of a character that was printed in two pieces are one character again. */
function wholeText(pieces: readonly string[]): string {
  const text = pieces.join("");
  return text.isWellFormed() ? text : textFromBytes(bytesFromText(text));
}
