import { describe, expect, it } from "vitest";
import { addressesIn } from "../../src/files/hosts-file.ts";

const HOSTS = "127.0.0.1 localhost # the machine\n::1 six.test localhost\n127.0.1.1\tFull.Name.test short\n#10.0.0.1 gone.test\n10.0.0.2 other.test twice.test\n10.0.0.3 twice.test\n";

describe("names in /etc/hosts", () => {
  it("contexts 63: are found without regard to case, with their IPv4 addresses", () => {
    expect(["localhost", "full.name.test", "SHORT", "other.test", "six.test", "gone.test", "#", "the"].map((name) => addressesIn(HOSTS, name)[0])).toEqual(["127.0.0.1", "127.0.1.1", "127.0.1.1", "10.0.0.2", undefined, undefined, undefined, undefined]);
  });

  it("all addresses of a name are found, in the file's order", () => {
    expect(addressesIn(HOSTS, "twice.test")).toEqual(["10.0.0.2", "10.0.0.3"]);
    expect(addressesIn(HOSTS, "localhost", /^[\d.]+$|:/)).toEqual(["127.0.0.1", "::1"]);
  });
});
