import { Descriptor } from "../reporters/descriptor.ts";
import type { CliCall } from "./cli-call.ts";

/** Prints a report: lines for people, or with --json the data as one object. */
export function printReport(call: CliCall, data: object, lines: readonly string[]): void {
  new Descriptor(1).write(call.arguments.json ? JSON.stringify(data) + "\n" : lines.map((line) => line + "\n").join(""));
}
