import { describe, expect, it } from "vitest";
import { BackendResult } from "../../src/backend-protocol/backend-result.ts";
import { EXIT_STATUS } from "../../src/backend-protocol/exit-status.ts";
import { phpFrom } from "../../src/php-values/convert.ts";
import { jsonDecode } from "../../src/php-values/json-decode.ts";
import { jsonEncode } from "../../src/php-values/json-encode.ts";
import { PhpArray } from "../../src/php-values/php-array.ts";
import { textFromBytes } from "../../src/php-values/text.ts";
import { packets, readAll } from "./read-all.ts";

const TIME = { timestamp: 1795349704.5, memory: 9345904 };
const CONTEXT = phpFrom({ backend: "2" }) as PhpArray;

function entry(type: string, message: string): { type: string; message: string; timestamp: number; memory: number } {
  return { type, message, ...TIME };
}

/** The JSON of the frame, after a look at its marks. */
function payload(frame: Buffer): string {
  const text = frame.toString("latin1");
  expect(text.startsWith("\0DRUSH_BACKEND_OUTPUT_START>>>")).toBe(true);
  expect(text.endsWith("<<<DRUSH_BACKEND_OUTPUT_END")).toBe(true);
  return text.slice(30, -27);
}

describe("the final frame", () => {
  it("1, 2, 3, 4: NUL, one start mark, a JSON object, one end mark, nothing after it", () => {
    const frame = new BackendResult().frame({ context: CONTEXT });
    expect(frame.toString("latin1")).toBe(
      '\0DRUSH_BACKEND_OUTPUT_START>>>{"output":"","object":[],"error_status":0,"log":[],"error_log":[],"context":{"backend":"2"}}<<<DRUSH_BACKEND_OUTPUT_END');
  });

  it("16, 17: keys in order, no site", () => {
    const keys = (self?: PhpArray): unknown[] => {
      const data = jsonDecode(Buffer.from(payload(new BackendResult().frame({ context: CONTEXT, self })))) as PhpArray;
      return [...data.keys()];
    };
    expect(keys(PhpArray.of([["root", "/r"]]))).toEqual(["output", "object", "error_status", "log", "error_log", "self", "context"]);
    expect(keys()).toEqual(["output", "object", "error_status", "log", "error_log", "context"]);
  });

  it("18, 20, 21, 22: a success has the integer 0, and empty maps are []", () => {
    const json = payload(new BackendResult().frame({ context: new PhpArray() }));
    expect(json).toBe('{"output":"","object":[],"error_status":0,"log":[],"error_log":[],"context":[]}');
  });

  it("19, 21, 25: a failure has the integer 1 and its messages by code, none of them in the log", () => {
    const result = new BackendResult();
    result.setError("PROVISION_A", "one");
    result.setError("PROVISION_B", "two");
    result.setError("PROVISION_A", "three");
    expect(payload(result.frame({ context: CONTEXT }))).toContain('"error_status":1,"log":[],"error_log":{"PROVISION_A":["one","three"],"PROVISION_B":["two"]}');
  });

  it("23, 37: has every entry with all five keys, also those that were not sent", () => {
    const result = new BackendResult();
    result.remember(entry("preflight", "Starting Drush preflight."));
    expect(result.log(entry("debugnotify", "Scanning"))).toBeUndefined();
    for (const type of ["bootstrap", "debug", "notice", "p_command"]) expect(result.log(entry(type, "m"))).toBeInstanceOf(Buffer);
    const log = (jsonDecode(Buffer.from(payload(result.frame({ context: CONTEXT })))) as PhpArray).get("log") as PhpArray;
    expect(log.size).toBe(6);
    for (const item of log.values()) expect([...(item as PhpArray).keys()]).toEqual(["type", "message", "timestamp", "memory", "error"]);
  });

  it("27: output is what the command printed, joined at the byte", () => {
    const result = new BackendResult();
    result.print("one\n");
    result.print(textFromBytes(Uint8Array.of(0xc3)));
    result.print(textFromBytes(Uint8Array.of(0xa9)));
    expect(payload(result.frame({ context: CONTEXT }))).toContain('"output":"one\\n\\u00e9"');
    expect(payload(result.frame({ context: CONTEXT, output: "8.4.12" }))).toContain('"output":"8.4.12"');
  });

  it("36: / is \\/ and all that is not ASCII is \\u", () => {
    const json = payload(new BackendResult().frame({ context: phpFrom({ "é": "a/b 😀 <>&'\u007f\u0001" }) as PhpArray }));
    expect(json).toContain('{"\\u00e9":"a\\/b \\ud83d\\ude00 <>&\'\u007f\\u0001"}');
  });

  it("1: a text that quotes the marks does not add one", () => {
    const result = new BackendResult();
    const quoted = "\0DRUSH_BACKEND_OUTPUT_START>>>{}<<<DRUSH_BACKEND_OUTPUT_END <<<<DRUSH_BACKEND_OUTPUT_END";
    result.print(quoted);
    result.setError("PROVISION_X", quoted);
    const frame = result.frame({ context: phpFrom({ [quoted]: quoted }) as PhpArray });
    expect(frame.toString("latin1").split("DRUSH_BACKEND_OUTPUT_START>>>")).toHaveLength(2);
    expect(frame.toString("latin1").split("<<<DRUSH_BACKEND_OUTPUT_END")).toHaveLength(2);
    const { outcome } = readAll(frame);
    expect(outcome.kind === "frame" && [outcome.frame.get("output"), (outcome.frame.get("context") as PhpArray).get(quoted)]).toEqual([quoted, quoted]);
  });

  it("12: bytes that are not UTF-8 give a readable frame", () => {
    const result = new BackendResult();
    result.print(textFromBytes(Buffer.from("a\xffb\xc3", "latin1")));
    expect(payload(result.frame({ context: CONTEXT }))).toContain('"output":"a\\ufffdb\\ufffd"');
  });

  it("object: what was set if truthy, else what was returned, and nothing after a failure", () => {
    const object = (build: (result: BackendResult) => void): string => {
      const result = new BackendResult();
      build(result);
      return /"object":(.*),"error_status"/.exec(payload(result.frame({ context: CONTEXT })))?.[1] ?? "";
    };
    expect(object((result) => { result.setObject("foo"); result.setReturnValue("bar"); })).toBe('"foo"');
    expect(object((result) => { result.setObject("0"); result.setReturnValue("bar"); })).toBe('"bar"');
    expect(object((result) => { result.setReturnValue(phpFrom({ a: 1 })); })).toBe('{"a":1}');
    expect(object((result) => { result.setReturnValue(null); })).toBe("[]");
    expect(object((result) => { result.setReturnValue(false); })).toBe("[]");
    expect(object((result) => { result.setObject(null); })).toBe("[]");
    expect(object((result) => { result.setError("X", "m"); result.setReturnValue("bar"); })).toBe("[]");
    expect(object((result) => { result.setObject("foo"); result.setError("X", "m"); result.setReturnValue("bar"); })).toBe('"foo"');
  });
});

