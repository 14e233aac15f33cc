import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BackendReader, type StreamEvent } from "../../src/backend-protocol/read-stream.ts";
import { callerErrors } from "../../src/backend-protocol/caller-errors.ts";
import { unsentPackets } from "../../src/backend-protocol/unsent-packets.ts";
import { fuzzStreams } from "./fuzz-streams.ts";
import { described, packets, readAll, readInChunks, text, type ReadAll } from "./read-all.ts";
import { referenceRead } from "./reference-reader.ts";
import { BROKEN_PIECES, FRAME_PIECES, PACKET_PIECES, TEXT_PIECES } from "./stream-pieces.ts";

const START = "\0DRUSH_BACKEND_OUTPUT_START>>>";
const END = "<<<DRUSH_BACKEND_OUTPUT_END";
const LOG = '\0DRUSH_BACKEND:{"type":"ok","message":"m","timestamp":1.5,"memory":7,"error":null,"packet":"log"}\n\0';
const ERROR = '\0DRUSH_BACKEND:{"error":"X","message":"failed","packet":"set_error"}\n\0';
const FRAME = `${START}{"output":"","object":[],"error_status":0,"log":[],"error_log":[],"context":{"a":1}}${END}`;

function read(stream: string, exitStatus: number | null = 0): ReadAll {
  return readAll(Buffer.from(stream, "latin1"), [], exitStatus);
}

describe("packets", () => {
  it("are taken out of the text", () => {
    expect(described(read(`a${LOG}b\n${ERROR}c`)).events).toEqual(['text:a', 'log:["ok","m",1.5,7,null]', "text:b\n", 'set_error:["X","failed"]', "text:c"]);
  });

  it("do not need the line feed", () => {
    expect(packets(read(ERROR.replace("\n", "")))).toEqual([{ kind: "set_error", error: "X", message: "failed" }]);
  });

  it.each([
    ["", "not JSON"], ["garbage", "not JSON"], ["{}", "no name"], ["[]", "no name"], ["5", "no name"], ["null", "no name"], ['{"packet":null}', "no name"], ['{"packet":"log","message":"\xff"}', "not UTF-8"],
  ])("%j is malformed: %s", (payload, reason) => {
    expect(packets(read(`\0DRUSH_BACKEND:${payload}\0`))).toEqual([{ kind: "malformed", reason, bytes: Buffer.from(payload, "latin1") }]);
  });

  it("of another name are told apart", () => {
    expect(packets(read('\0DRUSH_BACKEND:{"packet":"other","x":1}\n\0'))).toEqual([{ kind: "unknown", name: "other" }]);
  });

  it("with odd members come out whole", () => {
    expect(packets(read('\0DRUSH_BACKEND:{"message":["a","b"],"timestamp":"1.5","error":5,"packet":"log"}\n\0'))).toEqual([
      { kind: "log", type: "", message: "a\nb", timestamp: 1.5, memory: 0, error: "5" }]);
    expect(packets(read('\0DRUSH_BACKEND:{"error":null,"packet":"set_error"}\n\0'))).toEqual([{ kind: "set_error", error: "", message: "" }]);
  });

  it("that are not ended swallow the text up to the next NUL", () => {
    expect(described(read('\0DRUSH_BACKEND:{"a"text\0more')).events).toEqual(['malformed:not JSON:{"a"text', "text:more"]);
    expect(read(`\0DRUSH_BACKEND:{"a"${FRAME}`).outcome.kind).toBe("frame");
  });

  it("that are cut off by the end of the stream are malformed", () => {
    expect(packets(read('\0DRUSH_BACKEND:{"type"'))).toEqual([{ kind: "malformed", reason: "cut off", bytes: Buffer.from('{"type"') }]);
  });

  it("may quote the start mark, which drush could not read", () => {
    const all = read(`${LOG.replace('"m"', '"DRUSH_BACKEND_OUTPUT_START>>>"')}${ERROR}${FRAME}`);
    expect([packets(all).length, all.outcome.kind]).toEqual([2, "frame"]);
  });

  it("that were never ended give way to a frame, as for drush", () => {
    for (const tail of ["", "\0", `\n${LOG}`]) {
      const all = read(`\0DRUSH_BACKEND:{"type":"ok","mess${FRAME.slice(1)}${tail}`);
      expect([described(all).events, all.outcome.kind]).toEqual([['malformed:cut off:{"type":"ok","mess'], "frame"]);
    }
    expect(read(`\0DRUSH_BACKEND:{"mess${START.slice(1)}{"a":1\0}${END}`).outcome).toMatchObject({ kind: "unparsable", reason: "not JSON" });
    expect(read(`\0DRUSH_BACKEND:{"no":"DRUSH_BACKEND_OUTPUT_START>>>"}\0${FRAME}`).outcome.kind).toBe("frame");
  });

  it("that never end are not kept", () => {
    const reader = new BackendReader({ limit: 100 });
    expect(reader.push(Buffer.from(`\0DRUSH_BACKEND:${"x".repeat(101)}`))).toEqual([]);
    expect(reader.push(Buffer.from("y\0z"))).toMatchObject([{ packet: { reason: "too large", bytes: Buffer.alloc(0) } }, { kind: "text" }]);
    expect(reader.push(Buffer.from(LOG))).toMatchObject([{ packet: { kind: "log" } }]);
  });
});

