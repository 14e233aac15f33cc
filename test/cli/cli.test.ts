import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { GLOBAL_OPTIONS } from "../../src/backend-protocol/global-options.ts";
import { PROPERTY_OPTIONS, SETTINGS } from "../../src/cli/known-options.ts";
import { good, installSite, openFrontEnd, openPlatform, SERVER, type FrontEnd } from "../support/front-end.ts";
import { repositoryRoot } from "../support/repository.ts";
import type { RunResult } from "../support/test-user.ts";
import { treeOf } from "../support/tree.ts";
import { until } from "../support/until.ts";

const URI = "site.test";

let frontEnd: FrontEnd;
let root: string;

beforeAll(async () => {
  frontEnd = await openFrontEnd();
  root = await openPlatform(frontEnd);
  await installSite(frontEnd, root, URI);
  await good(frontEnd.task(URI, "verify"));
  // Its list of sites.
  await good(frontEnd.task("platform_standin", "verify"));
}, 300_000);
afterAll(() => frontEnd.strike());

function provision(...words: string[]): Promise<RunResult> {
  return frontEnd.stage.home.user.run([frontEnd.provision, ...words], { env: frontEnd.env, mayFail: true });
}

async function refused(words: string[], code: string): Promise<RunResult> {
  const before = treeOf(frontEnd.home);
  const result = await provision(...words);
  expect(result.stdout + result.stderr).toContain(`[${code}]`);
  expect(result.status).toBe(1);
  expect(treeOf(frontEnd.home)).toEqual(before);
  return result;
}

