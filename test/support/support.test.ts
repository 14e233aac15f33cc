import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, lstatSync, readFileSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { build } from "esbuild";
import { makeAegirHome, type AegirHome } from "./aegir-home.ts";
import { makeSiteByHand } from "./hand-made-site.ts";
import { setStage, type Stage } from "./stage.ts";
import { copyStandIn } from "./stand-in.ts";
import { until } from "./until.ts";

function uidOf(pid: number): number {
  return Number(/^Uid:\t\d+\t(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
}

/** Local addresses, as the kernel writes them, on which somebody listens at a port. */
function listeners(port: number): string[] {
  const tail = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const lines = ["tcp", "tcp6"].flatMap((table) => readFileSync(`/proc/net/${table}`, "utf8").split("\n"));
  const sockets = lines.map((line) => line.trim().split(/\s+/));
  return sockets.filter(([, local, , state]) => local?.endsWith(tail) && state === "0A").map(([, local]) => local!);
}

function isAlive(pid: number): boolean {
  // A killed child of another process stays as a zombie until that one looks.
  return existsSync(`/proc/${pid}/status`) && !/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
}

describe("the test user", () => {
  let home: AegirHome;
  beforeAll(() => {
    home = makeAegirHome();
  });
  afterAll(() => home.remove());

  it("is not root and has the home", async () => {
    const { stdout } = await home.user.run(["sh", "-c", 'id -u; echo "$HOME"; pwd']);
    expect(stdout).toBe(`${home.user.uid}\n${home.path}\n${home.path}\n`);
    expect(home.user.uid).not.toBe(0);
  });

  it("may give directories to the group of the web server", async () => {
    const directory = home.makeDirectory("platforms/p/sites/s/files");
    await home.user.run(["chgrp", home.user.webGroup, directory]);
    await home.user.run(["chmod", "2770", directory]);
    expect((await home.user.run(["stat", "-c", "%U %G %a", directory])).stdout).toBe(`${home.user.name} ${home.user.webGroup} 2770\n`);
  });

  it("sees nothing of the caller's environment", async () => {
    process.env["SHIM_TEST_SECRET"] = "x";
    const { stdout } = await home.user.run(["env"], { env: { EXTRA: "1" } });
    expect(stdout.split("\n").map((line) => line.split("=")[0]).filter(Boolean).sort()).toEqual(
      ["EXTRA", "HOME", "LANG", "LOGNAME", "PATH", "USER"],
    );
  });

  it("passes input, bytes and status on", async () => {
    const result = await home.user.run(["sh", "-c", "cat; echo no >&2; exit 3"], { input: Buffer.of(0, 255, 10), mayFail: true });
    expect([result.status, result.stderr, [...result.stdoutBytes]]).toEqual([3, "no\n", [0, 255, 10]]);
    await expect(home.user.run(["sh", "-c", "echo why >&2; exit 3"])).rejects.toThrow(/ended with 3:\nwhy/);
    await expect(home.user.run(["no-such-program"])).rejects.toThrow();
    expect((await home.user.run(["sleep", "60"], { timeout: 50, mayFail: true })).signal).toBe("SIGKILL");
  });

  it("owns what tests write for it", () => {
    const file = home.write("a/b/c.php", "<?php\n", 0o440);
    for (const path of [home.path, join(home.path, "a"), join(home.path, "a/b"), file, home.makeDirectory("clients", 0o711)]) {
      expect([path, statSync(path).uid]).toEqual([path, home.user.uid]);
    }
    expect(statSync(file).mode & 0o7777).toBe(0o440);
    expect(statSync(join(home.path, "clients")).mode & 0o7777).toBe(0o711);
  });

  it("leaves nothing", () => {
    const other = makeAegirHome();
    other.write("locked/file", "");
    other.makeDirectory("locked", 0o500);
    other.remove();
    expect(existsSync(other.beside)).toBe(false);
  });
});

describe("the stage", () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await setStage();
  });
  afterAll(() => stage.strike());

  it("is quick on second use", async () => {
    const start = performance.now();
    const second = await setStage();
    const up = performance.now() - start;
    await second.strike();
    // The promise to those who write tests is less than a second for the database and four for both; a busy machine needs some air.
    expect(up).toBeLessThan(60_000);
  });

  it("runs as the test user on the loopback address only", () => {
    for (const { pid, port } of [stage.mariadb, stage.apache]) {
      expect(uidOf(pid)).toBe(stage.home.user.uid);
      expect(listeners(port)).toEqual(["0100007F:" + port.toString(16).toUpperCase().padStart(4, "0")]);
    }
  });

  it("has a database whose administrator can make accounts, and no account that anybody can use", async () => {
    const { mariadb } = stage;
    const accounts = await mariadb.query("SELECT User, Host FROM mysql.global_priv ORDER BY User, Host");
    expect(accounts.map(({ User, Host }) => `${String(User)}@${String(Host)}`)).toEqual(
      ["aegir_root@127.0.0.1", "aegir_root@localhost", "mariadb.sys@localhost"],
    );
    await mariadb.query("CREATE DATABASE probe; CREATE USER probe@localhost IDENTIFIED BY 'p'; GRANT ALL ON probe.* TO probe@localhost");
    const probe = { user: "probe", password: "p", database: "probe" };
    expect(await mariadb.query("SELECT CURRENT_USER() AS who, DATABASE() AS db", probe)).toEqual([{ who: "probe@localhost", db: "probe" }]);
    const stranger = { user: "intntnllyInvalid", password: "" };
    await expect(mariadb.query("SELECT 1", stranger)).rejects.toThrow("Access denied for user 'intntnllyInvalid'@'localhost'");
    await mariadb.query("DROP USER probe@localhost; DROP DATABASE probe");
  });

  it("lets clients and PHP in by TCP, and by the name localhost", async () => {
    const { mariadb, home } = stage;
    const { hostname, port, username, password } = new URL(mariadb.masterDb);
    const php = `foreach (["host=$argv[1];port=$argv[2]", 'host=localhost'] as $place) {
      echo (new PDO("mysql:$place", $argv[3], $argv[4]))->query('SELECT @@port')->fetchColumn(), ' ';
    }`;
    expect((await home.user.run(["php", "-r", php, hostname, port, username, password], { env: mariadb.env })).stdout).toBe(`${port} ${port} `);
    const client = ["mariadb", "--no-defaults", `--user=${username}`, `--password=${password}`, "-Ne", "SELECT @@port"];
    expect((await home.user.run(client, { env: mariadb.env })).stdout.trim()).toBe(port);
  });

  it("serves a page of the stand-in from its database through Apache and PHP", async () => {
    const { home, apache, mariadb } = stage;
    const root = copyStandIn(home);
    const site = await makeSiteByHand(stage, { root, uri: "shown.test", databaseName: "shown", databaseHost: "localhost" });
    await home.user.run(["php", "scripts/stand-in.php", "--uri=shown.test", "--name=Shown site", "install"], { cwd: root, env: mariadb.env });
    expect((await apache.graceful()).status).toBe(0);
    const hits = async () => /class="hits">(\d+)</.exec((await apache.fetch("shown.test", "/")).body)?.[1];
    expect([await hits(), await hits()]).toEqual(["1", "2"]);
    await mariadb.query("UPDATE shown.stand_in_hits SET hits = 40");
    expect(await hits()).toBe("41");
    expect((await apache.fetch("shown.test", "/")).body).toContain(`(${site})`);
    expect(apache.phpErrors()).toBe("");
  });

  it("reloads at once, and refuses a broken configuration without losing the old one", async () => {
    const { home, apache } = stage;
    const configure = (status: number, more = ""): void => {
      const host = `<VirtualHost *:${apache.port}>\nServerName reload.test\nRedirect ${status} /\n${more}</VirtualHost>\n`;
      home.write("config/apache.conf", host);
    };
    const answer = async () => (await apache.fetch("reload.test", "/")).status;
    for (const status of [410, 404, 403, 410]) {
      configure(status);
      expect([(await apache.graceful()).status, await answer()]).toEqual([0, status]);
    }
    configure(404, "NoSuchDirective on\n");
    const refused = await apache.graceful();
    expect(refused.status).toBe(1);
    expect(refused.stderr).toMatch(/Invalid command 'NoSuchDirective'[^]*configuration is broken/);
    expect((await home.user.run([apache.control, "configtest"], { mayFail: true })).status).not.toBe(0);
    expect(await answer()).toBe(410);
    configure(404);
    expect((await home.user.run([apache.control, "-t"])).stderr).toContain("Syntax OK");
    expect((await home.user.run(["sh", "-c", apache.restartCommand])).status).toBe(0);
    expect(await answer()).toBe(404);
  });

  it("notes what is wrong in PHP code", async () => {
    const { home, apache } = stage;
    const page = home.write("platforms/wrong/page.php", "<?php echo $nothing, 'shown';");
    home.write("config/apache.conf", `<VirtualHost *:${apache.port}>
      ServerName wrong.test
      DocumentRoot ${dirname(page)}
    </VirtualHost>
    <Directory ${home.path}/platforms>
      Require all granted
    </Directory>`);
    await apache.graceful();
    expect((await apache.fetch("wrong.test", "/page.php")).body).toBe("shown");
    expect(apache.phpErrors()).toMatch(/Undefined variable \$nothing/);
    rmSync(join(apache.directory, "php.log"));
  });

  it("finds aegir's configuration through a link, as a distribution does", () => {
    expect(lstatSync(join(stage.apache.directory, "conf-enabled/aegir.conf")).isSymbolicLink()).toBe(true);
  });
});

