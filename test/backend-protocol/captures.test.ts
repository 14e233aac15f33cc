import { describe, expect, it } from "vitest";
import { parseCommandLine } from "../../src/backend-protocol/arguments.ts";
import { callerErrors } from "../../src/backend-protocol/caller-errors.ts";
import { drushCall, type DrushCall } from "../../src/backend-protocol/drush-call.ts";
import { mergedOptions } from "../../src/backend-protocol/option-sets.ts";
import { parseStdinOptions } from "../../src/backend-protocol/stdin-options.ts";
import { finalFrame } from "../../src/backend-protocol/write-frame.ts";
import { logEntryData, logPacket, setErrorPacket } from "../../src/backend-protocol/write-packet.ts";
import { phpFrom, type PlainRecord } from "../../src/php-values/convert.ts";
import { jsonDecode } from "../../src/php-values/json-decode.ts";
import { jsonEncode } from "../../src/php-values/json-encode.ts";
import type { JsonMembers } from "../../src/php-values/json-members.ts";
import { type PhpArray } from "../../src/php-values/php-array.ts";
import { allCaptures, capture, captures, type Capture } from "./captures.ts";
import { described, packets, readAll, readInChunks, text } from "./read-all.ts";

function frameOf(one: Capture): JsonMembers {
  const { outcome } = readAll(one.stdout, [], one.exit);
  if (outcome.kind !== "frame") throw new Error(`${one.name}: ${outcome.kind}`);
  return outcome.frame;
}

function backendCalls(some: readonly Capture[]): Capture[] {
  return some.filter((one) => one.args.some((word) => word.startsWith("--backend")));
}

const STREAMS = [
  ["the fixtures", captures],
  ["all captures", allCaptures],
] as const;

describe.each(STREAMS)("%s", (_name, some) => {
  it.skipIf(some.length === 0)("parse: text, packets, one frame; nothing is malformed", () => {
    for (const one of backendCalls(some)) {
      const all = readAll(one.stdout, [], one.exit);
      expect(all.outcome.kind, one.name).toBe("frame");
      expect(packets(all).filter(({ kind }) => kind !== "log" && kind !== "set_error"), one.name).toEqual([]);
      expect(all.outcome.packets, one.name).toBeGreaterThan(5);
      expect(callerErrors(all.outcome), one.name).toEqual([]);
    }
  });

  it.skipIf(some.length === 0)("80: give the same in any chunks", () => {
    for (const one of backendCalls(some)) {
      const whole = described(readAll(one.stdout));
      for (const size of [1021, 4096, 65_536]) expect(described(readInChunks(one.stdout, size)), one.name).toEqual(whole);
    }
  });

  it.skipIf(some.length === 0)("16, 17, 36: our encoder gives the bytes of each frame, escapes and key order included", () => {
    for (const one of backendCalls(some)) {
      const frame = frameOf(one).toArray();
      expect([...frame.keys()].filter((key) => key !== "self"), one.name).toEqual(["output", "object", "error_status", "log", "error_log", "context"]);
      const bytes = finalFrame(frame);
      const at = one.stdout.indexOf("\0DRUSH_BACKEND_OUTPUT_START>>>");
      expect(bytes.equals(one.stdout.subarray(at, at + bytes.length)), one.name).toBe(true);
    }
  });

  it.skipIf(some.length === 0)("38, 40: our encoder gives the bytes of each packet, save that > is escaped", () => {
    let compared = 0;
    for (const one of backendCalls(some)) {
      const head = one.stdout.subarray(0, one.stdout.indexOf("\0DRUSH_BACKEND_OUTPUT_START>>>"));
      const theirs = head.toString("latin1").match(/\0DRUSH_BACKEND:[^\0]*\0/g) ?? [];
      const ours = packets(readAll(head)).map((packet) => {
        if (packet.kind === "log") return logPacket(logEntryData(packet)).toString("latin1");
        return packet.kind === "set_error" ? setErrorPacket(packet.error, packet.message).toString("latin1") : "";
      });
      expect(ours, one.name).toEqual(theirs.map((packet) => packet.replaceAll(">", "\\u003e")));
      compared += ours.length;
    }
    expect(compared).toBeGreaterThan(300);
  });

  it.skipIf(some.length === 0)("23, 37: each packet of a log entry stands in the log of the frame as well", () => {
    for (const one of backendCalls(some)) {
      const logged = new Set(Array.from((frameOf(one).get("log") as PhpArray).values(), (entry) => jsonEncode(withoutPacket(entry as PhpArray))));
      const missing = packets(readAll(one.stdout)).flatMap((packet) => (packet.kind === "log" ? [jsonEncode(logEntryData(packet))] : [])).filter((json) => !logged.has(json));
      // Looking up @self for the frame may itself log, after the log was taken.
      expect(missing.filter((json) => !json.includes('"message":"Cache ')), one.name).toEqual([]);
    }
  });

  it.skipIf(some.length === 0)("28, 29, 30: the recorded context is what the recorded words and input give", () => {
    for (const one of backendCalls(some)) {
      const context = frameOf(one).get("context") as PhpArray;
      const sets = { cli: parseCommandLine(one.args).options, stdin: parseStdinOptions(Buffer.from(one.stdin ?? "")).options };
      for (const [key, value] of mergedOptions(sets)) {
        expect(context.has(key) && jsonEncode(context.get(key) ?? null), `${one.name} ${String(key)}`).toBe(jsonEncode(value));
      }
      const argv = context.get("runtime.argv") as PhpArray;
      expect([...argv.values()].slice(-one.args.length), one.name).toEqual(one.args);
    }
  });
});

