import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import type * as fsPromises from "node:fs/promises";
import { openBench, type Bench } from "./archives.ts";

type FsPromises = typeof fsPromises;

/** What becomes of bytes on their way to the disk. */
const disk = vi.hoisted(() => ({ spoil: undefined as ((bytes: Buffer, position: number) => Buffer) | undefined }));

vi.mock("node:fs/promises", async (original) => {
  const real = await original<FsPromises>();
  const open: typeof real.open = async (path, flags, mode) => {
    const handle = await real.open(path, flags, mode);
    if (flags !== "wx") return handle;
    const write = handle.write.bind(handle) as (bytes: Buffer, offset: number, length: number, position: number) => Promise<unknown>;
    handle.write = (async (bytes: Buffer, offset: number, length: number, position: number) => write(disk.spoil?.(bytes, position) ?? bytes, offset, length, position)) as typeof handle.write;
    return handle;
  };
  return { ...real, open, default: { ...real, open } };
});

let bench: Bench;

beforeAll(() => {
  bench = openBench();
  mkdirSync(bench.at("site"));
  for (let number = 0; number < 40; number++) writeFileSync(bench.at("site", `file-${number}`), randomBytes(3000));
});
afterAll(() => bench.remove());
beforeEach(() => {
  disk.spoil = undefined;
});

describe.each(["b.tar.gz", "b.tar", "b.tar.bz2"])("a backup %s on a disk that", (name) => {
  it.each([10, 5000, 60_000])("loses a bit at %d fails, and nothing is left", async (place) => {
    disk.spoil = (bytes, position) => {
      if (place < position || place >= position + bytes.length) return bytes;
      const spoiled = Buffer.from(bytes);
      spoiled[place - position] = (spoiled[place - position] ?? 0) ^ 32;
      return spoiled;
    };
    const failure: unknown = await bench.make(name).catch((thrown: unknown) => thrown);
    expect(failure).toMatchObject({ code: "PROVISION_BACKUP_FAILED", message: expect.stringContaining("read back it is not what was written") as string });
    expect(readdirSync(bench.folder)).toEqual(["site"]);
  });

  it("is full fails with its code, and nothing is left", async () => {
    disk.spoil = (bytes, position) => {
      if (position > 4000 || bytes.length > 4000) throw Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
      return bytes;
    };
    await expect(bench.make(name)).rejects.toMatchObject({ code: "FILE_NO_SPACE" });
    expect(existsSync(bench.at(name))).toBe(false);
  });

  it("is slow, and told to stop, leaves nothing", async () => {
    const stop = new AbortController();
    disk.spoil = (bytes) => {
      stop.abort();
      return bytes;
    };
    await expect(bench.make(name, { signal: stop.signal })).rejects.toMatchObject({ code: "PROVISION_INTERRUPTED" });
    expect(readdirSync(bench.folder)).toEqual(["site"]);
  });
});
