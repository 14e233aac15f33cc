import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { refuseTakenNames, serverNames } from "../../src/web/server-names.ts";

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "shim-names-"))));
afterEach(() => rmSync(folder, { recursive: true }));

const apache = (name: string, ...aliases: string[]): string => `<VirtualHost *:80>\n  ServerName ${name}\n${aliases.map((alias) => `  ServerAlias ${alias}\n`).join("")}</VirtualHost>\n`;
const put = (file: string, text: string): string => {
  writeFileSync(join(folder, file), text);
  return join(folder, file);
};

describe("the names of virtual hosts", () => {
  it("are read from both servers' files", () => {
    expect([...serverNames(apache("A.test", "www.a.test", "b.test/sub"))]).toEqual(["a.test", "www.a.test"]);
    expect([...serverNames("server {\n  server_name a.test www.a.test;\n}\nserver {\n  server_name _;\n  server_name B.test ;\n}\n")]).toEqual(["a.test", "www.a.test", "b.test"]);
    expect([...serverNames("# server_name c.test;\n  # ServerName c.test\n")]).toEqual([]);
  });
});

describe("a change", () => {
  const change = (file: string, content: string | undefined) => ({ path: join(folder, file), content });

  it.each([
    ["its own name", apache("new.test")],
    ["an alias", apache("other.test", "NEW.test")],
    ["a name in an nginx file", "server {\n  server_name other.test new.test;\n}\n"],
  ])("that brings a name which is another file's as %s is refused", (_, other) => {
    put("other.test", other);
    expect(() => refuseTakenNames(folder, [change("new.test", apache("new.test"))])).toThrow(expect.objectContaining({ code: "PROVISION_WEB_NAME_TAKEN", message: expect.stringContaining(join(folder, "other.test")) as string }));
  });

  it.each<readonly [string, () => Parameters<typeof refuseTakenNames>[1]]>([
    ["keeps names that it shares with another file since long", () => {
      put("other.test", apache("other.test", "shared.test"));
      put("new.test", apache("new.test", "shared.test"));
      return [change("new.test", apache("new.test", "shared.test", "more.test"))];
    }],
    ["takes the name over from a file that goes", () => {
      put("old.test", apache("old.test", "shared.test"));
      return [change("new.test", apache("new.test", "shared.test")), change("old.test", undefined)];
    }],
    ["takes a name that another file gives up with it", () => {
      put("old.test", apache("old.test", "shared.test"));
      return [change("new.test", apache("new.test", "shared.test")), change("old.test", apache("old.test"))];
    }],
    ["gives the same site's file another ending", () => {
      put("new.test", apache("new.test"));
      return [change("new.test.conf", apache("new.test"))];
    }],
    ["is of another folder", () => {
      put("other.test", apache("new.test"));
      mkdirSync(join(folder, "sub"));
      return [{ path: join(folder, "sub/new.test"), content: apache("new.test") }];
    }],
  ])("that %s is none", (_, changes) => expect(() => refuseTakenNames(folder, changes())).not.toThrow());

  it("is refused for a name that another file of the same change brings, too", () => {
    expect(() => refuseTakenNames(folder, [change("a.test", apache("a.test", "x.test")), change("b.test", apache("b.test", "x.test"))])).toThrow(expect.objectContaining({ code: "PROVISION_WEB_NAME_TAKEN" }));
  });
});
