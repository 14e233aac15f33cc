import { chownSync, existsSync, lstatSync, mkdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { PlainRecord } from "../../src/php-values/convert.ts";
import { answer, good, openFrontEnd, SERVER, serverOptions, writeAlias, type BackendAnswer, type FrontEnd } from "../support/front-end.ts";
import { failedWith, failure, messages } from "../support/system-checks.ts";
import { modeOf, treeOf } from "../support/tree.ts";

let frontEnd: FrontEnd;
let first: BackendAnswer;

beforeAll(async () => {
  frontEnd = await openFrontEnd();
  await good(frontEnd.save(SERVER, serverOptions(frontEnd)));
  first = await good(frontEnd.task(SERVER, "verify"));
}, 300_000);
afterAll(() => frontEnd.strike());

function at(...path: string[]): string {
  return join(frontEnd.home, ...path);
}

const CONFIG = `config/${SERVER}`;
const APP = `${CONFIG}/apache`;

/** The server with some properties as an administrator would write them by hand. */
async function withProperties<T>(change: PlainRecord, run: () => Promise<T>): Promise<T> {
  const options = serverOptions(frontEnd);
  writeAlias(frontEnd, SERVER, { ...options, ...change });
  try {
    return await run();
  } finally {
    writeAlias(frontEnd, SERVER, options);
  }
}

/** A call from a shell with that umask. */
async function callUnder(umask: string, ...words: string[]): Promise<BackendAnswer> {
  const { stdoutBytes, ...ended } = await frontEnd.stage.home.user.run(["sh", "-c", `umask ${umask}; exec "$0" "$@" 2>&1`, frontEnd.drush, "--backend=2", ...words], { env: frontEnd.env, mayFail: true });
  return answer(stdoutBytes, ended, 0);
}

describe("directories and files", () => {
  it("commands 25; http 1: have their modes, and the backend's user owns them", () => {
    const modes = Object.fromEntries(["config", CONFIG, "clients", "backups", "config/includes", APP, ...["pre.d", "post.d", "platform.d", "vhost.d", "subdir.d"].map((name) => `${APP}/${name}`)].map((path) => [path, modeOf(at(path))]));
    expect(modes).toEqual({
      config: "711", [CONFIG]: "711", clients: "711", backups: "700", "config/includes": "711",
      [APP]: "711", [`${APP}/pre.d`]: "700", [`${APP}/post.d`]: "700", [`${APP}/platform.d`]: "700", [`${APP}/vhost.d`]: "700", [`${APP}/subdir.d`]: "700",
    });
    expect(Object.keys(modes).filter((path) => lstatSync(at(path)).uid !== frontEnd.stage.home.user.uid)).toEqual([]);
  });

  it("commands 25: get their modes back", async () => {
    for (const path of ["backups", `${APP}/vhost.d`]) await frontEnd.stage.home.user.run(["chmod", "0777", at(path)]);
    const verified = await good(frontEnd.task(SERVER, "verify"));
    expect([modeOf(at("backups")), modeOf(at(`${APP}/vhost.d`))]).toEqual(["700", "700"]);
    expect(messages(verified, "success")).toContain(`Backup permissions of ${at("backups")} have been changed to 700.`);
  });

  it("commands 26; contexts 53: global.inc is made once and never overwritten", async () => {
    const path = at("config/includes/global.inc");
    expect(readFileSync(path, "utf8")).toBe("<?php # global settings.php\n");
    await frontEnd.stage.home.user.run(["sh", "-c", `echo '<?php # mine' > ${path}; chmod 640 ${path}`]);
    await good(frontEnd.task(SERVER, "verify"));
    expect([readFileSync(path, "utf8"), modeOf(path)]).toEqual(["<?php # mine\n", "640"]);
  });

  it("http 2; contexts 71: config/apache.conf is a link to the server's file, and is left as it is", async () => {
    expect(readlinkSync(at("config/apache.conf"))).toBe(at(CONFIG, "apache.conf"));
    const before = lstatSync(at("config/apache.conf")).ino;
    await good(frontEnd.task(SERVER, "verify"));
    expect(lstatSync(at("config/apache.conf")).ino).toBe(before);
  });

  it("http 4, 13: Apache's test passes without a platform or site, and does not warn", async () => {
    for (const place of ["platform.d", "vhost.d", "pre.d", "post.d"]) expect(Object.keys(treeOf(at(APP, place)))).toEqual([""]);
    const { stdout, stderr } = await frontEnd.stage.home.user.run([frontEnd.stage.apache.control, "configtest"]);
    expect((stdout + stderr).trim()).toBe("Syntax OK");
  });

  it("http 7; contexts 71: a second verify changes nothing", async () => {
    await good(frontEnd.task(SERVER, "verify"));
    const before = treeOf(frontEnd.home);
    const again = await good(frontEnd.task(SERVER, "verify"));
    expect(treeOf(frontEnd.home)).toEqual(before);
    expect(messages(again, "warning")).toEqual([]);
  });

  it.each([["002", "664"], ["022", "644"], ["077", "600"]])("commands 105: the server's file made under umask %s has mode %s", async (umask, mode) => {
    rmSync(at(CONFIG, "apache.conf"));
    await withProperties({ http_restart_cmd: "/bin/true" }, () => good(callUnder(umask, `@${SERVER}`, "provision-verify")));
    expect(modeOf(at(CONFIG, "apache.conf"))).toBe(mode);
  });

  it("commands 105: a file that is rewritten keeps its mode", async () => {
    await frontEnd.stage.home.user.run(["sh", "-c", `cd ${at(CONFIG)}; echo '# old' > apache.conf; chmod 640 apache.conf`]);
    await good(callUnder("022", `@${SERVER}`, "provision-verify"));
    expect(modeOf(at(CONFIG, "apache.conf"))).toBe("640");
    expect(readFileSync(at(CONFIG, "apache.conf"), "utf8")).not.toContain("# old");
  });

  it.skipIf(process.getuid?.() !== 0)("contexts 70; commands 4: a directory of somebody else is DRUSH_PERM_ERROR, and what was begun is taken back", async () => {
    chownSync(at("clients"), 0, 0);
    await frontEnd.stage.home.user.run(["chmod", "0755", at("backups")]);
    const before = treeOf(frontEnd.home);
    const verified = await frontEnd.task(SERVER, "verify");
    expect(failure(verified)).toEqual(failedWith("DRUSH_PERM_ERROR"));
    expect(verified.messages["DRUSH_PERM_ERROR"]).toContain(at("clients"));
    expect(treeOf(frontEnd.home)).toEqual(before);
    frontEnd.stage.home.user.own(at("clients"));
  });
});

describe("services", () => {
  it("commands 27; contexts 61; db 23: the alias holds what the checks found, at the first verify already", async () => {
    expect(messages(first, "success").filter((message) => message.startsWith("Provision can"))).toEqual([
      "Provision can create new databases.",
      "Provision can grant privileges on database users.",
      "Provision can activate multi-byte UTF-8 support on Drupal 7 sites.",
    ]);
    writeAlias(frontEnd, SERVER, { ...serverOptions(frontEnd), own_key: "x" });
    await good(frontEnd.task(SERVER, "verify"));
    const text = readFileSync(at(`.drush/${SERVER}.alias.drushrc.php`), "utf8");
    expect([text.includes("'utf8mb4_is_supported' => true,"), text.includes("own_key"), modeOf(at(`.drush/${SERVER}.alias.drushrc.php`))]).toEqual([true, false, "440"]);
  });

  it("commands 28: a database server without a web service is verified without web steps", async () => {
    const port = String(frontEnd.stage.mariadb.port);
    await good(frontEnd.save("server_db", { context_type: "server", db_service_type: "mysql", db_port: port, master_db: frontEnd.stage.mariadb.masterDb }));
    const verified = await good(frontEnd.task("server_db", "verify"));
    expect(messages(verified, "success")).toContain("Provision can create new databases.");
    expect([modeOf(at("config/server_db")), existsSync(at("config/server_db/apache")), existsSync(at("config/server_db/apache.conf"))]).toEqual(["711", false, false]);
  });

  it("commands 28: a server without any service too, with its directories", async () => {
    await good(frontEnd.save("server_bare", { context_type: "server" }));
    await good(frontEnd.task("server_bare", "verify"));
    expect(modeOf(at("config/server_bare"))).toBe("711");
  });

  it("does not take the link from another server of this machine", async () => {
    await good(frontEnd.save("server_two", { context_type: "server", http_service_type: "apache", http_port: String(frontEnd.stage.apache.port), http_restart_cmd: frontEnd.stage.apache.restartCommand }));
    const verified = await good(frontEnd.task("server_two", "verify"));
    expect(messages(verified, "warning")).toEqual([expect.stringContaining("was left so: only that server's sites are served")]);
    expect(readlinkSync(at("config/apache.conf"))).toBe(at(CONFIG, "apache.conf"));
    expect(existsSync(at("config/server_two/apache.conf"))).toBe(true);
  });

  it.each(["LOCALHOST", "127.0.0.1", hostname().toUpperCase()])("contexts 63: the host %s is this machine", async (remote_host) => {
    await good(frontEnd.save("server_host", { context_type: "server", http_service_type: "apache", http_restart_cmd: frontEnd.stage.apache.restartCommand, remote_host }));
    await good(frontEnd.task("server_host", "verify"));
  });

  it.each([
    ["a web service of an extension", { http_service_type: "varnish" }, "the service http: varnish of @server_other"],
    ["a cluster with such a member", { http_service_type: "cluster", cluster_web_servers: ["@server_foreign"] }, "the service http: varnish of @server_foreign"],
    ["a cluster in a cluster", { http_service_type: "cluster", cluster_web_servers: ["@server_inner"] }, "@server_inner, a cluster in @server_other"],
  ])("%s is the real drush's", async (_, options, reason) => {
    writeAlias(frontEnd, "server_foreign", { context_type: "server", http_service_type: "varnish" });
    writeAlias(frontEnd, "server_inner", { context_type: "server", http_service_type: "cluster", cluster_web_servers: ["@server_master"] });
    writeAlias(frontEnd, "server_other", { context_type: "server", ...options });
    const before = treeOf(frontEnd.home);
    const verified = await frontEnd.task("server_other", "verify");
    expect(failure(verified)).toEqual(failedWith("PROVISION_NO_REAL_DRUSH"));
    expect(verified.messages["PROVISION_NO_REAL_DRUSH"]).toContain(reason);
    expect(treeOf(frontEnd.home)).toEqual(before);
  });
});

describe("the administrator's own configuration", () => {
  it("http 11: what is in pre.d and post.d takes effect, and is never touched", async () => {
    const { home, apache } = frontEnd.stage;
    for (const place of ["pre.d", "post.d"]) home.write(`${APP}/${place}/own`, `<VirtualHost *:${apache.port}>\n  ServerName ${place}.test\n  Redirect 302 / http://from.${place}/\n</VirtualHost>\n`, 0o600);
    const before = [treeOf(at(APP, "pre.d")), treeOf(at(APP, "post.d"))];
    for (const time of ["first", "second"]) {
      await good(frontEnd.task(SERVER, "verify"));
      for (const place of ["pre.d", "post.d"]) expect([time, (await apache.fetch(`${place}.test`, "/x")).headers.location]).toEqual([time, `http://from.${place}/x`]);
    }
    expect([treeOf(at(APP, "pre.d")), treeOf(at(APP, "post.d"))]).toEqual(before);
    for (const place of ["pre.d", "post.d"]) rmSync(at(APP, place, "own"));
  });

  it("http 6: with provision_apache_conf_suffix only files that end in .conf are included, if any", async () => {
    frontEnd.stage.home.write(".drush/local.drushrc.php", "<?php $options['provision_apache_conf_suffix'] = TRUE;");
    frontEnd.stage.home.write(".drush/drushrc.php", "<?php @include_once(dirname(__FILE__) . '/local.drushrc.php');");
    await good(frontEnd.task(SERVER, "verify"));
    const included = [...readFileSync(at(CONFIG, "apache.conf"), "utf8").matchAll(/^Include\w* .*$/gm)].map(([line]) => line);
    expect(included).toEqual(["pre.d", "vhost.d", "platform.d", "post.d"].map((place) => `IncludeOptional ${at(APP, place)}/*.conf`));
    for (const file of ["drushrc.php", "local.drushrc.php"]) rmSync(at(".drush", file));
    await good(frontEnd.task(SERVER, "verify"));
    expect(readFileSync(at(CONFIG, "apache.conf"), "utf8")).toContain(`Include ${at(APP, "vhost.d")}\n`);
  });

  it("a broken file there is PROVISION_WEB_CONFIG_BROKEN, names it, and leaves every byte", async () => {
    frontEnd.stage.home.write(`${APP}/pre.d/broken`, "NoSuchDirective on\n", 0o600);
    await frontEnd.stage.home.user.run(["sh", "-c", `echo '# old' >> ${at(CONFIG, "apache.conf")}`]);
    const before = treeOf(frontEnd.home);
    const verified = await frontEnd.task(SERVER, "verify");
    expect(failure(verified)).toEqual(failedWith("PROVISION_WEB_CONFIG_BROKEN"));
    expect(verified.messages["PROVISION_WEB_CONFIG_BROKEN"]).toMatch(/was broken before this task.*pre\.d\/broken.*NoSuchDirective/s);
    expect(treeOf(frontEnd.home)).toEqual(before);
    rmSync(at(APP, "pre.d/broken"));
    await good(frontEnd.task(SERVER, "verify"));
  });

  it.each([["http_port", "80 443"], ["http_port", "0"]])("http 4: %s %j would break it and is refused", async (key, value) => {
    await withProperties({ [key]: value }, async () => {
      const before = treeOf(at("config"));
      expect(failure(await frontEnd.task(SERVER, "verify"))).toEqual(failedWith("PROVISION_WEB_BAD_VALUE"));
      expect(treeOf(at("config"))).toEqual(before);
    });
  });
});

describe("the restart command", () => {
  let log: string;
  beforeAll(() => {
    log = at("restarts.log");
    mkdirSync(at("bin"));
    writeFileSync(at("bin/restart"), `#!/bin/sh\nprintf '<%s>' "$@" >> ${log}; echo >> ${log}\necho "words for people"\nexit "$(cat ${at("bin/status")} 2>/dev/null || echo 0)"\n`, { mode: 0o755 });
    frontEnd.stage.home.user.own(at("bin"));
  });
  afterEach(() => {
    rmSync(log, { force: true });
    rmSync(at("bin/status"), { force: true });
  });

  it("http 80: runs once, as words, without a shell", async () => {
    await withProperties({ http_restart_cmd: `${at("bin/restart")} graceful && touch ${at("made")} ; echo $HOME | cat > ${at("made")} 'two words' *` }, () => good(frontEnd.task(SERVER, "verify")));
    expect(readFileSync(log, "utf8")).toBe(`<graceful><&&><touch><${at("made")}><;><echo><$HOME><|><cat><>><${at("made")}><two words><*>\n`);
    expect(existsSync(at("made"))).toBe(false);
  });

  it("http 81; contexts 58; commands 10: that fails is a warning with what it said, and the task succeeds", async () => {
    writeFileSync(at("bin/status"), "3");
    const verified = await withProperties({ http_restart_cmd: `${at("bin/restart")} now` }, () => good(frontEnd.task(SERVER, "verify")));
    expect(messages(verified, "warning")).toEqual([expect.stringMatching(/^The web server on localhost could not be restarted\. Changes might not be available until this has been done\. \(error: words for people\)$/)]);
    expect([verified.status, verified.frame["error_status"], verified.frame["error_log"]]).toEqual([0, 0, []]);
  });

  it("http 81: that cannot be started is the same", async () => {
    const verified = await withProperties({ http_restart_cmd: "/no/such/program graceful" }, () => good(frontEnd.task(SERVER, "verify")));
    expect(messages(verified, "warning")).toEqual([expect.stringContaining("could not be restarted")]);
  });

  it("http 82: that is empty is not run", async () => {
    const verified = await withProperties({ http_restart_cmd: "" }, () => good(frontEnd.task(SERVER, "verify")));
    expect(verified.logs.filter(({ message }) => message.includes("restarted"))).toEqual([]);
    expect(existsSync(log)).toBe(false);
  });
});

describe("calls for the real drush", () => {
  /** A drush that writes down what it gets. */
  function fakeDrush(): NodeJS.ProcessEnv {
    frontEnd.stage.home.write("bin/real-drush", `#!/bin/sh\n{ printf '<%s>' "$@"; echo; cat; } > ${at("handed-over")}\nexit 7\n`, 0o755);
    return { PROVISION_SHIM_DRUSH: at("bin/real-drush") };
  }

  it("commands 104: a command that is not ours comes to it unchanged, with its input and its status", async () => {
    const words = ["@x", "hostmaster-migrate", "@new one", "--opt=a b", "--"];
    const called = await frontEnd.call(words, { stdin: '{"posted":"value"}', env: fakeDrush() });
    expect(called.status).toBe(7);
    expect(readFileSync(at("handed-over"), "utf8")).toBe(`<--backend=2>${words.map((word) => `<${word}>`).join("")}\n{"posted":"value"}`);
  });

  it.each([
    ["a hook that changes what web server files are made of", "own_provision_config_variables_alter(&$variables, $template, $config)"],
    ["commands 104: a hook on the command", "drush_own_post_provision_verify()"],
  ])("%s, and nothing is written by us", async (_, hook) => {
    frontEnd.stage.home.write(".drush/own.drush.inc", `<?php function ${hook} { return 'x'; }`);
    const before = [treeOf(at("config")), treeOf(at(".drush"))];
    const called = await frontEnd.task(SERVER, "verify", { env: fakeDrush(), stdin: { a: ["b"] } });
    expect(called.status).toBe(7);
    expect(readFileSync(at("handed-over"), "utf8")).toBe(`<--backend=2><@${SERVER}><provision-verify>\n{"a":["b"]}`);
    expect([treeOf(at("config")), treeOf(at(".drush"))]).toEqual(before);
    rmSync(at(".drush/own.drush.inc"));
  });
});
