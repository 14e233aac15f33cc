import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { isAliasShape, parseCommandLine } from "../../src/backend-protocol/arguments.ts";
import { BackendResult } from "../../src/backend-protocol/backend-result.ts";
import { callerErrors } from "../../src/backend-protocol/caller-errors.ts";
import { drushCall, type DrushCall } from "../../src/backend-protocol/drush-call.ts";
import { GLOBAL_OPTIONS } from "../../src/backend-protocol/global-options.ts";
import { effectiveOption, mergedOptions, OPTION_SET_NAMES, type OptionSets } from "../../src/backend-protocol/option-sets.ts";
import { inheritedOptions } from "../../src/backend-protocol/propagation.ts";
import { phpFrom, type PlainRecord } from "../../src/php-values/convert.ts";
import { jsonEncode } from "../../src/php-values/json-encode.ts";
import { PhpArray } from "../../src/php-values/php-array.ts";
import { unsentPackets } from "../../src/backend-protocol/unsent-packets.ts";
import { packets, readAll } from "./read-all.ts";
import { REAL_DRUSH, RealDrush } from "./real-drush/real-drush.ts";
import { FRAME_PIECES, PACKET_PIECES, TEXT_PIECES } from "./stream-pieces.ts";

interface InvokeAnswer {
  /** `array`, or the whole result as JSON when the job asked for it. */
  readonly result: string | false;
  readonly site: string | number | null;
  readonly errors: Readonly<Record<string, number>> | [];
  /** What a log callback was given: type, message, error, timestamp. */
  readonly log: readonly (readonly [string, string, string | null, number])[];
}

const START = "\0DRUSH_BACKEND_OUTPUT_START>>>";
const END = "<<<DRUSH_BACKEND_OUTPUT_END";
const FRAME = `${START}{"output":"o","object":[],"error_status":0,"log":[],"error_log":[],"context":[]}${END}`;
const LOG = '\0DRUSH_BACKEND:{"type":"ok","message":"m","timestamp":1.5,"memory":7,"error":null,"packet":"log"}\n\0';
const ERROR = '\0DRUSH_BACKEND:{"error":"PROVISION_X","message":"failed","packet":"set_error"}\n\0';
const RUN = { method: "GET", integrate: true };

function set(record: PlainRecord): PhpArray {
  return phpFrom(record) as PhpArray;
}

function sample<T>(arbitrary: fc.Arbitrary<T>, count: number): T[] {
  return fc.sample(arbitrary, { numRuns: count, seed: 8412 });
}

