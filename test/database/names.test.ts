import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { accountHosts } from "../../src/database/accounts.ts";
import type { Db } from "../../src/database/connection.ts";
import { grantHosts, hostFromRefusal } from "../../src/database/grant-hosts.ts";
import { newPassword } from "../../src/database/passwords.ts";
import { checkedName, chooseDatabaseName, databaseNames } from "../../src/database/site-names.ts";

/** A server on which these names are taken. */
function serverWith(taken: readonly string[]): Db {
  return { rows: () => Promise.resolve(taken.map((name) => ({ name }))), run: () => Promise.resolve(), close: () => Promise.resolve() };
}

function choose(uri: string, taken: readonly string[] = [], noted: readonly string[] = []): Promise<string> {
  return chooseDatabaseName(serverWith(taken), { uri, administrator: "aegir_root", noted: new Set(noted) });
}

describe("names of databases", () => {
  it("db 7: come from the uri without www., dots and dashes", async () => {
    expect(await choose("www.my-site.example.com")).toBe("mysiteexamplecom");
    expect(await choose("a.test")).toBe("atest");
  });

  it("db 8: get a number when they are taken, within 16 characters", async () => {
    const base = "mysiteexamplecom";
    expect(await choose("www.my-site.example.com", [base])).toBe("mysiteexamplec_0");
    const ten = Array.from({ length: 10 }, (_, index) => `mysiteexamplec_${index}`);
    expect(await choose("www.my-site.example.com", [base, ...ten])).toBe("mysiteexample_10");
    expect(await choose("a.test", ["atest"])).toBe("atest_0");
  });

  it("db 9: end after 100 numbers", async () => {
    await expect(choose("a.test", databaseNames("a.test"))).rejects.toMatchObject({ code: "PROVISION_CREATE_DB_FAILED" });
    expect(databaseNames("a.test")).toHaveLength(101);
  });

  it.each([["root"], ["mysql"], ["sys"], ["aegir_root"], ["AEGIR_ROOT"], ["information_schema"]])("db 11: are never the server's own (%s)", async (uri) => {
    expect(["root", "mysql", "sys", "aegir_root"]).not.toContain(await choose(uri));
  });

  it("that a killed task may have made count as taken", async () => {
    expect(await choose("a.test", [], ["atest"])).toBe("atest_0");
  });

  it("have only letters, digits and underscores, and at most 16 of them, whatever the uri", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (uri) => databaseNames(uri).every((name) => /^[a-z0-9_]{1,16}$/.test(name))));
  });

  it.each(["a`b", "a'b", 'a"b', "a.b", "a b", "a%", "", "-x", "mysql", "root", "a\nb", "ä"])("db 51: %j of a site is refused", (name) => {
    expect(() => checkedName(name, "database", "PROVISION_DROP_DB_FAILED")).toThrow(/so it is not touched/);
  });
});

describe("passwords", () => {
  it("db 13: are long, of characters that need no encoding, and never the same", () => {
    const made = Array.from({ length: 500 }, newPassword);
    for (const password of made) {
      expect(password).toMatch(/^[A-Za-z0-9._-]{24}$/);
      for (const kind of [/[a-z]/, /[A-Z]/, /\d/, /[._-]/]) expect(password).toMatch(kind);
      expect(password).not.toMatch(/[lIO01]/);
    }
    expect(new Set(made).size).toBe(500);
  });
});

describe("hosts of accounts", () => {
  const address = { host: "db.test", port: 3306 };

  it.each([
    ["ERROR 1045 (28000): Access denied for user 'intntnllyInvalid'@'web1.test' (using password: NO)", "web1.test"],
    ["ERROR 1045 (28000): Access denied for user 'intntnllyInvalid'@'192.0.2.7' (using password: YES)", "192.0.2.7"],
    ["ERROR 1130 (HY000): Host '192.0.2.8' is not allowed to connect to this MariaDB server", "192.0.2.8"],
    ["ERROR 1130 (HY000): Host 'web2.test' is not allowed to connect to this MySQL server", "web2.test"],
  ])("are read from %s", (output, host) => {
    expect(hostFromRefusal(output, address)).toBe(host);
  });

  it.each([
    ["ERROR 2002 (HY000): Can't connect to local MySQL server through socket '/run/x.sock' (2)", /^Local database server not running, or not accessible via socket \(\/run\/x\.sock\)/],
    ["ERROR 2002 (HY000): Can't connect to local server through socket '/run/x.sock' (2)", /^Local database server not running/],
    ["ERROR  (ENOENT): connect ENOENT /run/x.sock", /^Local database server not running, or not accessible via socket \(\/run\/x\.sock\)/],
    ["ERROR 2003 (HY000): Can't connect to MySQL server on 'db.test' (111)", /^Connection to database server failed/],
    ["ERROR 2002 (HY000): Can't connect to server on 'db.test' (115)", /^Connection to database server failed/],
    ["ERROR  (ECONNREFUSED): connect ECONNREFUSED 192.0.2.1:3306", /^Connection to database server failed/],
    ["ERROR 2005 (HY000): Unknown MySQL server host 'db.test' (-2)", /^Cannot resolve database server hostname \(db\.test\)/],
    ["ERROR 2005 (HY000): Unknown server host 'db.test' (-2)", /^Cannot resolve database server hostname/],
    ["ERROR  (ENOTFOUND): getaddrinfo ENOTFOUND db.test", /^Cannot resolve database server hostname/],
    ["VERSION()\n10.11", /^Dummy connection failed to fail/],
    ["", /^Dummy connection failed to fail/],
    ["ERROR 1064 (42000): You have an error in your SQL syntax", /^Dummy connection failed to fail/],
  ])("db 17: %s is a reason of its own", (output, message) => {
    expect(() => hostFromRefusal(output, address)).toThrow(expect.objectContaining({ code: "PROVISION_DB_CONNECT_FAIL", message: expect.stringMatching(message) as string }) as Error);
  });

  it("db 15: are all when the server says so, and 127.0.0.1 in any case", async () => {
    const probe = (): Promise<string> => Promise.reject(new Error("not to be asked"));
    expect(accountHosts(await grantHosts(["a"], { allHosts: true, probe }))).toEqual(["127.0.0.1", "%"]);
    expect(accountHosts(await grantHosts(["a", "b"], { allHosts: false, probe: () => Promise.resolve("localhost") }))).toEqual(["127.0.0.1", "localhost"]);
    expect(accountHosts(["127.0.0.1"])).toEqual(["127.0.0.1"]);
  });

  it("db 16: one probe that fails fails them all", async () => {
    const probe = (server: string): Promise<string> => (server === "a" ? Promise.resolve("a.test") : Promise.reject(new Error("refused")));
    await expect(grantHosts(["a", "b"], { allHosts: false, probe })).rejects.toThrow("refused");
  });
});
