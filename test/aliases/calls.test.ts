import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { parseCommandLine } from "../../src/backend-protocol/arguments.ts";
import { NeedsRealDrush } from "../../src/errors/needs-real-drush.ts";
import { readInvocation } from "../../src/invocation.ts";
import { examineCall, type NativeCall } from "../../src/native-call.ts";
import { OptionStore } from "../../src/option-store.ts";
import { jsonEncode } from "../../src/php-values/json-encode.ts";
import { PhpArray } from "../../src/php-values/php-array.ts";
import { type AliasHome, single, temporaryHomes } from "./alias-home.ts";

// What the callers of this room make of it: the rest of the checklist.

const home = temporaryHomes();
const SITE = single("shop.example.com", "'context_type' => 'site', 'root' => '/r', 'uri' => 'shop.example.com'");

beforeEach(() => {
  // Provision runs nothing as root; tests may.
  vi.spyOn(process, "geteuid").mockReturnValue(process.getuid?.() === 0 ? 12345 : (process.getuid?.() ?? 0));
});
afterEach(() => {
  vi.restoreAllMocks();
});

function variables(place: AliasHome): Record<string, string> {
  return { PATH: process.env["PATH"] ?? "", HOME: place.path, ETC_PREFIX: place.path, PROVISION_SHIM_ETC: place.path, SHARE_PREFIX: place.path, TMPDIR: place.path };
}

async function examined(place: AliasHome, ...words: readonly string[]): Promise<NativeCall> {
  // A busy machine is no matter here.
  place.write({ ".drushrc.php": "<?php $options['critical_load_multiplier'] = 10000;" });
  return examineCall(await readInvocation({ words, lib: join(import.meta.dirname, "../../lib"), cwd: "/", variables: variables(place) }));
}

async function handedOver(call: Promise<unknown>): Promise<string> {
  const thrown: unknown = await call.then(() => undefined, (error: unknown) => error);
  expect(thrown).toBeInstanceOf(NeedsRealDrush);
  return (thrown as NeedsRealDrush).reason;
}

describe("a target", () => {
  it("(2) is found by its file", async () => {
    const call = await examined(home(SITE), "@shop.example.com", "provision-verify");
    expect(call.record?.get("uri")).toBe("shop.example.com");
    expect(call.options.get("context_type")).toBe("site");
  });

  it("(11) that does not exist is drush's error", async () => {
    await expect(examined(home(SITE), "@x", "provision-verify")).rejects.toMatchObject({ code: "DRUSH_BOOTSTRAP_NO_ALIAS", message: "Could not find the alias @x" });
  });

  it.each(["/path/to/drupal#site", "user@host/path#site", "user@host/path", "user@host#site", "user:pw@host:22/path?k=v&%25files=x#site", "http://host/path#site", "#site", "/root/@sites", "/root/@name", "@a,@b", "@shop.example.com#x"])(
    "(20) of the form %s goes to the real drush", async (target) => {
      expect(await handedOver(examined(home(SITE), target, "provision-verify"))).toBe(`the target ${target}`);
    });

  it.each(["user@host", "/just/path", "site"])("(20) of the form %s is none: drush takes it for the command", async (word) => {
    expect(await handedOver(examined(home(SITE), word, "provision-verify"))).toBe(`the command ${word}`);
  });

  it("(33) with remote-host, and (14) a list of sites, go to the real drush", async () => {
    const place = home({ ...single("far", "'remote-host' => 'h.example.com'"), ".drush/aliases.drushrc.php": "<?php $aliases['two'] = array('site-list' => '@far,@y');" });
    expect(await handedOver(examined(place, "@far", "provision-verify"))).toBe("the entry remote-host of @far");
    expect(await handedOver(examined(place, "@two", "provision-verify"))).toBe("the list of sites @two");
  });

  it("(19) @none has no record, whatever none.alias.drushrc.php says", async () => {
    expect((await examined(home(single("none", "'root' => '/evil'")), "@none", "provision-save", "@x")).record).toBeUndefined();
  });

  it("(39) is not taken from self.alias.drushrc.php, which is the real drush's business", async () => {
    expect(await handedOver(examined(home(single("self", "'root' => '/evil', 'uri' => 'u'")), "--root=", "--uri=x", "provision-save", "@x"))).toContain("self.alias.drushrc.php");
  });
});

it.each([undefined, ""])("(21) HOME = %j is a clear failure", async (HOME) => {
  const reading = readInvocation({ words: ["@x", "provision-verify"], lib: "/lib", cwd: "/", variables: { PATH: "/bin", HOME } });
  await expect(reading).rejects.toMatchObject({ code: "PROVISION_NO_HOME", message: expect.stringContaining("HOME is not set") as string });
});

