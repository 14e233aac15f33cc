import { spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { deflateRaw, deflateRawSync, gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { GzipWriter } from "../../src/backups/gzip-writer.ts";
import { runsOf } from "../../src/backups/packed-already.ts";
import { gzipSeal } from "../../src/backups/seals.ts";

async function packed(pieces: readonly Buffer[], deflate = deflateRaw): Promise<Buffer> {
  const out: Buffer[] = [];
  const writer = new GzipWriter({ deflateRaw: deflate, deflateRawSync, newHash: () => createHash("sha256") }, (bytes) => Promise.resolve(void out.push(Buffer.from(bytes))));
  for (const piece of pieces) await writer.write(piece);
  await writer.end();
  return Buffer.concat(out);
}

const text = Buffer.from("function drupal_example() { return 'text of a module'; }\n".repeat(40_000));

/** As a dump has them: nothing repeats in them. */
const hashes = Buffer.from(Array.from({ length: 16_000 }, (_, index) => createHash("sha256").update(String(index)).digest("hex")).join("\n"));

describe("gzip by us", () => {
  it.each([
    ["nothing", []],
    ["one byte", [Buffer.from("x")]],
    ["text", [text]],
    ["what is packed already", [randomBytes(3_000_001)]],
    ["both in turns, large and small", Array.from({ length: 60 }, (_, index) => (index % 2 === 0 ? randomBytes(index * 3001) : text.subarray(0, index * 7001)))],
    ["hashes, between pieces of text", [text, hashes, text.subarray(0, 777_777), hashes]],
    ["zeros", [Buffer.alloc(5_000_000)]],
  ])("is read by any gunzip: %s", async (_, pieces) => {
    const bytes = await packed(pieces);
    const whole = Buffer.concat(pieces);
    expect(gunzipSync(bytes).equals(whole)).toBe(true);
    const tool = spawnSync("gzip", ["-dc"], { input: bytes, maxBuffer: 1 << 27 });
    expect([tool.status, tool.stderr.toString(), tool.stdout.equals(whole)]).toEqual([0, "", true]);
    // The first stream alone, as readers do that know only one, is all of it.
    const first = spawnSync("php", ["-r", "$d = gzdecode(file_get_contents('php://stdin')); echo md5($d);"], { input: bytes.subarray(0, -gzipSeal.length), encoding: "utf8" });
    expect(first.stdout).toBe(createHash("md5").update(whole).digest("hex"));
    expect(gzipSeal.is(bytes.subarray(-gzipSeal.length))).toBe(true);
    expect(bytes.length).toBeLessThan(whole.length * 1.001 + 200);
  });

  it("does not look for repetitions where there are none, which is quicker and smaller", async () => {
    const strategies: (number | undefined)[] = [];
    const watching = ((bytes: Buffer, options: { strategy?: number }, done: () => void) => {
      strategies.push(options.strategy);
      deflateRaw(bytes, options, done);
    }) as unknown as typeof deflateRaw;
    const small = (await packed([hashes], watching)).length;
    expect([...new Set(strategies)]).toEqual([2]);
    expect(small).toBeLessThan(deflateRawSync(hashes, { level: 2 }).length);
    strategies.length = 0;
    await packed([text], watching);
    expect([...new Set(strategies)]).toEqual([0]);
  });

  it("is the same stream with pauses in it, and passes on in a pause what it has", async () => {
    const out: Buffer[] = [];
    const writer = new GzipWriter({ deflateRaw, deflateRawSync, newHash: () => createHash("sha256") }, (bytes) => Promise.resolve(void out.push(Buffer.from(bytes))));
    const size = (): number => out.reduce((sum, { length }) => sum + length, 0);
    await writer.pause();
    expect(size()).toBe(0);
    await writer.write(text.subarray(0, 300_000));
    await writer.pause();
    const first = size();
    expect(first).toBeGreaterThan(1000);
    await writer.pause();
    expect(size()).toBe(first);
    await writer.write(hashes);
    await writer.end();
    expect(gunzipSync(Buffer.concat(out)).equals(Buffer.concat([text.subarray(0, 300_000), hashes]))).toBe(true);
  });

  it("makes text small, and what cannot be made smaller hardly larger", async () => {
    expect((await packed([text])).length).toBeLessThan(text.length / 20);
    expect(runsOf(Buffer.concat([text.subarray(0, 1 << 16), randomBytes(1 << 16), text.subarray(0, 5000)])).map(({ bytes, isPacked }) => [bytes.length, isPacked])).toEqual([[1 << 16, false], [(1 << 16) + 5000, true]]);
  });
});
