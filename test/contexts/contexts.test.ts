import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { readPhpFile } from "../../src/aliases/reading/read-php-file.ts";
import { aliasFileText } from "../../src/aliases/write-alias.ts";
import { Contexts } from "../../src/contexts/contexts.ts";
import type { Context, ServerContext, SiteContext } from "../../src/contexts/context.ts";
import { PhpArray } from "../../src/php-values/php-array.ts";
import type { PhpValue } from "../../src/php-values/value.ts";
import { phpFrom, type PlainRecord } from "../../src/php-values/convert.ts";

const folder = join(import.meta.dirname, "../../fixtures/drush-aliases");
const records = new Map<string, PhpArray>();

beforeAll(async () => {
  for (const file of readdirSync(folder)) {
    const { values } = await readPhpFile(join(folder, file), { variables: ["aliases"], php: { program: "php", phpDir: join(import.meta.dirname, "../../php"), env: process.env, cwd: "/", userId: process.getuid?.() } });
    for (const [name, record] of values.get("aliases") as PhpArray) records.set(String(name), record as PhpArray);
  }
});

interface World {
  readonly cli?: PlainRecord;
  readonly stdin?: PlainRecord;
  readonly aliases?: ReadonlyMap<string, PhpArray>;
  readonly subdirs?: boolean;
}

function contexts({ cli = {}, stdin = {}, aliases = records, subdirs = false }: World = {}): Contexts {
  return new Contexts({
    findAlias: (name) => Promise.resolve(aliases.get(name)),
    call: { cli: phpFrom(cli) as PhpArray, stdin: phpFrom(stdin) as PhpArray },
    machine: { home: "/var/aegir", user: "aegir", gid: 0, path: ["/nonexistent"] },
    subdirs,
  });
}

async function get<T extends Context = Context>(name: string, world: World = {}): Promise<T> {
  return (await contexts(world).get(name)) as T;
}

async function prop(name: string, key: string, world: World = {}): Promise<PhpValue | undefined> {
  return (await get(name, world)).properties.get(key);
}

describe("fixtures", () => {
  // contexts-and-config 31, aliases 8: key order and bytes as the reference wrote them.
  it.each(readdirSync(folder).map((file) => file.replace(".alias.drushrc.php", "")))("31: %s is saved again byte by byte", async (name) => {
    const context = await get(name);
    expect(aliasFileText(name, context.properties)).toBe(readFileSync(join(folder, `${name}.alias.drushrc.php`), "utf8"));
  });
});

describe("names and types", () => {
  it("1: foo, @foo and @@foo are one context", async () => {
    const all = contexts();
    expect(await all.get("@@server_master")).toBe(await all.get("server_master"));
  });

  it("2: a new name without a type is a server", async () => {
    expect((await get("brand_new")).type).toBe("server");
  });

  it("3: the record's type decides the kind, whatever the options say", async () => {
    const context = await get("shop.example.com", { cli: { context_type: "platform" } });
    expect([context.type, context.properties.get("context_type")]).toEqual(["site", "site"]);
  });

  it("4: an unknown type is refused", async () => {
    await expect(get("brand_new", { cli: { context_type: "cloud" } })).rejects.toMatchObject({ code: "PROVISION_UNKNOWN_CONTEXT_TYPE" });
  });

  it("5: a missing alias that must exist is PROVISION_MISSING_CONTEXT", async () => {
    await expect(contexts().existing("@gone")).rejects.toMatchObject({ code: "PROVISION_MISSING_CONTEXT", message: "Could not find provision alias named: @gone" });
  });

  it.each([
    ["6: a site whose platform is missing", { context_type: "site", platform: "@gone" }],
    ["6: a site without a platform", { context_type: "site" }],
    ["7: a platform whose web server is missing", { context_type: "platform", web_server: "@gone" }],
    ["a platform whose web server is a site", { context_type: "platform", web_server: "@shop.example.com" }],
  ])("%s is refused", async (_, cli) => {
    await expect(get("brand_new", { cli })).rejects.toMatchObject({ code: "PROVISION_MISSING_CONTEXT" });
  });

  it.each(["a/b", "a'b", "", "..", "a\0b", "x".repeat(236), "a\\b"])("the name %j is refused", async (name) => {
    await expect(async () => get(name)).rejects.toMatchObject({ code: "PROVISION_BAD_CONTEXT_NAME" });
  });

  it("two contexts that refer to each other are refused, not followed for ever", async () => {
    const site = phpFrom({ context_type: "site", platform: "@a", uri: "a" }) as PhpArray;
    await expect(get("a", { aliases: new Map([...records, ["a", site]]) })).rejects.toMatchObject({ code: "PROVISION_MISSING_CONTEXT" });
  });
});