describe("texts", () => {
  it("may be any bytes", () => {
    const noise = Buffer.from(Array.from({ length: 512 }, (_, index) => index % 256)).toString("latin1") + "\0\0DRUSH_BACKEND\0D";
    expect(text(read(noise))).toBe(noise);
  });

  it("are given on at once, save what may begin a mark", () => {
    const reader = new BackendReader();
    const pushed = (bytes: string): string => text({ events: reader.push(Buffer.from(bytes, "latin1")) });
    expect([pushed("line\nab"), pushed("c\0"), pushed("DRUSH"), pushed("_BACKEND_OUT"), pushed("side\0")]).toEqual(["line\nab", "c", "", "", "\0DRUSH_BACKEND_OUTside"]);
    expect(reader.end(0).events).toEqual([{ kind: "text", bytes: Buffer.from("\0") }]);
  });

  it("are views of the chunk", () => {
    const chunk = Buffer.from("some text");
    const [event] = new BackendReader().push(chunk) as [StreamEvent & { kind: "text" }];
    expect(event.bytes.buffer).toBe(chunk.buffer);
  });
});

describe("the frame", () => {
  it("goes to the last end mark; the NUL before it is no text", () => {
    const all = read(`before\n${FRAME}`);
    expect(text(all)).toBe("before\n");
    expect(all.outcome).toMatchObject({ kind: "frame", text: true, packets: 0, exitStatus: 0 });
  });

  it("needs no NUL", () => {
    expect(read(FRAME.slice(1)).outcome.kind).toBe("frame");
  });

  it("96: packets and text after it are ignored", () => {
    const all = read(`${FRAME}\n${LOG}later`);
    expect([all.events, all.outcome.kind]).toEqual([[], "frame"]);
  });

  it("may quote both marks", () => {
    const all = read(`${START}{"output":"${START.slice(1)}{}${END} ","object":1}${END}`);
    expect(all.outcome.kind === "frame" && all.outcome.frame.get("object")).toBe(1);
  });

  it("may be a list, as for drush", () => {
    expect(read(`${START}[]${END}`).outcome.kind).toBe("frame");
  });

  it.each([
    ["", "empty"], ["5", "not an object"], ["null", "not an object"], ["{", "not JSON"], ['{"a":"\xff"}', "not JSON"], ["{}{}", "not JSON"], [`{}${END}text${START}{}`, "two frames"],
  ])("%j is unparsable: %s", (payload, reason) => {
    expect(read(START + payload + END).outcome).toMatchObject({ kind: "unparsable", reason });
  });

  it("without an end, or too large, is unparsable", () => {
    expect(read(`${START}{}`).outcome).toMatchObject({ kind: "unparsable", reason: "no end mark", bytes: Buffer.from("{}") });
    const reader = new BackendReader({ limit: 10 });
    reader.push(Buffer.from(FRAME));
    expect(reader.end(0).outcome).toMatchObject({ kind: "unparsable", reason: "too large" });
  });
});

