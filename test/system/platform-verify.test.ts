import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { answer, good, openFrontEnd, openPlatform, SERVER, serverOptions, writeAlias, type BackendAnswer, type FrontEnd } from "../support/front-end.ts";
import { copyStandIn } from "../support/stand-in.ts";
import { failedWith, failure, messages } from "../support/system-checks.ts";
import { modeOf, treeOf } from "../support/tree.ts";

const PLATFORM = "platform_standin";
const FILE = `config/${SERVER}/apache/platform.d/${PLATFORM}.conf`;
const DRUSHRC = "platforms/standin/sites/all/drush/drushrc.php";

let frontEnd: FrontEnd;
let root: string;

beforeAll(async () => {
  frontEnd = await openFrontEnd();
  root = await openPlatform(frontEnd);
}, 300_000);
afterAll(() => frontEnd.strike());

function at(...path: string[]): string {
  return join(frontEnd.home, ...path);
}

function verify(env: NodeJS.ProcessEnv = {}): Promise<BackendAnswer> {
  return frontEnd.task(PLATFORM, "verify", { env });
}

/** Shell commands of the test's user, in his home. */
async function shell(script: string): Promise<string> {
  return (await frontEnd.stage.home.user.run(["sh", "-c", script])).stdout;
}

/** Options as the administrator sets them in ~/.drush/local.drushrc.php. */
async function withOptions<T>(php: string, run: () => Promise<T>): Promise<T> {
  frontEnd.stage.home.write(".drush/drushrc.php", `<?php ${php}`);
  try {
    return await run();
  } finally {
    rmSync(at(".drush/drushrc.php"));
  }
}