describe("packets", () => {
  it("6, 7, 38: exact bytes of a log packet", () => {
    expect(new BackendResult().log(entry("ok", "inner log"))?.toString("latin1")).toBe(
      '\0DRUSH_BACKEND:{"type":"ok","message":"inner log","timestamp":1795349704.5,"memory":9345904,"error":null,"packet":"log"}\n\0');
  });

  it("6, 7, 40: exact bytes of a set_error packet", () => {
    expect(new BackendResult().setError("PROVISION_X", "it failed").toString("latin1")).toBe(
      '\0DRUSH_BACKEND:{"error":"PROVISION_X","message":"it failed","packet":"set_error"}\n\0');
  });

  it.each([["", "DRUSH_FRAMEWORK_ERROR"], ["1", "DRUSH_FRAMEWORK_ERROR"], [" -1.5e3 ", "DRUSH_FRAMEWORK_ERROR"], ["1a", "1a"]])("40: the code %j is sent as %s", (code, sent) => {
    expect(new BackendResult().setError(code, "m").toString("latin1")).toContain(`{"error":"${sent}",`);
  });

  it("39, 41, 42: one set_error packet for each message of error_log, and no log packet beside it", () => {
    const result = new BackendResult();
    const sent = Buffer.concat([result.setError("A", "x"), result.setError("A", "x"), result.setError("B", "y")]);
    const all = readAll(Buffer.concat([sent, result.frame({ context: CONTEXT })]));
    expect(packets(all)).toEqual([{ kind: "set_error", error: "A", message: "x" }, { kind: "set_error", error: "A", message: "x" }, { kind: "set_error", error: "B", message: "y" }]);
    expect(all.outcome.kind === "frame" && jsonEncode(all.outcome.frame.get("error_log") ?? null)).toBe('{"A":["x","x"],"B":["y"]}');
  });

  it("43, 44: types pass through unchanged", () => {
    for (const type of ["warning", "ok", "success", "p_command", "error"]) {
      expect(packets(readAll(new BackendResult().log(entry(type, "m"))!))).toMatchObject([{ kind: "log", type }]);
    }
  });

  it("a type is never longer than Hosting's column", () => {
    expect(packets(readAll(new BackendResult().log(entry("abcdefghijklmnopqrst", "m"))!))).toMatchObject([{ type: "abcdefghijklmnop" }]);
    expect(packets(readAll(new BackendResult().log(entry("", "m"))!))).toMatchObject([{ type: "notice" }]);
    expect(packets(readAll(new BackendResult().log(entry("éééééééééééééééé", "m"))!))).toMatchObject([{ type: "éééééééééééééééé" }]);
  });

  it("10, 11: NUL, line feeds, quotes, marks and </> come back as they were", () => {
    const message = 'a\0b\nc "d" \\ </> \0DRUSH_BACKEND:x\0 DRUSH_BACKEND_OUTPUT_START>>> <<<DRUSH_BACKEND_OUTPUT_END';
    const result = new BackendResult();
    const bytes = Buffer.concat([result.log(entry("ok", message))!, result.setError("X", message)]);
    expect(bytes.includes(">")).toBe(false);
    expect(packets(readAll(bytes))).toMatchObject([{ kind: "log", message }, { kind: "set_error", message }]);
  });

  it("12: bytes that are not UTF-8 give a readable packet", () => {
    expect(packets(readAll(new BackendResult().log(entry("ok", "a\udcff"))!))).toMatchObject([{ kind: "log", message: "a\ufffd" }]);
  });

  it("characters of four bytes are replaced unless they are wanted, in messages only", () => {
    const replaced = new BackendResult();
    expect(packets(readAll(replaced.log(entry("ok", "a😀é€"))!))).toMatchObject([{ message: "a\ufffdé€" }]);
    expect(packets(readAll(replaced.setError("X", "😀")))).toMatchObject([{ message: "\ufffd" }]);
    const kept = new BackendResult({ fourByteCharacters: "keep" });
    expect(packets(readAll(kept.log(entry("ok", "a😀"))!))).toMatchObject([{ message: "a😀" }]);
    replaced.print("😀");
    expect(payload(replaced.frame({ context: CONTEXT }))).toContain('"output":"\\ud83d\\ude00"');
  });

  it("24, 88: all keys are there, whatever the entry", () => {
    expect(new BackendResult().log({ ...entry("error", "WD php: x"), error: null, timestamp: NaN, memory: 1.5 })?.toString("latin1")).toContain(
      '{"type":"error","message":"WD php: x","timestamp":0,"memory":1,"error":null,"packet":"log"}');
  });

  it("84: packets of a child go up with the child's time, and its entry keeps the mark of the relay", () => {
    const result = new BackendResult();
    const [log, error] = packets(readAll(Buffer.concat([new BackendResult().log(entry("ok", "a>b"))!, new BackendResult().setError("INNER_ERR", "inner failed")])));
    const up = Buffer.concat([log, error].map((packet) => result.relay(packet as Parameters<BackendResult["relay"]>[0])));
    expect(packets(readAll(up))).toEqual([log, error]);
    const json = payload(result.frame({ context: CONTEXT }));
    expect(json).toContain('"log":[{"type":"ok","message":"a>b","timestamp":1795349704.5,"memory":9345904,"error":null,"packet":"log"}]');
    expect(json).toContain('"error_status":1');
    expect(json).toContain('"error_log":{"INNER_ERR":["inner failed"]}');
  });
});

describe("the exit status", () => {
  it("69: 0 after success, 1 after an error, 75 after an abort with error_status 0", () => {
    const result = new BackendResult();
    expect(result.exitStatus).toBe(0);
    result.exitCode = EXIT_STATUS.userAbort;
    expect([result.exitStatus, result.errorStatus]).toEqual([75, 0]);
    const failed = new BackendResult();
    failed.setError("X", "m");
    expect([failed.exitStatus, failed.errorStatus]).toEqual([1, 1]);
  });
});
