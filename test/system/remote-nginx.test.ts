import { existsSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fetchPage } from "../support/apache.ts";
import { good, SERVER } from "../support/front-end.ts";
import { startNginx, type Nginx } from "../support/nginx.ts";
import { startPhpFpm, type PhpFpm } from "../support/php-fpm.ts";
import { savePlatform, saveSite, setRemoteStage, treeThere, type RemoteStage } from "../support/remote-stage.ts";
import { whyNoHosts, type SshHost } from "../support/ssh-hosts.ts";
import { failedWith, failure } from "../support/system-checks.ts";
import { treeOf } from "../support/tree.ts";
import { leftovers } from "../support/world.ts";

const reason = whyNoHosts();
if (reason !== undefined) console.warn(`test/system/remote-nginx: ${reason}`); // eslint-disable-line no-console

describe.skipIf(reason !== undefined)("an nginx on another machine", () => {
  let stage: RemoteStage;
  let host: SshHost;
  let nginx: Nginx;
  let php: PhpFpm;
  const started: { stop: () => Promise<void> }[] = [];

  beforeAll(async () => {
    stage = await setRemoteStage(1);
    [host] = stage.hosts as [SshHost];
    const home = { ...stage.frontEnd.stage.home, user: host.user, beside: host.folder };
    // Its folder for the database's socket is there, but nothing in it: a site there reaches the database over the network.
    started.push((nginx = await startNginx(home)), (php = await startPhpFpm(home, "/nonexistent/mysqld.sock")));
    stage.frontEnd.stage.home.write(".drush/drushrc.php", `<?php\n$options['ssh-options'] = '${stage.network.sshOptions}';\n$options['provision_nginx_state_path'] = '${nginx.statePath}';\n$options['provision_nginx_log_path'] = '${nginx.logPath}';\n`);
    await good(stage.frontEnd.save("server_far", { context_type: "server", remote_host: host.address, http_service_type: "nginx", http_port: String(nginx.port), http_restart_cmd: nginx.restartCommand, phpfpm_mode: "socket", phpfpm_socket: php.socket }));
  }, 300_000);
  afterAll(async () => {
    await Promise.all(started.map((server) => server.stop()));
    await stage.strike();
  });

  const task = (name: string, command: string) => stage.frontEnd.task(name, command, { timeout: 120_000 });
  const there = (path: string): string => join(host.tree, path.slice(stage.frontEnd.home.length + 1));
  const at = (path: string): string => join(stage.frontEnd.home, path);

  it("http 3, 83: its program is looked at there, and it gets its own common include, which the front end's machine has not", async () => {
    const common = at("config/includes/nginx_vhost_common.conf");
    await good(task("server_far", "verify"));
    expect([existsSync(common), existsSync(there(at("config/server_far/includes/nginx_vhost_common.conf")))]).toEqual([false, true]);
    expect(readlinkSync(there(at("config/nginx.conf")))).toBe(at("config/server_far/nginx.conf"));
    expect(readlinkSync(there(at("config/includes/nginx_simple_include.conf")))).toBe(common);
    expect(readlinkSync(there(common))).toBe(at("config/server_far/includes/nginx_vhost_common.conf"));
    expect(treeOf(there(at("config/server_far")))).toEqual(treeOf(at("config/server_far")));
    // The verify of another server leaves it alone.
    await good(task(SERVER, "verify"));
    await good(task("server_far", "verify"));
    expect(readlinkSync(there(common))).toBe(at("config/server_far/includes/nginx_vhost_common.conf"));
  });

  it("http 83: a site is served there, and gone when it is deleted", async () => {
    const root = await savePlatform(stage, "far", "server_far");
    await good(task("platform_far", "verify"));
    await saveSite(stage, "far.test", "far");
    await good(task("far.test", "install"));
    expect(treeThere(stage, host, join(root, "sites/far.test"))).toEqual(treeOf(join(root, "sites/far.test")));
    expect((await fetchPage(nginx.port, "far.test", "/", { address: host.address })).status).toBe(200);
    await good(task("far.test", "delete"));
    expect(existsSync(there(at("config/server_far/nginx/vhost.d/far.test")))).toBe(false);
    expect(leftovers(stage.frontEnd)).toEqual([]);
  });

  it("a configuration that is broken there is taken back, here and there", async () => {
    const before = treeOf(at("config"));
    host.fault('case $SSH_ORIGINAL_COMMAND in *bin/nginx\\ -t) echo "nginx: [emerg] no" >&2; exit 1;; esac');
    const answer = await task("server_far", "verify");
    expect(failure(answer)).toEqual(failedWith("PROVISION_WEB_CONFIG_BROKEN"));
    host.fault(undefined);
    expect(treeOf(at("config"))).toEqual(before);
    await good(task("server_far", "verify"));
  });
});
