import { mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { aliasFileText } from "./aliases/write-alias.ts";
import { siteDrushrcText } from "./aliases/write-drushrc.ts";
import { parseStdinOptions } from "./backend-protocol/stdin-options.ts";
import { asShimError, type ShimError } from "./errors/shim-error.ts";
import { readInvocation } from "./invocation.ts";
import { examineCall } from "./native-call.ts";
import { phpFrom, type PlainRecord } from "./php-values/convert.ts";
import type { PhpArray } from "./php-values/php-array.ts";
import { BackendReporter } from "./reporters/backend-reporter.ts";
import { Descriptor } from "./reporters/descriptor.ts";
import { runPlan } from "./task/run-plan.ts";
import { undoHandlers } from "./undo-handlers.ts";

export interface WarmUp {
  /** Of a database server on this machine that answers whatever it is asked. */
  readonly port: number;
  /** The program that does this command's calls. */
  readonly programOf: (command: string) => { readonly warmUpCall: typeof warmUpCall };
  /** Told what did not succeed: its code is only compiled that far. */
  readonly onFailure: (line: string) => void;
}

/**
 * Runs the everyday commands in a home of its own, so that V8 has compiled what they need when the build keeps its compiled code. Part of the build only.
 *
 * @param lib our folder lib/
 * @param platform a Drupal 7 root, read only
 */
export async function warmUp(lib: string, platform: string, { port, programOf, onFailure }: WarmUp): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), "shim-warm-up-"));
  try {
    const root = join(home, "platform");
    prepareHome(home, port);
    for (const folder of ["platform", "other"]) await copyFolder(platform, join(home, folder));
    mkdirSync(join(root, "sites/warm.test"), { recursive: true });
    const credentials = phpFrom({ db_type: "mysql", db_host: "127.0.0.1", db_port: String(port), db_name: "warm", db_user: "warm", db_passwd: "warm", installed: true }) as PhpArray;
    writeFileSync(join(root, "sites/warm.test/drushrc.php"), siteDrushrcText(credentials, join(root, "sites/warm.test")));
    for (const [command, ...words] of [
      ["provision-save", "@warm.test"],
      ["provision-verify", "@server_warm"],
      ["provision-verify", "@platform_warm"],
      ["provision-lock", "@platform_warm"],
      ["provision-unlock", "@platform_warm"],
      ["provision-disable", "@warm.test"],
      ["provision-enable", "@warm.test"],
      ["provision-verify", "@warm.test"],
      ["provision-login-reset", "@warm.test"],
      ["provision-backup", "@warm.test", join(home, "backups/warm.tar.gz")],
      ["provision-backup-delete", "@warm.test", join(home, "backups/warm.tar.gz")],
      ["provision-clone", "@warm.test", "@copy.test", "@platform_warm"],
      ["provision-backup", "@copy.test", join(home, "copy.tar.gz")],
      ["provision-restore", "@copy.test", join(home, "copy.tar.gz")],
      ["provision-migrate", "@copy.test", "@platform_other"],
      ["provision-delete", "@copy.test"],
    ] as const) {
      const [target, ...args] = command === "provision-save" ? ["", ...words] : words;
      const all = ["--backend=2", ...(target === "" ? [] : [target]), command, ...args];
      const failure = await programOf(command).warmUpCall({ home, lib, words: all });
      if (failure !== undefined) onFailure(`${all.join(" ")}: ${failure.message}`);
    }
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

/** What the clients of the database are here: they say what ours must hear, and read what it says. */
const DUMP_CLIENT = `#!/bin/sh
[ "$1" != --version ] || { echo "mariadb-dump Ver 10.19 Distrib 10.11.6-MariaDB"; exit; }
echo "-- Table structure for table cache"
printf "%1200s\\n" "-- warm"
echo "-- Dump completed"
`;
const LOAD_CLIENT = `#!/bin/sh
[ "$1" != --version ] || { echo "mariadb Ver 15.1 Distrib 10.11.6-MariaDB"; exit; }
exec cat >/dev/null
`;

function prepareHome(home: string, port: number): void {
  mkdirSync(join(home, ".drush"));
  const server = { context_type: "server", remote_host: "localhost", aegir_root: home, http_service_type: "apache", http_restart_cmd: "true", web_group: "nogroup" };
  const contexts: Readonly<Record<string, PlainRecord>> = {
    server_master: server,
    // Not localhost, whose socket may be that of a real server.
    server_warm: { ...server, remote_host: "127.0.0.1", db_service_type: "mysql", db_port: String(port), master_db: "mysql://warm:warm@127.0.0.1" },
    platform_warm: { context_type: "platform", web_server: "@server_master", root: join(home, "platform") },
    platform_other: { context_type: "platform", web_server: "@server_master", root: join(home, "other") },
    "warm.test": { context_type: "site", platform: "@platform_warm", db_server: "@server_warm", uri: "warm.test", aliases: ["www.warm.test"], profile: "minimal" },
  };
  for (const [name, record] of Object.entries(contexts)) writeFileSync(join(home, `.drush/${name}.alias.drushrc.php`), aliasFileText(name, phpFrom(record) as PhpArray));
  mkdirSync(join(home, "config/server_master/apache/vhost.d"), { recursive: true });
  mkdirSync(join(home, "config/server_master/apache/platform.d"), { recursive: true });
  for (const folder of ["backups", "bin"]) mkdirSync(join(home, folder));
  writeFileSync(join(home, "bin/mariadb-dump"), DUMP_CLIENT, { mode: 0o700 });
  writeFileSync(join(home, "bin/mariadb"), LOAD_CLIENT, { mode: 0o700 });
}

async function copyFolder(from: string, to: string): Promise<void> {
  const { cp } = await import("node:fs/promises");
  await cp(from, to, { recursive: true });
}

/** One call of a warm-up; answers what it failed with. */
export async function warmUpCall({ home, lib, words }: { readonly home: string; readonly lib: string; readonly words: readonly string[] }): Promise<ShimError | undefined> {
  const nowhere = new Descriptor(openSync("/dev/null", "w"));
  const reporter = new BackendReporter({ progress: () => undefined, stdout: nowhere, stderr: nowhere });
  const invocation = await readInvocation({ words, lib, cwd: home, variables: { HOME: home, PATH: `${home}/bin:/usr/bin:/bin`, PROVISION_SHIM_ETC: home } });
  const signal = new AbortController().signal;
  try {
    const native = await examineCall(invocation);
    const { options } = parseStdinOptions(Buffer.from(words.includes("provision-save") ? '{"client_name":"warm","aliases":"a.test,b.test"}' : '{"yes":true}'));
    const plan = await native.prepare(options, signal);
    const { errors } = await runPlan(plan, { stateDirectory: invocation.stateDirectory, sink: reporter.sink, dryRun: false, undoHandlers, signal, lockWaitMs: 1000 });
    reporter.end({ context: native.options.context(), self: native.record === undefined ? undefined : native.options.self(native.record) });
    return errors[0];
  } catch (thrown) {
    return asShimError(thrown);
  }
}
