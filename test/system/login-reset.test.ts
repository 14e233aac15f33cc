import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { good, installSite, openFrontEnd, openPlatform, SERVER, serverOptions, writeAlias, type BackendAnswer, type FrontEnd } from "../support/front-end.ts";
import { openRealPlatform, REAL_DRUPAL7 } from "../support/real-drupal.ts";
import { failedWith, failure, messages } from "../support/system-checks.ts";
import { treeOf } from "../support/tree.ts";

const URI = "site.test";

let frontEnd: FrontEnd;
let root: string;
let site: string;

beforeAll(async () => {
  frontEnd = await openFrontEnd();
  root = await openPlatform(frontEnd);
  site = join(root, "sites", URI);
  await installSite(frontEnd, root, URI);
  await good(frontEnd.task(URI, "verify"));
}, 300_000);
afterAll(() => frontEnd.strike());

function reset(uri = URI): Promise<BackendAnswer> {
  return frontEnd.task(uri, "login-reset", { stdin: { profile: "standard" } });
}

function linkOf({ frame }: BackendAnswer): string {
  return String((frame["context"] as Record<string, unknown>)["login_link"]);
}

/** Uses the link; answers what the page of the account shows then. */
async function follow(uri: string, link: string): Promise<string> {
  const { apache } = frontEnd.stage;
  const { headers } = await apache.fetch(uri, new URL(link).pathname);
  const cookie = headers["set-cookie"]?.[0]?.split(";")[0] ?? "";
  const { status, body } = await apache.fetch(uri, "/user/1/edit", { headers: { Cookie: cookie } });
  return `${status} ${body}`;
}

async function shell(script: string): Promise<string> {
  return (await frontEnd.stage.home.user.run(["sh", "-c", script], { cwd: site })).stdout;
}

/** Runs while settings.php has been changed by this sed script. */
async function withSettings<T>(script: string, run: () => Promise<T>): Promise<T> {
  await shell(`cp -p settings.php ../kept; chmod u+w settings.php; sed -i "${script}" settings.php; chmod 440 settings.php`);
  try {
    return await run();
  } finally {
    await shell("mv -f ../kept settings.php");
  }
}

it.skipIf(REAL_DRUPAL7 !== undefined)("(SHIM_TEST_DRUPAL7 is not set: only links for the stand-in are tried)", () => undefined);

