import { BackendReader, type StreamEvent } from "../backend-protocol/read-stream.ts";
import { NeedsRealDrush } from "../errors/needs-real-drush.ts";
import { scalarText } from "../php-values/convert.ts";
import { PhpArray } from "../php-values/php-array.ts";
import type { PhpValue } from "../php-values/value.ts";
import { textFromBytes } from "../php-values/text.ts";
import { uniqueName } from "../files/unique-name.ts";
import { isLogLevel } from "../task/events.ts";
import { step, type Plan, type Work } from "../task/plan.ts";
import type { CommandCall } from "./command.ts";

/**
 * `backend-parse`: reads what a call in backend mode has said from standard input and shows it to a person, its output and its log (Provision 7.x-3.x, for the pipe of Debian's installer).
 * As there its exit status says nothing of the call's. Errors that are not in the log are shown, too.
 */
export function prepare(call: CommandCall): Promise<Plan> {
  // In that mode standard input is taken for options.
  if (call.options.get("backend") !== undefined) throw new NeedsRealDrush("backend-parse in backend mode");
  return Promise.resolve({
    title: "show a backend call",
    // It changes nothing, so it waits for nobody.
    context: `backend-parse ${uniqueName()}`,
    steps: [step("read standard input", (work) => show(work, call.surroundings.input()))],
  });
}

async function show(work: Work, input: AsyncIterable<Buffer>): Promise<void> {
  const reader = new BackendReader();
  const texts: Buffer[] = [];
  const keep = (events: readonly StreamEvent[]): void => {
    // What stands around the packets is shown only when there is no frame that says more.
    for (const event of events) if (event.kind === "text") texts.push(event.bytes);
  };
  for await (const chunk of input) keep(reader.push(chunk));
  const { events, outcome } = reader.end(0);
  keep(events);
  if (outcome.kind !== "frame") {
    work.print(textFromBytes(Buffer.concat(texts)));
    return;
  }
  const frame = outcome.frame.toArray();
  work.print(scalarText(frame.get("output")) ?? "");
  const shown = new Set<string>();
  for (const entry of listOf(frame.get("log"))) {
    if (!(entry instanceof PhpArray)) continue;
    const [type, message] = [scalarText(entry.get("type")) ?? "", scalarText(entry.get("message")) ?? ""];
    shown.add(message);
    work.log(isLogLevel(type) ? type : "debug", message);
  }
  const errors = frame.get("error_log");
  for (const [code, messages] of errors instanceof PhpArray ? errors : []) {
    for (const message of listOf(messages)) {
      const text = scalarText(message) ?? "";
      // An error without a text shows its code.
      if (!shown.has(text) || text === "") work.log("error", text === "" ? String(code) : text);
    }
  }
}

function listOf(value: PhpValue | undefined): PhpValue[] {
  return value instanceof PhpArray ? [...value.values()] : [];
}
