import { Agent, request } from "node:http";
import { appendFileSync, chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { good, installSite, openFrontEnd, openPlatform, SERVER, type FrontEnd } from "../support/front-end.ts";
import { copyStandIn } from "../support/stand-in.ts";
import type { RunResult } from "../support/test-user.ts";
import { treeOf } from "../support/tree.ts";
import { leftovers } from "../support/world.ts";

const SITES = ["a.test", "b.test", "c.test", "d.test"];

let frontEnd: FrontEnd;
let root: string;

beforeAll(async () => {
  frontEnd = await openFrontEnd();
  root = await openPlatform(frontEnd);
  await good(frontEnd.save(SERVER, { http_restart_cmd: countingControl() }));
  const other = copyStandIn(frontEnd.stage.home, "other");
  await good(frontEnd.save("platform_other", { context_type: "platform", server: `@${SERVER}`, web_server: `@${SERVER}`, root: other }));
  for (const uri of SITES.slice(0, 3)) await installSite(frontEnd, root, uri);
  await installSite(frontEnd, other, "d.test", { platform: "other" });
}, 300_000);
afterAll(() => frontEnd.strike());

interface Report {
  readonly status: number;
  /** Context → how it ended. */
  readonly outcomes: Readonly<Record<string, string>>;
  readonly codes: readonly string[];
  readonly text: string;
  readonly ended: Readonly<Record<string, unknown>>;
}

function provision(...words: string[]): Promise<RunResult> {
  return frontEnd.stage.home.user.run([frontEnd.provision, ...words], { env: frontEnd.env, mayFail: true, timeout: 240_000 });
}

async function verifyMany(...words: string[]): Promise<Report> {
  const { status, stdout, stderr } = await provision("verify", "--json", ...words);
  expect(stderr).toBe("");
  const lines = stdout.trimEnd().split("\n").map((line) => JSON.parse(line) as { type: string; context: string; outcome: string; errors: { code: string }[] });
  const contexts = lines.filter(({ type }) => type === "context");
  return {
    status,
    outcomes: Object.fromEntries(contexts.map(({ context, outcome }) => [context, outcome])),
    codes: contexts.flatMap(({ errors }) => errors.map(({ code }) => code)),
    text: stdout,
    ended: lines.find(({ type }) => type === "ended") as unknown as Record<string, unknown>,
  };
}

/** How often Apache was told to read its configuration anew. */
function reloads(): number {
  return readFileSync(join(frontEnd.stage.home.beside, "counted/calls"), "utf8").split("\n").filter((call) => call === "graceful").length;
}

/** The control program of Apache, which writes down how it is called. */
function countingControl(): string {
  const folder = join(frontEnd.stage.home.beside, "counted");
  mkdirSync(folder);
  writeFileSync(join(folder, "calls"), "");
  writeFileSync(join(folder, "apachectl"), `#!/bin/sh\necho "$*" >>'${folder}/calls'\nexec '${frontEnd.stage.apache.control}' "$@"\n`, { mode: 0o755 });
  frontEnd.stage.home.user.own(folder);
  return `${join(folder, "apachectl")} graceful`;
}

const vhost = (name: string): string => join(frontEnd.home, "config/server_master/apache/vhost.d", name);

function editByHand(path: string): void {
  writeFileSync(path, readFileSync(path, "utf8").replace("<VirtualHost", "# by hand\n<VirtualHost"));
}

function databaseOf(uri: string): string {
  return /'db_name'\] = '([^']+)'/.exec(readFileSync(join(root, "sites", uri, "drushrc.php"), "utf8"))?.[1] ?? "";
}

async function pageOf(host: string): Promise<number> {
  return (await frontEnd.stage.apache.fetch(host, "/")).status;
}

