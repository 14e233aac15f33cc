import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { FRAME_END, FRAME_START } from "../../src/backend-protocol/markers.ts";
import { setErrorPacket } from "../../src/backend-protocol/write-packet.ts";
import { good, installSite, openFrontEnd, openPlatform, SERVER, writeAlias, type BackendAnswer, type FrontEnd } from "../support/front-end.ts";
import { copyStandIn } from "../support/stand-in.ts";
import { failedWith, failure } from "../support/system-checks.ts";
import { leftovers, worldOf } from "../support/world.ts";

let frontEnd: FrontEnd;
let root: string;
let log: string;
let fails: string;
/** What the front end would save for the site. */
let asked: string;
let env: NodeJS.ProcessEnv;

const FRAME = `${FRAME_START}{"output":"","object":[],"error_status":0,"log":[],"error_log":[],"context":[]}${FRAME_END}`;

beforeAll(async () => {
  frontEnd = await openFrontEnd();
  root = await openPlatform(frontEnd);
  const { beside, user } = frontEnd.stage.home;
  await good(frontEnd.save("platform_other", { context_type: "platform", server: `@${SERVER}`, web_server: `@${SERVER}`, root: copyStandIn(frontEnd.stage.home, "other") }));
  await good(frontEnd.task("platform_other", "verify"));
  await installSite(frontEnd, root, "site.test");
  await good(frontEnd.task("site.test", "verify"));
  [log, fails, asked] = [join(beside, "calls.log"), join(beside, "fails"), join(beside, "asked.json")];
  writeFileSync(join(beside, "refusal"), setErrorPacket("HOSTING_INVALID_TASK", "This is not known to the front end"));
  // What drush does in `@hostmaster hosting-task @x verify --force`: it calls its own program, which is us, and answers in the protocol.
  const drush = join(beside, "real-drush");
  writeFileSync(drush, `#!/bin/sh
[ "$4" = hosting-task ] || { echo "not for me: $*" >>${log}; exit 3; }
echo "begin $* with $(ls ${frontEnd.home}/platforms/other/sites | tr '\\n' ' ')" >>${log}
if [ "$(cat ${fails} 2>/dev/null)" = "$5" ]; then
  cat ${join(beside, "refusal")} >&2
  status=1
else
  [ ! -e ${asked} ] || ${frontEnd.drush} --backend=2 --root= --uri= provision-save "$5" <${asked} >/dev/null 2>&1
  ${frontEnd.drush} --backend=2 "$5" provision-verify </dev/null >/dev/null 2>&1
  status=$?
fi
echo "end $5 $status" >>${log}
printf '%s' '${FRAME}'
exit $status
`);
  chmodSync(drush, 0o755);
  user.own(beside);
  env = { PROVISION_SHIM_DRUSH: drush };
  writeAlias(frontEnd, "hostmaster", { context_type: "site", platform: "@platform_standin", server: `@${SERVER}`, db_server: `@${SERVER}`, uri: "aegir.test", root, site_path: join(root, "sites/aegir.test"), site_enabled: true, client_name: "admin", profile: "standard" });
}, 300_000);
afterAll(() => frontEnd.strike());
beforeEach(() => {
  for (const file of [log, fails, asked]) rmSync(file, { force: true });
});

function task(name: string, command: string, ...args: string[]): Promise<BackendAnswer> {
  return frontEnd.task(name, command, { args, env, timeout: 120_000 });
}

function calls(): string[] {
  return existsSync(log) ? readFileSync(log, "utf8").trim().split("\n") : [];
}

function begun(): string[] {
  return calls().filter((line) => line.startsWith("begin")).map((line) => line.replace(/ with .*/, "").replace(/^begin /, ""));
}

/** The world but for what the front end's own verifies do: a platform's list of sites, and caches emptied. */
async function asBefore(): Promise<unknown> {
  const { files, databases, accounts } = await worldOf(frontEnd, { without: /sites\/all\/drush\/drushrc\.php$/ });
  return { files, databases: Object.keys(databases), accounts };
}

const verify = (context: string): string => `--backend=2 --yes @hostmaster hosting-task ${context} verify --force`;

it("commands 13, 91, 92: a clone has both platforms and the source verified, before the copy is there, and the source once more", async () => {
  await good(task("site.test", "clone", "@copy.test", "@platform_other"));
  expect(begun().sort()).toEqual([verify("@platform_other"), verify("@platform_standin"), verify("@site.test"), verify("@site.test")]);
  expect(calls().filter((line) => line.startsWith("end"))).toEqual(expect.arrayContaining(["end @platform_other 0", "end @platform_standin 0", "end @site.test 0"]));
  // A platform's verify must not report a site that the front end does not know.
  for (const line of calls().filter((call) => call.includes("@platform_"))) expect(line).not.toContain("copy.test");
  expect(leftovers(frontEnd)).toEqual([]);
});

it("commands 91: a migrate has the site and both platforms verified, a rename on one platform nothing", async () => {
  await good(task("copy.test", "migrate", "@platform_standin"));
  expect(begun().sort()).toEqual([verify("@copy.test"), verify("@platform_other"), verify("@platform_standin")]);
  expect(begun()[0]).toBe(verify("@copy.test"));
  // What the front end has saved in the middle stays.
  writeFileSync(asked, JSON.stringify({ aliases: "www.copy.test", client_name: "somebody" }));
  await good(task("copy.test", "migrate", "@platform_standin"));
  const alias = readFileSync(join(frontEnd.home, ".drush/copy.test.alias.drushrc.php"), "utf8");
  expect([alias.includes("0 => 'www.copy.test'"), alias.includes("'client_name' => 'somebody'")]).toEqual([true, true]);
  expect((await frontEnd.stage.apache.fetch("www.copy.test", "/")).status).toBe(200);
  rmSync(asked);
  rmSync(log);
  await good(task("copy.test", "migrate", "@platform_standin", "@named.test"));
  expect(begun()).toEqual([]);
  expect((await frontEnd.stage.apache.fetch("named.test", "/")).status).toBe(200);
});

it.each(["@platform_other", "@named.test"])("commands 5, 108: %s, which the front end refuses to verify, stops a migrate before anything is deployed", async (context) => {
  writeFileSync(fails, context);
  const before = await asBefore();
  const answer = await task("named.test", "migrate", "@platform_other");
  expect(failure(answer)).toEqual(failedWith("HOSTING_INVALID_TASK"));
  expect(answer.messages["HOSTING_INVALID_TASK"]).toBe("This is not known to the front end");
  expect(await asBefore()).toEqual(before);
  expect(leftovers(frontEnd)).toEqual([]);
});

it("commands 110: an import has the site verified, and so gets the aliases and the redirection that were asked for", async () => {
  writeFileSync(asked, JSON.stringify({ aliases: "www.named.test", redirection: "www.named.test" }));
  await good(task("named.test", "import"));
  expect(begun()).toEqual([verify("@named.test")]);
  const alias = readFileSync(join(frontEnd.home, ".drush/named.test.alias.drushrc.php"), "utf8");
  expect([alias.includes("0 => 'www.named.test'"), alias.includes("'redirection' => 'www.named.test'")]).toEqual([true, true]);
  expect((await frontEnd.stage.apache.fetch("www.named.test", "/")).status).toBe(200);
});

it("a front end without a drush that could run it is an error, and nothing is changed", async () => {
  const before = await worldOf(frontEnd);
  expect(failure(await frontEnd.task("named.test", "migrate", { args: ["@platform_other"] }))).toEqual(failedWith("PROVISION_NO_REAL_DRUSH"));
  expect(await worldOf(frontEnd)).toEqual(before);
});
