import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isTruthy, phpFrom, scalarText } from "../../src/php-values/convert.ts";
import { formatFloat } from "../../src/php-values/float.ts";
import { jsonDecode, JsonSyntaxError } from "../../src/php-values/json-decode.ts";
import { jsonEncode } from "../../src/php-values/json-encode.ts";
import { JsonMembers } from "../../src/php-values/json-members.ts";
import { PhpArray } from "../../src/php-values/php-array.ts";
import { bytesFromText, joinText, textFromBytes } from "../../src/php-values/text.ts";
import { PhpFloat, type PhpValue } from "../../src/php-values/value.ts";
import { varExport } from "../../src/php-values/var-export.ts";

function php(code: string): string {
  return execFileSync("php", ["-n", "-r", code], { encoding: "utf8" });
}

/** Runs the code for each text as `$line` in one PHP process. */
function phpLines(code: string, lines: readonly string[]): string[] {
  const program = `while (($l = fgets(STDIN)) !== FALSE) { $line = base64_decode($l); ${code} }`;
  const input = lines.map((line) => Buffer.from(line).toString("base64") + "\n").join("");
  return execFileSync("php", ["-n", "-d", "serialize_precision=-1", "-r", program], { encoding: "utf8", input, maxBuffer: 1 << 28 }).trimEnd().split("\n");
}

function decode(json: string): PhpValue {
  return jsonDecode(Buffer.from(json));
}

describe("text", () => {
  it("keeps any bytes", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      expect(bytesFromText(textFromBytes(bytes)).equals(Buffer.from(bytes))).toBe(true);
    }));
  });

  it("is ordinary text for UTF-8", () => {
    expect(textFromBytes(Buffer.from("é€𝄞"))).toBe("é€𝄞");
  });

  it("joins the halves of a character as PHP does", () => {
    const [left, right] = [textFromBytes(Uint8Array.of(0xc3)), textFromBytes(Uint8Array.of(0xa9))];
    expect(joinText(left, right)).toBe("é");
  });
});

describe("PhpArray", () => {
  it("turns decimal text keys into integers and keeps the order", () => {
    const array = PhpArray.of([["b", 1], ["10", 2], ["2", 3], ["05", 4], ["-0", 5], ["-5", 6]]);
    expect([...array.keys()]).toEqual(["b", 10, 2, "05", "-0", -5]);
  });

  it("numbers new elements after the highest key, also a removed one", () => {
    const array = PhpArray.of([[7, "x"]]);
    array.delete(7);
    expect([...array.push("y").keys()]).toEqual([8]);
  });

  it("is the same map whether it began as a list or not", () => {
    type Step = ["set", string | number, number] | ["push", number] | ["delete", number] | ["clone"];
    const key = fc.oneof(fc.integer({ min: -1, max: 4 }), fc.constantFrom("0", "1", "x", "03"));
    const step: fc.Arbitrary<Step> = fc.oneof(
      fc.tuple(fc.constant("set" as const), key, fc.nat()), fc.tuple(fc.constant("push" as const), fc.nat()),
      fc.tuple(fc.constant("delete" as const), fc.nat(4)), fc.tuple(fc.constant("clone" as const)));
    fc.assert(fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      let array = new PhpArray();
      const model = new Map<string, number>();
      let next = 0;
      const set = (name: string | number, value: number): void => {
        model.set(String(name), value);
        if (/^(?:0|[1-9]\d*)$/.test(String(name))) next = Math.max(next, Number(name) + 1);
      };
      for (const [what, ...rest] of steps) {
        if (what === "clone") array = array.clone();
        else if (what === "delete") expect(array.delete(rest[0] as number)).toBe(model.delete(String(rest[0])));
        else if (what === "push") { const [value] = rest as [number]; array.push(value); set(next, value); }
        else { const [name, value] = rest as [string | number, number]; array.set(name, value); set(name, value); }
      }
      expect([...array].map(([name, value]) => [String(name), value])).toEqual([...model]);
      expect([...array.keys()].map(String)).toEqual([...model.keys()]);
      expect([...array.values()]).toEqual([...model.values()]);
      expect(array.size).toBe(model.size);
      expect(array.isList()).toBe([...model.keys()].every((name, index) => name === String(index)));
      for (const name of ["-1", 0, 1, 2, "x", "03"]) {
        expect([array.get(name), array.has(name)]).toEqual([model.get(String(name)), model.has(String(name))]);
      }
    }));
  });

  it("merges, adds and replaces as array_merge, + and array_replace do", () => {
    const left = PhpArray.of([["a", 1], [3, 2]]);
    const right = PhpArray.of([["a", 9], [3, 8], ["z", 7]]);
    expect([...left.merge(right)]).toEqual([["a", 9], [0, 2], [1, 8], ["z", 7]]);
    expect([...left.union(right)]).toEqual([["a", 1], [3, 2], ["z", 7]]);
    expect([...left.replace(right)]).toEqual([["a", 9], [3, 8], ["z", 7]]);
  });
});

