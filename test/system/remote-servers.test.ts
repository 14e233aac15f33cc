import { existsSync, mkdirSync, readFileSync, readlinkSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { good, SERVER, type BackendAnswer } from "../support/front-end.ts";
import { DATABASE, saveHost, savePlatform, saveSite, serverName, setRemoteStage, treeThere, type RemoteStage } from "../support/remote-stage.ts";
import { whyNoHosts, type SshHost } from "../support/ssh-hosts.ts";
import { failedWith, failure, messages } from "../support/system-checks.ts";
import { modeOf, treeOf } from "../support/tree.ts";
import { until } from "../support/until.ts";
import { leftovers, worldOf, type World } from "../support/world.ts";

const reason = whyNoHosts();
if (reason !== undefined) console.warn(`test/system/remote-servers: ${reason}`); // eslint-disable-line no-console

const PUSHED = /^rsync --server -\w+(?:\.\w+)? /;
/** Ends the connection when the first bytes of a transfer have come. */
const DROPPED_IN_RSYNC = 'case $SSH_ORIGINAL_COMMAND in rsync*) { dd bs=1 count=3000 2>/dev/null; drop; } | sh -c "$SSH_ORIGINAL_COMMAND"; exit 1;; esac';
/** Ends the connection at that command, and all later ones. */
const DIES_AT = (command: string): string => `case $SSH_ORIGINAL_COMMAND in ${command}) touch "$0.died";; esac\n[ ! -e "$0.died" ] || drop`;
const SYNC_FAILED = "PROVISION_FILE_SYNC_FAILED";

describe.skipIf(reason !== undefined)("web servers on other machines", () => {
  let stage: RemoteStage;
  let one: SshHost;
  let two: SshHost;
  let root: string;
  let other: string;
  let alone: string;

  beforeAll(async () => {
    stage = await setRemoteStage(2);
    [one, two] = stage.hosts as [SshHost, SshHost];
    for (const host of stage.hosts) await saveHost(stage, host);
  }, 300_000);
  afterAll(() => stage.strike());
  afterEach(() => {
    for (const host of stage.hosts) host.fault(undefined);
  });

  const task = (name: string, command: string, ...args: string[]): Promise<BackendAnswer> => stage.frontEnd.task(name, command, { args, timeout: 120_000 });
  const config = (host: SshHost): string => join(stage.frontEnd.home, "config", serverName(host));
  const vhost = (host: SshHost, uri: string): string => join(config(host), "apache/vhost.d", uri);
  const there = (host: SshHost, path: string): string => join(host.tree, path.slice(stage.frontEnd.home.length + 1));
  const world = (): Promise<World> => worldOf(stage.frontEnd, { without: /^backups(?:\/|$)|^clients\/admin\/backups/ });

  function expectSame(path: string, hosts: readonly SshHost[] = stage.hosts): void {
    for (const host of hosts) expect(treeThere(stage, host, path)).toEqual(treeOf(path));
  }

  async function expectServed(uri: string, status: number, hosts: readonly SshHost[] = stage.hosts): Promise<void> {
    for (const host of hosts) expect([host.name, (await host.fetch(uri, "/")).status]).toEqual([host.name, status]);
  }

  describe("their servers", () => {
    it("http 2, 83; commands 25: a verify makes directories, configuration and link there", async () => {
      for (const host of stage.hosts) {
        host.forgetCommands();
        stage.frontEnd.stage.home.makeDirectory(`config/${serverName(host)}/apache/pre.d`, 0o700);
        stage.frontEnd.stage.home.write(`config/${serverName(host)}/apache/pre.d/mine.conf`, "# mine\n");
        const answer = await good(task(serverName(host), "verify"));
        expect(messages(answer, "success").join("\n")).toContain(`The web server on ${host.address} has been restarted`);
        expectSame(config(host), [host]);
        expect(readlinkSync(there(host, join(stage.frontEnd.home, "config/apache.conf")))).toBe(join(config(host), "apache.conf"));
        expect(modeOf(there(host, join(config(host), "apache/vhost.d")))).toBe("700");
      }
      // The front end's own link is its own.
      expect(readlinkSync(join(stage.frontEnd.home, "config/apache.conf"))).toBe(join(stage.frontEnd.home, `config/${SERVER}/apache.conf`));
    });

    it("http 80; contexts 58: the restart command runs once, after a test, without a shell's meanings", async () => {
      one.forgetCommands();
      await good(task(serverName(one), "verify"));
      expect(one.commands().filter((command) => command.includes("apachectl"))).toEqual([one.restartCommand.replace("graceful", "-t"), one.restartCommand]);
      const touched = join(stage.frontEnd.home, "touched");
      await good(stage.frontEnd.save("server_odd", { context_type: "server", remote_host: one.address, http_service_type: "apache", http_restart_cmd: `echo a && touch ${touched}; touch ${touched}` }));
      one.forgetCommands();
      const answer = await good(task("server_odd", "verify"));
      expect([existsSync(touched), existsSync(there(one, touched))]).toEqual([false, false]);
      expect(one.commands()).toContain(`echo a '&&' touch '${touched};' touch ${touched}`.replace(`'${touched};'`, `'${touched};'`));
      // The machine's web server reads the configuration of another server, and goes on to.
      expect(messages(answer, "warning").join("\n")).toContain(join(config(one), "apache.conf"));
      await good(task("server_odd", "delete"));
    });

    it("http 81: a restart that fails is a warning, when it is not because of the task", async () => {
      two.fault('case $SSH_ORIGINAL_COMMAND in *graceful) echo "no today" >&2; exit 3;; esac');
      const answer = await good(task(serverName(two), "verify"));
      expect(messages(answer, "warning").join("\n")).toContain("no today");
    });

    it("http 83: what a machine serves stays there when the first verify by a front end that has lost its configuration fails", async () => {
      const served = there(two, vhost(two, "served.test"));
      writeFileSync(served, `<VirtualHost *:${two.httpPort}>\n  ServerName served.test\n  Redirect 410 /\n</VirtualHost>\n`);
      await good(task(serverName(two), "verify"));
      const main = there(two, join(config(two), "apache.conf"));
      writeFileSync(main, `# of an earlier version\n${readFileSync(main, "utf8")}`);
      const before = Object.entries(treeThere(stage, two, config(two)));
      renameSync(config(two), `${config(two)}.lost`);
      two.fault('case $SSH_ORIGINAL_COMMAND in *" -t") echo "Syntax error" >&2; exit 1;; esac');
      expect(failure(await task(serverName(two), "verify"))).toEqual(failedWith("PROVISION_WEB_CONFIG_BROKEN"));
      // Of what an administrator has there, only that counts which is here.
      expect(Object.entries(treeThere(stage, two, config(two)))).toEqual(before.filter(([path]) => !path.includes("pre.d/")));
      await expectServed("served.test", 410, [two]);
      rmSync(config(two), { recursive: true });
      renameSync(`${config(two)}.lost`, config(two));
      two.fault(undefined);
      rmSync(served);
      await good(task(serverName(two), "verify"));
    });

    it("http 88: nothing was removed there but what is below the home", () => {
      const removals = stage.hosts.flatMap((host) => host.commands()).filter((command) => command.startsWith("rm "));
      expect(removals.filter((command) => !command.startsWith(`rm -rf -- ${stage.frontEnd.home}/`))).toEqual([]);
    });
  });

  describe("a cluster of them", () => {
    it("http 85; commands 26: its platform is pushed to all members, with its file for the web server", async () => {
      await good(stage.frontEnd.save("server_cluster", { context_type: "server", http_service_type: "cluster", cluster_web_servers: stage.hosts.map((host) => `@${serverName(host)}`).join(","), remote_host: "cluster.test" }));
      for (const host of stage.hosts) host.forgetCommands();
      const verified = await good(task("server_cluster", "verify"));
      for (const host of stage.hosts) {
        expect(messages(verified, "success").join("\n")).toContain(`The web server on ${host.address} has been restarted`);
        expect(host.commands().filter((command) => command === host.restartCommand)).toHaveLength(1);
      }
      root = await savePlatform(stage, "cluster", "server_cluster");
      other = await savePlatform(stage, "other", "server_cluster");
      for (const platform of ["cluster", "other"]) await good(task(`platform_${platform}`, "verify"));
      expectSame(join(root, "includes"));
      expectSame(join(root, "sites/all"));
      for (const host of stage.hosts) expect(treeThere(stage, host, config(host))).toEqual(treeOf(config(host)));
    });

    it("http 85; db 16: an installed site is the same on all members, is served by each, and each may reach its database", async () => {
      await saveSite(stage, "a.test", "cluster");
      await good(task("a.test", "install"));
      expectSame(join(root, "sites/a.test"));
      await expectServed("a.test", 200);
      for (const host of stage.hosts) expectSame(vhost(host, "a.test"), [host]);
      const user = /'db_user'\] = '([^']+)'/.exec(readFileSync(join(root, "sites/a.test/drushrc.php"), "utf8"))?.[1] ?? "";
      const accounts = await stage.frontEnd.stage.mariadb.query(`SELECT Host FROM mysql.user WHERE User = '${user}' ORDER BY Host`);
      if (stage.network.apart) expect(accounts.map((row) => row["Host"])).toEqual(expect.arrayContaining([one.address, two.address]));
      expect(leftovers(stage.frontEnd)).toEqual([]);
    });

    it("http 83, 85: uploads on the front end's machine count: they go to all members, and a backup fetches nothing", async () => {
      stage.frontEnd.stage.home.write(`${root.slice(stage.frontEnd.home.length + 1)}/sites/a.test/files/new.txt`, "new", 0o664);
      await good(task("a.test", "verify"));
      expectSame(join(root, "sites/a.test"));
      const answer = await good(task("a.test", "backup"));
      expect(messages(answer, "notice")).toContain("Skipping fetch from remote server(s), since master is authoritative in cluster service.");
    });

    it("http 40: disabled and enabled on all of them", async () => {
      await good(task("a.test", "disable"));
      await expectServed("a.test", 302);
      await good(task("a.test", "enable"));
      await expectServed("a.test", 200);
    });

    it.each([
      ["when the site is pushed", DROPPED_IN_RSYNC, "verify"],
      ["when the configuration is tested", DIES_AT("*apachectl*-t"), "disable"],
      ["when the web server is told to reload", DIES_AT("*graceful"), "disable"],
    ])("http 85: a member that drops out %s is reported, all is as before, and the next verify repairs it", async (_, fault, command) => {
      const before = await world();
      two.fault(fault);
      const answer = await task("a.test", command);
      expect([answer.status, answer.errors[0]]).toEqual([1, "PROVISION_REMOTE_UNREACHABLE"]);
      expect(JSON.stringify(answer.messages)).toContain(two.address);
      expect(await world()).toEqual(before);
      expect(leftovers(stage.frontEnd)).toEqual([]);
      await expectServed("a.test", 200, [one]);
      two.fault(undefined);
      await good(task("a.test", "verify"));
      expectSame(join(root, "sites/a.test"));
      for (const host of stage.hosts) expectSame(vhost(host, "a.test"), [host]);
      await expectServed("a.test", 200);
    });

    it("http 83: an install that one member breaks off leaves nothing anywhere; what that one has not heard of is told when it is back", async () => {
      await saveSite(stage, "broken.test", "cluster");
      two.fault(DIES_AT("*graceful"));
      const answer = await task("broken.test", "install");
      expect([answer.status, answer.errors[0]]).toEqual([1, "PROVISION_REMOTE_UNREACHABLE"]);
      const traces = (host: SshHost): boolean[] => [join(root, "sites/broken.test"), vhost(host, "broken.test")].map((path) => existsSync(there(host, path)));
      expect([existsSync(join(root, "sites/broken.test")), ...traces(one), ...traces(two)]).toEqual([false, false, false, true, true]);
      two.fault(undefined);
      await good(task("a.test", "verify"));
      expect(traces(two)).toEqual([false, false]);
    });

    it("http 8, 83: a migrated site is the same on all members, and gone from its former place", async () => {
      await good(task("a.test", "migrate", "@platform_other"));
      expectSame(join(other, "sites/a.test"));
      for (const host of stage.hosts) {
        expect(treeThere(stage, host, join(root, "sites/a.test"))).toEqual({});
        expectSame(vhost(host, "a.test"), [host]);
      }
      await expectServed("a.test", 200);
      expect(leftovers(stage.frontEnd)).toEqual([]);
    });

    it("http 8, 88: a deleted site is gone from all of them, and then its platform", async () => {
      await good(task("a.test", "delete"));
      await good(task("platform_other", "delete"));
      for (const host of stage.hosts) {
        expect([existsSync(there(host, other)), existsSync(there(host, vhost(host, "a.test")))]).toEqual([false, false]);
        expectSame(config(host), [host]);
        expect(host.commands()).toContain(`rm -rf -- ${other}`);
      }
      expect(existsSync(other)).toBe(false);
      await expectServed("a.test", 404);
    });
  });

  describe("a site on one of them", () => {
    it("http 83; contexts 66: what visitors have uploaded there stays there, comes into a backup, and goes with the site", async () => {
      alone = await savePlatform(stage, "alone", serverName(one));
      await good(task("platform_alone", "verify"));
      await saveSite(stage, "b.test", "alone");
      await good(task("b.test", "install"));
      await expectServed("b.test", 200, [one]);
      const upload = join(alone, "sites/b.test/files/upload.txt");
      writeFileSync(there(one, upload), "of a visitor");
      stage.frontEnd.stage.home.user.own(there(one, upload));
      mkdirSync(there(one, join(alone, "sites/foreign.test")));
      await good(task("b.test", "verify"));
      expect([existsSync(upload), readFileSync(there(one, upload), "utf8"), existsSync(there(one, join(alone, "sites/foreign.test"))), existsSync(there(two, alone))]).toEqual([false, "of a visitor", true, false]);
      const answer = await good(task("b.test", "backup"));
      expect(messages(answer, "notice").join("\n")).toContain(`${join(alone, "sites/b.test/files")}/ has been fetched from remote server ${one.address}.`);
      const file = String((answer.frame["context"] as Record<string, unknown>)["backup_file"]);
      expect((await stage.frontEnd.stage.home.user.run(["tar", "-xzOf", file, "./files/upload.txt"])).stdout).toBe("of a visitor");
    });

    it("http 83: nothing is fetched where there is nothing to fetch", async () => {
      const files = join(alone, "sites/b.test/files");
      await one.runAsRoot(["mount", "-t", "tmpfs", "none", files]);
      const before = await world();
      const answer = await task("b.test", "backup");
      expect(failure(answer)).toEqual(failedWith("PROVISION_REMOTE_FILES_GONE"));
      expect(await world()).toEqual(before);
      await one.runAsRoot(["umount", files]);
    });

    it("http 83: is restored there as the backup has it, and a clone is served there", async () => {
      const upload = join(alone, "sites/b.test/files/upload.txt");
      const file = String(((await good(task("b.test", "backup"))).frame["context"] as Record<string, unknown>)["backup_file"]);
      writeFileSync(there(one, upload), "changed");
      await good(task("b.test", "restore", file));
      expect(readFileSync(there(one, upload), "utf8")).toBe("of a visitor");
      expectSame(join(alone, "sites/b.test"), [one]);
      await expectServed("b.test", 200, [one]);
      await good(task("b.test", "clone", "@c.test", "@platform_alone"));
      expectSame(join(alone, "sites/c.test"), [one]);
      await expectServed("c.test", 200, [one]);
      await good(task("c.test", "delete"));
      expect(treeThere(stage, one, join(alone, "sites/c.test"))).toEqual({});
    });

    it("http 83: a neighbour that is broken there stops a task, and stays as it is", async () => {
      const poison = there(one, vhost(one, "poison.test"));
      writeFileSync(poison, "<VirtualHost\n");
      const before = await world();
      const answer = await task("b.test", "disable");
      expect(failure(answer)).toEqual(failedWith("PROVISION_WEB_CONFIG_BROKEN"));
      expect(answer.messages["PROVISION_WEB_CONFIG_BROKEN"]).toMatch(/was broken before this task.*poison\.test/s);
      expect(await world()).toEqual(before);
      expectSame(vhost(one, "b.test"), [one]);
      await one.run(["rm", poison.replace(one.tree, stage.frontEnd.home)]);
    });

    it("contexts 67: a full disk there, a broken transfer, an unknown or changed key, and a host that is down have codes of their own; here all is as before", async () => {
      const before = await world();
      const expectCodes = async (code: string, ...more: string[]): Promise<void> => {
        const answer = await task("b.test", "verify");
        expect(failure(answer)).toEqual(failedWith(code, ...more));
        expect(await world()).toEqual(before);
        expect(leftovers(stage.frontEnd)).toEqual([]);
      };
      const disconnect = () => stage.frontEnd.stage.home.user.run(["sh", "-c", `for socket in ${stage.frontEnd.home}/.provision-shim/ssh/*; do ssh -o ControlPath=$socket -O exit x; done`], { mayFail: true });
      one.fault(DROPPED_IN_RSYNC);
      await expectCodes("PROVISION_REMOTE_UNREACHABLE", "DRUSH_RSYNC_FAILED", SYNC_FAILED);
      one.fault(undefined);
      await one.runAsRoot(["sh", "-c", `mount -t tmpfs -o size=64k,mode=755,uid=${stage.frontEnd.stage.home.user.uid},gid=${stage.frontEnd.stage.home.user.gid} none ${alone}`]);
      await expectCodes("PROVISION_REMOTE_NO_SPACE", "DRUSH_RSYNC_FAILED", SYNC_FAILED);
      await one.runAsRoot(["umount", alone]);
      await one.shut();
      await expectCodes("PROVISION_REMOTE_UNREACHABLE", "DRUSH_RSYNC_FAILED", SYNC_FAILED);
      await one.open("new");
      await expectCodes("PROVISION_REMOTE_KEY_CHANGED", "DRUSH_RSYNC_FAILED", SYNC_FAILED);
      stage.network.forget(one);
      await expectCodes("PROVISION_REMOTE_KEY_UNKNOWN", "DRUSH_RSYNC_FAILED", SYNC_FAILED);
      stage.network.know(one);
      await disconnect();
      await good(task("b.test", "verify"));
      expectSame(join(alone, "sites/b.test/drushrc.php"), [one]);
      await expectServed("b.test", 200, [one]);
    });

    it("is never left out when many contexts are verified together, and each machine reloads once", async () => {
      const { home } = stage.frontEnd.stage;
      for (let time = 0; time < 2; time++) {
        stage.frontEnd.stage.home.write(`${alone.slice(stage.frontEnd.home.length + 1)}/sites/b.test/modules/new${time}.txt`, "new");
        one.forgetCommands();
        const { stdout, stderr } = await home.user.run([stage.frontEnd.provision, "verify", "--all"], { env: stage.frontEnd.env, mayFail: true });
        expect([stdout + stderr, one.commands().filter((command) => command === one.restartCommand).length]).toEqual([expect.stringMatching(/^\d+ verified in/), 1]);
        expectSame(join(alone, "sites/b.test/modules"), [one]);
      }
    });

    it("a task that is killed in the middle of a push is taken back, here and there, by the next one", async () => {
      const marker = join(stage.frontEnd.home, "../reached");
      one.fault(`case $SSH_ORIGINAL_COMMAND in *graceful) touch ${marker}; sleep 60;; esac`);
      const before = await world();
      const child = stage.frontEnd.stage.home.user.spawn([stage.frontEnd.drush, "@b.test", "provision-disable"], { env: { ...stage.frontEnd.stage.home.user.env, ...stage.frontEnd.env }, stdio: "ignore", detached: true });
      await until("the task reloads", () => existsSync(marker));
      process.kill(-(child.pid ?? 0), "SIGKILL");
      one.fault(undefined);
      const recovered = await stage.frontEnd.stage.home.user.run([stage.frontEnd.provision, "recover"], { env: stage.frontEnd.env });
      expect(recovered.stdout + recovered.stderr).toContain(`brought ${one.address} back in line`);
      expect(await world()).toEqual(before);
      await expectServed("b.test", 200, [one]);
    });
  });

  describe("a pack", () => {
    it("http 86: configuration goes to masters and slaves, files to masters only", async () => {
      await good(stage.frontEnd.save("server_pack", { context_type: "server", http_service_type: "pack", master_web_servers: `@${serverName(one)}`, slave_web_servers: `@${serverName(two)}`, remote_host: "pack.test" }));
      const packed = await savePlatform(stage, "packed", "server_pack");
      // Slaves have the masters' files, by a network file system.
      await two.runAsRoot(["mount", "--bind", join(one.tree, "platforms"), join(stage.frontEnd.home, "platforms")]);
      for (const host of stage.hosts) host.forgetCommands();
      await good(task("platform_packed", "verify"));
      expect(stage.hosts.map((host) => existsSync(there(host, packed)))).toEqual([true, false]);
      for (const host of stage.hosts) {
        expect(existsSync(there(host, join(config(host), "apache/platform.d/platform_packed.conf")))).toBe(true);
        expect(host.commands().filter((command) => command === host.restartCommand)).toHaveLength(1);
      }
      expect(two.commands().filter((command) => PUSHED.test(command))).toHaveLength(1);
      await good(task("platform_packed", "delete"));
      for (const host of stage.hosts) expect(existsSync(there(host, packed))).toBe(false);
      expect(two.commands().filter((command) => command.includes(packed))).toEqual([]);
      await two.runAsRoot(["umount", join(stage.frontEnd.home, "platforms")]);
    });
  });

  describe("HTTPS on one of them", () => {
    it("http 84: the first verify brings the certificates there before the restart, the keys readable by nobody else", async () => {
      await saveHost(stage, two, "apache_ssl");
      const seen = join(stage.frontEnd.home, "../seen");
      two.fault(`case $SSH_ORIGINAL_COMMAND in *apachectl*) stat -c '%a %n' ${config(two)}/ssl.d/default/* > ${seen};; esac`);
      await good(task(serverName(two), "verify"));
      expect(readFileSync(seen, "utf8")).toContain(`600 ${config(two)}/ssl.d/default/openssl.key\n`);
      expectSame(join(config(two), "ssl.d"), [two]);
      expect((await two.fetchTls("nobody.test", "/")).status).toBe(404);
    });

    it("http 76, 83, 84: a site's certificate comes and goes with the site", async () => {
      const secure = await savePlatform(stage, "secure", serverName(two));
      await good(task("platform_secure", "verify"));
      await saveSite(stage, "tls.test", "secure", { ssl_enabled: "1", ssl_key: "tls.test" });
      await good(task("tls.test", "install"));
      const answer = await two.fetchTls("tls.test", "/");
      expect([answer.status, answer.certificates]).toEqual([200, ["tls.test"]]);
      const key = join(config(two), "ssl.d/tls.test");
      expect(treeThere(stage, two, key)).toEqual(Object.fromEntries(Object.entries(treeOf(key)).filter(([path]) => !path.endsWith(".receipt"))));
      expectSame(join(secure, "sites/tls.test"), [two]);
      await good(task("tls.test", "delete"));
      expect([existsSync(key), existsSync(there(two, key))]).toEqual([false, false]);
    });
  });

  it("http 87: credentials are cloaked only where all members can", async () => {
    await good(stage.frontEnd.save("server_mixed", { context_type: "server", http_service_type: "cluster", cluster_web_servers: `@${serverName(one)},@${DATABASE}`, remote_host: "mixed.test" }));
    await savePlatform(stage, "mixed", "server_mixed");
    await good(task("platform_mixed", "verify"));
    await saveSite(stage, "d.test", "mixed");
    await good(task("d.test", "install"));
    const settings = (platform: string, uri: string): string => readFileSync(join(stage.frontEnd.home, "platforms", platform, "sites", uri, "settings.php"), "utf8");
    expect(settings("mixed", "d.test")).toMatch(/'password' => '[\w.-]+'/);
    expect(settings("alone", "b.test")).not.toMatch(/'password' => '[\w.-]+'/);
  });
});
