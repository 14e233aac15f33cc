import { mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { aliasFileText } from "./aliases/write-alias.ts";
import { siteDrushrcText } from "./aliases/write-drushrc.ts";
import { parseStdinOptions } from "./backend-protocol/stdin-options.ts";
import { readInvocation } from "./invocation.ts";
import { examineCall } from "./native-call.ts";
import { phpFrom, type PlainRecord } from "./php-values/convert.ts";
import type { PhpArray } from "./php-values/php-array.ts";
import { BackendReporter } from "./reporters/backend-reporter.ts";
import { Descriptor } from "./reporters/descriptor.ts";
import { runPlan } from "./task/run-plan.ts";
import { undoHandlers } from "./undo-handlers.ts";

/**
 * Runs the everyday commands in a home of its own, without database, so that V8 has compiled what they need when the build keeps its compiled code. Part
 * of the build only.
 *
 * @param lib our folder lib/
 * @param platform a Drupal 7 root, read only
 */
export async function warmUp(lib: string, platform: string): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), "shim-warm-up-"));
  try {
    const root = join(home, "platform");
    prepareHome(home, root);
    await copyFolder(platform, root);
    mkdirSync(join(root, "sites/warm.test"), { recursive: true });
    const credentials = phpFrom({ db_type: "mysql", db_host: "127.0.0.1", db_port: "1", db_name: "warm", db_user: "warm", db_passwd: "warm", installed: true }) as PhpArray;
    writeFileSync(join(root, "sites/warm.test/drushrc.php"), siteDrushrcText(credentials, join(root, "sites/warm.test")));
    for (const words of [
      ["provision-save", "@warm.test"],
      ["@server_warm", "provision-verify"],
      ["@platform_warm", "provision-verify"],
      ["@platform_warm", "provision-lock"],
      ["@warm.test", "provision-disable"],
      ["@warm.test", "provision-enable"],
      ["@warm.test", "provision-verify"],
      ["@warm.test", "provision-backup"],
    ]) {
      await call({ home, lib, words: ["--backend=2", ...words] });
    }
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

function prepareHome(home: string, root: string): void {
  mkdirSync(join(home, ".drush"));
  const server = { context_type: "server", remote_host: "localhost", aegir_root: home, http_service_type: "apache", http_restart_cmd: "true", web_group: "nogroup" };
  const contexts: Readonly<Record<string, PlainRecord>> = {
    server_master: server,
    server_warm: { ...server, db_service_type: "mysql", db_port: "1", master_db: "mysql://warm:warm@127.0.0.1" },
    platform_warm: { context_type: "platform", web_server: "@server_master", root },
    "warm.test": { context_type: "site", platform: "@platform_warm", db_server: "@server_master", uri: "warm.test", aliases: ["www.warm.test"], profile: "standard" },
  };
  for (const [name, record] of Object.entries(contexts)) writeFileSync(join(home, `.drush/${name}.alias.drushrc.php`), aliasFileText(name, phpFrom(record) as PhpArray));
  mkdirSync(join(home, "config/server_master/apache/vhost.d"), { recursive: true });
  mkdirSync(join(home, "config/server_master/apache/platform.d"), { recursive: true });
}

async function copyFolder(from: string, to: string): Promise<void> {
  const { cp } = await import("node:fs/promises");
  await cp(from, to, { recursive: true });
}

async function call({ home, lib, words }: { readonly home: string; readonly lib: string; readonly words: readonly string[] }): Promise<void> {
  const nowhere = new Descriptor(openSync("/dev/null", "w"));
  const reporter = new BackendReporter({ progress: () => undefined, stdout: nowhere, stderr: nowhere });
  const invocation = await readInvocation({ words, lib, cwd: home, variables: { HOME: home, PATH: "/usr/bin:/bin", PROVISION_SHIM_ETC: home } });
  const signal = new AbortController().signal;
  try {
    const native = await examineCall(invocation);
    const { options } = parseStdinOptions(Buffer.from('{"client_name":"warm","aliases":"a.test,b.test","yes":true}'));
    const plan = await native.prepare(options, signal);
    await runPlan(plan, { stateDirectory: invocation.stateDirectory, sink: reporter.sink, dryRun: false, undoHandlers, signal, lockWaitMs: 1000 });
    reporter.end({ context: native.options.context(), self: native.record === undefined ? undefined : native.options.self(native.record) });
  } catch {
    // Calls that need a database end here, with their code compiled that far.
  }
}
