import { describe, expect, it } from "vitest";
import { fuzzAliases, hasPhp } from "./fuzz-aliases.ts";

describe.skipIf(!hasPhp())("fuzz", () => {
  it("reads 2,000 random files as PHP does, or leaves them to PHP", async () => {
    const report = await fuzzAliases({ files: 2000, seed: 8412 });
    expect(report.failures).toEqual([]);
    expect(report.files).toBe(2000);
    // The samples are worth something only if all ways of reading take part.
    for (const count of [report.generated, report.static, report.leftToPhp, report.broken]) expect(count).toBeGreaterThan(100);
  }, 300_000);

  it("stops in time", async () => {
    const report = await fuzzAliases({ files: 1_000_000, seed: 1, seconds: 0.001 });
    expect(report.files).toBeLessThanOrEqual(2000);
  });
});
