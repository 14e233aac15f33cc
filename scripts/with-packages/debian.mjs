import { spawnSync } from "node:child_process";
import { accessSync, chmodSync, constants, existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";

const MODULES = "/usr/lib/apache2/modules";
const POLICY = "#!/bin/sh\n# Of provision-shim's scripts/with-packages.mjs, while it installs packages: no service may be started.\nexit 101\n";

/** What the servers of the tests and of the demo need, and which package of Debian brings it. */
const NEEDS = [
  { name: "the program mariadbd", package: "mariadb-server", isThere: (has) => has.program("mariadbd") && has.program("mariadb-install-db") },
  { name: "the program mariadb-dump", package: "mariadb-server", isThere: (has) => has.program("mariadb-dump") && has.program("mariadb") },
  { name: "the program apache2", package: "apache2", isThere: (has) => has.program("apache2") },
  { name: "the program nginx", package: "nginx", isThere: (has) => has.program("nginx") },
  { name: "the program php-fpm", package: "php-fpm", isThere: (has) => has.programLike(/^php-fpm\d/) },
  { name: "the program openssl", package: "openssl", isThere: (has) => has.program("openssl") },
  { name: "the PHP module of Apache", package: "libapache2-mod-php", isThere: (has) => has.apacheModule(/^libphp\d.*\.so$/) },
  { name: "the program php", package: "php-cli", isThere: (has) => has.program("php") },
  { name: "the program ssh", package: "openssh-client", isThere: (has) => has.program("ssh") && has.program("ssh-keygen") },
  { name: "the program sshd", package: "openssh-server", isThere: (has) => has.program("sshd") },
  { name: "the program rsync", package: "rsync", isThere: (has) => has.program("rsync") },
  { name: "the program ip", package: "iproute2", isThere: (has) => has.program("ip") },
  { name: "the PHP extensions pdo_mysql and mysqli", package: "php-mysql", isThere: (has) => has.php("pdo_mysql") && has.php("mysqli") },
  { name: "the PHP extension gd", package: "php-gd", isThere: (has) => has.php("gd") },
  { name: "the PHP extensions dom and xml", package: "php-xml", isThere: (has) => has.php("dom") && has.php("xml") },
  { name: "the PHP extension mbstring", package: "php-mbstring", isThere: (has) => has.php("mbstring") },
];

/**
 * Makes sure that the packages are there: as root installs what is missing; as anybody else throws with the command that root should run.
 */
export function bringDebianPackages() {
  const missing = missingFromDebian();
  if (missing.length === 0) return;
  if (process.getuid() !== 0) throw new Error(adviceFor(missing));
  installDebianPackages({ packages: packagesOf(missing) });
  const stillMissing = missingFromDebian();
  if (stillMissing.length > 0) throw new Error(`After the installation there is still not: ${namesOf(stillMissing)}.`);
}

/** What is not there, as { name, package }. `has` takes the place of the machine in tests. */
export function missingFromDebian(has = thisMachine()) {
  return NEEDS.filter((need) => !need.isThere(has)).map(({ name, package: debianPackage }) => ({ name, package: debianPackage }));
}

export function adviceFor(missing) {
  return `Not on this machine: ${namesOf(missing)}. As root, run:\n  apt-get update && apt-get install -y --no-install-recommends ${packagesOf(missing).join(" ")}`;
}

function namesOf(missing) {
  return missing.map(({ name }) => name).join(", ");
}

function packagesOf(missing) {
  return [...new Set(missing.map(({ package: debianPackage }) => debianPackage))];
}

function thisMachine() {
  const path = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/sbin"];
  const program = (name) => path.some((directory) => directory !== "" && isExecutable(join(directory, name)));
  const programLike = (pattern) => path.some((directory) => existsSync(directory) && readdirSync(directory).some((name) => pattern.test(name) && isExecutable(join(directory, name))));
  let extensions;
  return {
    program,
    programLike,
    apacheModule: (pattern) => existsSync(MODULES) && readdirSync(MODULES).some((file) => pattern.test(file)),
    php: (extension) => {
      extensions ??= program("php") ? spawnSync("php", ["-m"], { encoding: "utf8" }).stdout.toLowerCase().split("\n") : [];
      return extensions.includes(extension);
    },
  };
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * Installs packages without starting their services: the tests start servers of their own. The file by which Debian asks whether it may start a
 * service is ours for that time only. `policyFile` and `run` take the place of the machine in tests.
 */
export function installDebianPackages({ packages, policyFile = "/usr/sbin/policy-rc.d", run = runApt }) {
  console.error(`with-packages: installing ${packages.join(", ")} with apt-get; no service is started`);
  const saved = `${policyFile}.before-provision-shim`;
  // A run that was killed leaves our file in place, and the real one, if there was one, saved.
  if (existsSync(policyFile) && readFileSync(policyFile, "utf8") !== POLICY) renameSync(policyFile, saved);
  // Ctrl-C ends apt-get; we go on to put things back.
  const goOn = () => undefined;
  process.on("SIGINT", goOn).on("SIGTERM", goOn);
  try {
    writeFileSync(policyFile, POLICY);
    chmodSync(policyFile, 0o755);
    run(["update"]);
    run(["install", "-y", "--no-install-recommends", ...packages]);
  } finally {
    rmSync(policyFile, { force: true });
    if (existsSync(saved)) renameSync(saved, policyFile);
    process.off("SIGINT", goOn).off("SIGTERM", goOn);
  }
}

/** Somebody else may be installing: waits for up to a quarter of an hour. apt-get itself waits only for one of its two locks. */
function runApt(args) {
  const deadline = Date.now() + 900_000;
  for (;;) {
    const { status, stderr, error } = spawnSync("apt-get", ["-o", "DPkg::Lock::Timeout=900", ...args], {
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C.UTF-8" },
      // What it says goes to our error stream: the output belongs to the script that is run afterwards.
      stdio: ["ignore", process.stderr, "pipe"],
      encoding: "utf8",
    });
    process.stderr.write(stderr ?? "");
    if (error !== undefined) throw new Error(`apt-get could not be started: ${error.message}`);
    if (status === 0) return;
    if (!/could not get lock|unable to (lock|acquire)/i.test(stderr) || Date.now() > deadline) {
      throw new Error(`"apt-get ${args.join(" ")}" ended with status ${status}.`);
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2000);
  }
}
