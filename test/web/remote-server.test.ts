import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Remembered } from "../../src/files/remembered.ts";
import type { Work } from "../../src/task/plan.ts";
import { removeOnRemote, removeRemoteLater } from "../../src/web/undo-remote.ts";
import { missedItems, noteMissed, pushItems, type RemoteServer, type SyncItem } from "../../src/web/remote-server.ts";

let home: string;
let server: RemoteServer;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "shim-missed-"));
  mkdirSync(join(home, "bin"));
  for (const name of ["ssh", "rsync"]) program(name);
  server = {
    host: { server: "web1", host: "web1.test", user: "aegir", root: home, sshOptions: [] },
    means: { variables: { PATH: `${home}/bin:${process.env["PATH"] ?? ""}` }, home },
    rsync: { includeVcs: false, filters: [], global: new Map() },
    remembered: new Remembered(join(home, "cache")),
  };
});
afterEach(() => rmSync(home, { recursive: true }));

/** Writes down which paths it was called for. */
function program(name: string, more = ""): void {
  writeFileSync(join(home, "bin", name), `#!/bin/sh\necho ${name} "$@" >>'${home}/calls'\n${more}`, { mode: 0o755 });
}

const place = (name: string): string => join(home, name);

function item(name: string, more: Partial<SyncItem> = {}): SyncItem {
  return { path: place(name), filters: [], ...more };
}

function push(kind: "config" | "tree", ...items: SyncItem[]): Promise<void> {
  return pushItems({ signal: new AbortController().signal, child: () => undefined, log: () => undefined, error: () => undefined } as unknown as Work, server, items, kind);
}

/** The paths that were brought there, in order. */
function brought(): string[] {
  return readFileSync(join(home, "calls"), "utf8").split("\n").flatMap((line) => (line.startsWith("rsync ") ? [...line.split(" -- ").slice(1).join("").matchAll(/\/(\w+)(?= )/g)].map(([, name = ""]) => name) : []));
}

describe("what a machine has missed", () => {
  beforeEach(() => {
    for (const name of ["tree", "vhost", "other"]) writeFileSync(place(name), "");
  });

  it("is brought there with what comes next, once", async () => {
    noteMissed(server, "tree", [item("tree")]);
    await push("tree", item("other"));
    await push("tree", item("other"));
    expect(brought()).toEqual(["tree", "other", "other"]);
  });

  it("of trees comes before a configuration by which they are served", async () => {
    noteMissed(server, "tree", [item("tree", { filters: ["--exclude=x"] })]);
    noteMissed(server, "config", [item("vhost")]);
    await push("config", item("other"));
    expect(brought()).toEqual(["tree", "vhost", "other"]);
    expect([missedItems(server, "tree"), missedItems(server, "config")]).toEqual([[], []]);
  });

  it("of a configuration waits for a task that has it read", async () => {
    noteMissed(server, "config", [item("vhost")]);
    await push("tree", item("other"));
    expect([brought(), missedItems(server, "config")]).toEqual([["other"], [item("vhost")]]);
  });

  it("of a platform that is not here any more stops nobody", async () => {
    noteMissed(server, "tree", [item("gone", { stays: true }), item("tree")]);
    await push("tree", item("other"));
    expect([brought(), missedItems(server, "tree")]).toEqual([["tree", "other"], []]);
    await expect(push("tree", item("gone", { stays: true }))).rejects.toMatchObject({ code: "PROVISION_FILE_SYNC_FAILED" });
  });

  it("stays noted when it fails again, and what another task misses at that moment, too", async () => {
    noteMissed(server, "tree", [item("tree")]);
    program("rsync", "exit 12");
    await expect(push("tree", item("other"))).rejects.toMatchObject({ code: "PROVISION_FILE_SYNC_FAILED" });
    expect(missedItems(server, "tree")).toEqual([item("tree")]);
    program("rsync");
    const pushing = push("tree", item("other"));
    noteMissed(server, "tree", [item("tree"), item("vhost")]);
    await pushing;
    expect(missedItems(server, "tree")).toEqual([item("vhost")]);
  });
});

describe("what a task has given up and a machine could not remove at once", () => {
  const later = async (entry: ReturnType<typeof removeRemoteLater>): Promise<string> => {
    const path = process.env["PATH"];
    process.env["PATH"] = `${home}/bin:${path ?? ""}`;
    try {
      return await removeOnRemote(entry);
    } finally {
      process.env["PATH"] = path;
    }
  };
  const calls = (): string => (existsSync(place("calls")) ? readFileSync(place("calls"), "utf8") : "");

  it("is removed there later, also while it is still here", async () => {
    mkdirSync(place("site"));
    const entry = removeRemoteLater(server, place("site"));
    expect(await later(entry)).toBe(`removed ${place("site")} on web1.test`);
    rmSync(place("site"), { recursive: true });
    await later(entry);
    expect(calls().match(/rm -rf -- /g)).toHaveLength(2);
  });

  it("is not taken for the new one that has its name by then, whose uploads may be nowhere else", async () => {
    const platform = removeRemoteLater(server, place("platform"));
    mkdirSync(place("site"));
    const site = removeRemoteLater(server, place("site"));
    rmSync(place("site"), { recursive: true });
    for (const name of ["between", "site", "platform"]) mkdirSync(place(name));
    for (const entry of [platform, site]) expect(await later(entry)).toMatch(/^left .* on web1\.test: something new has its name by now$/);
    expect(calls()).toBe("");
  });
});