function withoutPacket(entry: PhpArray): PhpArray {
  const copy = entry.clone();
  copy.delete("packet");
  return copy;
}

describe("what the recorded processes said", () => {
  it("site-disable: 29 packets, no text, success", () => {
    const all = readAll(capture("site-disable/02-provision-disable").stdout);
    expect([text(all), all.outcome.packets]).toEqual(["", 29]);
    expect(packets(all).filter((packet) => packet.kind === "log" && packet.type === "success").length).toBe(5);
  });

  it("19: what failed would have a set_error packet and error_status 1; these did not fail", () => {
    for (const one of captures) expect([frameOf(one).get("error_status"), packets(readAll(one.stdout)).some(({ kind }) => kind === "set_error"), one.name]).toEqual([0, false, one.name]);
  });

  it("site-login: the link is an option that the command set", () => {
    expect((frameOf(capture("site-login/02-provision-login-reset")).get("context") as PhpArray).get("login_link")).toMatch(/^http:/);
  });

  it("98: a save with one of root and uri has no self, a call by alias has", () => {
    expect(frameOf(capture("platform-verify/02-provision-save")).has("self")).toBe(false);
    expect(frameOf(capture("site-delete/04-provision-save")).has("self")).toBe(false);
    expect(frameOf(capture("platform-verify/03-provision-verify")).has("self")).toBe(true);
  });

  it("96: hosting-task sends a packet after its frame", () => {
    const { stdout } = capture("clone/03-hosting-task");
    const end = stdout.lastIndexOf("<<<DRUSH_BACKEND_OUTPUT_END");
    expect(stdout.subarray(end).includes("\0DRUSH_BACKEND:")).toBe(true);
    expect(frameOf(capture("clone/03-hosting-task")).get("error_status")).toBe(0);
  });
});

describe("drushCall gives the recorded words and input", () => {
  const yes = set({ yes: true });
  const none = set({ root: "", uri: "" });

  it.each<[string, DrushCall]>([
    ["platform-verify/02-provision-save", {
      command: "provision-save", args: ["@platform_d7b"], record: set({ root: "/var/aegir/platforms/d7b", uri: "" }), method: "POST",
      options: set({ context_type: "platform", master_url: "http://aegir.test/", server: "@server_master", web_server: "@server_master", make_working_copy: "null" }),
    }],
    ["platform-verify/03-provision-verify", { command: "provision-verify", target: "@platform_d7b", method: "POST" }],
    ["platform-verify/04-provision-save", { command: "provision-save", target: "@platform_d7b", inherited: yes }],
    ["site-delete/03-provision-save", { command: "provision-save", args: ["@cap3.aegir.test"], record: none, inherited: yes, options: set({ delete: true }) }],
    ["site-delete/04-provision-save", { command: "provision-save", args: ["@cap3.aegir.test"], record: none, method: "POST", options: set({ delete: true }) }],
    ["site-disable/02-provision-disable", { command: "provision-disable", target: "@cap.aegir.test", method: "POST", options: set({ profile: "standard" }) }],
    ["clone/03-hosting-task", { command: "hosting-task", args: ["@platform_d7a", "verify"], target: "@hostmaster", inherited: yes, options: set({ force: true }) }],
  ])("of %s", (name, call) => {
    const { args, stdin } = capture(name);
    const { argv, stdin: bytes } = drushCall(call);
    expect(argv).toEqual(args);
    expect(bytes.toString("latin1")).toBe(stdin);
  });

  it.skipIf(allCaptures.length === 0)("and reads back every recorded input unchanged", () => {
    for (const one of allCaptures.filter(({ stdin }) => (stdin ?? "") !== "")) {
      expect(jsonEncode(jsonDecode(Buffer.from(one.stdin ?? ""))), one.name).toBe(one.stdin);
      expect(drushCall({ command: "x", method: "POST", options: parseStdinOptions(Buffer.from(one.stdin ?? "")).options }).stdin.toString(), one.name).toBe(one.stdin);
    }
  });
});

function set(record: PlainRecord): PhpArray {
  return phpFrom(record) as PhpArray;
}