function events(result: RunResult): Record<string, unknown>[] {
  return result.stdout.trimEnd().split("\n").map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe("help", () => {
  it.each([[], ["help"], ["--help"]])("of the program: %j", async (...words) => {
    const { status, stdout, stderr } = await provision(...words);
    expect([status, stderr]).toEqual([0, ""]);
    for (const command of ["save", "verify", "lock", "unlock", "enable", "disable", "backup-delete", "swap", "ps", "recover"]) expect(stdout).toMatch(new RegExp(`^  ${command} +\\S`, "m"));
  });

  it.each(["save", "verify", "lock", "unlock", "enable", "disable", "backup-delete", "swap", "ps", "recover"])("of %s, in both ways", async (command) => {
    const { status, stdout } = await provision("help", command);
    expect(status).toBe(0);
    expect(stdout).toMatch(new RegExp(`^Usage: provision ${command}\\b`));
    expect((await provision(command, "--help")).stdout).toBe(stdout);
  });

  it("says its version", async () => expect((await provision("--version")).stdout).toMatch(/^provision-shim \d+\.\d+\.\d+\n$/));
});

describe("refuses", () => {
  it("an unknown command, and shows where the known ones are", async () => {
    expect((await refused(["frobnicate"], "CLI_UNKNOWN_COMMAND")).stderr).toContain("provision help");
    await refused(["help", "frobnicate"], "CLI_UNKNOWN_COMMAND");
    await refused(["constructor"], "CLI_UNKNOWN_COMMAND");
  });

  it("a command without a context", async () => {
    await refused(["verify"], "PROVISION_NO_CONTEXT");
    await refused(["verify", "site.test"], "PROVISION_NO_CONTEXT");
  });

  it("a context that is not there", () => refused(["verify", "@nobody"], "DRUSH_BOOTSTRAP_NO_ALIAS"));

  it("an unknown option", async () => {
    await refused(["swap", "status", "--colour=red"], "CLI_BAD_OPTION");
    await refused(["verify", `@${URI}`, "--colour=red"], "CLI_BAD_OPTION");
  });

  it("no property that a context has, and no setting that a command reads", () => {
    const sources = (folder: string): string => {
      const files = readdirSync(join(repositoryRoot, folder), { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));
      return files.map((name) => readFileSync(join(repositoryRoot, folder, name), "utf8")).join("\n");
    };
    const read = [sources("src/contexts"), sources("src/commands")].map((text) => [...text.matchAll(/(?:build\.set(?:List)?\(|textOption\(call, |switchOption\(call, |options\.get\()"(\w+)"/g)].map(([, name]) => name ?? ""));
    expect(read.map((names) => names.length > 10)).toEqual([true, true]);
    expect(read.flat().filter((name) => ![...PROPERTY_OPTIONS, ...SETTINGS, ...GLOBAL_OPTIONS.map((option) => option.name)].includes(name))).toEqual([]);
  });

  it("an unknown word after swap", () => refused(["swap", "sideways"], "CLI_BAD_ARGUMENT"));

  it("with --json in one object", async () => {
    const result = await provision("verify", "@nobody", "--json");
    expect(result.status).toBe(1);
    expect(events(result).at(-1)).toMatchObject({ type: "error", code: "DRUSH_BOOTSTRAP_NO_ALIAS" });
    expect(events(await provision("frobnicate", "--json"))).toMatchObject([{ type: "error", code: "CLI_UNKNOWN_COMMAND" }]);
  });
});

describe("a dry run", () => {
  it.each([SERVER, "platform_standin", URI])("of verify has nothing to do after a verify of %s", async (name) => {
    const before = treeOf(frontEnd.home);
    const { status, stdout } = await provision("verify", `@${name}`, "--dry-run");
    expect(stdout).toContain("0 changes would be made.");
    expect(status).toBe(0);
    expect(treeOf(frontEnd.home)).toEqual(before);
  });

  it("shows what would change, line by line, and the real run then does it", async () => {
    await good(frontEnd.call(["--root=", `--uri=${URI}`, "provision-save", `@${URI}`], { stdin: { aliases: "www.site.test" } }));
    const before = treeOf(frontEnd.home);
    const dry = await provision("verify", `@${URI}`, "--dry-run");
    expect(dry.status).toBe(2);
    expect(dry.stdout).toMatch(/^ +replace .*\/vhost\.d\/site\.test$/m);
    expect(dry.stdout).toMatch(/^ +\+ +ServerAlias www\.site\.test$/m);
    expect(dry.stdout).toMatch(/would run .*graceful/);
    expect(treeOf(frontEnd.home)).toEqual(before);
    const real = await provision("verify", `@${URI}`);
    expect([real.status, real.stdout.includes("✓")]).toEqual([0, true]);
    expect((await frontEnd.stage.apache.fetch("www.site.test", "/")).status).toBe(200);
    expect((await provision("verify", `@${URI}`, "--dry-run")).status).toBe(0);
  });

  it("of a save, a disable and a lock", async () => {
    const before = treeOf(frontEnd.home);
    expect((await provision("save", "@platform_new", "--context_type=platform", `--server=@${SERVER}`, `--web_server=@${SERVER}`, `--root=${root}`, "--dry-run")).status).toBe(2);
    expect((await provision("disable", `@${URI}`, "--dry-run")).status).toBe(2);
    expect((await provision("enable", `@${URI}`, "--dry-run")).status).toBe(0);
    // Only the front end remembers that.
    expect((await provision("lock", "@platform_standin", "--dry-run")).status).toBe(0);
    expect(treeOf(frontEnd.home)).toEqual(before);
  });

  it("shows no password", async () => {
    const { masterDb } = frontEnd.stage.mariadb;
    const secret = new URL(masterDb).password;
    expect(secret.length).toBeGreaterThan(3);
    const { stdout, status } = await provision("save", "@server_other", "--context_type=server", "--remote_host=localhost", "--db_service_type=mysql", `--db_port=${frontEnd.stage.mariadb.port}`, `--master_db=${masterDb}`, "--dry-run", "--verbose");
    expect(stdout).not.toContain(secret);
    expect(stdout).toContain("'master_db' => '***'");
    expect(status).toBe(2);
    const json = await provision("verify", `@${URI}`, "--dry-run", "--json", "--verbose");
    expect(json.stdout).not.toContain("Site-Pass_1");
  });

  it("of what would go to the real drush is refused", async () => {
    frontEnd.stage.home.write("drupal6/modules/system/system.module", "<?php\ndefine('VERSION', '6.38');\n");
    frontEnd.stage.home.write("drupal6/index.php", "<?php\n");
    await good(frontEnd.save("platform_six", { context_type: "platform", server: `@${SERVER}`, web_server: `@${SERVER}`, root: join(frontEnd.home, "drupal6") }));
    await refused(["verify", "@platform_six", "--dry-run"], "CLI_NO_DRY_RUN");
    await refused(["verify", "@platform_six"], "PROVISION_NO_REAL_DRUSH");
  });
});

describe("events", () => {
  it("are JSON objects a line with their time, from the start to the end", async () => {
    const result = await provision("disable", `@${URI}`, "--json");
    expect(result.status).toBe(0);
    const all = events(result);
    expect(all.every(({ time }) => typeof time === "number" && Math.abs(time - Date.now() / 1000) < 60)).toBe(true);
    const types = all.map(({ type }) => type);
    expect([types[0], types.at(-1)]).toEqual(["task-started", "task-ended"]);
    expect(types).toEqual(expect.arrayContaining(["step-started", "step-ended", "change", "log"]));
    const changed = all.flatMap(({ type, change }) => (type === "change" ? [(change as { path: string }).path] : []));
    expect(changed).toContain(join(frontEnd.home, `.drush/${URI}.alias.drushrc.php`));
    await good(frontEnd.task(URI, "enable"));
  });
});

describe("commands that change a context", () => {
  it("save, lock, unlock, and delete it", async () => {
    const alias = (): string => readFileSync(join(frontEnd.home, ".drush/platform_people.alias.drushrc.php"), "utf8");
    const saved = await provision("save", "@platform_people", "--context_type=platform", `--server=@${SERVER}`, `--web_server=@${SERVER}`, `--root=${root}`);
    expect([saved.status, saved.stdout.includes("Done in")]).toEqual([0, true]);
    expect(alias()).toContain(`'root' => '${root}'`);
    expect((await provision("save", "@platform_people", "--delete")).status).toBe(0);
    expect(alias).toThrow("ENOENT");
  });
});

describe("ps and recover", () => {
  it("show a task that runs, one that was killed, and undo what that has left", async () => {
    expect((await provision("ps")).stdout).toBe("No task is running.\n");
    expect((await provision("recover")).stdout).toBe("Nothing was left half done.\n");
    const before = treeOf(frontEnd.home);
    // The web server's reload hangs, so the task does in the middle of its work.
    const { home } = frontEnd.stage;
    const restart = frontEnd.stage.apache.restartCommand;
    const hanging = home.write("hang.sh", `#!/bin/sh\n[ ! -e ${home.path}/hang ] || sleep 30\nexec ${restart}\n`, 0o755);
    await good(frontEnd.save(SERVER, { context_type: "server", http_restart_cmd: hanging }));
    home.write("hang", "");
    const task = home.user.spawn([frontEnd.provision, "disable", `@${URI}`], { env: { ...home.user.env, ...frontEnd.env }, stdio: "ignore" });
    const ended = new Promise((resolve) => task.once("exit", resolve));
    try {
      await until("a task that hangs", async () => (await provision("ps")).stdout.includes(`${URI}: `) && readFileSync(join(frontEnd.home, `config/${SERVER}/apache/vhost.d/${URI}`), "utf8").includes("hosting/disabled"));
      const { locks } = JSON.parse((await provision("ps", "--json")).stdout) as { locks: { lock: string; pid: number; dead: boolean }[] };
      const holder = locks.find(({ lock }) => lock === URI);
      expect(holder).toMatchObject({ dead: false });
      // Only those of tasks that are gone are released.
      const refused = await provision("unlock", "--stale", `@${URI}`);
      expect([refused.status, refused.stdout.includes("is held by a task that lives")]).toEqual([1, true]);
      process.kill(holder?.pid ?? 0, "SIGKILL");
      await ended;
    } finally {
      await home.user.run(["rm", join(home.path, "hang")]);
      task.kill("SIGKILL");
    }
    expect((await provision("ps")).stdout).toContain(`on @${URI}`);
    const unlocked = await provision("unlock", "--stale");
    expect([unlocked.status, unlocked.stdout.includes(`released ${URI}\n`), unlocked.stdout.includes("`provision recover` undoes them")]).toEqual([0, true, true]);
    const recovered = await provision("recover");
    expect(recovered.status).toBe(0);
    expect(recovered.stdout).toContain(`on @${URI}:`);
    expect((await provision("ps")).stdout).toBe("No task is running.\n");
    await good(frontEnd.save(SERVER, { context_type: "server", http_restart_cmd: restart }));
    await home.user.run(["rm", hanging]);
    expect(treeOf(frontEnd.home)).toEqual(before);
    expect((await frontEnd.stage.apache.fetch(URI, "/")).status).toBe(200);
  });
});
