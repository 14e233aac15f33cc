import { chmodSync, lstatSync, readlinkSync, rmSync, statSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { aliasFileText } from "../../src/aliases/write-alias.ts";
import { phpFrom } from "../../src/php-values/convert.ts";
import type { PhpArray } from "../../src/php-values/php-array.ts";
import { swapOff, swapOn, swapStatus, type SwapItem } from "../../src/swap/swap.ts";
import { drushSaying, Machine } from "./machine.ts";

let machine: Machine;
beforeEach(() => void (machine = new Machine()));
afterEach(() => machine.remove());

const on = (more: object = {}, dryRun = false) => swapOn({ ...machine.settings, ...more }, dryRun);
const off = (dryRun = false) => swapOff(machine.settings, dryRun);
const states = (items: readonly SwapItem[]): Record<string, string> => Object.fromEntries(items.map(({ path, state }) => [path.replace(machine.root, ""), state]));

/** A host as Aegir's installers leave it: crontab, cron table, unit, init script, supervisor; and a platform with a drush of its own. */
function furnish(): void {
  writeFileSync(machine.crontabFile, `MAILTO=\n* * * * * /usr/bin/env php ${machine.script} '@hostmaster' hosting-dispatch\n`);
  machine.write("etc/cron.d/aegir", `0 3 * * * aegir ${machine.drush} @hostmaster cron\n`);
  machine.write("etc/systemd/system/hosting-queued.service", `[Service]\nExecStart=${machine.drush} --quiet @hostmaster hosting-queued\n`);
  machine.write("etc/init.d/hosting-queued", `#!/bin/sh\nDAEMON=${machine.drush}\n$DAEMON @hostmaster hosting-queued\n`, 0o755);
  machine.write("etc/supervisor/conf.d/hosting.conf", `command=${machine.drush} @hostmaster hosting-queued\n`);
  machine.write("etc/systemd/system/other.service", "[Service]\nExecStart=/usr/bin/true drush\n");
  machine.write("platforms/own/index.php", "<?php\n");
  machine.write("platforms/own/vendor/bin/drush", "#!/bin/sh\n", 0o755);
  machine.write("platforms/plain/index.php", "<?php\n");
  alias("platform_own", { context_type: "platform", root: join(machine.root, "platforms/own"), web_server: "@server_master" });
  alias("site.test", { context_type: "site", root: join(machine.root, "platforms/own"), uri: "site.test" });
  alias("platform_plain", { context_type: "platform", root: join(machine.root, "platforms/plain") });
  machine.write("home/.drush/old.alias.drushrc.php", `<?php $aliases['old'] = array('root' => '/r', 'path-aliases' => array('%drush-script' => '${machine.drush}'));\n`, 0o440);
}

function alias(name: string, properties: Record<string, string>): void {
  machine.write(`home/.drush/${name}.alias.drushrc.php`, aliasFileText(name, phpFrom(properties) as PhpArray), 0o440);
}

describe("swap on", () => {
  it("turns every place to us, and off puts back every byte, mode and link", async () => {
    furnish();
    const before = machine.everything();
    const report = await on();
    expect(states(report.items)).toEqual({
      "/path/drush": "change",
      "crontab of this user": "change",
      "/etc/cron.d/aegir": "change",
      "/etc/systemd/system/hosting-queued.service": "change",
      "/etc/init.d/hosting-queued": "change",
      "/etc/supervisor/conf.d/hosting.conf": "change",
      "/home/.drush/old.alias.drushrc.php": "change",
      "/home/.drush/platform_own.alias.drushrc.php": "change",
      "/home/.drush/site.test.alias.drushrc.php": "change",
      "/home/.provision-shim/config.json": "change",
    });
    expect(report).toMatchObject({ on: true, drush: machine.drush, version: "8.4.12" });
    expect(readlinkSync(machine.program)).toBe(machine.launcher);
    expect(machine.read(machine.crontabFile)).toBe(`MAILTO=\n* * * * * /usr/bin/env php ${machine.launcher} '@hostmaster' hosting-dispatch\n`);
    expect(machine.read("etc/cron.d/aegir")).toBe(`0 3 * * * aegir ${machine.launcher} @hostmaster cron\n`);
    expect(machine.read("home/.drush/site.test.alias.drushrc.php")).toContain(`'%drush-script' => '${machine.launcher}'`);
    expect(statSync(join(machine.root, "etc/init.d/hosting-queued")).mode & 0o777).toBe(0o755);
    expect(JSON.parse(machine.read("home/.provision-shim/config.json"))).toEqual({ drush: machine.drush, script: machine.script });
    expect(statSync(join(machine.home, ".provision-shim/swap.json")).mode & 0o777).toBe(0o600);

    const undone = await off();
    expect(undone.items).toHaveLength(10);
    rmSync(join(machine.home, ".provision-shim"), { recursive: true });
    expect(machine.everything()).toEqual(before);
  });

  it("with dry run says the same and changes nothing", async () => {
    furnish();
    const before = machine.everything();
    const dry = await on({}, true);
    expect(machine.everything()).toEqual(before);
    const real = await on();
    expect(dry.items).toEqual(real.items);
    expect(dry.on).toBe(false);
    expect((await off(true)).on).toBe(true);
    expect(readlinkSync(machine.program)).toBe(machine.launcher);
  });

  it("a second time finds nothing to do, and status says that all leads to us", async () => {
    furnish();
    expect(states((await swapStatus(machine.settings)).items)["/path/drush"]).toBe("problem");
    await on();
    expect((await on()).items.filter(({ state }) => state !== "fine")).toEqual([]);
    const status = await swapStatus(machine.settings);
    expect(status.on).toBe(true);
    expect(states(status.items)).toEqual({ "/path/drush": "fine", "crontab of this user": "fine" });
  });

  it("a second time completes what came since, status having said so, and off undoes both", async () => {
    furnish();
    const before = machine.everything();
    await on();
    machine.write("platforms/plain/vendor/bin/drush.launcher", "#!/bin/sh\n", 0o755);
    const late = (await swapStatus(machine.settings)).items.find(({ path }) => path.endsWith("platform_plain.alias.drushrc.php"));
    expect(late).toMatchObject({ state: "problem" });
    expect(late?.detail).toContain("run `provision swap on` again");
    await on();
    expect(machine.read("home/.drush/platform_plain.alias.drushrc.php")).toContain(machine.launcher);
    await off();
    rmSync(join(machine.root, "platforms/plain/vendor"), { recursive: true });
    rmSync(join(machine.home, ".provision-shim"), { recursive: true });
    expect(machine.everything()).toEqual(before);
  });

  it("moves a program file aside, which then is the real drush, and back", async () => {
    unlinkSync(machine.program);
    machine.write("path/drush", machine.read("opt/drush/drush").replace('$(dirname "$(readlink -f "$0")")', join(machine.root, "path")), 0o755);
    machine.write("path/drush.php", drushSaying("8.4.12"));
    const before = machine.everything();
    await on();
    expect(readlinkSync(machine.program)).toBe(machine.launcher);
    expect(JSON.parse(machine.read("home/.provision-shim/config.json"))).toEqual({ drush: `${machine.program}.provision-shim-real`, script: join(machine.root, "path/drush.php") });
    expect(states((await swapStatus(machine.settings)).items)["/path/drush"]).toBe("fine");
    await off();
    rmSync(join(machine.home, ".provision-shim"), { recursive: true });
    expect(machine.everything()).toEqual(before);
  });

  it("keeps other settings of the configuration", async () => {
    machine.write("home/.provision-shim/config.json", '{"lock_timeout": 5}\n');
    await on();
    expect(JSON.parse(machine.read("home/.provision-shim/config.json"))).toEqual({ lock_timeout: 5, drush: machine.drush, script: machine.script });
    await off();
    expect(machine.read("home/.provision-shim/config.json")).toBe('{"lock_timeout": 5}\n');
  });

  it("says what an administrator must look at", async () => {
    machine.write("home/.drush/self.alias.drushrc.php", "<?php\n");
    machine.write("home/.drush/site-aliases/x.alias.drushrc.php", "<?php\n");
    machine.write("drush.wrapper", "#!/bin/sh\n", 0o755);
    const problems = (await on()).items.filter(({ state }) => state === "problem").map(({ path }) => path.replace(machine.root, ""));
    expect(problems).toEqual(["/drush.wrapper", "/home/.drush/self.alias.drushrc.php", "/home/.drush/site-aliases"]);
  });

  it("leaves another drush in PATH alone", async () => {
    unlinkSync(machine.program);
    machine.write("path/drush", "#!/bin/sh\necho other\n", 0o755);
    const { items } = await on({ drush: machine.drush });
    expect(states(items)["/path/drush"]).toBe("problem");
    expect(lstatSync(machine.program).isSymbolicLink()).toBe(false);
  });

  it("gives a name in a text only where it really is drush", async () => {
    machine.write("etc/cron.d/others", `# ${machine.drush}.bak /opt/drush/nothing\n0 1 * * * x ${machine.drush}-backup ${machine.root}/opt/drush\n`);
    const before = machine.read("etc/cron.d/others");
    await on();
    expect(machine.read("etc/cron.d/others")).toBe(before);
  });
});

describe("swap on refuses", () => {
  const unchanged = async (more: object, code: string): Promise<void> => {
    const before = machine.everything();
    await expect(on(more)).rejects.toMatchObject({ code });
    expect(machine.everything()).toEqual(before);
  };

  it("when there is no drush", async () => {
    unlinkSync(machine.program);
    await unchanged({ variables: { ...machine.settings.variables, PATH: `${machine.root}/path:/usr/bin:/bin` } }, "PROVISION_NO_REAL_DRUSH");
  });

  it("when the drush named is ourselves, also by a link", async () => {
    await unchanged({ drush: machine.launcher }, "PROVISION_DRUSH_LOOP");
    symlinkSync(machine.launcher, join(machine.root, "link"));
    await unchanged({ drush: join(machine.root, "link") }, "PROVISION_DRUSH_LOOP");
  });

  it("when PATH leads to us already and nobody says what the real drush is", async () => {
    unlinkSync(machine.program);
    symlinkSync(machine.launcher, machine.program);
    await unchanged({}, "PROVISION_DRUSH_LOOP");
  });

  it("another version of drush", async () => {
    writeFileSync(machine.script, drushSaying("9.7.2"));
    await unchanged({}, "SWAP_DRUSH_UNUSABLE");
  });

  it("a program that is no drush, does not answer, or is not there", async () => {
    writeFileSync(machine.drush, "#!/bin/sh\necho hello\n");
    await unchanged({}, "SWAP_DRUSH_UNUSABLE");
    chmodSync(machine.drush, 0o644);
    await unchanged({ drush: machine.drush }, "SWAP_DRUSH_UNUSABLE");
    await unchanged({ drush: join(machine.root, "nowhere") }, "SWAP_DRUSH_UNUSABLE");
  });

  it("a wrapper that hides which PHP file is drush", async () => {
    writeFileSync(machine.drush, "#!/bin/sh\necho 8.4.12\n");
    await unchanged({}, "SWAP_DRUSH_UNUSABLE");
  });
});

describe("swap off", () => {
  it("is nothing when the swap is off", async () => {
    furnish();
    const before = machine.everything();
    expect(await off()).toMatchObject({ on: false, items: [] });
    expect(machine.everything()).toEqual(before);
  });

  it("keeps what others changed in the meantime, and takes only our paths out", async () => {
    furnish();
    await on();
    writeFileSync(machine.crontabFile, machine.read(machine.crontabFile) + "5 * * * * /usr/bin/backup\n");
    const cron = machine.write("etc/cron.d/aegir", `30 4 * * * aegir ${machine.launcher} @hostmaster cron\n`);
    unlinkSync(machine.program);
    symlinkSync("/elsewhere/drush", machine.program);
    await off();
    expect(machine.read(machine.crontabFile)).toBe(`MAILTO=\n* * * * * /usr/bin/env php ${machine.script} '@hostmaster' hosting-dispatch\n5 * * * * /usr/bin/backup\n`);
    expect(machine.read(cron)).toBe(`30 4 * * * aegir ${machine.drush} @hostmaster cron\n`);
    expect(readlinkSync(machine.program)).toBe("/elsewhere/drush");
  });

  it("takes us out of aliases that were written anew, and of sites that inherited the entry", async () => {
    furnish();
    await on();
    const paths = { "path-aliases": { "%drush-script": machine.launcher } };
    const site = { context_type: "site", root: join(machine.root, "platforms/own") };
    for (const name of ["site.test", "late.test"]) {
      machine.write(`home/.drush/${name}.alias.drushrc.php`, aliasFileText(name, phpFrom({ ...site, uri: name, client_name: "new", ...paths }) as PhpArray), 0o440);
    }
    await off();
    for (const name of ["site.test", "late.test"]) {
      expect(machine.read(`home/.drush/${name}.alias.drushrc.php`)).toBe(aliasFileText(name, phpFrom({ ...site, uri: name, client_name: "new" }) as PhpArray));
    }
  });

  it("goes on when a file is gone", async () => {
    furnish();
    await on();
    unlinkSync(join(machine.root, "etc/cron.d/aegir"));
    expect(states((await off()).items)["/etc/cron.d/aegir"]).toBe("fine");
    expect(readlinkSync(machine.program)).toBe(machine.drush);
  });

  it("undoes a swap that was stopped half-way", async () => {
    furnish();
    const before = machine.everything();
    // The crontab comes after the link.
    machine.write("path/crontab", machine.read("path/crontab").replace("-) cat", "-) exit 3; cat"), 0o755);
    await expect(on()).rejects.toMatchObject({ code: "SWAP_CRONTAB_REFUSED" });
    expect(readlinkSync(machine.program)).toBe(machine.launcher);
    machine.write("path/crontab", machine.read("path/crontab").replace("exit 3; ", ""), 0o755);
    await off();
    rmSync(join(machine.home, ".provision-shim"), { recursive: true });
    expect(machine.everything()).toEqual(before);
  });

  it("says when what it wrote down cannot be read", async () => {
    await on();
    writeFileSync(join(machine.home, ".provision-shim/swap.json"), "{");
    await expect(off()).rejects.toMatchObject({ code: "SWAP_STATE_BROKEN" });
  });
});