describe("options", () => {
  it("9: server is @server_master on all types", async () => {
    for (const name of ["server_web1examplecom", "platform_drupal7", "shop.example.com"]) expect(await prop(name, "server", { cli: { server: "@other" } })).toBe("@server_master");
  });

  it.each([["11: empty text", ""], ["12: 0", "0"], ["13: false", false], ["13: null", null], ["13: number 0", 0], ["13: an empty list", []]])("%s leaves the stored value", async (_, value) => {
    expect(await prop("shop.example.com", "client_name", { stdin: { client_name: value } })).toBe("acme");
    expect(await prop("shop.example.com", "redirection", { cli: { redirection: value } })).toBe("www.shop.example.com");
  });

  it("14: the word null gives the default", async () => {
    const world = { stdin: { profile: "null", site_enabled: "null", aliases: "null", redirection: "null", client_name: "null" } };
    const site = await get("blog.example.org", world);
    expect(["profile", "site_enabled", "redirection", "client_name"].map((key) => site.properties.get(key))).toEqual(["standard", true, false, null]);
    expect((site.properties.get("aliases") as PhpArray).size).toBe(0);
  });

  it("15: NULL in capitals is text", async () => {
    expect(await prop("shop.example.com", "client_name", { cli: { client_name: "NULL" } })).toBe("NULL");
  });

  it("16: a comma list is split as it is", async () => {
    const list = (await prop("shop.example.com", "aliases", { cli: { aliases: "a, b,,c" } })) as PhpArray;
    expect([...list]).toEqual([[0, "a"], [1, " b"], [2, ""], [3, "c"]]);
  });

  it("17: a list stays as given", async () => {
    const list = (await prop("shop.example.com", "aliases", { stdin: { aliases: ["x", "y"] } })) as PhpArray;
    expect([...list.values()]).toEqual(["x", "y"]);
  });

  it("18: the command line beats stdin beats the record", async () => {
    const world = { cli: { language: "de" }, stdin: { language: "fr", client_name: "posted" } };
    expect([await prop("shop.example.com", "language", world), await prop("shop.example.com", "client_name", world), await prop("shop.example.com", "profile", world)]).toEqual(["de", "posted", "standard"]);
  });

  it("19: numbers from outside stay text, defaults are integers", async () => {
    const cli = { http_service_type: "apache" };
    expect([await prop("new", "http_port", { cli }), await prop("new", "http_port", { cli: { ...cli, http_port: "80" } })]).toEqual([80, "80"]);
  });

  it("20: a stored false survives a save without options", async () => {
    expect((await get<SiteContext>("blog.example.org")).enabled).toBe(false);
  });
});

