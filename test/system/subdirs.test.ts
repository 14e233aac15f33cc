import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { good, installSite, openFrontEnd, openPlatform, SERVER, serverOptions, type FrontEnd } from "../support/front-end.ts";
import { treeOf } from "../support/tree.ts";

/** Sites in sub-folders of a host (the front end's feature `subdirs`), on Apache. */
const URI = "sub.test";
const HOST = "host.test";
const DISABLED = [302, `http://aegir.test/hosting/disabled/${URI}`];

let frontEnd: FrontEnd;
let root: string;

beforeAll(async () => {
  frontEnd = await openFrontEnd({ tls: true });
  frontEnd.stage.home.write(".drush/drushrc.php", "<?php\n$options['hosting_features'] = array('subdirs' => 1);\n");
  root = await openPlatform(frontEnd);
  await installSite(frontEnd, root, URI, { aliases: [`${HOST}/foo`] });
  frontEnd.stage.home.write("platforms/standin/server.php", `<?php echo json_encode(array_intersect_key($_SERVER, array_flip(['db_name', 'SCRIPT_NAME'])) + $_GET);`);
  await good(frontEnd.task(URI, "verify"));
}, 300_000);
afterAll(() => frontEnd.strike());

function config(path: string): string {
  return join(frontEnd.home, `config/${SERVER}/${path}`);
}

function vhost(name: string): string {
  return readFileSync(config(`apache/vhost.d/${name}`), "utf8");
}

async function shell(script: string): Promise<string> {
  return (await frontEnd.stage.home.user.run(["sh", "-c", script])).stdout;
}

async function way(host: string, path: string): Promise<[number, string | undefined]> {
  const { status, headers } = await frontEnd.stage.apache.fetch(host, path);
  return [status, headers.location];
}

/** Which site answers there. */
async function served(host: string, path: string): Promise<string | undefined> {
  const { status, body } = await frontEnd.stage.apache.fetch(host, path);
  return status === 200 ? /sites\/([\w.-]+)/.exec(body)?.[1] : String(status);
}

async function verified(uri: string, options: Parameters<FrontEnd["save"]>[1] = {}): Promise<string[]> {
  await good(frontEnd.save(uri, { context_type: "site", ...options }));
  const { logs } = await good(frontEnd.task(uri, "verify"));
  return logs.filter(({ type }) => type === "warning").map(({ message }) => message);
}

async function testsWell(): Promise<void> {
  const { apache, home } = frontEnd.stage;
  const { stdout, stderr } = await home.user.run([apache.control, "-t"]);
  expect((stdout + stderr).trim()).toBe("Syntax OK");
}

function files(): string[] {
  return readdirSync(config("apache/subdir.d"), { recursive: true }).map(String).sort();
}

describe("a folder of a host that is no site", () => {
  it("http 89: reaches the site, with its path, its query and its credentials", async () => {
    expect(await served(HOST, "/foo/node/1")).toBe(URI);
    expect(await served(HOST, "/foo/")).toBe(URI);
    expect(await served(URI, "/node/1")).toBe(URI);
    expect(await way(HOST, "/foo")).toEqual([301, `http://${HOST}/foo/`]);
    const { body } = await frontEnd.stage.apache.fetch(HOST, "/foo/server.php?z=2");
    expect(JSON.parse(body)).toEqual({ db_name: "subtest", SCRIPT_NAME: "/foo/server.php", z: "2" });
    await shell("cp platforms/standin/index.php kept.php; cp platforms/standin/server.php platforms/standin/index.php");
    for (const [path, q] of [["/foo/node/1?z=2", "node/1"], ["/foo/a%20b%26c=d+e%25", "a b&c=d+e%"]] as const) {
      expect([path, JSON.parse((await frontEnd.stage.apache.fetch(HOST, path)).body)]).toEqual([path, { db_name: "subtest", SCRIPT_NAME: "/foo/index.php", q, ...(path.includes("?") ? { z: "2" } : {}) }]);
    }
    await shell("cp kept.php platforms/standin/index.php");
  });

  it("http 90: has a virtual host for the folders, and nothing beside them", async () => {
    expect(files()).toEqual([HOST, `${HOST}/foo.conf`]);
    expect((statSync(config(`apache/subdir.d/${HOST}`)).mode & 0o777).toString(8)).toBe("700");
    expect(vhost(HOST)).not.toContain("db_");
    for (const path of ["/", "/foobar", "/node/1", "/foo.php"]) expect([path, (await way(HOST, path))[0]]).toEqual([path, 404]);
    await testsWell();
  });

  it("is as closed as the site itself", async () => {
    const { home } = frontEnd.stage;
    home.write(`platforms/standin/sites/${URI}/files/x.php`, "<?php echo 'run';");
    home.write(`platforms/standin/sites/${URI}/files/a.txt`, "upload");
    home.write(`platforms/standin/sites/${URI}/files/backup_migrate/dump.gz`, "dump");
    home.write(`platforms/standin/sites/${URI}/private/files/a.txt`, "secret");
    home.write("platforms/standin/.git/config", "secret");
    for (const path of ["files/x.php", "files/backup_migrate/dump.gz", "private/files/a.txt"]) expect([path, await way(HOST, `/foo/sites/${URI}/${path}`)]).toEqual([path, [403, undefined]]);
    for (const path of [".git/config", "modules/node/node.module"]) expect([path, await way(HOST, `/foo/${path}`)]).toEqual([path, [403, undefined]]);
    expect((await frontEnd.stage.apache.fetch(HOST, `/foo/sites/${URI}/files/a.txt`)).body).toBe("upload");
    expect((await frontEnd.stage.apache.fetch(HOST, "/foo/user?element_parents=%23x", { method: "POST" })).status).toBe(403);
    expect(frontEnd.stage.apache.phpErrors()).toBe("");
  });

  it("http 7: is written once", async () => {
    const before = treeOf(config(""));
    await verified(URI);
    expect(treeOf(config(""))).toEqual(before);
  });

  it("http 92: of a disabled site sends everybody to the front end", async () => {
    await good(frontEnd.task(URI, "disable"));
    for (const path of ["/foo", "/foo/", "/foo/node/1?x=1"]) expect([path, await way(HOST, path)]).toEqual([path, DISABLED]);
    expect((await way(HOST, "/"))[0]).toBe(404);
    expect(readFileSync(config(`apache/subdir.d/${HOST}/foo.conf`), "utf8")).not.toContain("db_");
    await testsWell();
    await good(frontEnd.task(URI, "enable"));
    expect(await served(HOST, "/foo/node/1")).toBe(URI);
  });
});

