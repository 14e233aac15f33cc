import { chmodSync, copyFileSync, existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { good, installSite, openFrontEnd, openPlatform, writeAlias, type BackendAnswer, type FrontEnd } from "../support/front-end.ts";
import { repositoryRoot } from "../support/repository.ts";
import { failedWith, failure, messages } from "../support/system-checks.ts";
import { treeOf } from "../support/tree.ts";

const URI = "brought.test";

let frontEnd: FrontEnd;
let root: string;
let site: string;

/** A site that somebody has copied onto the platform: it has a settings.php and a database of its own, and no drushrc.php. */
beforeAll(async () => {
  frontEnd = await openFrontEnd();
  root = await openPlatform(frontEnd);
  site = join(root, "sites", URI);
  await installSite(frontEnd, root, URI, { profile: "club" });
  rmSync(join(site, "drushrc.php"));
  frontEnd.stage.home.write(`${site.slice(frontEnd.home.length + 1)}/settings.php`, settings(), 0o440);
}, 300_000);
afterAll(() => frontEnd.strike());

function settings(): string {
  const database = { driver: "mysql", database: "broughttest", username: "broughttest", password: "Site-Pass_1", host: "127.0.0.1", port: frontEnd.stage.mariadb.port };
  return `<?php\n$databases = json_decode('${JSON.stringify({ default: { default: database } })}', true);\n$drupal_hash_salt = 'its own';\n`;
}

/** The context as the front end makes it after a verify of the platform: it knows nothing of the profile. */
async function saveAnew(): Promise<void> {
  await good(frontEnd.call(["--root=", `--uri=${URI}`, "provision-save", `@${URI}`], { stdin: { context_type: "site", platform: "@platform_standin", db_server: "@server_master", profile: "standard", client_name: "admin", aliases: "null" } }));
}

function takeOver(options: Parameters<FrontEnd["task"]>[2] = {}): Promise<BackendAnswer> {
  return frontEnd.task(URI, "import", options);
}

async function php(code: string): Promise<unknown> {
  return JSON.parse((await frontEnd.stage.home.user.run(["php", "-r", code])).stdout) as unknown;
}

function context({ frame }: BackendAnswer): Record<string, unknown> {
  return frame["context"] as Record<string, unknown>;
}

describe("a site that is there already", () => {
  let imported: BackendAnswer;

  beforeAll(async () => {
    await frontEnd.stage.mariadb.query("REPLACE INTO broughttest.variable VALUES ('language_default', 'O:8:\"stdClass\":1:{s:8:\"language\";s:2:\"fr\";}'); DELETE FROM broughttest.cache_bootstrap");
    frontEnd.stage.home.write(`${root.slice(frontEnd.home.length + 1)}/sites/sites.php`, `<?php $sites = array('old.brought.test' => '${URI}', 'other.test' => 'elsewhere.test');`);
    await saveAnew();
    imported = await good(takeOver());
  });

  it("has its profile, language and aliases in its alias and drushrc.php, and is verified", async () => {
    expect(await php(`include '${frontEnd.home}/.drush/${URI}.alias.drushrc.php'; $a = reset($aliases); echo json_encode([$a['profile'], $a['language'], $a['aliases'], $a['client_name']]);`)).toEqual(["club", "fr", ["old.brought.test"], "admin"]);
    const options = (await php(`include '${site}/drushrc.php'; echo json_encode($options);`)) as Record<string, unknown>;
    expect(Object.keys(options).sort()).toEqual(["aliases", "db_host", "db_name", "db_passwd", "db_port", "db_type", "db_user", "installed", "language", "packages", "profile"]);
    expect([options["db_name"], options["db_port"], options["profile"], options["language"], options["aliases"]]).toEqual(["broughttest", String(frontEnd.stage.mariadb.port), "club", "fr", ["old.brought.test"]]);
    expect(readFileSync(join(root, "sites/sites.php"), "utf8")).toMatch(/'other\.test' => 'elsewhere\.test'[^]*'old\.brought\.test' => 'brought\.test'/);
  });

  it("is served under its own name and its alias, with credentials that no file of it holds", async () => {
    expect((await frontEnd.stage.apache.fetch(URI, "/")).body).toContain("This text is from the database.");
    expect((await frontEnd.stage.apache.fetch("old.brought.test", "/")).status).toBe(200);
    expect(readFileSync(join(site, "settings.php"), "utf8")).not.toContain("Site-Pass_1");
  });

  it("is answered with what the front end stores", () => {
    const answered = context(imported);
    expect([answered["installed"], answered["profile"], answered["language"], answered["aliases"]]).toEqual([true, "club", "fr", ["old.brought.test"]]);
    expect((answered["packages"] as Record<string, Record<string, unknown>>)["profiles"]).toHaveProperty("club");
    expect(answered["cron_key"]).toMatch(/^\S{20,}$/);
    expect((imported.frame["self"] as Record<string, unknown>)["db_name"]).toBe("broughttest");
    expect(messages(imported, "notice")).toContainEqual(expect.stringContaining("there is no @hostmaster here"));
  });

  it("can be imported again, as after a clone, when its settings are ours", async () => {
    const again = await good(takeOver());
    expect(messages(again, "warning")).toEqual([]);
    expect((await frontEnd.stage.apache.fetch(URI, "/")).status).toBe(200);
    // The key of one-time links followed it into no file of ours: new links fit the new settings.
    const { frame } = await good(frontEnd.task(URI, "login-reset"));
    const path = new URL(String((frame["context"] as Record<string, unknown>)["login_link"])).pathname;
    expect((await frontEnd.stage.apache.fetch(URI, path)).headers.location).toContain("/user/1/edit");
  });
});

describe("the front end", () => {
  const log = (): string => join(frontEnd.stage.home.beside, "fake-drush.log");
  let env: NodeJS.ProcessEnv;

  beforeAll(() => {
    const drush = join(frontEnd.stage.home.beside, "fake-drush");
    copyFileSync(join(repositoryRoot, "test/system/fake-drush.php"), drush);
    chmodSync(drush, 0o755);
    env = { PROVISION_SHIM_DRUSH: drush, FAKE_DRUSH_LOG: log() };
    writeAlias(frontEnd, "hostmaster", { context_type: "site", platform: "@platform_standin", uri: "front.test", root });
  });

  it("is asked to verify the site, through the real drush", async () => {
    rmSync(log(), { force: true });
    const called = await takeOver({ env });
    const words = readFileSync(log(), "utf8").trim().split("\n").map((line) => (JSON.parse(line) as { argv: string[] }).argv.join(" "));
    expect(words).toEqual([expect.stringMatching(/@hostmaster hosting-task @?brought\.test verify .*--force|--force.*@hostmaster hosting-task/)]);
    expect(called.kind).toBe("frame");
  });

  it("that fails does not undo the import", async () => {
    const broken = join(frontEnd.stage.home.beside, "broken-drush");
    frontEnd.stage.home.write("../broken-drush", "#!/bin/sh\nexit 1\n", 0o755);
    const before = treeOf(join(root, "sites", URI));
    const called = await takeOver({ env: { PROVISION_SHIM_DRUSH: broken } });
    expect([called.status, called.errors.length > 0]).toEqual([1, true]);
    expect(treeOf(join(root, "sites", URI))).toEqual(before);
    expect((await frontEnd.stage.apache.fetch(URI, "/")).status).toBe(200);
    rmSync(join(frontEnd.home, ".drush/hostmaster.alias.drushrc.php"));
  });
});

describe("what cannot be imported changes nothing", () => {
  async function refused(code: string): Promise<void> {
    const before = treeOf(frontEnd.home);
    expect(failure(await takeOver())).toEqual(failedWith(code));
    expect(treeOf(frontEnd.home)).toEqual(before);
  }
  const inSite = (script: string): Promise<unknown> => frontEnd.stage.home.user.run(["sh", "-c", script], { cwd: site });

  it("a directory without settings.php", async () => {
    await inSite("mv settings.php ../kept");
    await refused("DRUPAL_SITE_SETTINGS_NOT_FOUND");
    await inSite("mv ../kept settings.php");
  });

  it("a site whose settings.php PHP cannot run", async () => {
    await inSite("cp -p settings.php ../kept; chmod u+w settings.php; echo '<?php oops(' > settings.php");
    await refused("PROVISION_DRUPAL_FAILED");
    await inSite("mv -f ../kept settings.php");
  });

  it("a site whose database does not let it in", async () => {
    await inSite("cp -p drushrc.php ../kept; chmod u+w drushrc.php; sed -i s/Site-Pass_1/wrong/ drushrc.php");
    await refused("PROVISION_DB_CONNECT_FAIL");
    await inSite("mv -f ../kept drushrc.php");
  });

  it("a site that only its own Drupal knows goes to the real drush", async () => {
    await inSite("mkdir modules/fresh; touch modules/fresh/fresh.info modules/fresh/fresh.module");
    await refused("PROVISION_NO_REAL_DRUSH");
    await inSite("rm -r modules/fresh");
  });

  it("a context that is no site", async () => {
    const before = treeOf(frontEnd.home);
    await good(frontEnd.task("platform_standin", "import"));
    expect(treeOf(frontEnd.home)).toEqual(before);
    expect(existsSync(site)).toBe(true);
  });
});