describe("floats", () => {
  it("are written as PHP writes them", () => {
    const numbers = [0.0001, 0.00001, 1e15, 1e16, 1e17, 1.5e300, 1.2345678901234568e17, -0, 0.1, 100000, 1, 12345.678, 1e22, 5e-324, 2 / 3];
    const expected = php(`ini_set('serialize_precision', -1); foreach (json_decode('${JSON.stringify(numbers.map((n) => (Object.is(n, -0) ? "-0.0" : n.toExponential(17))))}') as $n) echo json_encode((float) $n), "\n";`);
    expect(numbers.map((n) => formatFloat(n, "e")).join("\n") + "\n").toBe(expected);
  });
});

describe("jsonEncode", () => {
  it.each([
    [phpFrom({ a: "x/y", b: [1, 2], c: {}, d: null, e: true }), '{"a":"x\\/y","b":[1,2],"c":[],"d":null,"e":true}'],
    ["é\u0001𝄞\"\\\n\u007f", '"\\u00e9\\u0001\\ud834\\udd1e\\"\\\\\\n\u007f"'],
    [PhpArray.of([[0, "a"], [2, "b"]]), '{"0":"a","2":"b"}'],
    [new PhpFloat(1), "1"],
    [new PhpFloat(0.1), "0.1"],
    [9223372036854775807n, "9223372036854775807"],
  ] as const)("writes %o", (value, json) => expect(jsonEncode(value)).toBe(json));

  it("replaces bytes that are not UTF-8", () => {
    expect(jsonEncode(textFromBytes(Uint8Array.of(0x61, 0xff)))).toBe('"a\\ufffd"');
  });
});

describe("jsonDecode", () => {
  it("keeps order, types and integer keys", () => {
    const value = decode('{"10":1,"2":1.0,"x":[true,null,"\\u00e9"],"big":9223372036854775808}') as PhpArray;
    expect([...value.keys()]).toEqual([10, 2, "x", "big"]);
    expect(value.get("2")).toEqual(new PhpFloat(1));
    expect(value.get("big")).toBeInstanceOf(PhpFloat);
    expect([...(value.get("x") as PhpArray).values()]).toEqual([true, null, "é"]);
  });

  it.each(['{"a":', '{"a"', '{"a":1,', "[1,2", '"abc', '{"a":tru', '{"a":"x\\', "", '{"a":1.', '{"a":1e', '{"a":1.5e-', '{"a":-', '{"a":"\\u00', '{"a":"\\ud83d', '{"a":"\\ud83d\\', '{"a":"\\ud83d\\u'])("says that %s is cut off", (json) => {
    expect(() => decode(json)).toThrow(expect.objectContaining({ name: "JsonSyntaxError", truncated: true }) as Error);
  });

  it.each(["garbage", '{"a":1}}', "{a:1}", "[1,]", '{"a":01}', '"\u0001"', '"\u001f"', '"\\ud800"', '"\\ud800\\u0041"', '"\\udc00"', '"\\udc00\\udc00"', '"\\x"', '"\\u00g0"', '{"a".', '{"5"e'])("says that %s is wrong", (json) => {
    expect(() => decode(json)).toThrow(expect.objectContaining({ truncated: false }) as Error);
  });

  it.each([
    [[0xc3], true], [[0xe2, 0x82], true], [[0xf0, 0x9f, 0x98], true], // the beginning of a character
    [[0xff], false], [[0xc0], false], [[0xe0, 0x80], false], [[0x80], false], [[0xc3, 0xa9, 0xb1], false], [[0xc3, 0xa9, 0x80, 0x80], false], // never a character
  ] as const)("takes the bytes %j at the end of a string as cut off: %s", (tail, truncated) => {
    const bytes = Buffer.concat([Buffer.from('{"a":"'), Buffer.from(tail)]);
    expect(() => jsonDecode(bytes)).toThrow(expect.objectContaining({ truncated }) as Error);
  });

  it("refuses a wrong byte shortly before the end", () => {
    expect(() => jsonDecode(Buffer.from('{"a":"\xff"}', "latin1"))).toThrow(JsonSyntaxError);
    expect(() => jsonDecode(Buffer.from('{"a":1}\xc3', "latin1"))).toThrow(expect.objectContaining({ truncated: false }) as Error);
  });

  it("reads -0 as the integer 0", () => {
    expect(Object.is(decode("-0"), 0)).toBe(true);
  });

  it("says of every beginning of a text that it is cut off", () => {
    const text = Buffer.from('{"k\\u00e9€":[1.5e-7,-0,true,null,{"x":"a\\ud83d\\ude00\\n😀"},[]],"":false}');
    for (let length = 0; length < text.length; length++) {
      expect(() => jsonDecode(text.subarray(0, length)), String(length)).toThrow(expect.objectContaining({ truncated: true }) as Error);
    }
    expect(jsonDecode(text)).toBeInstanceOf(PhpArray);
  });

  it("accepts, refuses and reads as PHP does", () => {
    const seeds = ['{"a":[1,-2.50,1e3,true],"b":{"c":"\\ud83d\\ude00\\/"}}', '[null,TRUE,"x\\u0000","é",12345678901234567890,-0,0.1]', '{"":1,"0":2,"-5":3,"05":4}'];
    const piece = fc.constantFrom(...Array.from('{}[]",:\\0129.-+eEu \n\ttruefalsn'), "\\ud83d", "\\ude00", "é", "null", '""', "1", "[1]");
    const edit = fc.record({ at: fc.nat(), remove: fc.nat(3), insert: fc.array(piece, { maxLength: 3 }) });
    const texts = fc.sample(fc.tuple(fc.constantFrom(...seeds), fc.array(edit, { maxLength: 3 })), 3000).map(([seed, edits]) =>
      edits.reduce((text, { at, remove, insert }) => {
        const from = at % (text.length + 1);
        return text.slice(0, from) + insert.join("") + text.slice(from + remove);
      }, seed).toWellFormed());
    const theirs = phpLines("$v = json_decode($line, TRUE); echo json_last_error() ? 'error' : json_encode($v), \"\\n\";", texts);
    expect(texts.map((text) => {
      try { return jsonEncode(decode(text)); } catch { return "error"; }
    })).toEqual(theirs);
    expect(theirs.filter((line) => line === "error").length).toBeGreaterThan(300);
  });

  it("refuses more than 512 levels, as PHP does", () => {
    expect(() => decode("[".repeat(513) + "]".repeat(513))).toThrow(JsonSyntaxError);
    expect(() => decode("[".repeat(512) + "]".repeat(512))).not.toThrow();
  });

  it("agrees with PHP on what it writes", () => {
    fc.assert(fc.property(fc.json(), (json) => {
      const ours = jsonEncode(decode(json));
      const again = jsonEncode(decode(ours));
      expect(again).toBe(ours);
    }));
  });
});

