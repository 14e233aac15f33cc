import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { runInDrupal, type BridgeRequest, type BridgeSettings } from "../../src/drupal/bridge.ts";
import { effectiveSalt } from "../../src/drupal/generated-settings.ts";
import type { DbCredentials } from "../../src/drupal/settings-php.ts";
import { ShimError } from "../../src/errors/shim-error.ts";
import { serveSite, URI, type ServedSite } from "../fixtures/served-site.ts";
import { repositoryRoot } from "../support/repository.ts";
import { until } from "../support/until.ts";

let served: ServedSite;
let credentials: DbCredentials;
let logs: string[];
let pid: number;

beforeAll(async () => {
  served = await serveSite();
  credentials = { type: "mysql", host: "127.0.0.1", port: String(served.stage.mariadb.port), name: "example", user: "example", password: "secret-1" };
}, 300_000);
afterAll(() => served.stage.strike());
beforeEach(() => {
  logs = [];
  pid = 0;
});

function run(request: Partial<BridgeRequest> = {}, settings: Partial<BridgeSettings> = {}) {
  return runInDrupal(
    { job: "access-rebuild-7", root: served.root, uri: URI, baseUrl: `http://${URI}`, credentials, data: {}, failure: "PROVISION_DRUPAL_FAILED", ...request },
    {
      php: "php",
      folder: join(repositoryRoot, "php"),
      env: process.env,
      timeoutMs: 60_000,
      signal: new AbortController().signal,
      onStart: (started) => (pid = started),
      onLog: (level, message) => logs.push(`${level}: ${message}`),
      onProgress: () => undefined,
      ...settings,
    },
  );
}

async function failure(running: Promise<unknown>): Promise<ShimError> {
  const thrown: unknown = await running.then(() => new Error("It did not fail."), (reason: unknown) => reason);
  if (!(thrown instanceof ShimError)) throw thrown;
  return thrown;
}

/** Has the rebuild of access rights go wrong in that way. */
async function misbehave(how: string): Promise<void> {
  await served.setVariable("stand_in_access", `s:${how.length}:"${how}";`);
}

/** No process is left in the group that PHP led. */
function gone(): Promise<void> {
  return until("its processes are gone", () => {
    try {
      process.kill(-pid, 0);
      return false;
    } catch {
      return true;
    }
  });
}

describe("an answer", () => {
  it("comes from the site's own Drupal", async () => {
    const { database, hash_salt: salt, base_url: baseUrl, variables } = await run({ job: "settings-7", data: { variables: ["install_profile", "clean_url"] } });
    expect(database).toEqual({ driver: "mysql", database: "example", username: "example", password: "secret-1", host: "127.0.0.1", port: credentials.port, charset: "utf8mb4" });
    expect(salt).toBe(effectiveSalt({ database: Object.entries(database as Record<string, string>), hashSalt: "" }));
    expect([baseUrl, variables]).toEqual([`http://${URI}`, { install_profile: null, clean_url: null }]);
  });

  it.each([
    ["print", "debug: PHP (access-rebuild-7) printed: "],
    ["warning", "debug: PHP (access-rebuild-7) printed: "],
    ["child", ""],
  ])("is not broken by what the code does beside: %s", async (how, log) => {
    await misbehave(how);
    expect(await run()).toEqual({ rebuilt: true });
    expect(logs.join("\n")).toContain(log);
    // Half a megabyte was printed, or a process is still running.
    expect(logs.join("").length).toBeLessThan(10_000);
    if (how === "child") process.kill(-pid, "SIGKILL");
  });

  it("does not depend on how bad Drupal finds what it logs and tells its visitor", async () => {
    await misbehave("message");
    expect(await run()).toEqual({ rebuilt: true });
    expect(logs).toEqual(["warning: WD stand_in: The access logs an error.", "warning: The access has a message."]);
  });
});

describe("a failure", () => {
  it.each([
    ["throw", /^Drupal failed \(access-rebuild-7\): The access goes wrong: it is told to\. \(\/.*common\.inc line \d+\)\.$/],
    ["fatal", /Call to undefined function stand_in_no_such_function\(\)/],
    ["exit", /the code ended the program \(exit\) before it was done\. It printed: I leave\.$/],
    ["kill", /PHP was ended by SIGKILL and gave no answer/],
    ["memory", /Allowed memory size of 33554432 bytes exhausted/],
  ])("is told with PHP's own reason: %s", async (how, message) => {
    await misbehave(how);
    const error = await failure(run());
    expect([error.code, error.message]).toEqual(["PROVISION_DRUPAL_FAILED", expect.stringMatching(message)]);
  });

  it("of the database does not show the password", async () => {
    const error = await failure(run({ credentials: { ...credentials, password: "not-the-Password_1" } }));
    expect(error.message).toMatch(/Access denied for user 'example'/);
    expect(`${error.message}${logs.join("")}`).not.toContain("not-the-Password_1");
  });

  it("is that Drupal would take another site", async () => {
    const error = await failure(run({ job: "settings-7", uri: "no.such.test", data: { variables: [] } }));
    expect(error.message).toContain("Drupal takes sites/default for the site's directory instead of sites/no.such.test");
  });

  it("is that there is no PHP", async () => {
    const error = await failure(run({}, { php: "/no/such/php" }));
    expect([error.code, error.hint]).toEqual(["PHP_NOT_FOUND", expect.stringContaining("DRUSH_PHP")]);
  });

  it("is a PHP that speaks no JSON on the channel, or never ends a line", async () => {
    const script = served.stage.home.write("../odd-php", "#!/bin/sh\necho odd >&3\nsleep 300\n", 0o755);
    expect((await failure(run({}, { php: script }))).message).toMatch(/Drupal failed .*JSON/);
    await gone();
  });
});

describe("code that does not end", () => {
  beforeEach(() => misbehave("hang"));

  const begun = (): Promise<void> => until("it has begun", () => logs.some((log) => log.includes("Waiting for ever")));

  it("is ended, with its group, when the time is over", async () => {
    const error = await failure(run({}, { timeoutMs: 1000 }));
    expect([error.code, error.hint]).toEqual(["PROVISION_PHP_TIMEOUT", expect.stringContaining("phpTimeoutSeconds")]);
    await gone();
  });

  it("is ended when the task is told to stop; no password is in its arguments or environment", async () => {
    const abort = new AbortController();
    const failing = failure(run({}, { signal: abort.signal }));
    await begun();
    const seen = ["cmdline", "environ"].map((file) => readFileSync(`/proc/${pid}/${file}`, "latin1")).join("\0");
    expect(seen).toContain("access-rebuild-7");
    expect(seen).not.toContain("secret-1");
    abort.abort();
    expect((await failing).code).toBe("PROVISION_INTERRUPTED");
    await gone();
    expect(existsSync(`/proc/${pid}`)).toBe(false);
  });
});
