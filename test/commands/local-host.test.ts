import { hostname } from "node:os";
import { describe, expect, it } from "vitest";
import { isLocalHost } from "../../src/commands/local-host.ts";

describe("which hosts are this machine", () => {
  it.each(["localhost", "LocalHost", "127.0.0.1", hostname(), hostname().toUpperCase()])("contexts 63: %s is", async (host) => expect(await isLocalHost(host)).toBe(true));

  it("contexts 63: an address of another machine is not", async () => expect(await isLocalHost("192.0.2.1")).toBe(false));
});
