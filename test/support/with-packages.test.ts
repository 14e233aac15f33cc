import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { adviceFor, installDebianPackages, missingFromDebian } from "../../scripts/with-packages/debian.mjs";
import { repositoryRoot } from "./repository.ts";
import { takeTestUser, type RunResult, type TestUser } from "./test-user.ts";

let directory: string;
let user: TestUser;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "shim-test-"));
  chmodSync(directory, 0o755);
  user = takeTestUser(directory);
});
afterEach(() => rmSync(directory, { recursive: true }));

/** A repository with nothing but the script under test, and programs that only note how they were called. */
function makeRepository(): { root: string; calls: () => string } {
  const root = join(directory, "repository");
  const notes = join(directory, "calls");
  mkdirSync(join(root, "node_modules"), { recursive: true });
  cpSync(join(repositoryRoot, "scripts/with-packages.mjs"), join(root, "scripts/with-packages.mjs"));
  cpSync(join(repositoryRoot, "scripts/with-packages"), join(root, "scripts/with-packages"), { recursive: true });
  write("repository/package-lock.json", "{}");
  write("repository/node_modules/.package-lock.json", "{}");
  write("repository/scripts/say.mjs", "process.stdin.pipe(process.stdout); console.log(process.argv.slice(2).join('|')); process.exitCode = 7;");
  write("repository/scripts/fall.mjs", "process.kill(process.pid, 'SIGTERM'); setTimeout(() => {}, 5000);");
  program("npm", `echo "npm $* in $PWD" >> '${notes}'; echo '{}' > node_modules/.package-lock.json`);
  writeFileSync(notes, "");
  chmodSync(notes, 0o666);
  user.own(root);
  return { root, calls: () => readFileSync(notes, "utf8") };
}

function write(path: string, text: string): void {
  mkdirSync(dirname(join(directory, path)), { recursive: true });
  writeFileSync(join(directory, path), text);
}

function program(name: string, body: string): void {
  write(`bin/${name}`, `#!/bin/sh\n${body}\n`);
  chmodSync(join(directory, "bin", name), 0o755);
}

function withPackages(args: readonly string[], input = ""): Promise<RunResult> {
  const env = { PATH: `${directory}/bin:${user.env["PATH"] ?? ""}` };
  return user.run([process.execPath, "repository/scripts/with-packages.mjs", ...args], { env, input, mayFail: true });
}

describe("with-packages", () => {
  it("runs the script with our streams, arguments and status, and nothing else when all is there", async () => {
    const { calls } = makeRepository();
    expect(await withPackages(["repository/scripts/say.mjs", "a", "b c"], "input")).toMatchObject({ status: 7, stdout: "a|b c\ninput", stderr: "" });
    expect(calls()).toBe("");
  });

  it("builds first when there is a build, and stops when that fails", async () => {
    makeRepository();
    write("repository/scripts/build.mjs", "console.error('building');");
    expect(await withPackages(["repository/scripts/say.mjs"])).toMatchObject({ status: 7, stderr: "building\n" });
    write("repository/scripts/build.mjs", "process.exit(4);");
    expect(await withPackages(["repository/scripts/say.mjs"])).toMatchObject({ status: 4, stdout: "" });
  });

  it("brings npm's packages when they are missing or older than the list", async () => {
    const { root, calls } = makeRepository();
    utimesSync(join(root, "node_modules/.package-lock.json"), 1000, 1000);
    await withPackages(["repository/scripts/say.mjs"]);
    expect(calls()).toBe(`npm ci --no-audit --no-fund in ${root}\n`);
    await withPackages(["repository/scripts/say.mjs"]);
    expect(calls()).toBe(`npm ci --no-audit --no-fund in ${root}\n`);
    rmSync(join(root, "node_modules/.package-lock.json"));
    program("npm", "exit 5");
    const { status, stdout, stderr } = await withPackages(["repository/scripts/say.mjs"]);
    expect([status, stdout, stderr]).toEqual([1, "", expect.stringContaining("ended with status 5")]);
  });

  it("tells an ordinary user what root has to do", async () => {
    makeRepository();
    program("php", "echo '[PHP Modules]'; echo gd; echo dom; echo xml");
    expect(await withPackages(["repository/scripts/say.mjs"])).toMatchObject({
      status: 1,
      stdout: "",
      stderr: "Not on this machine: the PHP extensions pdo_mysql and mysqli, the PHP extension mbstring. As root, run:\n"
        + "  apt-get update && apt-get install -y --no-install-recommends php-mysql php-mbstring\n",
    });
  });

  it("looks killed when the script was", async () => {
    makeRepository();
    expect((await withPackages(["repository/scripts/fall.mjs"])).signal).toBe("SIGTERM");
    expect((await withPackages([])).status).toBe(64);
  });
});