describe("the end", () => {
  it("of a stage leaves no process and no file", async () => {
    const stage = await setStage();
    await stage.strike();
    await stage.strike();
    expect([isAlive(stage.mariadb.pid), isAlive(stage.apache.pid), existsSync(stage.home.beside)]).toEqual([false, false, false]);
  });

  it("of the tests, even a violent one, is the end of their servers", async () => {
    const home = makeAegirHome();
    const program = home.write("hold-a-stage.mjs", "");
    const contents = `import { setStage } from "./stage.ts";
      const { mariadb, apache, home } = await setStage();
      process.send({ pids: [mariadb.pid, apache.pid], beside: home.beside });
      setInterval(() => undefined, 1000);`;
    const stdin = { contents, resolveDir: import.meta.dirname, loader: "ts" } as const;
    await build({ stdin, bundle: true, platform: "node", format: "esm", packages: "external", outfile: program });
    const tests = spawn(process.execPath, [program], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    const { pids, beside } = await firstMessage(tests);
    expect(pids.map(isAlive)).toEqual([true, true]);
    tests.kill("SIGKILL");
    try {
      await until("the servers are gone", () => !pids.some(isAlive), 5000);
    } finally {
      for (const pid of pids.filter(isAlive)) process.kill(pid, "SIGKILL");
      rmSync(beside, { recursive: true, force: true });
      home.remove();
    }
  });
});

function firstMessage(child: ChildProcess): Promise<{ pids: number[]; beside: string }> {
  return new Promise((resolve, reject) => {
    child.once("message", (message) => resolve(message as { pids: number[]; beside: string }));
    child.once("exit", (code) => reject(new Error(`ended with ${code ?? "a signal"}`)));
  });
}
