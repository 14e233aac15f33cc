import { describe, expect, it } from "vitest";
import { parseStdinOptions, STDIN_LIMIT } from "../../src/backend-protocol/stdin-options.ts";
import { jsonEncode } from "../../src/php-values/json-encode.ts";

function parse(text: string): ReturnType<typeof parseStdinOptions> {
  return parseStdinOptions(Buffer.from(text, "latin1"));
}

describe("parseStdinOptions", () => {
  it("29, 53: keeps shapes and types", () => {
    const json = '{"a":{"b":[1,2],"c":{}},"n":null,"t":true,"f":1.5,"s":"5","10":"x"}';
    expect(jsonEncode(parse(json).options)).toBe(json.replace("{}", "[]"));
    expect(parse(json).ignored).toBeUndefined();
  });

  it("94: ~/ is not expanded", () => {
    expect(parse('{"x":"~/f"}').options.get("x")).toBe("~/f");
  });

  it.each(["", " \n\t", "\0\v ", "5", '"x"', "null", "true", "garbage", "{a:1}", '{"a":1}}', "\ufeff{}", '{"a":"\xff"}', "nul", '"cut', "-"])(
    "51: %j is ignored, with a reason", (text) => {
      const { options, ignored } = parse(text);
      expect(options.size).toBe(0);
      expect(ignored).toMatch(/./);
    });

  it("51: the reason does not quote the input", () => {
    expect(parse('secret {"db_passwd":"secret"}').ignored).not.toContain("secret");
  });

  it("an empty object is no reason for a message", () => {
    expect(parse("{}")).toEqual({ options: parse("[]").options });
  });

  it("options that are cut off anywhere are an error", () => {
    const whole = ' {"db_passwd":"s\\u00e9cret","n":[1.5,{"a":null}]}';
    for (let length = 2; length < whole.length; length++) {
      expect(() => parse(whole.slice(0, length)), whole.slice(0, length)).toThrow(
        expect.objectContaining({ code: "PROVISION_OPTIONS_TRUNCATED", message: expect.not.stringContaining("secret") as string }) as Error);
    }
    expect(() => parse('["a",')).toThrow(expect.objectContaining({ code: "PROVISION_OPTIONS_TRUNCATED" }) as Error);
    expect(() => parse('{"a":"\xc3')).toThrow(expect.objectContaining({ code: "PROVISION_OPTIONS_TRUNCATED" }) as Error);
  });

  it("more than 32 MiB are an error", () => {
    expect(() => parseStdinOptions(Buffer.alloc(STDIN_LIMIT + 1, " "))).toThrow(expect.objectContaining({ code: "PROVISION_OPTIONS_TOO_LARGE" }) as Error);
    expect(parseStdinOptions(Buffer.alloc(STDIN_LIMIT, " ")).ignored).toBe("blank");
  });

  it("50: reads 32 MiB of options in seconds, whatever their shape", () => {
    const entries = Array.from({ length: 1_300_000 }, (_, index) => `"key${index}":"v${index}"`);
    const shapes = { map: `{${entries.join(",")}}`, numbers: `[${Array(4_500_000).fill("123456").join(",")}]`, text: JSON.stringify({ a: "x/\n".repeat(6_500_000) }) };
    for (const [shape, json] of Object.entries(shapes)) {
      const bytes = Buffer.from(json);
      const start = performance.now();
      expect(parseStdinOptions(bytes).options.size).toBeGreaterThan(0);
      // Two seconds are wanted; the machine of a test may be busy.
      expect(performance.now() - start, shape).toBeLessThan(60_000);
    }
  });
});