describe.skipIf(REAL_DRUSH === undefined)("as real drush does", () => {
  const drush = REAL_DRUSH === undefined ? undefined : new RealDrush();
  afterAll(() => drush?.remove());

  /** What drush makes of the streams, and what we make of them, in the same form. */
  function outcomes(streams: readonly (readonly [Buffer, number])[]): { theirs: unknown[]; ours: unknown[] } {
    const jobs = streams.map(([bytes, exit], index) => ({
      do: "invoke", record: { root: "", uri: "" }, command: drush!.addCase(index, bytes, exit), backend_options: { ...RUN, "drush-script": drush!.stub },
    }));
    const theirs = drush!.run<InvokeAnswer>(jobs).map(({ result, errors, log }) => ({
      frame: result === "array",
      errors: Object.entries(errors).sort(),
      // drush's log also holds its own entries; ours are known by what only packets of these streams say.
      log: log.filter(([, message]) => /^m$|^Bootstrap to|^Malformed backend packet$/.test(message)).map((entry) => entry.slice(0, 3)),
    }));
    const ours = streams.map(([bytes, exit]) => {
      const all = readAll(bytes, [], exit);
      const said = [...packets(all), ...unsentPackets(all.outcome)];
      const errors: Record<string, number> = {};
      for (const code of [...said.flatMap((packet) => (packet.kind === "set_error" ? [packet.error] : [])), ...callerErrors(all.outcome).map(({ code }) => code)]) {
        errors[code] = (errors[code] ?? 0) + 1;
      }
      const log = said.flatMap((packet) => {
        if (packet.kind === "malformed") return packet.reason === "cut off" ? [] : [["error", "Malformed backend packet", null]];
        if (packet.kind === "unknown" || !/^m$|^Bootstrap to/.test(packet.message)) return [];
        return [[packet.kind === "log" ? packet.type : "error", packet.message, packet.error ?? null]];
      });
      return { frame: all.outcome.kind === "frame", errors: Object.entries(errors).sort(), log };
    });
    return { theirs, ours };
  }

  it("75, 76, 77: outcomes of a child", () => {
    const cases: [string, number][] = [
      [FRAME, 0], [FRAME, 1], [FRAME, 254], [FRAME, 255], [`text${FRAME}`, 255], [FRAME.replace('"o"', '""'), 255],
      [`${ERROR}${FRAME}`, 1], [`${LOG}${FRAME}`, 0],
      [`${START}{"output":"","log":[{"type":"error","message":"m","error":"LOGGED"},{"type":"ok","message":"m","error":""},{"type":"ok","message":"x","error":null}]}${END}`, 0],
      [`${LOG}${START}{"output":"","log":[{"type":"error","message":"m","error":"LOGGED"}]}${END}`, 0],
      ["some text that is long enough to be no mark\n", 0], ["some text that is long enough to be no mark\n", 1], ["some text that is long enough to be no mark\n", 255],
      ["", 0], ["", 1], ["", 254], ["", 255], [LOG, 0], [ERROR, 1], ['\0DRUSH_BACKEND:{"type":"ok","mess', 0],
      [FRAME + FRAME, 0], [`${START}${END}`, 0], [`${START}0${END}`, 0], [`${START}5${END}`, 0], [`${START}null${END}`, 0], [`${START}[]${END}`, 0], [`${START}{"log":[]`, 0], [`${START}{"output":"\xff","log":[]}${END}`, 0],
      [`${FRAME}\n`, 0], [`${FRAME}${LOG}`, 0], [`${FRAME}later text`, 0], [FRAME.slice(1), 0], [`${START}{"output":"${START.slice(1)}{}${END}","log":[]}${END}`, 0],
      ["\0DRUSH_BACKEND:garbage\n\0" + FRAME, 0], ["\0DRUSH_BACKEND:{}\n\0" + FRAME, 0], ['\0DRUSH_BACKEND:{"packet":"other"}\n\0' + FRAME, 0],
      [`\0DRUSH_BACKEND:{"unended"${FRAME}`, 0], [`bin\0ary\0 text ${FRAME}`, 0], [`${START}${" ".repeat(5000)}{"output":"${"x".repeat(3_000_000)}","log":[]}${END}`, 0],
    ];
    const { theirs, ours } = outcomes(cases.map(([text, exit]) => [Buffer.from(text, "latin1"), exit]));
    expect(ours).toEqual(theirs);
  });

  it("10, 11, 12, 37, 75, 76, 78, 87, 88: what our writer sends arrives, once each, with our times and without a PHP warning", () => {
    const nasty = 'a\0b\n"c" \\ </> \0DRUSH_BACKEND:x\0 DRUSH_BACKEND_OUTPUT_START>>> <<<DRUSH_BACKEND_OUTPUT_END é \udcff';
    const result = new BackendResult({ fourByteCharacters: "keep" });
    const entries = ["bootstrap", "ok", "warning", "p_command", "error"].map((type, index) => ({ type, message: `mine ${index} 😀 ${nasty}`, timestamp: 1795349704.5 + index, memory: 1 }));
    const sent: Buffer[] = entries.map((entry) => result.log(entry) ?? Buffer.alloc(0));
    sent.push(result.setError("PROVISION_X", `mine ${nasty}`), Buffer.from("text\0\n"));
    result.print(nasty);
    sent.push(result.frame({ context: set({ [nasty]: nasty, list: [1, { a: [] }], half: 0.5 }) }));
    const record = { "#name": "x", root: "", uri: "" };
    const backendOptions = { ...RUN, "drush-script": drush!.stub, "#process-read-size": 128 };
    const [, answer] = drush!.run<InvokeAnswer>([
      { do: "invoke", record, command: drush!.addCase(0, Buffer.from(LOG + FRAME), 0), backend_options: backendOptions },
      { do: "invoke", record, command: drush!.addCase(1, Buffer.concat(sent), 1), backend_options: backendOptions, whole: true },
    ]);
    const mine = answer!.log.filter(([type, message]) => message.startsWith("mine") || type === "warning");
    const scrubbed = nasty.toWellFormed();
    expect(mine).toEqual([
      ...entries.map(({ type, message, timestamp }) => [type, message.toWellFormed(), null, timestamp]),
      ["error", `mine ${scrubbed}`, "PROVISION_X", expect.any(Number) as number],
    ]);
    expect(answer!.errors).toEqual({ PROVISION_X: 1 });
    const { outcome } = readAll(sent.at(-1)!);
    expect(answer!.result).toBe(outcome.kind === "frame" && jsonEncode(outcome.frame.toArray().set("site", "x")));
  });

  it("outcomes of generated streams", () => {
    const piece = fc.constantFrom(...TEXT_PIECES, ...PACKET_PIECES);
    const stream = fc.tuple(fc.array(piece, { maxLength: 6 }), fc.constantFrom(...FRAME_PIECES), fc.array(piece, { maxLength: 1 }), fc.constantFrom(0, 1, 255));
    const streams = sample(stream, 150).map(([before, frame, after, exit]) => [Buffer.concat([...before, frame, ...after]), exit] as const);
    // Where a start mark stands in a packet we differ on purpose; frame pieces with such packets around them stay out of the comparison.
    const comparable = streams.filter(([bytes]) => !bytes.includes("quotes DRUSH_BACKEND_OUTPUT_START"));
    expect(comparable.length).toBeGreaterThan(80);
    const { theirs, ours } = outcomes(comparable);
    // Text with a NUL shortly before the frame is not echoed by drush, which then names the output of the frame in a second error.
    const json = (one: unknown): string => JSON.stringify(one).replace('["DRUSH_APPLICATION_ERROR",2]', '["DRUSH_APPLICATION_ERROR",1]');
    const differing = comparable.flatMap(([bytes], index) => (json(ours[index]) === json(theirs[index]) ? [] : [{ bytes: bytes.toString("latin1"), ours: ours[index], theirs: theirs[index] }]));
    expect(differing).toEqual([]);
  });

  it("the table of global options", () => {
    const [theirs] = drush!.run<[string, string | null, string[]][]>([{ do: "globals" }]);
    const ours = GLOBAL_OPTIONS.map(({ name, short, inherit, neverPropagate, neverPost, pathList }) => [
      name, short ?? null, [neverPropagate && "never-propagate", neverPost && "never-post", pathList && "merge-pathlist", inherit].filter((flag) => flag !== undefined)]);
    // Of several ways to inherit, drush takes the first in this order.
    const first = (flags: string[]): string[] => {
      const [way] = [["propagate", "effective"], ["propagate-cli-value", "cli"], ["context", "context"]].filter(([flag]) => flags.includes(flag!));
      return [...flags.filter((flag) => !/^propagate|^context$/.test(flag)), ...(way === undefined ? [] : [way[1]!])];
    };
    expect(ours).toEqual(theirs!.map(([name, short, flags]) => [name, short, first(flags)]));
  });

  it("words of a command line", () => {
    const shorts = GLOBAL_OPTIONS.flatMap(({ short }) => short ?? []);
    // On these, drush itself dies of a type error.
    const names = GLOBAL_OPTIONS.filter(({ movedAway }) => movedAway !== true).map(({ name }) => name);
    const name = fc.oneof(fc.constantFrom(...names), fc.constantFrom(...shorts, "profile", "no-x", "x", "7", "-z", ""));
    const value = fc.constantFrom("", "=", "=1", "=a=b", "=/p:/q", "=@x");
    const word = fc.oneof(
      fc.tuple(name, value).map(([left, right]) => `--${left}${right}`),
      fc.constantFrom(...shorts, "x", "vv", "vvv", "abc", "v=2", "7").map((short) => `-${short}`),
      fc.constantFrom("cmd", "@x", "@a,@b", "arg", "", "0", "-", "--", "user@h/p", "a#b/c", "/p", "a,b", "#x"));
    const lines = sample(fc.array(word, { maxLength: 7 }), 1500);
    const theirs = drush!.run<{ cli: [unknown, unknown][]; arguments: string[]; alias: boolean }>(lines.map((words) => ({ do: "parse", words })));
    const ours = lines.map((words) => {
      const { options, target, command, args } = parseCommandLine(words);
      const plain = [target, command, ...args].filter((one) => one !== undefined);
      return {
        cli: [...options].map(([key, one]) => [key, one instanceof PhpArray ? [...one.values()] : one]),
        arguments: plain,
        alias: isAliasShape(plain[0] ?? ""),
      };
    });
    expect(ours).toEqual(theirs);
    expect(ours.filter(({ alias }) => alias).length).toBeGreaterThan(100);
  });

  it("30, 31, 93: values of options over several sets", () => {
    const value = fc.constantFrom<PlainRecord[string]>(null, false, true, 0, "", "0", "a", 1.5, [1, 2], { k: "v" });
    const record = fc.dictionary(fc.constantFrom("x", "y", "no-x", "no-y", "0", "1", "z"), value, { maxKeys: 4 });
    const sets = fc.record(Object.fromEntries(["process", "cli", "stdin", "alias", "site", "default"].map((name) => [name, record])), { requiredKeys: [] });
    const names = ["x", "y", "z", "0"];
    const jobs = sample(sets, 300).map((some) => ({ do: "options", sets: some, names }));
    const theirs = drush!.run<{ effective: unknown[]; merged: string }>(jobs);
    const ours = jobs.map(({ sets: some }) => {
      const php = Object.fromEntries(OPTION_SET_NAMES.flatMap((name) => (some[name] === undefined ? [] : [[name, set(some[name])]]))) as OptionSets;
      return { effective: names.map((name) => JSON.parse(jsonEncode(effectiveOption(php, name) ?? null)) as unknown), merged: jsonEncode(mergedOptions(php)) };
    });
    // PHP cannot tell an empty map from an empty list either, so JSON is compared as text.
    expect(ours.map((one) => JSON.stringify(one))).toEqual(theirs.map((one) => JSON.stringify(one)));
  });

  it("81: words and input of a call", () => {
    const value = fc.constantFrom<PlainRecord[string]>(null, true, false, 0, 7, "", "a", "it's é", "a b", 1.5, [1, "x"], { k: { l: [] } });
    const key = fc.constantFrom("x", "profile", "delete", "root", "uri", "verbose", "include", "exclude", "tty", "simulate", "user", "nocolor", "0", "3", "strict", "db-url", "cache-clear");
    const options = fc.dictionary(key, value, { maxKeys: 6 });
    const scalars = fc.dictionary(fc.constantFrom("root", "uri", "db-url", "profile", "os", "user", "path-aliases"), fc.constantFrom("", "/p", "u", "1"), { maxKeys: 4 });
    const call = fc.record({ options, record: scalars, args: fc.array(fc.constantFrom("@x", "a b", "/p", "it's"), { maxLength: 3 }), alias: fc.boolean(), method: fc.constantFrom("GET", "POST") });
    const calls = sample(call, 150);
    const jobs = calls.map(({ options, record, args, alias, method }) => ({
      do: "invoke", command: "noted", args, options,
      record: { ...record, ...(record["path-aliases"] === undefined ? {} : { "path-aliases": {} }), ...(alias ? { "#name": "x" } : {}) },
      backend_options: { integrate: true, method, "drush-script": drush!.stub, "dispatch-using-alias": alias },
    }));
    const words = ["--verbose", "--strict=0", "--user=5", "--nocolor", "--exclude=/e", "--cache-clear=0"];
    drush!.run(jobs, words);
    const inherited = inheritedOptions({ cli: parseCommandLine([...words, "php-script"]).options }, false);
    const ours = calls.map(({ options, record, args, alias, method }) => {
      const own: DrushCall = { command: "noted", args, options: set(options), inherited, method: method === "POST" ? "POST" : "GET" };
      const { argv, stdin } = drushCall(alias ? { ...own, target: "@x" } : { ...own, record: set(record) });
      // The shell between drush and its child drops an empty argument.
      return { argv: argv.filter((word) => word !== ""), stdin: stdin.toString("latin1") };
    });
    // PHP writes `Array` for a list within a list of paths; no such call is made.
    const theirs = drush!.calls().map(({ argv, stdin }) => ({ argv: argv.map((word) => word.replace(/=Array$/, "=")), stdin }));
    expect(ours).toEqual(theirs);
  });
});
