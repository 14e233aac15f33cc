import type { ShimError } from "../errors/shim-error.ts";
import type { TaskEvent } from "../task/events.ts";
import { Descriptor } from "./descriptor.ts";

/** One JSON object a line for each event, for programs. `time` is in seconds since 1970. */
export class Ndjson {
  readonly #out: Descriptor;

  constructor(out = new Descriptor(1)) {
    this.#out = out;
  }

  readonly sink = (event: TaskEvent): void => {
    if (event.type === "error") this.error(event.error);
    else this.#line(event);
  };

  error(error: ShimError): void {
    this.#line({ type: "error", code: error.code, message: error.message, ...(error.hint === undefined ? {} : { hint: error.hint }) });
  }

  #line(data: object): void {
    this.#out.write(JSON.stringify({ time: Date.now() / 1000, ...data }) + "\n");
  }
}
