import { readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { aliasFileText } from "../../src/aliases/write-alias.ts";
import type { PhpArray } from "../../src/php-values/php-array.ts";
import { phpFrom } from "../../src/php-values/convert.ts";
import { openNginxHost, type NginxHost } from "./nginx-host.ts";

/** Needs a drush 8 (SHIM_TEST_DRUSH) and the home of an Aegir with Provision, of which only Provision is read (SHIM_TEST_AEGIR_ROOT). */
const drush = process.env["SHIM_TEST_DRUSH"];
const aegir = process.env["SHIM_TEST_AEGIR_ROOT"];

it.skipIf(drush === undefined || aegir === undefined)(
  "sites and folders that we have written go on with the server's files of Provision, and come back to ours",
  async () => {
    const host = await openNginxHost();
    try {
      await host.serve({ uri: "site.test", aliases: ["www.site.test", "host.test/foo"], redirection: "site.test" }, { subdirs: true });
      await verifyByDrush(host);
      for (let round = 0; round < 2; round++) {
        expect(await host.ran("site.test", "/node/1")).toMatchObject({ ran: "index.php", MAIN_SITE_NAME: "site.test" });
        expect(await host.ran("host.test", "/foo/node/1")).toMatchObject({ ran: "index.php", SITE_SUBDIR: "foo" });
        expect((await host.get("www.site.test", "/x")).headers.location).toBe(`http://site.test:${host.nginx.port}/x`);
        await host.serveServer({}, { subdirs: true });
      }
    } finally {
      await host.close();
    }
  },
  120_000,
);

/** Has the real drush write the server's files, moves them to where the private nginx may write, and has it read them. */
async function verifyByDrush({ home, nginx, php }: NginxHost): Promise<void> {
  symlinkSync(join(aegir ?? "", ".drush/provision"), join(home.path, ".drush/provision"));
  const record = { context_type: "server", remote_host: "localhost", aegir_root: home.path, script_user: home.user.name, http_service_type: "nginx", http_port: String(nginx.port), http_restart_cmd: "true", master_url: "http://aegir.test/", nginx_config_mode: "extended", web_group: home.user.webGroup };
  home.write(".drush/server_master.alias.drushrc.php", aliasFileText("server_master", phpFrom(record) as PhpArray));
  await home.user.run([drush ?? "", "@server_master", "provision-verify"]);
  for (const path of ["server_master/nginx.conf", "includes/nginx_vhost_common.conf"]) {
    const file = join(home.path, "config", path);
    const text = readFileSync(file, "utf8");
    expect(text).not.toContain("provision-shim");
    writeFileSync(file, text.replaceAll("/var/lib/nginx", nginx.statePath).replaceAll("/var/log/nginx", nginx.logPath).replaceAll(/unix:[^;]*;/g, `unix:${php.socket};`).replaceAll("127.0.0.1:9000", `unix:${php.socket}`));
  }
  const { status, stderr } = await nginx.reload();
  expect([status, stderr]).toEqual([0, ""]);
}