describe("the link", () => {
  it("commands 61; callers 17: logs the first user in, and is in the answer; nothing else changes", async () => {
    const before = treeOf(frontEnd.home);
    const answered = await good(reset());
    const link = linkOf(answered);
    expect(link).toMatch(/^http:\/\/site\.test\/user\/reset\/1\/\d+\/[\w-]{43}\/login$/);
    expect([answered.frame["object"], (answered.frame["context"] as Record<string, unknown>)["browser"]]).toEqual([{ 1: link }, false]);
    expect(messages(answered, "success")[0]).toBe(`Login url: ${link}`);
    expect(treeOf(frontEnd.home)).toEqual(before);
    expect(await follow(URI, link)).toMatch(/^200 [^]*You are logged in as admin/);
  });

  it("is what a person gets who calls `provision login-reset`, or `provision install`", async () => {
    const { user } = frontEnd.stage.home;
    const { stdout } = await user.run([frontEnd.provision, "login-reset", `@${URI}`], { env: frontEnd.env });
    const link = /^Login link: (http:\S+\/login)$/m.exec(stdout)?.[1] ?? "";
    expect(await follow(URI, link)).toMatch(/^200 /);
    await good(frontEnd.call(["--root=", "--uri=new.test", "provision-save", "@new.test"], { stdin: { context_type: "site", platform: "@platform_standin", db_server: `@${SERVER}`, profile: "minimal" } }));
    const before = treeOf(frontEnd.home);
    const dry = await user.run([frontEnd.provision, "install", "@new.test", "--dry-run"], { env: frontEnd.env, mayFail: true });
    expect([dry.status, treeOf(frontEnd.home)]).toEqual([2, before]);
    expect(dry.stdout).toMatch(/would create the database newtest[^]*create .*sites\/new\.test\n[^]*would install Drupal with the profile minimal[^]*create .*vhost\.d\/new\.test/);
    const installed = await user.run([frontEnd.provision, "install", "@new.test"], { env: frontEnd.env });
    expect(await follow("new.test", /^Login link: (http:\S+\/login)$/m.exec(installed.stdout)?.[1] ?? "")).toMatch(/^200 /);
  });

  it("leaves drushrc.php alone where it is as it would be written, and brings it back to that where it is not", async () => {
    await good(reset());
    const written = await shell("cat drushrc.php; stat -c '%a %i' drushrc.php");
    // From the second call on it is remembered, once it has lain for a while.
    await new Promise((resolve) => setTimeout(resolve, 2100));
    for (const time of [1, 2]) {
      await good(reset());
      expect([time, await shell("cat drushrc.php; stat -c '%a %i' drushrc.php"), await shell("ls ~/.provision-shim/cache | grep -c '^drushrc-1.*site.test'")]).toEqual([time, written, "1\n"]);
    }
    for (const change of ["chmod 600 drushrc.php; echo '# mine' >> drushrc.php", "chmod 640 drushrc.php", "mv drushrc.php ../elsewhere; ln -s ../elsewhere drushrc.php; chmod 640 ../elsewhere"]) {
      await shell(change);
      await good(reset());
      expect([change, await shell("cat drushrc.php; stat -Lc %a drushrc.php")]).toEqual([change, written.replace(/ \d+\n$/, "\n")]);
    }
    await shell("chmod 640 ../elsewhere");
    await good(reset());
    expect(await shell("stat -Lc %a drushrc.php; rm drushrc.php; mv ../elsewhere drushrc.php")).toBe("440\n");
  });

  it("is good once", async () => {
    // The time of the last login is part of the proof, in seconds.
    await frontEnd.stage.mariadb.query("UPDATE sitetest.users SET login = 1");
    const link = linkOf(await good(reset()));
    expect(await follow(URI, link)).toMatch(/^200 /);
    expect(await follow(URI, link)).toMatch(/^403 /);
  });

  it.each([
    ["literal credentials", "s/\\$_SERVER\\['db_type'\\],/'mysql',/; s/^if (isset.*db_name.*/if (TRUE) {/"],
    ["a salt of its own", "s/hash_salt = ''/hash_salt = 'own salt'/"],
    ["a form that only PHP can read", "s/hash_salt = ''/hash_salt = sha1('x')/"],
  ])("fits a settings.php with %s", async (_, script) => {
    await withSettings(script, async () => {
      expect(await follow(URI, linkOf(await good(reset())))).toMatch(/^200 /);
    });
  });

  it("fits a salt in a file that settings.php reads, and comes by its address", async () => {
    frontEnd.stage.home.write(`${site.slice(frontEnd.home.length + 1)}/local.settings.php`, "<?php $drupal_hash_salt = 'local';\n$base_url = 'http://other.example';\n", 0o640);
    await shell(`chgrp ${frontEnd.stage.home.user.webGroup} local.settings.php`);
    const link = linkOf(await good(reset()));
    expect(link).toMatch(/^http:\/\/other\.example\/user\/reset\/1\//);
    expect(await follow(URI, link)).toMatch(/^200 /);
    rmSync(join(site, "local.settings.php"));
    await good(frontEnd.task(URI, "verify"));
  });

  it("is made by Drupal's own code where that is not known", async () => {
    const file = join(root, "modules/user/user.module");
    const code = readFileSync(file, "utf8");
    frontEnd.stage.home.write(file.slice(frontEnd.home.length + 1), code.replace("$timestamp . ':' . $login", "strrev($timestamp) . $login"));
    expect(await follow(URI, linkOf(await good(reset())))).toMatch(/^200 /);
    frontEnd.stage.home.write(file.slice(frontEnd.home.length + 1), code);
  });

  it.skipIf(REAL_DRUPAL7 === undefined)("logs in to a real Drupal 7 (SHIM_TEST_DRUPAL7)", async () => {
    await openRealPlatform(frontEnd);
    await good(frontEnd.call(["--root=", "--uri=real.test", "provision-save", "@real.test"], { stdin: { context_type: "site", platform: "@platform_drupal7", db_server: `@${SERVER}`, profile: "minimal" } }));
    await good(frontEnd.task("real.test", "install"));
    for (let round = 0; round < 2; round++) expect(await follow("real.test", linkOf(await good(reset("real.test"))))).toMatch(/^200 [^]*admin/);
  }, 300_000);
});

describe("without", () => {
  it("settings.php there is none", async () => {
    await shell("mv settings.php ../kept");
    expect(failure(await reset())).toEqual(failedWith("DRUPAL_SITE_SETTINGS_NOT_FOUND"));
    await shell("mv ../kept settings.php");
  });

  it("the database there is none", async () => {
    await shell("cp -p drushrc.php ../kept; chmod u+w drushrc.php; sed -i s/Site-Pass_1/wrong/ drushrc.php");
    expect(failure(await reset())).toEqual(failedWith("PROVISION_DB_CONNECT_FAIL"));
    await shell("mv -f ../kept drushrc.php");
  });

  it("Drupal's tables there is none", async () => {
    await frontEnd.stage.mariadb.query("RENAME TABLE sitetest.`system` TO sitetest.kept");
    expect(failure(await reset())).toEqual(failedWith("PROVISION_DRUPAL_SITE_NOT_FOUND"));
    await frontEnd.stage.mariadb.query("RENAME TABLE sitetest.kept TO sitetest.`system`");
  });

  it("the first user there is none", async () => {
    await frontEnd.stage.mariadb.query("UPDATE sitetest.users SET uid = 7 WHERE uid = 1");
    expect(failure(await reset())).toEqual(failedWith("DRUSH_USER_LOGIN_FAILED"));
    await frontEnd.stage.mariadb.query("UPDATE sitetest.users SET uid = 1 WHERE uid = 7");
  });
});

describe("what is the real drush's", () => {
  it("a module of the site with a hook", async () => {
    const file = join(root, "modules/block/block.drush.inc");
    frontEnd.stage.home.write(file.slice(frontEnd.home.length + 1), "<?php\nfunction drush_block_post_provision_login_reset() {}\n");
    expect((await reset()).messages["PROVISION_NO_REAL_DRUSH"]).toContain("drush_block_post_provision_login_reset");
    rmSync(file);
  });

  it("another web service", async () => {
    writeAlias(frontEnd, SERVER, { ...serverOptions(frontEnd), http_service_type: "nginx", satellite_mode: "boa" });
    expect((await reset()).messages["PROVISION_NO_REAL_DRUSH"]).toContain("satellite_mode boa");
    writeAlias(frontEnd, SERVER, serverOptions(frontEnd));
  });
});