describe("what Debian has to bring", () => {
  let said: string[];
  beforeEach(() => {
    said = [];
    vi.spyOn(console, "error").mockImplementation((line: string) => void said.push(line));
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it("is named by what is missing", () => {
    const bare = { program: () => false, programLike: () => false, apacheModule: () => false, php: () => false };
    const packages = new Set(missingFromDebian(bare).map((missing) => missing.package));
    expect([...packages]).toEqual(["mariadb-server", "apache2", "nginx", "php-fpm", "openssl", "libapache2-mod-php", "php-cli", "openssh-client", "openssh-server", "rsync", "iproute2", "php-mysql", "php-gd", "php-xml", "php-mbstring"]);
    expect(missingFromDebian({ program: () => true, programLike: (pattern) => pattern.test("php-fpm8.2"), apacheModule: (pattern) => pattern.test("libphp8.2.so"), php: () => true })).toEqual([]);
    expect(adviceFor([{ name: "a", package: "p" }, { name: "b", package: "p" }])).toMatch(/a, b\. As root.*recommends p$/s);
  });

  const policies = ["none", "the administrator's", "ours, left by a killed run", "ours, with the administrator's saved"];
  it.each(policies)("is installed while no service may start (policy before: %s)", (before) => {
    const policyFile = join(directory, "policy-rc.d");
    let ours = "";
    installDebianPackages({ packages: [], policyFile, run: () => (ours = readFileSync(policyFile, "utf8")) });
    if (before === "the administrator's") writeFileSync(policyFile, "#!/bin/sh\n# theirs\n");
    if (before.startsWith("ours")) writeFileSync(policyFile, ours);
    if (before.endsWith("saved")) writeFileSync(`${policyFile}.before-provision-shim`, "#!/bin/sh\n# theirs\n");

    const calls: string[] = [];
    expect(() => installDebianPackages({
      packages: ["p", "q"],
      policyFile,
      run: (args) => {
        calls.push(args.join(" "));
        expect(readFileSync(policyFile, "utf8")).toBe(ours);
        if (args[0] === "install") throw new Error("no network");
      },
    })).toThrow("no network");
    expect(calls).toEqual(["update", "install -y --no-install-recommends p q"]);
    const theirs = before.includes("administrator's");
    expect(existsSync(policyFile) ? readFileSync(policyFile, "utf8") : "none").toBe(theirs ? "#!/bin/sh\n# theirs\n" : "none");
    expect(existsSync(`${policyFile}.before-provision-shim`)).toBe(false);
  });

  it("has a policy that says no", () => {
    const policyFile = join(directory, "policy-rc.d");
    const statuses: (number | null)[] = [];
    installDebianPackages({ packages: ["p"], policyFile, run: () => statuses.push(spawnSync(policyFile, ["mariadb", "start"]).status) });
    expect(statuses).toEqual([101, 101]);
    expect(said).toEqual(["with-packages: installing p with apt-get; no service is started"]);
  });
});