describe("aliases that change", () => {
  it("more folders, also deeper ones and two with one file; those that go take their files with them", async () => {
    await verified(URI, { aliases: `${HOST}/foo,${HOST}/a/b,${HOST}/a_b,more.test/x.y` });
    expect(files()).toEqual([HOST, `${HOST}/a_b.conf`, `${HOST}/foo.conf`, "more.test", "more.test/x.y.conf"]);
    for (const [host, path] of [[HOST, "/foo/node/1"], [HOST, "/a/b/node/1"], [HOST, "/a_b/node/1"], ["more.test", "/x.y/node/1"]] as const) expect([path, await served(host, path)]).toEqual([path, URI]);
    expect((await way("more.test", "/xzy/"))[0]).toBe(404);
    await testsWell();
    await verified(URI, { aliases: `${HOST}/foo` });
    expect(files()).toEqual([HOST, `${HOST}/foo.conf`]);
    expect([existsSync(config("apache/vhost.d/more.test")), (await way(HOST, "/a_b/node/1"))[0]]).toEqual([false, 404]);
    await testsWell();
  });

  it.each([`${HOST}/a/../b`, `${HOST}/a//b`, "*.wild.test/x", `${HOST}/`])("%s is refused, and what is there stays", async (alias) => {
    const before = treeOf(config(""));
    await good(frontEnd.save(URI, { aliases: alias }));
    expect((await frontEnd.task(URI, "verify")).errors).toEqual(["PROVISION_WEB_BAD_VALUE"]);
    expect(treeOf(config(""))).toEqual(before);
    await verified(URI, { aliases: `${HOST}/foo` });
  });

  it("a folder that is another site is refused", async () => {
    await installSite(frontEnd, root, "thief.test", { aliases: [`${HOST}/foo`] });
    const before = treeOf(config(""));
    const { errors, messages } = await frontEnd.task("thief.test", "verify");
    expect(errors).toEqual(["PROVISION_WEB_SUBDIR_TAKEN"]);
    expect(messages["PROVISION_WEB_SUBDIR_TAKEN"]).toContain(URI);
    expect(treeOf(config(""))).toEqual(before);
    await verified("thief.test", { aliases: "null" });
  });

  it("a broken neighbour changes nothing", async () => {
    const before = treeOf(config(""));
    frontEnd.stage.home.write(`config/${SERVER}/apache/subdir.d/${HOST}/other.conf`, "NoSuchDirective on\n");
    await good(frontEnd.save(URI, { aliases: `${HOST}/foo,${HOST}/bar` }));
    expect((await frontEnd.task(URI, "verify")).errors).toEqual(["PROVISION_WEB_CONFIG_BROKEN"]);
    await shell(`rm ${config(`apache/subdir.d/${HOST}/other.conf`)}`);
    expect(treeOf(config(""))).toEqual(before);
    await verified(URI, { aliases: `${HOST}/foo` });
  });
});

describe("a site that gets another name", () => {
  it("keeps its folders, whose files are those of the new name", async () => {
    await good(frontEnd.task(URI, "migrate", { args: ["@platform_standin", "@renamed.test"], timeout: 120_000 }));
    const kept = readFileSync(join(frontEnd.home, ".drush/renamed.test.alias.drushrc.php"), "utf8").includes(`${HOST}/foo`);
    expect([kept, files(), await served(HOST, "/foo/node/1")]).toEqual([true, [HOST, `${HOST}/foo.conf`], "renamed.test"]);
    await good(frontEnd.task("renamed.test", "migrate", { args: ["@platform_standin", `@${URI}`], timeout: 120_000 }));
    expect(await served(HOST, "/foo/node/1")).toBe(URI);
    await testsWell();
  });
});

