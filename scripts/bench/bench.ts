import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BackendReader } from "../../src/backend-protocol/read-stream.ts";
import { openFrontEnd, openPlatform, installSite, SERVER, type FrontEnd } from "../../test/support/front-end.ts";
import { repositoryRoot } from "../../test/support/repository.ts";
import { fillSite, type BigSite } from "./big-site.ts";
import { command, quoted, type Line, type Place, type Side } from "./lines.ts";
import { becomeOwner, runner } from "./runner.ts";
import { withoutFrontEnd, wholeLife } from "./whole-life.ts";

export interface BenchSettings {
  /** How often each call is made by either side. */
  readonly rounds: number;
  /** Lines that have this text in their name; "" for all. */
  readonly only: string;
  /** A site of this size instead of the small one. */
  readonly big: BigSite | undefined;
  /** Instead, so many sites verified together. */
  readonly many: number | undefined;
  readonly drush: string | undefined;
  readonly aegirHome: string | undefined;
}

/** Prints the table; answers whether all limits were kept. */
export async function bench(settings: BenchSettings): Promise<boolean> {
  const place = settings.drush !== undefined && settings.aegirHome !== undefined ? realPlace(settings.drush, settings.aegirHome) : await standInPlace();
  try {
    say(place.realDrush === undefined ? "No SHIM_TEST_DRUSH and SHIM_TEST_AEGIR_ROOT: compared with `node -e 0`, on the stand-in." : `Compared with ${place.realDrush} on ${settings.aegirHome ?? ""}; medians of ${settings.rounds} calls each, in turns.`);
    say(`${"".padEnd(34)}${"ours".padStart(9)}${"theirs".padStart(9)}${"ratio".padStart(8)}   limit`);
    const results: boolean[] = [];
    if (settings.big !== undefined) return await bigSite(place, settings.big);
    if (settings.many !== undefined) return await manySites(place, settings.many);
    const lines = place.realDrush === undefined ? ownLines(place) : linesAgainst(place, place.realDrush);
    for (const line of lines.filter(({ what }) => what.includes(settings.only))) results.push(await measure(place, line, settings.rounds));
    if (settings.only === "") results.push(await memory(place), parsing());
    return results.every(Boolean);
  } finally {
    await place.close();
  }
}

function linesAgainst(place: Place, real: string): Line[] {
  const { server, platform, site, uri } = place;
  const both = (what: string, words: readonly string[], more: { limit?: Line["limit"]; stdin?: string; before?: readonly string[] } = {}): Line => ({
    what,
    ours: command(place.drush, words, more.stdin),
    theirs: command(real, words, more.stdin),
    ...(more.limit === undefined ? {} : { limit: more.limit }),
    ...(more.before === undefined ? {} : { before: { ours: command(place.drush, more.before), theirs: command(real, more.before) } }),
  });
  // A value that is the same each time, as when the front end saves before every task.
  const saved = JSON.stringify({ context_type: "site", platform: `@${platform}`, uri });
  return [
    both("provision-save", ["--root=", `--uri=${uri}`, "provision-save", `@${site}`], { limit: { ratio: 0.85 }, stdin: saved }),
    both("provision-verify server", [`@${server}`, "provision-verify"], { limit: { ratio: 0.6 } }),
    both("provision-verify platform", [`@${platform}`, "provision-verify"], { limit: { ratio: 0.5 } }),
    both("provision-verify site", [`@${site}`, "provision-verify"], { limit: { ratio: 0.35 } }),
    both("provision-disable (an enabled site)", [`@${site}`, "provision-disable"], { limit: { ratio: 0.7 }, before: [`@${site}`, "provision-enable"] }),
    both("provision-enable (a disabled site)", [`@${site}`, "provision-enable"], { limit: { ratio: 0.7 }, before: [`@${site}`, "provision-disable"] }),
    both("provision-enable (an enabled site)", [`@${site}`, "provision-enable"], { limit: { ratio: 0.7 } }),
    both("provision-lock", [`@${platform}`, "provision-lock"]),
    both("provision-unlock", [`@${platform}`, "provision-unlock"]),
    ...wholeLife(place, real),
    { what: "handed over: --version", ours: { words: [place.drush, "--version"] }, theirs: { words: [real, "--version"] }, limit: { moreMs: 15 } },
    ...startUp(place),
  ];
}

