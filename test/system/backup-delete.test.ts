import { existsSync, lstatSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { good, openFrontEnd, SERVER, writeAlias, type BackendAnswer, type FrontEnd } from "../support/front-end.ts";
import { failedWith, failure, messages } from "../support/system-checks.ts";
import { treeOf } from "../support/tree.ts";

const URI = "site.test";

let frontEnd: FrontEnd;

beforeAll(async () => {
  frontEnd = await openFrontEnd();
  writeAlias(frontEnd, SERVER, { context_type: "server", http_service_type: "apache" });
  writeAlias(frontEnd, "platform_p", { context_type: "platform", root: "/srv/p" });
  writeAlias(frontEnd, URI, { context_type: "site", platform: "@platform_p", uri: URI, client_name: "admin" });
}, 300_000);
afterAll(() => frontEnd.strike());

beforeEach(async () => {
  await frontEnd.stage.home.user.run(["sh", "-c", "rm -rf backups clients; mkdir -p backups/deeper clients/admin/backups; for name in a b; do echo $name > backups/$name.tar.gz; ln -s ~/backups/$name.tar.gz clients/admin/backups/; done; echo x > outside.tar.gz"]);
});

function at(...path: string[]): string {
  return join(frontEnd.home, ...path);
}

function remove(...args: string[]): Promise<BackendAnswer> {
  return frontEnd.task(URI, "backup-delete", { args });
}

function isThere(path: string): boolean {
  return lstatSync(at(path), { throwIfNoEntry: false }) !== undefined;
}

describe("backup-delete", () => {
  it("commands 76: removes each file of a list with commas, and the client's links to them", async () => {
    const removed = await good(remove(`${at("backups/a.tar.gz")},${at("backups/b.tar.gz")}`));
    expect(["backups/a.tar.gz", "backups/b.tar.gz", "clients/admin/backups/a.tar.gz", "clients/admin/backups/b.tar.gz"].filter(isThere)).toEqual([]);
    expect(messages(removed, "success")).toEqual(
      ["a", "b"].flatMap((name) => [`Removed backup file ${at("backups", `${name}.tar.gz`)}`, `Deleted backup symlink ${at("clients/admin/backups", `${name}.tar.gz`)}`]),
    );
  });

  it("commands 76; contexts 71: a file that is gone already counts as removed", async () => {
    const removed = await good(remove(`${at("backups/never.tar.gz")},${at("backups/b.tar.gz")},`));
    expect(messages(removed, "success")).toEqual([`Removed backup file ${at("backups/never.tar.gz")}`, `Removed backup file ${at("backups/b.tar.gz")}`, `Deleted backup symlink ${at("clients/admin/backups/b.tar.gz")}`]);
    expect(messages(removed, "warning")).toEqual([]);
    expect(isThere("backups/a.tar.gz")).toBe(true);
  });

  it("commands 76: the backup directory may be a link to another disk", async () => {
    await frontEnd.stage.home.user.run(["sh", "-c", "mv backups disk; ln -s ~/disk backups"]);
    await good(remove(at("backups/a.tar.gz")));
    expect(isThere("disk/a.tar.gz")).toBe(false);
    await frontEnd.stage.home.user.run(["sh", "-c", "rm -r backups disk; mkdir backups"]);
  });

  it("commands 76: a link among the backups is removed, not what it leads to", async () => {
    symlinkSync(at("outside.tar.gz"), at("backups/link.tar.gz"));
    await good(remove(at("backups/link.tar.gz")));
    expect([isThere("backups/link.tar.gz"), existsSync(at("outside.tar.gz"))]).toEqual([false, true]);
  });

  it("needs no platform that is there, and changes nothing else", async () => {
    const before = Object.keys(treeOf(frontEnd.home));
    await good(remove(at("backups/a.tar.gz")));
    const after = Object.keys(treeOf(frontEnd.home));
    expect(before.filter((path) => !after.includes(path))).toEqual(["backups/a.tar.gz", "clients/admin/backups/a.tar.gz"]);
    expect(after.filter((path) => !before.includes(path))).toEqual([]);
  });

  it.each([
    ["a file beside the directory", () => at("outside.tar.gz"), "PROVISION_BACKUP_PATH_REFUSED"],
    ["a way out of it", () => at("backups/../outside.tar.gz"), "PROVISION_BACKUP_PATH_REFUSED"],
    ["a way out of it over a link", () => at("backups/out/passwd"), "PROVISION_BACKUP_PATH_REFUSED"],
    ["one good and one bad file", () => `${at("backups/a.tar.gz")},/etc/passwd`, "PROVISION_BACKUP_PATH_REFUSED"],
    ["a relative name", () => "a.tar.gz", "PROVISION_BACKUP_PATH_REFUSED"],
    ["a folder", () => at("backups/deeper"), "PROVISION_BACKUP_PATH_REFUSED"],
    ["the directory itself", () => at("backups"), "PROVISION_BACKUP_PATH_REFUSED"],
    ["no file", () => "", "PROVISION_BACKUP_NOT_FOUND"],
  ])("commands 76: %s is refused, and nothing is removed", async (_, name, code) => {
    symlinkSync("/etc", at("backups/out"));
    const before = treeOf(frontEnd.home);
    expect(failure(await remove(name()))).toEqual(failedWith(code));
    expect(treeOf(frontEnd.home)).toEqual(before);
  });
});