describe("many contexts", () => {
  beforeAll(() => verifyMany("--all"), 240_000);

  it("are verified together, and the web server reads its configuration once", async () => {
    const before = reloads();
    rmSync(vhost("a.test"));
    rmSync(vhost("d.test"));
    const { status, outcomes } = await verifyMany("--all", "--force");
    expect([status, reloads() - before]).toEqual([0, 1]);
    expect(outcomes).toEqual({ server_master: "verified", platform_standin: "verified", platform_other: "verified", ...Object.fromEntries(SITES.map((uri) => [uri, "verified"])) });
    expect(await Promise.all(SITES.map(pageOf))).toEqual([200, 200, 200, 200]);
    expect(leftovers(frontEnd)).toEqual([]);
  });

  it("are left out where nothing has changed, and then the web server is left alone", async () => {
    const before = { reloads: reloads(), vhosts: SITES.map((uri) => statSync(vhost(uri)).mtimeMs) };
    const { status, outcomes } = await verifyMany("--all");
    expect([status, SITES.map((uri) => outcomes[uri])]).toEqual([0, ["unchanged", "unchanged", "unchanged", "unchanged"]]);
    expect({ reloads: reloads(), vhosts: SITES.map((uri) => statSync(vhost(uri)).mtimeMs) }).toEqual(before);
  });

  it.each<readonly [string, () => void | Promise<void>]>([
    ["its alias file is another", () => appendFileSync(join(frontEnd.home, ".drush/b.test.alias.drushrc.php"), "# a note\n")],
    ["its virtual host is another", () => editByHand(vhost("b.test"))],
    ["its virtual host is gone", () => rmSync(vhost("b.test"))],
    ["its settings.php may be read by everybody", () => chmodSync(join(root, "sites/b.test/settings.php"), 0o444)],
    ["a module came", () => frontEnd.stage.home.write(`${root.slice(frontEnd.home.length + 1)}/sites/b.test/modules/fresh/fresh.info`, "name = Fresh\ncore = 7.x\n")],
    ["a module was switched off in its database", async () => {
      await frontEnd.stage.mariadb.query(`UPDATE \`${databaseOf("b.test")}\`.system SET schema_version = schema_version + 1 WHERE type = 'module' LIMIT 1`);
    }],
    ["its cron key is another one", async () => {
      await frontEnd.stage.mariadb.query(`REPLACE INTO \`${databaseOf("b.test")}\`.variable (name, value) VALUES ('cron_key', 's:5:"other";')`);
    }],
  ])("are not left out when %s", async (_, change) => {
    expect((await verifyMany("--all")).outcomes["b.test"]).toBeDefined();
    await change();
    const { status, outcomes } = await verifyMany("--all");
    expect([status, outcomes["b.test"], outcomes["d.test"]]).toEqual([0, "verified", "unchanged"]);
    expect(readFileSync(vhost("b.test"), "utf8")).not.toContain("by hand");
    expect((await verifyMany("--all")).outcomes["b.test"]).toBe("unchanged");
  });

  it.each<readonly [string, () => void]>([
    ["an extension of drush came", () => frontEnd.stage.home.write(".drush/lines.drush.inc", "<?php\nfunction lines_help() {}\n")],
    ["an extension of drush is another", () => frontEnd.stage.home.write(".drush/lines.drush.inc", "<?php\n")],
    ["our configuration is another", () => frontEnd.stage.home.write(".provision-shim/config.json", JSON.stringify({ lockWaitSeconds: 77 }))],
    ["there is a folder for answers to certificate authorities", () => mkdirSync(join(frontEnd.home, "tools/le/.acme-challenges"), { recursive: true })],
    ["the user's configuration of drush is another", () => frontEnd.stage.home.write(".drushrc.php", "<?php\n")],
  ])("are all verified when %s", async (_, change) => {
    expect((await verifyMany("--all")).status).toBe(0);
    change();
    const { outcomes } = await verifyMany("--all");
    expect(SITES.map((uri) => outcomes[uri])).not.toContain("unchanged");
    expect(SITES.map((uri) => outcomes[uri])).not.toContain(undefined);
  });

  it("of which one changes after its verify, while others are verified, are not left out the next time", async () => {
    const late = join(root, "sites/b.test/modules/late/late.info");
    // What Apache's control program does happens after the sites' verifies, and before what they are like is remembered.
    const folder = join(frontEnd.stage.home.beside, "counted");
    const program = readFileSync(join(folder, "apachectl"), "utf8");
    writeFileSync(join(folder, "apachectl"), program.replace("exec ", `mkdir -p '${join(late, "..")}' && echo 'name = Late' >'${late}'\nexec `));
    rmSync(vhost("a.test"));
    try {
      expect((await verifyMany("--all", "--force")).outcomes["b.test"]).toBe("verified");
    } finally {
      writeFileSync(join(folder, "apachectl"), program);
    }
    expect(existsSync(late)).toBe(true);
    const { outcomes } = await verifyMany("--all");
    expect([outcomes["b.test"], outcomes["d.test"]]).toEqual(["verified", "unchanged"]);
  });

  it("of which one fails in the middle: nothing of it is written, and the others are", async () => {
    const database = databaseOf("b.test");
    for (const uri of ["a.test", "b.test"]) editByHand(vhost(uri));
    await frontEnd.stage.mariadb.query(`RENAME TABLE \`${database}\`.cache TO \`${database}\`.kept`);
    await frontEnd.stage.mariadb.query(`CREATE VIEW \`${database}\`.cache AS SELECT DISTINCT * FROM \`${database}\`.kept`);
    try {
      const { status, outcomes } = await verifyMany("--all");
      expect([status, outcomes["a.test"], outcomes["b.test"]]).toEqual([1, "verified", "failed"]);
      expect(["a.test", "b.test"].map((uri) => readFileSync(vhost(uri), "utf8").includes("by hand"))).toEqual([false, true]);
    } finally {
      await frontEnd.stage.mariadb.query(`DROP VIEW \`${database}\`.cache`);
      await frontEnd.stage.mariadb.query(`RENAME TABLE \`${database}\`.kept TO \`${database}\`.cache`);
    }
    expect((await verifyMany("--all")).outcomes["b.test"]).toBe("verified");
    expect(readFileSync(vhost("b.test"), "utf8")).not.toContain("by hand");
  });

  it("on several servers: that one does not reload leaves none of the others out", async () => {
    await good(frontEnd.save("server_aaa", { context_type: "server", remote_host: "localhost", http_service_type: "apache", http_port: 80, http_restart_cmd: "/bin/false" }));
    try {
      // One after the other, so that it comes first.
      editByHand(vhost("d.test"));
      const { status, outcomes } = await verifyMany("--all", "--jobs=1");
      expect([status, outcomes["server_aaa"], outcomes["d.test"]]).toEqual([0, "verified", "verified"]);
      expect(readFileSync(vhost("d.test"), "utf8")).not.toContain("by hand");
    } finally {
      await good(frontEnd.task("server_aaa", "delete"));
    }
  });

  it("of one platform are its sites", async () => {
    const { status, outcomes } = await verifyMany("--platform=@platform_other");
    expect([status, Object.keys(outcomes).sort()]).toEqual([0, ["d.test", "platform_other"]]);
  });

  it("that fail are told, and the others are verified", async () => {
    const settings = join(frontEnd.home, ".drush/c.test.alias.drushrc.php");
    const kept = readFileSync(settings);
    writeFileSync(settings, readFileSync(settings, "utf8").replace("@platform_standin", "@platform_gone"));
    try {
      const { status, outcomes, codes } = await verifyMany("--all");
      expect([status, outcomes["c.test"], outcomes["a.test"], codes]).toEqual([1, "failed", "unchanged", ["PROVISION_MISSING_CONTEXT"]]);
    } finally {
      writeFileSync(settings, kept);
    }
  });

  it("of which some would break the web server, or take a name of another one: those keep their files, and the others get theirs", async () => {
    // A test that refuses files with that name, as Apache does with what it does not understand.
    const control = join(frontEnd.stage.home.beside, "counted/apachectl");
    const plain = readFileSync(control, "utf8");
    const refusing = `for word; do [ "$last" != -f ] || { file=$(grep -rl refused.test "$(dirname "$word")" | head -n 1); [ -z "$file" ] || { echo "AH00526: Syntax error on line 2 of $file:" >&2; exit 1; }; }; last=$word; done`;
    writeFileSync(control, plain.replace("exec ", `${refusing}\nexec `));
    for (const [name, aliases] of [["a.test", "refused.test"], ["b.test", "c.test"], ["d.test", "www.refused.test"]] as const) await good(frontEnd.save(name, { aliases }));
    rmSync(vhost("c.test"));
    const [before, kept] = [reloads(), ["a.test", "b.test", "d.test"].map((name) => readFileSync(vhost(name), "utf8"))];
    try {
      const { status, outcomes, codes, ended } = await verifyMany("--all");
      expect([status, outcomes]).toEqual([1, expect.objectContaining({ "a.test": "failed", "b.test": "failed", "c.test": "verified", "d.test": "failed", server_master: "verified" })]);
      expect([...codes].sort()).toEqual(["PROVISION_WEB_CONFIG_BROKEN", "PROVISION_WEB_CONFIG_BROKEN", "PROVISION_WEB_NAME_TAKEN"]);
      expect([ended["failed"], Object.values(outcomes).filter((outcome) => outcome === "verified").length]).toEqual([3, ended["verified"]]);
      expect(["a.test", "b.test", "d.test"].map((name) => readFileSync(vhost(name), "utf8"))).toEqual(kept);
      expect([await pageOf("c.test"), reloads() - before]).toEqual([200, 1]);
      // Nobody forgets them.
      expect((await verifyMany("--all")).outcomes).toMatchObject({ "a.test": "failed", "b.test": "failed", "c.test": "unchanged", "d.test": "failed" });
    } finally {
      writeFileSync(control, plain);
      for (const [name, aliases] of [["a.test", "null"], ["b.test", "null"], ["d.test", "null"]] as const) await good(frontEnd.save(name, { aliases }));
    }
    expect((await verifyMany("--all")).status).toBe(0);
  });

  it("are shown in a dry run, which changes nothing", async () => {
    rmSync(vhost("a.test"));
    const before = treeOf(frontEnd.home);
    const { status, outcomes } = await verifyMany("--all", "--dry-run");
    expect([status, outcomes["a.test"]]).toEqual([2, "would change"]);
    expect(treeOf(frontEnd.home)).toEqual(before);
    expect((await verifyMany("--all")).status).toBe(0);
  });

  it("are counted for people", async () => {
    const { status, stdout } = await provision("verify", "--all");
    expect([status, stdout]).toEqual([0, expect.stringMatching(/^3 verified, 4 unchanged in \d+\.\d s\n$/)]);
  });

  it.each([["--all", "@a.test"], ["--all", "--platform=@platform_other"], ["--all", "--jobs=0"], ["--all", "--jbos=2"], ["--platform"]])("are asked for in a clear way: %j", async (...words) => {
    const { status, stdout, stderr } = await provision("verify", ...words);
    expect([status, stdout + stderr]).toEqual([1, expect.stringContaining("[CLI_BAD_OPTION]")]);
  });

  it("must be there", async () => {
    const { status, stdout, stderr } = await provision("verify", "--platform=@platform_nowhere");
    expect([status, stdout + stderr]).toEqual([1, expect.stringContaining("[PROVISION_MISSING_CONTEXT]")]);
  });
});