describe("computed properties", () => {
  it("21: config_path uses the name", async () => {
    expect(await prop("server_web1examplecom", "config_path", { cli: { remote_host: "elsewhere" } })).toBe("/var/aegir/config/server_web1examplecom");
  });

  it("22: other servers copy aegir_root and web_group from the master", async () => {
    const record = records.get("server_web1examplecom")!.clone().set("aegir_root", "/own").set("web_group", "own");
    const changed = await get<ServerContext>("server_web1examplecom", { aliases: new Map([...records, ["server_web1examplecom", record]]) });
    expect([changed.aegirRoot, changed.http?.webGroup]).toEqual(["/var/aegir", "www-data"]);
  });

  it("23: web_disable_url has one slash, and none in front without a master_url", async () => {
    const cli = { http_service_type: "apache" };
    expect(await prop("new", "web_disable_url", { cli: { ...cli, master_url: "http://m.test///" } })).toBe("http://m.test/hosting/disabled");
    expect(await prop("new", "web_disable_url", { cli })).toBe("/hosting/disabled");
  });

  it("24: admin_email keeps its first value", async () => {
    expect(await prop("server_web1examplecom", "admin_email", { cli: { remote_host: "new.example.com" } })).toBe("admin@web1.example.com");
    expect(await prop("fresh", "admin_email", { cli: { remote_host: "new.example.com" } })).toBe("admin@new.example.com");
  });

  it("25: a site follows its platform", async () => {
    const moved = records.get("platform_drupal7")!.clone().set("root", "/elsewhere");
    const site = await get<SiteContext>("shop.example.com", { aliases: new Map([...records, ["platform_drupal7", moved]]) });
    expect([site.properties.get("root"), site.sitePath]).toEqual(["/elsewhere", "/elsewhere/sites/shop.example.com"]);
  });

  it("26: TLS properties of a site exist only under a TLS driver, also in a cluster", async () => {
    const plain = records.get("server_master")!.clone().set("http_service_type", "apache");
    expect((await get("shop.example.com", { aliases: new Map([...records, ["server_master", plain]]), cli: { ssl_enabled: "1" } })).properties.has("ssl_enabled")).toBe(false);
    const cluster = records.get("server_clusterexamplecom")!.clone().set("cluster_web_servers", PhpArray.list(["@server_web1examplecom", "@server_web3examplecom"]));
    expect((await get("blog.example.org", { aliases: new Map([...records, ["server_clusterexamplecom", cluster]]) })).properties.has("ssl_key")).toBe(true);
  });

  it("27: cluster and pack have no port, paths or group", async () => {
    for (const name of ["server_clusterexamplecom", "server_packexamplecom"]) {
      const { properties } = await get(name);
      expect(["http_port", "web_group", "http_vhostd_path"].filter((key) => properties.has(key))).toEqual([]);
    }
  });

  it("28: NONE switches a service off with its properties", async () => {
    const { properties } = await get("server_master", { stdin: { http_service_type: "NONE" } });
    expect(["http_service_type", "http_port", "ssl_key"].filter((key) => properties.has(key))).toEqual([]);
    expect(properties.has("master_db")).toBe(true);
  });

  it("29: an unknown driver is told and not stored", async () => {
    const server = await get<ServerContext>("server_master", { stdin: { http_service_type: "lighttpd" } });
    expect([server.unknownDrivers, server.properties.has("http_service_type")]).toEqual([["http: lighttpd"], false]);
  });

  it("36: an unknown key is gone after a save", async () => {
    const odd = records.get("platform_drupal7")!.clone().set("custom_key", "x");
    expect((await get("platform_drupal7", { aliases: new Map([...records, ["platform_drupal7", odd]]) })).properties.has("custom_key")).toBe(false);
  });

  it("56: db comes before http", async () => {
    const keys = [...(await get("server_master")).properties.keys()];
    expect(keys.indexOf("db_port")).toBeLessThan(keys.indexOf("http_port"));
    expect(keys.indexOf("db_service_type")).toBeLessThan(keys.indexOf("http_service_type"));
  });

  it("57: a site's database is on db_server, its web server is the platform's", async () => {
    const site = await get<SiteContext>("blog.example.org");
    expect([site.dbServer.name, site.platform.webServer.name]).toEqual(["server_db2examplecom", "server_clusterexamplecom"]);
  });

  it("nginx: the feature subdirs forces subdirs_support", async () => {
    expect(await prop("server_web1examplecom", "subdirs_support", { subdirs: true })).toBe(true);
  });
});