function ownLines(place: Place): Line[] {
  const line = (what: string, words: readonly string[]): Line => ({ what, ours: command(place.drush, words), theirs: { words: ["node", "-e", "0"] } });
  return [
    line("provision-verify server", [`@${place.server}`, "provision-verify"]),
    line("provision-verify platform", [`@${place.platform}`, "provision-verify"]),
    line("provision-verify site", [`@${place.site}`, "provision-verify"]),
    line("provision-login-reset", [`@${place.site}`, "provision-login-reset"]),
    { ...line("provision-disable (an enabled site)", [`@${place.site}`, "provision-disable"]), before: { ours: command(place.drush, [`@${place.site}`, "provision-enable"]), theirs: { words: ["true"] } } },
    { ...line("provision-enable (a disabled site)", [`@${place.site}`, "provision-enable"]), before: { ours: command(place.drush, [`@${place.site}`, "provision-disable"]), theirs: { words: ["true"] } } },
    line("provision-backup", [`@${place.site}`, "provision-backup"]),
    ...startUp(place),
  ];
}

function startUp(place: Place): Line[] {
  const node = { words: ["node", "-e", "0"] };
  return [
    { what: "start: provision --version", ours: { words: [place.provision, "--version"] }, theirs: node, limit: { ratio: 1.35 } },
    { what: "start: drush, a call with no context", ours: { words: ["sh", "-c", `${quoted(place.drush)} --backend=2 provision-lock; [ $? = 1 ]`] }, theirs: node },
  ];
}

async function measure(place: Place, { what, ours, theirs, limit, before, after = [], atMost = Infinity }: Line, wanted: number): Promise<boolean> {
  const rounds = Math.min(wanted, atMost);
  const times = { ours: [] as number[], theirs: [] as number[] };
  // The first round warms the caches of both and does not count.
  for (let round = 0; round <= rounds; round++) {
    for (const side of round % 2 === 0 ? (["theirs", "ours"] as const) : (["ours", "theirs"] as const)) {
      const { words, stdin } = side === "ours" ? ours : theirs;
      if (before !== undefined) await place.run(before[side].words);
      const { milliseconds, status } = await place.run(words, stdin);
      if (status !== 0 && !(side === "theirs" && TOLERATED.has(what))) throw new Error(`${words.join(" ")} ended with status ${status}.`);
      if (round > 0) times[side].push(milliseconds);
    }
  }
  for (const { words } of after) await place.run(words);
  const own = median(times.ours);
  const other = median(times.theirs);
  const kept = limit === undefined || ("ratio" in limit ? own / other <= limit.ratio : own - other <= limit.moreMs);
  const said = limit === undefined ? "" : "ratio" in limit ? `≤ ${limit.ratio}` : `≤ ${limit.moreMs} ms more: ${(own - other).toFixed(1)} ms`;
  say(`${what.padEnd(34)}${ms(own)}${ms(other)}${(own / other).toFixed(2).padStart(8)}   ${said}${kept ? "" : "  NOT KEPT"}`);
  return kept;
}

/** Lines in which the original fails by what it is run on: without a network its installer's messages count as errors. */
const TOLERATED: ReadonlySet<string> = new Set(["provision-install"]);