describe("a virtual host that somebody else has broken", () => {
  const poison = (): string => vhost("poison.test");
  beforeEach(() => {
    writeFileSync(poison(), "<VirtualHost *:1>\n  NoSuchDirective here\n</VirtualHost>\n");
  });
  afterAll(() => rmSync(poison(), { force: true }));

  function broken(): string[] {
    return SITES.map((uri) => (existsSync(vhost(uri)) ? readFileSync(vhost(uri), "utf8") : "-"));
  }

  it("is named, every byte stays as it was, and of 10,000 requests to the other sites none fails", async () => {
    editByHand(vhost("b.test"));
    rmSync(vhost("c.test"));
    const before = broken();
    const hammer = hammering(["a.test", "b.test", "d.test"], 10_000);
    for (let tries = 0; tries < 2 || !hammer.ended(); tries++) {
      const task = await frontEnd.task("a.test", "disable");
      expect([task.errors, task.messages["PROVISION_WEB_CONFIG_BROKEN"]]).toEqual([["PROVISION_WEB_CONFIG_BROKEN"], expect.stringContaining(poison())]);
      const { status, codes, text } = await verifyMany("--all", "--force");
      expect([status, codes, text]).toEqual([1, ["PROVISION_WEB_CONFIG_BROKEN"], expect.stringContaining("poison.test")]);
      expect(broken()).toEqual(before);
    }
    expect(await hammer.done).toEqual({ answered: 10_000, failed: [] });
    rmSync(poison());
    const { status, outcomes } = await verifyMany("--all");
    expect([status, outcomes["b.test"], outcomes["c.test"]]).toEqual([0, "verified", "verified"]);
    expect(await Promise.all(SITES.map(pageOf))).toEqual([200, 200, 200, 200]);
  }, 240_000);
});