describe("what a verify leaves", () => {
  it("commands 36; contexts 42: drushrc.php is 0444, and holds sites, profiles and packages as the frame does", async () => {
    const { frame } = await good(verify());
    const text = readFileSync(at(DRUSHRC), "utf8");
    expect(modeOf(at(DRUSHRC))).toBe("444");
    expect(text.startsWith("<?php \n\n\n$options['sites'] = ")).toBe(true);
    expect(text.endsWith(");")).toBe(true);
    const options = JSON.parse(await shell(`php -r 'include "${at(DRUSHRC)}"; echo json_encode($options);'`)) as Record<string, unknown>;
    expect(Object.keys(options)).toEqual(["sites", "profiles", "packages"]);
    const { sites, profiles, packages } = frame["context"] as Record<string, unknown>;
    expect(options).toEqual({ sites, profiles, packages });
  });

  it("contexts 42: an administrator's option in that file stays in its place, drush's own notes do not get in", async () => {
    await shell(`chmod 644 ${DRUSHRC}; printf "<?php\\n\\$options['own'] = array('x' => 1);\\n\\$options['sites'] = array('old');\\n" > ${DRUSHRC}`);
    await good(verify());
    const keys = [...readFileSync(at(DRUSHRC), "utf8").matchAll(/^\$options\['([^']+)'\]/gm)].map(([, key]) => key);
    expect(keys).toEqual(["own", "sites", "profiles", "packages"]);
    rmSync(at(DRUSHRC));
    await good(verify());
  });

  it("http 5: the web server's file is in platform.d under the platform's name", async () => {
    await good(verify());
    expect(readdirSync(at(`config/${SERVER}/apache/platform.d`))).toEqual([`${PLATFORM}.conf`]);
    const text = readFileSync(at(FILE), "utf8");
    expect(text).toContain(`<Directory ${root}>`);
    expect(text).toContain("Require all granted");
    expect(text).not.toMatch(/^\s*(?:Order|Allow|Deny|Satisfy)\b/m);
  });

  it("http 27: the platform's .htaccess is included as long as it is there", async () => {
    expect(readFileSync(at(FILE), "utf8")).toContain(`  Include ${root}/.htaccess\n`);
    await shell(`mv ${root}/.htaccess ${root}/kept`);
    await good(verify());
    expect(readFileSync(at(FILE), "utf8")).not.toContain("Include");
    await shell(`mv ${root}/kept ${root}/.htaccess`);
    await good(verify());
    expect(readFileSync(at(FILE), "utf8")).toContain(`  Include ${root}/.htaccess\n`);
  });

  it("http 7: a second one changes nothing", async () => {
    const before = treeOf(frontEnd.home);
    await good(verify());
    expect(treeOf(frontEnd.home)).toEqual(before);
  });

  it.each([["002", "664", "775"], ["022", "644", "755"]])("commands 105: under umask %s the new platform file has mode %s, sites/all/drush %s", async (umask, file, folder) => {
    await shell(`chmod -R u+w ${root}/sites/all/drush; rm -r ${root}/sites/all/drush ${at(FILE)}`);
    const { stdoutBytes, ...ended } = await frontEnd.stage.home.user.run(["sh", "-c", `umask ${umask}; exec "$0" "$@" 2>&1`, frontEnd.drush, "--backend=2", `@${PLATFORM}`, "provision-verify"], { env: frontEnd.env, mayFail: true });
    await good(Promise.resolve(answer(stdoutBytes, ended, 0)));
    expect([modeOf(at(FILE)), modeOf(join(root, "sites/all/drush")), modeOf(at(DRUSHRC))]).toEqual([file, folder, "444"]);
  });

  it("contexts 61: the alias is saved, too", async () => {
    writeAlias(frontEnd, PLATFORM, { context_type: "platform", web_server: `@${SERVER}`, root, own_key: "x" });
    await good(verify());
    expect(readFileSync(at(`.drush/${PLATFORM}.alias.drushrc.php`), "utf8")).toBe(
      `<?php \n$aliases['${PLATFORM}'] = array (\n  'context_type' => 'platform',\n  'server' => '@server_master',\n  'web_server' => '@server_master',\n  'root' => '${root}',\n  'makefile' => '',\n  'make_working_copy' => false,\n);\n`,
    );
  });

  it("http 5: its folder is made when the server was not verified yet", async () => {
    await good(frontEnd.save("server_new", { context_type: "server", http_service_type: "apache", http_restart_cmd: "/bin/true" }));
    await good(frontEnd.save("platform_early", { context_type: "platform", web_server: "@server_new", root }));
    await good(frontEnd.task("platform_early", "verify"));
    expect([modeOf(at("config/server_new/apache/platform.d")), readdirSync(at("config/server_new/apache/platform.d"))]).toEqual(["700", ["platform_early.conf"]]);
  });

  it("platforms/ is 0755", async () => {
    await shell("chmod 700 platforms");
    await good(verify());
    expect(modeOf(at("platforms"))).toBe("755");
  });
});

describe("what it says of the code", () => {
  it("commands 47, 48, 49, 50, 51, 55: the front end finds what it reads", async () => {
    const { packages } = (await good(verify())).frame["context"] as { packages: Record<"base" | "sites-all" | "profiles", Record<string, Record<string, Record<string, unknown>>>> };
    const { base, "sites-all": all } = packages;
    expect(base["modules"]!["word_count"]).toEqual(all["modules"]!["word_count"]);
    expect([base["modules"]!["test_helper"], base["profiles"]!["testing"]]).toEqual([undefined, undefined]);
    expect([base["modules"]!["calendar_lite"]!["schema_version"], base["modules"]!["menu"]!["schema_version"]]).toEqual([expect.stringMatching(/^\d+$/), 0]);
    expect(base["profiles"]!["standard"]!["info"]).toMatchObject({ old_short_name: "default", version: "7.99", languages: ["en"] });
    expect(base["modules"]!["system"]!["info"]).toMatchObject({ required: true, version: "7.99" });
    expect((base["profiles"]!["club"]!["info"] as { languages: string[] }).languages).toEqual(expect.arrayContaining(["en", "de", "fr"]));
    expect(base["platforms"]).toEqual({ drupal: { short_name: "drupal", version: "7.99", description: "This platform is running Drupal 7.99" } });
  });

  it("commands 35: sites leave out default, links, and directories without settings.php", async () => {
    await shell(`cd ${root}/sites; mkdir empty.test one.test; touch default/settings.php one.test/settings.php; ln -s one.test link.test`);
    const { sites } = (await good(verify())).frame["context"] as { sites: string[] };
    expect(sites).toEqual(["one.test"]);
    await shell(`cd ${root}/sites; rm -r empty.test one.test link.test default/settings.php`);
    await good(verify());
  });
});

describe("what is refused changes nothing", () => {
  it.each([
    ["commands 29: a root that is not there", { root: "platforms/gone" }, /Drush could not bootstrap the platform at .*\/platforms\/gone.*no Drupal was found there/s],
    ["commands 29: a root without a Drupal", { root: "backups" }, /no Drupal was found there/],
    ["commands 29: a platform without a root", {}, /the platform has no root/],
  ])("%s", async (_, record, message) => {
    const { root: place } = record as { root?: string };
    writeAlias(frontEnd, "platform_bad", { context_type: "platform", ...(place === undefined ? {} : { root: at(place) }) });
    const before = treeOf(frontEnd.home);
    const verified = await frontEnd.task("platform_bad", "verify");
    expect(failure(verified)).toEqual(failedWith("DRUSH_INVALID_DRUPAL_ROOT"));
    expect(verified.messages["DRUSH_INVALID_DRUPAL_ROOT"]).toMatch(message);
    expect(treeOf(frontEnd.home)).toEqual(before);
    rmSync(at(".drush/platform_bad.alias.drushrc.php"));
  });

  it("contexts 44: a sites directory that is read-only", async () => {
    await shell(`chmod 555 ${root}/sites; chmod 644 ${DRUSHRC}; echo '<?php # old' > ${DRUSHRC}`);
    const before = treeOf(frontEnd.home);
    const verified = await verify();
    expect(failure(verified)).toEqual(failedWith("PROVISION_SITES_DIR_NOT_WRITABLE"));
    expect(verified.messages["PROVISION_SITES_DIR_NOT_WRITABLE"]).toContain(`Drupal sites directory ${root}/sites is not writable by the provisioning script`);
    expect(treeOf(frontEnd.home)).toEqual(before);
    await shell(`chmod 755 ${root}/sites`);
    await good(verify());
  });

  it("a .htaccess that Apache does not understand", async () => {
    await shell(`cp ${root}/.htaccess kept; echo 'NoSuchDirective on' >> ${root}/.htaccess; echo '# old' >> ${FILE}`);
    const before = treeOf(frontEnd.home);
    const verified = await verify();
    expect(failure(verified)).toEqual(failedWith("PROVISION_WEB_CONFIG_BROKEN"));
    expect(verified.messages["PROVISION_WEB_CONFIG_BROKEN"]).toContain("NoSuchDirective");
    expect(treeOf(frontEnd.home)).toEqual(before);
    await shell(`mv kept ${root}/.htaccess`);
    await good(verify());
  });

  it("http 5: a root that cannot stand in a web server's file", async () => {
    const odd = copyStandIn(frontEnd.stage.home, "with blank");
    writeAlias(frontEnd, "platform_odd", { context_type: "platform", root: odd });
    const before = treeOf(at("config"));
    expect(failure(await frontEnd.task("platform_odd", "verify"))).toEqual(failedWith("PROVISION_WEB_BAD_VALUE"));
    expect(treeOf(at("config"))).toEqual(before);
    await shell(`rm -r '${odd}'`);
    rmSync(at(".drush/platform_odd.alias.drushrc.php"));
  });
});

describe("what is the real drush's", () => {
  it.each([
    ["a makefile whose platform is not built", "makefile of @platform_other", () => Promise.resolve({ root: at("platforms/later"), makefile: "/x.make" })],
    ["Drupal 8", "@platform_other, which has Drupal 8.9.20: ", async () => {
      await shell(`mkdir -p platforms/d8/core/lib platforms/d8/sites; echo "<?php class Drupal { const VERSION = '8.9.20'; }" > platforms/d8/core/lib/Drupal.php`);
      return { root: at("platforms/d8") };
    }],
    ["a profile that describes itself in PHP", "profile own, which describes itself in PHP", async () => {
      const other = copyStandIn(frontEnd.stage.home, "other");
      await shell(`mkdir ${other}/profiles/own; echo '<?php function own_profile_details() { return array(); }' > ${other}/profiles/own/own.profile`);
      return { root: other };
    }],
  ])("%s", async (_, reason, make) => {
    writeAlias(frontEnd, "platform_other", { context_type: "platform", ...(await make()) });
    const before = treeOf(frontEnd.home);
    const verified = await frontEnd.task("platform_other", "verify");
    expect(failure(verified)).toEqual(failedWith("PROVISION_NO_REAL_DRUSH"));
    expect(verified.messages["PROVISION_NO_REAL_DRUSH"]).toContain(reason);
    expect(treeOf(frontEnd.home)).toEqual(before);
    rmSync(at(".drush/drushrc.php"), { force: true });
    rmSync(at(".drush/platform_other.alias.drushrc.php"));
  });
});

describe("Composer", () => {
  /** A program `composer` in front of all others. */
  function composer(script: string): NodeJS.ProcessEnv {
    frontEnd.stage.home.write("composer/composer", `#!/bin/sh\n${script}\n`, 0o755);
    return { PATH: `${at("composer")}:${frontEnd.stage.home.user.env["PATH"] ?? ""}` };
  }

  /** All programs but Composer. */
  async function withoutComposer(): Promise<NodeJS.ProcessEnv> {
    await shell(`rm -rf programs; mkdir programs; IFS=:; for folder in $PATH; do ln -s "$folder"/* programs/ 2>/dev/null; done; rm -f programs/composer`);
    return { PATH: at("programs") };
  }

  beforeAll(() => {
    frontEnd.stage.home.write("platforms/standin/composer.json", "{}");
    // Apache takes no part in this.
    writeAlias(frontEnd, SERVER, { ...serverOptions(frontEnd), http_restart_cmd: "/bin/true" });
  });

  it("commands 31: that is missing is one warning, and none when the administrator does not want it", async () => {
    const env = await withoutComposer();
    expect(messages(await good(verify(env)), "warning")).toEqual([expect.stringMatching(/composer executable was not found/)]);
    const unwanted = await withOptions("$options['provision_composer_install_platforms'] = FALSE;", () => good(verify(env)));
    expect(messages(unwanted, "warning")).toEqual([]);
    await shell("rm -r programs");
  });

  it("commands 32: runs in the root, and its output is in the log as it comes", async () => {
    const verified = await good(verify(composer(`echo "args: $*"; pwd; sleep 0.1; echo "TERM=$TERM" >&2`)));
    const lines = verified.logs.filter(({ type }) => type.startsWith("p_"));
    expect([lines[0], lines.at(-1)]).toEqual([{ type: "p_command", message: "[Process] composer install --no-interaction --no-progress --no-dev" }, { type: "p_ok", message: "" }]);
    const output = lines.slice(1, -1);
    expect(output.length).toBeGreaterThan(1);
    expect(new Set(output.map(({ type }) => type))).toEqual(new Set(["p_info"]));
    expect(output.map(({ message }) => message).join("")).toBe(`args: install --no-interaction --no-progress --no-dev\n${root}\nTERM=xterm\n`);
  });

  it("commands 32: is another command by option, and is left out where vendor/ is there and the option says so", async () => {
    const env = composer("echo ran");
    const changed = await withOptions("$options['provision_composer_install_command'] = 'echo \"two words\" && composer';", () => good(verify(env)));
    expect(messages(changed, "p_info").join("")).toBe("two words\nran\n");
    await shell(`mkdir ${root}/vendor`);
    const left = await withOptions("$options['provision_composer_install_platforms_verify_always'] = FALSE;", () => good(verify(env)));
    expect(messages(left, "p_command")).toEqual([]);
    await shell(`rmdir ${root}/vendor`);
    const again = await withOptions("$options['provision_composer_install_platforms_verify_always'] = FALSE;", () => good(verify(env)));
    expect(messages(again, "p_command")).toHaveLength(1);
  });

  it("commands 32; contexts 8: runs where the record's repo_path says, when the root has no composer.json", async () => {
    await shell(`mkdir repository; mv ${root}/composer.json repository/`);
    writeAlias(frontEnd, PLATFORM, { context_type: "platform", root, repo_path: at("repository") });
    expect(messages(await good(verify(composer("pwd"))), "p_info").join("")).toBe(`${at("repository")}\n`);
    await shell(`mv repository/composer.json ${root}/; rmdir repository`);
  });

  it("commands 33: that fails is PROVISION_PROCESS_ERROR with its words, and DRUSH_INVALID_DRUPAL_ROOT; nothing of ours is left", async () => {
    const env = composer("echo fetching; echo 'no network' >&2; exit 2");
    const before = treeOf(frontEnd.home);
    const verified = await verify(env);
    expect(failure(verified)).toEqual(failedWith("PROVISION_PROCESS_ERROR", "DRUSH_INVALID_DRUPAL_ROOT"));
    expect(verified.messages["PROVISION_PROCESS_ERROR"]).toContain("no network");
    expect(verified.messages["DRUSH_INVALID_DRUPAL_ROOT"]).toContain("PROVISION_PROCESS_ERROR: no network");
    expect(verified.logs.filter(({ type }) => type.startsWith("p_")).at(-1)).toEqual({ type: "p_error", message: "" });
    expect(treeOf(frontEnd.home)).toEqual(before);
  });

  it("commands 33: what it brought may be the Drupal itself", async () => {
    await shell(`mkdir platforms/fresh; echo '{}' > platforms/fresh/composer.json`);
    await good(frontEnd.save("platform_fresh", { context_type: "platform", root: at("platforms/fresh") }));
    await good(frontEnd.task("platform_fresh", "verify", { env: composer(`cp -r ${root}/. .`) }));
    expect(readdirSync(at(`config/${SERVER}/apache/platform.d`))).toContain("platform_fresh.conf");
  });
});
