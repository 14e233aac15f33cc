/**
 * What BackendReader must give, written so that it can be seen to be right: one character after the other, everything at once,
 * nothing shared with the program but the names of the events.
 */
export interface ReferenceResult {
  /** `text:…`, `log:…` and so on; neighbouring texts are one. */
  readonly events: readonly string[];
  readonly outcome: string;
}

const HEAD = "\0DRUSH_BACKEND:";
const START = "DRUSH_BACKEND_OUTPUT_START>>>";
const END = "<<<DRUSH_BACKEND_OUTPUT_END";

export function referenceRead(stream: Buffer): ReferenceResult {
  const all = stream.toString("latin1");
  const events: string[] = [];
  let text = "";
  let anyText = false;
  const flush = (): void => {
    if (text !== "") events.push(`text:${text}`);
    text = "";
  };
  for (let at = 0; at < all.length; ) {
    if (all.startsWith(HEAD, at)) {
      flush();
      const end = all.indexOf("\0", at + HEAD.length);
      const payload = all.slice(at + HEAD.length, end < 0 ? undefined : end);
      const event = end < 0 ? `malformed:cut off:${payload}` : packet(payload);
      const start = /^malformed:(?!no name)/.test(event) ? payload.indexOf(START) : -1;
      if (start >= 0) {
        // The packet was never ended, and the frame came.
        events.push(`malformed:cut off:${payload.slice(0, start)}`);
        return { events, outcome: frame(all.slice(at + HEAD.length + start + START.length)) };
      }
      events.push(event);
      at = end < 0 ? all.length : end + 1;
    } else if (all.startsWith(START, at) || all.startsWith(`\0${START}`, at)) {
      flush();
      return { events, outcome: frame(all.slice(all.indexOf(START, at) + START.length)) };
    } else {
      text += all.charAt(at);
      anyText = true;
      at += 1;
    }
  }
  flush();
  return { events, outcome: anyText ? "text-only" : "silent" };
}

function packet(payload: string): string {
  const utf8 = Buffer.from(payload, "latin1").toString("utf8");
  if (Buffer.from(utf8, "utf8").toString("latin1") !== payload) return `malformed:not UTF-8:${payload}`;
  let data: unknown;
  try {
    data = JSON.parse(utf8);
  } catch {
    return `malformed:not JSON:${payload}`;
  }
  const members = data as Record<string, unknown> | null;
  if (typeof data !== "object" || Array.isArray(data) || (members?.["packet"] ?? null) === null) return `malformed:no name:${payload}`;
  if (members?.["packet"] === "log") return `log:${JSON.stringify([members["type"], members["message"], members["timestamp"], members["memory"], members["error"]])}`;
  if (members?.["packet"] === "set_error") return `set_error:${JSON.stringify([members["error"], members["message"]])}`;
  return `unknown:${String(members?.["packet"])}`;
}

function frame(rest: string): string {
  const end = rest.lastIndexOf(END);
  if (end < 0) return "unparsable:no end mark";
  const payload = rest.slice(0, end);
  if (payload === "") return "unparsable:empty";
  try {
    const bytes = Buffer.from(payload, "latin1");
    const data: unknown = JSON.parse(new TextDecoder("utf8", { fatal: true, ignoreBOM: true }).decode(bytes));
    return typeof data === "object" && data !== null ? `frame:${JSON.stringify(data, asPhp)}` : "unparsable:not an object";
  } catch {
    return payload.includes(END) && payload.includes(START) ? "unparsable:two frames" : "unparsable:not JSON";
  }
}

/** An empty object comes out as an empty array. */
function asPhp(_key: string, value: unknown): unknown {
  return typeof value === "object" && value !== null && Object.keys(value).length === 0 ? [] : value;
}