interface Hammering {
  readonly done: Promise<{ readonly answered: number; readonly failed: readonly string[] }>;
  readonly ended: () => boolean;
}

/** So many requests, some at a time, as visitors make them; what is not a 200 has failed. */
function hammering(hosts: readonly string[], requests: number): Hammering {
  const agent = new Agent({ keepAlive: false });
  const failed: string[] = [];
  let [begun, answered, ended] = [0, 0, false];
  const visit = async (): Promise<void> => {
    while (begun < requests) {
      const host = hosts[begun++ % hosts.length] ?? "";
      const outcome = await statusOf(agent, host);
      if (outcome === 200) answered += 1;
      else failed.push(`${host}: ${outcome}`);
    }
  };
  const done = Promise.all(Array.from({ length: 4 }, visit)).then(() => {
    ended = true;
    return { answered, failed };
  });
  return { done, ended: () => ended };
}

function statusOf(agent: Agent, host: string): Promise<number | string> {
  return new Promise((resolve) => {
    // A file: PHP would take minutes for so many pages.
    const asking = request({ host: "127.0.0.1", port: frontEnd.stage.apache.port, path: "/misc/drupal.js", headers: { host }, agent }, (answer) => {
      answer.resume().on("end", () => resolve(answer.statusCode ?? 0)).on("error", (error) => resolve(error.message));
    });
    asking.on("error", (error) => resolve(error.message)).end();
  });
}

it("a name that another site's virtual host has is refused, and every byte stays as it was", async () => {
  await good(frontEnd.save("b.test", { aliases: "more.test,a.test" }));
  const before = [treeOf(join(frontEnd.home, "config")), await pageOf("a.test")];
  const refused = await frontEnd.task("b.test", "verify");
  expect([refused.errors, refused.messages["PROVISION_WEB_NAME_TAKEN"]]).toEqual([["PROVISION_WEB_NAME_TAKEN"], expect.stringContaining(vhost("a.test"))]);
  expect([treeOf(join(frontEnd.home, "config")), await pageOf("a.test")]).toEqual(before);
  await good(frontEnd.save("b.test", { aliases: "more.test" }));
  await good(frontEnd.task("b.test", "verify"));
  expect(await pageOf("more.test")).toBe(200);
});