describe("the outcome", () => {
  it.each([
    ["frame, exit 1", FRAME, 1, "frame", []],
    ["frame and set_error", ERROR + FRAME, 0, "frame", []],
    ["frame with a logged error, no packets", `${START}{"log":[{"type":"error","message":["a","b"],"error":"X"},{"message":"n","error":null}]}${END}`, 0, "frame", []],
    ["frame with a logged error, and a packet", `${LOG}${START}{"log":[{"message":"m","error":"X"}]}${END}`, 0, "frame", []],
    ["frame, exit 255", FRAME, 255, "frame", ["DRUSH_APPLICATION_ERROR"]],
    ["frame with output, exit 255", `${START}{"output":"o"}${END}`, 255, "frame", ["DRUSH_APPLICATION_ERROR", "DRUSH_APPLICATION_ERROR"]],
    ["text and frame, exit 255", `o${START}{"output":"o"}${END}`, 255, "frame", ["DRUSH_APPLICATION_ERROR"]],
    ["text only", "text", 0, "text-only", ["DRUSH_FRAMEWORK_ERROR"]],
    ["text only, exit 255", "text", 255, "text-only", ["DRUSH_APPLICATION_ERROR", "DRUSH_FRAMEWORK_ERROR"]],
    ["nothing, exit 0", "", 0, "silent", []],
    ["nothing, exit 254", "", 254, "silent", []],
    ["nothing, exit 255", "", 255, "silent", ["DRUSH_APPLICATION_ERROR"]],
    ["packets only", LOG, 0, "silent", []],
    ["two frames", FRAME + FRAME, 0, "unparsable", ["DRUSH_FRAMEWORK_ERROR"]],
    ["a signal", "Killed\n", null, "text-only", ["DRUSH_FRAMEWORK_ERROR"]],
  ] as const)("of %s", (_name, stream, exitStatus, kind, codes) => {
    const { outcome } = read(stream, exitStatus);
    expect([outcome.kind, callerErrors(outcome).map(({ code }) => code)]).toEqual([kind, codes]);
  });

  it("87: a frame without packets has its entries and errors in its log; after packets its log says nothing new", () => {
    const frame = `${START}{"log":[{"type":"error","message":["a","b"],"timestamp":2.5,"memory":7,"error":"X"},{"type":"ok","message":"m","timestamp":2.5,"memory":7,"error":null},{"error":""},"odd"]}${END}`;
    expect(unsentPackets(read(frame).outcome)).toEqual([
      { kind: "set_error", error: "X", message: "a\nb" }, { kind: "log", type: "ok", message: "m", timestamp: 2.5, memory: 7, error: null }, { kind: "set_error", error: "", message: "" }]);
    expect(unsentPackets(read(LOG + frame).outcome)).toEqual([]);
    expect(unsentPackets(read(`${START}{}${END}`).outcome)).toEqual([]);
  });
});

describe("any stream", () => {
  const stream = Buffer.from(`noise\0 ${LOG}text\n${ERROR}\0\0DRUSH_BACKEND${FRAME}\n${LOG}`, "latin1");

  it("80: gives the same in chunks of 1, 16, 128 and 4096 bytes", () => {
    for (const size of [1, 16, 128, 4096]) expect(described(readInChunks(stream, size)), String(size)).toEqual(described(readAll(stream)));
  });

  it("80: gives the same cut in two at any place", () => {
    for (let cut = 0; cut <= stream.length; cut++) expect(described(readAll(stream, [cut])), String(cut)).toEqual(described(readAll(stream)));
  });

  it("is read as the reference reads it", () => {
    const piece = fc.oneof(
      fc.constantFrom(...TEXT_PIECES, ...PACKET_PIECES, ...FRAME_PIECES, ...BROKEN_PIECES), fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes)));
    fc.assert(fc.property(fc.array(piece, { maxLength: 10 }), fc.array(fc.nat(), { maxLength: 12 }), fc.option(fc.nat()), (pieces, places, end) => {
      const whole = Buffer.concat(pieces);
      const stream = end === null ? whole : whole.subarray(0, end % (whole.length + 1));
      const cuts = places.map((place) => place % (stream.length + 1)).sort((a, b) => a - b);
      expect(described(readAll(stream, cuts))).toEqual(referenceRead(stream));
    }), { numRuns: 2000 });
  });

  it("is read as the reference reads it, many times", () => {
    const report = fuzzStreams({ streams: 20_000, seed: 1 });
    expect(report.failures).toEqual([]);
    expect(report.streams).toBe(20_000);
    for (const kind of ["frame", "silent", "text-only", "unparsable:two frames", "unparsable:not JSON"]) expect(report.outcomes[kind], kind).toBeGreaterThan(100);
  });

  it("of 100 MB is read in about a second, whatever it holds", () => {
    const filled = (piece: string, size: number): Buffer => Buffer.alloc(size, piece, "latin1");
    const streams = {
      mixed: [filled(LOG + "text of a nested command\n", 60e6), Buffer.from(START), Buffer.from('{"log":['), filled(LOG.slice(15, -2) + ",", 40e6 - (40e6 % (LOG.length - 16))), Buffer.from(`0]}${END}`)],
      nul: [Buffer.alloc(100e6)],
      "nearly marks": [filled("\0DRUSH_BACKEN", 100e6)],
      "one packet": [Buffer.from("\0DRUSH_BACKEND:"), filled("x", 100e6), Buffer.from("\0")],
    };
    for (const [name, parts] of Object.entries(streams)) {
      const stream = Buffer.concat(parts);
      const start = performance.now();
      const all = readInChunks(stream, 65_536);
      const time = performance.now() - start;
      expect(all.outcome.kind, name).toBe({ mixed: "frame", "one packet": "silent" }[name] ?? "text-only");
      // A second is wanted; the machine of a test may be busy, but twice quadratic would be minutes.
      expect(time, name).toBeLessThan(60_000);
    }
  });
});