/** Peak memory of the program in one call, told by the kernel at its end. */
async function memory(place: Place): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), "shim-bench-"));
  try {
    const env = tellMemory(folder);
    place.giveToUser(folder);
    for (const context of [place.server, place.platform, place.site]) await place.run(command(place.drush, [`@${context}`, "provision-verify"]).words, undefined, env);
    const most = peakMemory(folder);
    return tell("memory of a verify, the most of 3", `${most.toFixed(0)} MB`, "≤ 120 MB", most > 0 && most <= 120);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Backup and clone of a large site, once by each side, and our memory. */
async function bigSite(place: Place, big: BigSite): Promise<boolean> {
  if (place.realDrush === undefined) throw new Error("A large site needs a real drush to be compared with.");
  say(`Filling ${place.directory} with a database of ${big.megabytes} MB and ${big.files} files …`);
  await fillSite(place.directory, big);
  const real = place.realDrush;
  const kept: boolean[] = [];
  for (const [what, words] of [
    ["backup", (side: Side) => [`@${place.site}`, "provision-backup", join(place.backups, `bench-big-${side}.tar.gz`)]],
    ["clone", (side: Side) => [`@${place.site}`, "provision-clone", `@bench-big-${side}.test`, `@${place.other}`]],
  ] as const) {
    const theirs = await place.run(command(real, words("theirs")).words);
    const told = mkdtempSync(join(tmpdir(), "shim-bench-"));
    const ours = await place.run(command(place.drush, words("ours")).words, undefined, tellMemory(told));
    if (ours.status !== 0 || theirs.status !== 0) throw new Error(`The ${what} failed: ours with status ${ours.status}, theirs with ${theirs.status}.`);
    const ratio = ours.milliseconds / theirs.milliseconds;
    const peak = peakMemory(told);
    say(`${`${what} of the large site`.padEnd(34)}${ms(ours.milliseconds)}${ms(theirs.milliseconds)}${ratio.toFixed(2).padStart(8)}   ≤ 0.6, memory ${peak.toFixed(0)} MB ≤ 200 MB${ratio <= 0.6 && peak <= 200 ? "" : "  NOT KEPT"}`);
    kept.push(ratio <= 0.6 && peak <= 200);
    rmSync(told, { recursive: true });
    for (const side of ["ours", "theirs"]) rmSync(join(place.backups, `bench-big-${side}.tar.gz`), { force: true });
  }
  return kept.every(Boolean);
}

/** A platform of so many sites, verified together by us and, some of them, one by one by drush. */
async function manySites(place: Place, count: number): Promise<boolean> {
  const { realDrush, site, platform, drush, provision, run } = place;
  if (realDrush === undefined) throw new Error("Many sites need a real drush to be compared with.");
  const names = Array.from({ length: count }, (_, index) => `bench-many-${index}.test`);
  say(`Making ${count} sites on @${platform} …`);
  for (const name of names) await run(["sh", "-c", withoutFrontEnd(`[ -e ~/.drush/${name}.alias.drushrc.php ] || ${quoted(drush)} @${site} provision-clone @${name} @${platform}`)]);
  const changeAll = `rm -f ~/config/${place.server}/apache/vhost.d/bench-many-*`;
  const measured = names.slice(0, MEASURED_OF_MANY);
  let theirs = 0;
  for (const name of measured) theirs += (await run(command(realDrush, [`@${name}`, "provision-verify"]).words)).milliseconds;
  theirs *= count / measured.length;
  const kept: boolean[] = [];
  // The first call counts for nothing: it is not known yet what the sites are like.
  for (const [what, before, limit] of [["", "true", Infinity], ["unchanged", "true", 0.05], ["changed", changeAll, 0.2]] as const) {
    await run(["sh", "-c", before]);
    const ours = await run([provision, "verify", `--platform=@${platform}`]);
    if (ours.status !== 0) throw new Error(`The verify of many ended with status ${ours.status}.`);
    if (what === "") continue;
    const ratio = ours.milliseconds / theirs;
    say(`${`verify of ${count} ${what} sites`.padEnd(34)}${ms(ours.milliseconds)}${ms(theirs)}${ratio.toFixed(3).padStart(8)}   ≤ ${limit}${ratio <= limit ? "" : "  NOT KEPT"}`);
    kept.push(ratio <= limit);
  }
  return kept.every(Boolean);
}

/** So many are verified by drush; the rest is taken to be as slow. */
const MEASURED_OF_MANY = 20;

/** The environment in which our program notes its peak memory in the folder. */
function tellMemory(folder: string): NodeJS.ProcessEnv {
  const hook = join(folder, "tell.cjs");
  writeFileSync(hook, `process.on("exit", () => require("node:fs").appendFileSync(${JSON.stringify(join(folder, "told"))}, process.resourceUsage().maxRSS + "\\n"));\n`);
  writeFileSync(join(folder, "told"), "");
  return { NODE_OPTIONS: `--require ${hook}` };
}

/** Megabytes. */
function peakMemory(folder: string): number {
  return Math.max(0, ...readFileSync(join(folder, "told"), "utf8").trim().split("\n").map(Number)) / 1024;
}

/** 100 MB of a child's answer as drush sends it: log packets and noise in pieces of a pipe's size, and a frame at the end. */
function parsing(): boolean {
  const packet = Buffer.from(`\0DRUSH_BACKEND:{"type":"notice","message":"${"A line of a log, as long as they are. ".repeat(4)}","memory":10000000,"error":null,"packet":"log"}\0\n`);
  const noise = Buffer.from("PHP prints a warning now and then\n".repeat(3));
  const frame = Buffer.from(`\0DRUSH_BACKEND_OUTPUT_START>>>{"output":"${"x".repeat(1 << 20)}","error_status":0,"log":[],"error_log":{},"context":{},"object":true}<<<DRUSH_BACKEND_OUTPUT_END\0`);
  const body = Buffer.concat(Array.from({ length: Math.ceil((100e6 - frame.length) / (packet.length + noise.length)) }, () => [packet, noise]).flat());
  const stream = Buffer.concat([body, frame]);
  const times = [1, 2, 3].map(() => {
    const reader = new BackendReader();
    const began = performance.now();
    let packets = 0;
    for (let at = 0; at < stream.length; at += 65_536) packets += reader.push(stream.subarray(at, at + 65_536)).filter(({ kind }) => kind === "packet").length;
    const { outcome } = reader.end(0);
    if (outcome.kind !== "frame" || packets === 0) throw new Error("The stream was not understood.");
    return performance.now() - began;
  });
  const best = median(times);
  return tell(`parsing ${Math.round(stream.length / 1e6)} MB of stream`, `${best.toFixed(0)} ms`, "≤ 1000 ms", best <= 1000);
}

function tell(what: string, value: string, limit: string, kept: boolean): boolean {
  say(`${what.padEnd(34)}${value.padStart(9)}${"".padStart(17)}   ${limit}${kept ? "" : "  NOT KEPT"}`);
  return kept;
}

/** The contexts of a real Aegir: its first server, and a Drupal 7 site with its platform that is not the front end's own. */
function realPlace(realDrush: string, home: string): Place {
  becomeOwner(statSync(home));
  const program = mkdtempSync(join(tmpdir(), "shim-bench-"));
  for (const part of ["bin", "lib", "dist", "php"]) cpSync(join(repositoryRoot, part), join(program, part), { recursive: true });
  const records = readdirSync(join(home, ".drush")).flatMap((file) => {
    const name = /^(.+)\.alias\.drushrc\.php$/.exec(file)?.[1];
    return name === undefined ? [] : [{ name, text: readFileSync(join(home, ".drush", file), "utf8") }];
  });
  const property = (text: string, key: string): string => new RegExp(`'${key}' => '([^']*)'`).exec(text)?.[1] ?? "";
  const sites = records.filter(({ text }) => property(text, "context_type") === "site" && property(text, "profile") === "standard" && text.includes("'site_enabled' => true"));
  const site = sites.sort((a, b) => (a.name < b.name ? -1 : 1))[0];
  const server = records.find(({ text }) => property(text, "context_type") === "server");
  const other = records.find(({ name, text }) => property(text, "context_type") === "platform" && `@${name}` !== property(site?.text ?? "", "platform") && existsSync(join(property(text, "root"), "profiles/standard")) && !existsSync(join(property(text, "root"), "profiles/hostmaster")));
  if (site === undefined || server === undefined || other === undefined) throw new Error(`${home} has no server, site and second platform to measure.`);
  return {
    run: runner(home, { PROVISION_SHIM_DRUSH: realDrush }, []),
    drush: join(program, "bin/drush"),
    provision: join(program, "bin/provision"),
    server: server.name,
    platform: property(site.text, "platform").slice(1),
    site: site.name,
    uri: property(site.text, "uri"),
    other: other.name,
    backups: property(server.text, "backup_path"),
    directory: property(site.text, "site_path"),
    realDrush,
    giveToUser: () => undefined,
    close: () => {
      rmSync(program, { recursive: true });
      return Promise.resolve();
    },
  };
}

async function standInPlace(): Promise<Place> {
  const frontEnd: FrontEnd = await openFrontEnd();
  const { user } = frontEnd.stage.home;
  try {
    const root = await openPlatform(frontEnd);
    await installSite(frontEnd, root, "bench.test");
  } catch (error) {
    await frontEnd.strike();
    throw error;
  }
  const prefix = process.getuid?.() === 0 ? ["setpriv", `--reuid=${user.uid}`, `--regid=${user.gid}`, "--init-groups", "--"] : [];
  return {
    run: runner(frontEnd.home, frontEnd.env, prefix),
    drush: frontEnd.drush,
    provision: frontEnd.provision,
    server: SERVER,
    platform: "platform_standin",
    site: "bench.test",
    uri: "bench.test",
    other: "",
    backups: join(frontEnd.home, "backups"),
    directory: "",
    realDrush: undefined,
    giveToUser: user.own,
    close: frontEnd.strike,
  };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function ms(value: number): string {
  return `${value.toFixed(0)} ms`.padStart(9);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
