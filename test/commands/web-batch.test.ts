import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { WebBatch } from "../../src/commands/web-batch.ts";
import type { ServerContext } from "../../src/contexts/context.ts";
import { ShimError } from "../../src/errors/shim-error.ts";
import { Remembered } from "../../src/files/remembered.ts";
import { newToken, runPlan } from "../../src/task/run-plan.ts";
import { goneFile } from "../../src/web/web-file.ts";

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "shim-batch-"))));
afterEach(() => rmSync(folder, { recursive: true }));

const file = (name: string, content: string) => ({ path: join(folder, name), content, label: name });

describe("the web server's files of many contexts", () => {
  async function written(collect: (batch: WebBatch, server: ServerContext) => void): Promise<string> {
    // One that is never told to reload.
    const server = { name: "server_master", configPath: folder, remoteHost: "localhost", properties: new Map(), http: { driver: "apache", application: "apache", members: [], port: "80" } } as unknown as ServerContext;
    const batch = new WebBatch({ environment: { cwd: folder, variables: {} }, remembered: new Remembered(join(folder, "cache")) });
    collect(batch, server);
    for (const plan of batch.plans()) {
      const { errors } = await runPlan(plan(), { stateDirectory: join(folder, "state"), sink: () => undefined, dryRun: false, undoHandlers: {}, signal: new AbortController().signal, token: newToken(), lockWaitMs: 1000 });
      expect(errors).toEqual([]);
    }
    try {
      return readFileSync(join(folder, "shared.crt"), "utf8");
    } catch {
      return "-";
    }
  }

  it("that two need are written for the one when the other has failed", async () => {
    expect(await written((batch, server) => {
      batch.add({ server }, "a.test", [file("shared.crt", "a")]);
      batch.add({ server }, "b.test", [file("shared.crt", "b")]);
      batch.drop("b.test");
    })).toBe("a");
  });

  it.each([[["a.test", "b.test"]], [["b.test", "a.test"]]])("that one gives up and another one needs stay, in whatever order: %j", async (order) => {
    expect(await written((batch, server) => {
      for (const name of order) batch.add({ server }, name, [name === "a.test" ? file("shared.crt", "a") : goneFile(file("shared.crt", ""))]);
    })).toBe("a");
  });

  it("are blamed on those whose they are", async () => {
    await written((batch, server) => {
      batch.add({ server }, "a.test", [file("shared.crt", "a"), file("a.conf", "a")]);
      batch.add({ server }, "b.test", [file("shared.crt", "b"), file("b.conf", "b")]);
      const blamed = (...names: string[]): string[] => batch.blamed(new ShimError("X", "x", { files: names.map((name) => join(folder, name)) }));
      expect([blamed("a.conf"), blamed("shared.crt"), blamed("c.conf"), blamed()]).toEqual([["a.test"], ["a.test", "b.test"], [], []]);
      batch.drop("a.test");
      expect([blamed("a.conf"), blamed("shared.crt")]).toEqual([[], ["b.test"]]);
    });
  });

  it("of a context that has failed are not written", async () => {
    expect(await written((batch, server) => {
      batch.add({ server }, "a.test", [file("shared.crt", "a")]);
      batch.drop("a.test");
    })).toBe("-");
  });
});
