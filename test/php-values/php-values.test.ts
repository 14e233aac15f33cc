import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isTruthy, phpFrom, scalarText } from "../../src/php-values/convert.ts";
import { formatFloat } from "../../src/php-values/float.ts";
import { jsonDecode, JsonSyntaxError } from "../../src/php-values/json-decode.ts";
import { jsonEncode } from "../../src/php-values/json-encode.ts";
import { PhpArray } from "../../src/php-values/php-array.ts";
import { bytesFromText, joinText, textFromBytes } from "../../src/php-values/text.ts";
import { PhpFloat, type PhpValue } from "../../src/php-values/value.ts";
import { varExport } from "../../src/php-values/var-export.ts";

function php(code: string): string {
  return execFileSync("php", ["-n", "-r", code], { encoding: "utf8" });
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

  it.each(['{"a":', '{"a"', '{"a":1,', "[1,2", '"abc', '{"a":tru', '{"a":"x\\', ""])("says that %s is cut off", (json) => {
    expect(() => decode(json)).toThrow(expect.objectContaining({ name: "JsonSyntaxError", truncated: true }) as Error);
  });

  it.each(["garbage", '{"a":1}}', "{a:1}", "[1,]", '{"a":01}', '"\u0001"', '"\\ud800"'])("says that %s is wrong", (json) => {
    expect(() => decode(json)).toThrow(expect.objectContaining({ truncated: false }) as Error);
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
