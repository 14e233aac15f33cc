import { hostname } from "node:os";
import { describe, expect, it } from "vitest";
import { isLocalHost, listedAddress } from "../../src/commands/local-host.ts";

describe("which hosts are this machine", () => {
  it.each(["localhost", "LocalHost", "127.0.0.1", hostname(), hostname().toUpperCase()])("contexts 63: %s is", async (host) => expect(await isLocalHost(host)).toBe(true));

  it("contexts 63: an address of another machine is not", async () => expect(await isLocalHost("192.0.2.1")).toBe(false));

  it("contexts 63: names are found in /etc/hosts, without regard to case", () => {
    const hosts = "127.0.0.1 localhost # the machine\n::1 six.test\n127.0.1.1\tFull.Name.test short\n#10.0.0.1 gone.test\n10.0.0.2 other.test\n";
    expect(["localhost", "full.name.test", "short", "other.test", "six.test", "gone.test", "#", "the"].map((name) => listedAddress(name, hosts))).toEqual(["127.0.0.1", "127.0.1.1", "127.0.1.1", "10.0.0.2", undefined, undefined, undefined, undefined]);
  });
});