describe("JsonMembers", () => {
  it("builds only what is asked for, with the same values", () => {
    const json = Buffer.from(' {"a":1,"10":{"x":[1.0,"\\u00e9"]},"a":"again","":null} ');
    const members = JsonMembers.read(json)!;
    expect([...members.keys()]).toEqual(["a", 10, ""]);
    expect(members.get("10")).toEqual((jsonDecode(json) as PhpArray).get(10));
    expect([members.get("a"), members.get(""), members.get("none"), members.has("none")]).toEqual(["again", null, undefined, false]);
    expect(members.toArray()).toEqual(jsonDecode(json));
  });

  it("counts levels as jsonDecode does", () => {
    const nested = (levels: number): Buffer => Buffer.from("[".repeat(levels) + "]".repeat(levels));
    expect(() => JsonMembers.read(nested(513))).toThrow(JsonSyntaxError);
    expect(JsonMembers.read(nested(512))?.toArray()).toEqual(jsonDecode(nested(512)));
  });

  it("reads a list, and gives nothing for a scalar", () => {
    expect(JsonMembers.read(Buffer.from("[1,[2]]"))?.toArray()).toEqual(decode("[1,[2]]"));
    expect(JsonMembers.read(Buffer.from('"x"'))).toBeUndefined();
  });

  it("refuses what jsonDecode refuses", () => {
    const piece = fc.constantFrom("{", "}", "[", "]", '"', ",", ":", "\\", "u00e9", "1", "-", "0.5", "e3", "true", "nul", " ", '"a":', "\u0001");
    fc.assert(fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const json = Buffer.from(pieces.join(""));
      expect(problem(() => JsonMembers.read(json))).toBe(problem(() => jsonDecode(json)));
    }), { numRuns: 2000 });
  });
});

function problem(read: () => unknown): string {
  try {
    read();
    return "";
  } catch (error) {
    return String(error) + String((error as JsonSyntaxError).truncated);
  }
}

describe("varExport", () => {
  it("is what PHP's var_export gives", () => {
    const json = '{"context_type":"site","none":null,"t":true,"f":1.0,"n":-5,"s":"it\'s a \\\\ back","nul":"a\\u0000b","list":[1,[],{"k":2.5}],"7":"seven"}';
    const expected = php(`var_export(json_decode('${json.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}', TRUE));`);
    expect(varExport(decode(json))).toBe(expected);
  });

  it("writes the smallest integer so that PHP can read it", () => {
    expect(varExport(-9223372036854775808n)).toBe("-9223372036854775807-1");
  });
});

describe("truth and text", () => {
  it.each([[null, false], ["", false], ["0", false], [0, false], [new PhpFloat(0), false], [new PhpArray(), false], ["0.0", true], [" ", true], [-1, true]] as const)(
    "%o is %s", (value, expected) => expect(isTruthy(value)).toBe(expected));

  it.each([[true, "1"], [false, ""], [null, ""], [12, "12"], [new PhpFloat(1.5), "1.5"], [new PhpFloat(1e15), "1.0E+15"]] as const)(
    "the text of %o is %s", (value, text) => expect(scalarText(value)).toBe(text));
});