describe("(26) root and uri", () => {
  it("given as empty texts count as given", async () => {
    const { options } = await examined(home(SITE), "@shop.example.com", "--root=", "--uri=", "provision-verify");
    expect([options.get("root"), options.get("uri")]).toEqual(["", ""]);
    expect(parseCommandLine(["--root=", "--uri=", "provision-save", "@x"]).options.has("root")).toBe(true);
  });

  it("are the alias's when they are not given, and never come from the working directory", async () => {
    expect((await examined(home(SITE), "@shop.example.com", "provision-verify")).options.get("root")).toBe("/r");
    expect((await examined(home(SITE), "@none", "provision-save", "@x")).options.get("root")).toBeUndefined();
  });
});

describe("(34) an extension that changes alias records", () => {
  it("sends the call to the real drush", async () => {
    const place = home({ ...SITE, ".drush/ext/ext.drush.inc": "<?php\nfunction ext_drush_sitealias_alter(&$record) {}\n" });
    expect(await handedOver(examined(place, "@shop.example.com", "provision-verify"))).toBe(`the hook ext_drush_sitealias_alter in ${place.at(".drush/ext/ext.drush.inc")}`);
  });

  it("that does something else does not", async () => {
    const place = home({ ...SITE, ".drush/ext/ext.drush.inc": "<?php\nfunction ext_sitealias_helper() {}\n" });
    expect((await examined(place, "@shop.example.com", "provision-verify")).record).toBeDefined();
  });
});

describe("the options of a call", () => {
  const ORDER = ["cli", "stdin", "alias", "site", "drupal", "home.drush"] as const;
  const pairs = ORDER.flatMap((stronger, index) => ORDER.slice(index + 1).map((weaker) => [stronger, weaker] as const));

  async function store(): Promise<OptionStore> {
    const option = (set: string): [string, string][] => pairs.filter((pair) => pair.includes(set as (typeof ORDER)[number])).map((pair) => [pair.join("-"), set]);
    const php = (set: string): string => `<?php\n${option(set).map(([key, value]) => `$options['${key}'] = '${value}';\n`).join("")}`;
    const place = home({ ".drush/drushrc.php": php("home.drush"), "r/drush/drushrc.php": php("drupal"), "r/sites/s/drushrc.php": php("site") });
    const loader = place.loader();
    const options = new OptionStore({ ...(await place.loadBase(loader)), cli: PhpArray.of(option("cli")) }, loader, "provision-verify");
    options.useAlias(PhpArray.of(option("alias")));
    options.useStdin(PhpArray.of(option("stdin")));
    await options.loadRoot(place.at("r"));
    await options.loadSite(place.at("r/sites/s"));
    return options;
  }

  it.each(pairs)("(25) %s beats %s", async (stronger, weaker) => {
    const options = await store();
    expect(options.get(`${stronger}-${weaker}`)).toBe(stronger);
    expect(options.context().get(`${stronger}-${weaker}`)).toBe(stronger);
  });

  it("are the alias's keys under their long names, with the four path aliases that drush makes options of, without a remote that is here", () => {
    const options = new OptionStore({}, home({}).loader(), "provision-verify");
    const paths = PhpArray.of([["%drush-script", "/d"], ["%dump", "/x.sql"], ["%files", "sites/files"]]);
    options.useAlias(PhpArray.of([["r", "/root"], ["l", "uri.test"], ["remote-host", "localhost"], ["remote-user", "me"], ["path-aliases", paths], ["#name", "n"]]));
    expect(jsonEncode(options.context())).toBe('{"root":"\\/root","uri":"uri.test","#name":"n","drush-script":"\\/d","dump":"\\/x.sql"}');
  });

  it("(24) hold those of sites/default for every site of the platform", async () => {
    const place = home({ "r/sites/default/drushrc.php": "<?php $options['leak'] = 'default'; $options['own'] = 'default';", "r/sites/s/drushrc.php": "<?php $options['own'] = 's';" });
    const options = new OptionStore({}, place.loader(), "provision-verify");
    await options.loadRoot(place.at("r"));
    await options.loadSite(place.at("r/sites/s"));
    expect([options.get("leak"), options.get("own")]).toEqual(["default", "s"]);
  });

  it("(32) show keys of the record that nobody knows, in context and self", async () => {
    const { options, record } = await examined(home(single("x", "'custom' => array(1), '#peer' => '@y', 'path-aliases' => array('%a' => 'b')")), "@x", "provision-verify");
    for (const shown of [options.context(), options.self(record ?? new PhpArray())]) {
      expect(jsonEncode(shown.get("custom") ?? null)).toBe("[1]");
      expect(shown.get("#peer")).toBe("@y");
    }
    expect(options.context().has("path-aliases")).toBe(false);
  });
});
