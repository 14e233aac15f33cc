import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openNginxHost, type NginxHost } from "./nginx-host.ts";

let host: NginxHost;
beforeAll(async () => {
  host = await openNginxHost();
}, 120_000);
afterAll(() => host.close());

describe("a site", () => {
  it("is served by PHP", async () => {
    await host.serve({ uri: "site.test", aliases: ["www.site.test"] });
    expect(await host.ran("site.test", "/node/1")).toMatchObject({ ran: "index.php", MAIN_SITE_NAME: "site.test", db_name: "db" });
  });
});
