import { appendFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ServerContext } from "../../src/contexts/context.ts";
import { fingerprint } from "../../src/files/fingerprint.ts";
import { Remembered } from "../../src/files/remembered.ts";
import { apacheWatched } from "../../src/web/apache/watched-files.ts";
import { KnownConfig, presentState } from "../../src/web/known-config.ts";

let root: string;
beforeEach(() => void (root = mkdtempSync(join(tmpdir(), "shim-known-"))));
afterEach(() => rmSync(root, { recursive: true }));

const at = (path: string): string => join(root, path);

function put(path: string, text: string): string {
  mkdirSync(join(at(path), ".."), { recursive: true });
  writeFileSync(at(`${path}.new`), text);
  renameSync(at(`${path}.new`), at(path));
  return at(path);
}

function known(): KnownConfig {
  const paths = { app: at("config/apache"), pre: at("config/apache/pre.d"), post: at("config/apache/post.d"), platform: at("config/apache/platform.d"), vhost: at("config/apache/vhost.d"), subdir: at("config/apache/subdir.d"), platforms: at("platforms") };
  const server = { name: "server_master", configPath: at("config"), http: { paths } } as unknown as ServerContext;
  return new KnownConfig(server.name, new Remembered(at("cache")), () => apacheWatched(server, at("etc/apache2.conf")));
}

function furnish(): void {
  put("etc/apache2.conf", "main");
  put("etc/conf-enabled/a.conf", "a");
  put("etc/conf-available/b.conf", "b");
  put("config/apache.conf", "server");
  put("config/apache/vhost.d/site", "on");
  put("config/apache/platform.d/p.conf", `  Include ${at("p/.htaccess")}\n`);
  put("p/.htaccess", "ht");
}

function loadPresent(): void {
  known().look([], undefined).noteLoaded();
}

describe("a configuration", () => {
  beforeEach(furnish);

  it("is loaded when it was noted, and not before", () => {
    expect(known().isLoaded()).toBe(false);
    loadPresent();
    expect(known().isLoaded()).toBe(true);
    known().forget();
    expect(known().isLoaded()).toBe(false);
  });

  it.each(["etc/apache2.conf", "etc/conf-enabled/a.conf", "etc/conf-enabled/new.conf", "config/apache.conf", "config/apache/vhost.d/site", "config/apache/vhost.d/new", "p/.htaccess"])("is not loaded any more when %s is another", (path) => {
    loadPresent();
    put(path, "other");
    expect(known().isLoaded()).toBe(false);
  });

  it.each(["etc/conf-available/b.conf", "etc/error.log", "etc/apache2.pid"])("is loaded still when %s is another, which Apache does not read", (path) => {
    loadPresent();
    put(path, "other");
    expect(known().isLoaded()).toBe(true);
  });

  it("is not taken for loaded when something changed between the look and the reload", () => {
    const looked = known().look([], undefined);
    put("config/apache/vhost.d/site", "changed meanwhile");
    looked.noteLoaded();
    expect(known().isLoaded()).toBe(false);
  });

  it("of an unknown main file is never known", () => {
    const blind = new KnownConfig("s", new Remembered(at("cache")), undefined);
    blind.look([], undefined).noteLoaded();
    expect([blind.isLoaded(), blind.wasLoaded([])]).toEqual([false, false]);
  });
});

describe("a change", () => {
  beforeEach(furnish);
  const vhost = (content: string | undefined) => [{ path: at("config/apache/vhost.d/site"), content }];

  /** As web-transaction.ts does it. */
  function change(content: string): { tested: boolean } {
    const config = known();
    const before = config.isLoaded() ? [presentState(at("config/apache/vhost.d/site"))] : undefined;
    const tested = config.wasLoaded(vhost(content));
    put("config/apache/vhost.d/site", content);
    config.look(vhost(content), before).noteLoaded();
    return { tested };
  }

  it("back to what was loaded before needs no test, and a new one does", () => {
    loadPresent();
    expect([change("off"), change("on"), change("off"), change("third")]).toEqual([{ tested: false }, { tested: true }, { tested: true }, { tested: false }]);
  });

  it("needs a test when anything else is another now, or was never seen loaded", () => {
    expect([change("off"), change("on")]).toEqual([{ tested: false }, { tested: false }]);
    expect(known().wasLoaded(vhost("off"))).toBe(true);
    appendFileSync(at("p/.htaccess"), "more");
    expect(known().wasLoaded(vhost("off"))).toBe(false);
  });

  it("that removes the file is another than one that empties it", () => {
    loadPresent();
    change("");
    expect([known().wasLoaded(vhost("")), known().wasLoaded(vhost(undefined))]).toEqual([true, false]);
  });

  it("is remembered for the last few only", () => {
    loadPresent();
    for (let turn = 0; turn < 20; turn++) change(`turn ${turn}`);
    expect([known().wasLoaded(vhost("turn 19")), known().wasLoaded(vhost("turn 0"))]).toEqual([true, false]);
  });
});

it("a fingerprint tells texts apart that differ in one character or in their order", () => {
  const texts = Array.from({ length: 20_000 }, (_, index) => `${"x".repeat(index % 40)}${index}`);
  expect(new Set([...texts, "ab", "ba", "", "\0"].map(fingerprint)).size).toBe(20_004);
});