describe("a host that is a site itself", () => {
  it("http 90: gets its folders into its own virtual host when it is verified, and is asked for that", async () => {
    await installSite(frontEnd, root, HOST);
    expect([await verified(URI), await served(HOST, "/foo/node/1")]).toEqual([[], URI]);
    await verified(HOST);
    expect(vhost(HOST)).toContain("db_name");
    // As it is when the feature was off when it was written, or drush had found no folders.
    await shell(`sed -i /IncludeOptional/d ${config(`apache/vhost.d/${HOST}`)}`);
    const [warning] = await verified(URI);
    expect(warning).toContain("when the site with that name has been verified");
    expect((await way(HOST, "/foo/node/1"))[0]).toBe(404);
    await verified(HOST);
    expect([await served(HOST, "/node/1"), await served(HOST, "/foo/node/1"), await way(HOST, "/foo")]).toEqual([HOST, URI, [301, `http://${HOST}/foo/`]]);
    expect(await verified(URI)).toEqual([]);
    const { body } = await frontEnd.stage.apache.fetch(HOST, "/foo/server.php");
    expect(JSON.parse(body)).toMatchObject({ db_name: "subtest" });
    await testsWell();
  });

  it("http 92: its folder is switched off alone", async () => {
    await good(frontEnd.task(URI, "disable"));
    expect([await served(HOST, "/node/1"), await way(HOST, "/foo/x")]).toEqual([HOST, DISABLED]);
    await good(frontEnd.task(URI, "enable"));
  });

  it("has them over HTTPS, too", async () => {
    await good(frontEnd.save(SERVER, { ...serverOptions(frontEnd), http_service_type: "apache_ssl", http_ssl_port: String(frontEnd.stage.apache.tlsPort) }));
    await good(frontEnd.task(SERVER, "verify"));
    await verified(HOST, { ssl_enabled: "1", ssl_key: "host" });
    await verified(URI);
    const { status, body } = await frontEnd.stage.apache.fetchTls(HOST, "/foo/node/1");
    expect([status, body.includes(`sites/${URI}`)]).toEqual([200, true]);
    expect(await served(HOST, "/foo/node/1")).toBe(URI);
    await testsWell();
  });

  it("http 91: when it is deleted, its folders stay; they go with their site, and the host with the last of them", async () => {
    await good(frontEnd.task(HOST, "delete"));
    expect([await served(HOST, "/foo/node/1"), (await way(HOST, "/node/1"))[0]]).toEqual([URI, 404]);
    await testsWell();
    await good(frontEnd.task(URI, "delete"));
    expect([files(), readdirSync(config("apache/vhost.d"))]).toEqual([[], ["thief.test"]]);
    expect((await way(HOST, "/foo/node/1"))[0]).toBe(404);
    await testsWell();
  });
});

describe("a host that is an alias of a site", () => {
  it("gets its folders into that site's virtual host when it is verified", async () => {
    await installSite(frontEnd, root, "owner.test", { aliases: ["alias.test"] });
    await verified("owner.test");
    const [warning] = await verified("thief.test", { aliases: "alias.test/foo" });
    expect([warning?.includes("Folders of alias.test"), existsSync(config("apache/vhost.d/alias.test"))]).toEqual([true, false]);
    await verified("owner.test");
    expect([await served("alias.test", "/foo/node/1"), await served("alias.test", "/node/1")]).toEqual(["thief.test", "owner.test"]);
    expect(await verified("thief.test")).toEqual([]);
    await testsWell();
  });

  it("also when it is the site's own", async () => {
    expect(await verified("thief.test", { aliases: "own.test,own.test/bar" })).toEqual([]);
    expect([await served("own.test", "/node/1"), await served("own.test", "/bar/node/1"), files()]).toEqual(["thief.test", "thief.test", ["own.test", "own.test/bar.conf"]]);
    await testsWell();
    await verified("thief.test", { aliases: "null" });
  });
});

describe("with option provision_apache_conf_suffix", () => {
  it("http 90: the virtual host of the folders is included, too", async () => {
    frontEnd.stage.home.write(".drush/drushrc.php", "<?php\n$options['hosting_features'] = array('subdirs' => '1');\n$options['provision_apache_conf_suffix'] = TRUE;\n");
    await good(frontEnd.task(SERVER, "verify"));
    await verified("thief.test", { aliases: `${HOST}/foo` });
    expect(readdirSync(config("apache/vhost.d"))).toEqual([`${HOST}.conf`, "owner.test", "thief.test", "thief.test.conf"]);
    expect(await served(HOST, "/foo/node/1")).toBe("thief.test");
  });
});
