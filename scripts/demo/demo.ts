import { readdirSync, statSync } from "node:fs";
import { cpSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { siteDrushrcText } from "../../src/aliases/write-drushrc.ts";
import { PhpArray } from "../../src/php-values/php-array.ts";
import { answer, openFrontEnd, SERVER, serverOptions, type BackendAnswer, type CallOptions, type FrontEnd } from "../../test/support/front-end.ts";
import { copyStandIn } from "../../test/support/stand-in.ts";

export interface DemoSettings {
  /** Root of a real Drupal 7; unset: the stand-in of this repository. */
  readonly drupal: string | undefined;
  /** A real drush for what is not native. */
  readonly drush: string | undefined;
}

const URI = "demo.test";

/** Plays the front end of Aegir on a home of its own; returns how many things were not as they should be. */
export async function demo(settings: DemoSettings): Promise<number> {
  say(`provision-shim: the front end's everyday tasks, on a private ${settings.drupal === undefined ? "home with the stand-in for Drupal 7" : `home with ${settings.drupal}`}`);
  const frontEnd = await openFrontEnd();
  const play = new Play(frontEnd, settings);
  try {
    await play.everything();
  } finally {
    await frontEnd.strike();
  }
  say(play.faults === 0 ? "\nAll went as it should; servers stopped, home removed." : `\n${play.faults} things were not as they should be.`);
  return play.faults;
}

class Play {
  faults = 0;
  readonly #frontEnd: FrontEnd;
  readonly #settings: DemoSettings;

  constructor(frontEnd: FrontEnd, settings: DemoSettings) {
    this.#frontEnd = frontEnd;
    this.#settings = settings;
  }

  async everything(): Promise<void> {
    const { stage, home } = this.#frontEnd;
    say(`  home ${home}, MariaDB on port ${stage.mariadb.port}, Apache on port ${stage.apache.port}, user ${stage.home.user.name}`);
    chapter("A server");
    await this.#call(["--root=", "--uri=", "provision-save", `@${SERVER}`], { stdin: serverOptions(this.#frontEnd) });
    await this.#call([`@${SERVER}`, "provision-verify"]);

    chapter("A platform");
    const root = this.#platform();
    const platform = { context_type: "platform", server: `@${SERVER}`, web_server: `@${SERVER}` };
    await this.#call([`--root=${root}`, "--uri=", "provision-save", "@platform_demo"], { stdin: platform });
    await this.#call(["@platform_demo", "provision-verify"]);

    chapter("A site");
    const site = { context_type: "site", platform: "@platform_demo", db_server: `@${SERVER}`, client_name: "admin", profile: "standard", aliases: `www.${URI}`, redirection: "null" };
    await this.#call(["--root=", `--uri=${URI}`, "provision-save", `@${URI}`], { stdin: site });
    await this.#install(root);
    await this.#call([`@${URI}`, "provision-verify"]);
    await this.#page(URI, "/", 200);
    await this.#page(`www.${URI}`, "/", 200);

    chapter("Every day");
    await this.#call([`@${URI}`, "provision-disable"]);
    await this.#page(URI, "/", 302);
    await this.#call([`@${URI}`, "provision-enable"]);
    await this.#page(URI, "/", 200);
    await this.#call(["@platform_demo", "provision-lock"]);
    await this.#call(["@platform_demo", "provision-unlock"]);
    const backup = stage.home.write("backups/demo.test-20261124.101500.tar.gz", "an old backup");
    await this.#call([`@${URI}`, "provision-backup-delete", backup]);
    await this.#call([`@${URI}`, "provision-verify"]);

    chapter("What goes wrong is said, and changes nothing");
    await this.#refused([`@${URI}`, "provision-verify"], "PROVISION_WEB_CONFIG_BROKEN", () => stage.home.write("config/server_master/apache/vhost.d/neighbour", "Nonsense\n"));
    stage.home.user.own(home);
    await stage.home.user.run(["rm", join(home, "config/server_master/apache/vhost.d/neighbour")]);
    await this.#refused(["@nobody", "provision-verify"], "DRUSH_BOOTSTRAP_NO_ALIAS");
    await this.#page(URI, "/", 200);

    if (this.#settings.drush !== undefined) await this.#realDrush();

    chapter("For people: provision verify --dry-run, after the site got one more alias");
    await this.#call(["--root=", `--uri=${URI}`, "provision-save", `@${URI}`], { stdin: { aliases: `www.${URI},shop.${URI}` } });
    const dry = await stage.home.user.run([this.#frontEnd.provision, "verify", `@${URI}`, "--dry-run"], { env: this.#frontEnd.env, mayFail: true });
    say(indent(dry.stdout));
    this.#expect(dry.status === 2, "a dry run with changes ends with status 2");

    chapter("Files written");
    for (const file of filesBelow(home, ["platforms", ".provision-shim"])) say(`  ${file}`);
    for (const file of filesBelow(join(root, "sites", URI), []).filter((path) => !path.includes("/files/"))) say(`  ${root.slice(home.length + 1)}/sites/${URI}/${file.trim()}`);
  }

  #platform(): string {
    const { stage, home } = this.#frontEnd;
    const { drupal } = this.#settings;
    if (drupal === undefined) return copyStandIn(stage.home, "demo");
    const root = join(home, "platforms/demo");
    cpSync(drupal, root, { recursive: true });
    stage.home.user.own(root);
    return root;
  }

  /** What the front end's install task does; the native one comes with the next part of this program, so the demo does it by Drupal's own installer. */
  async #install(root: string): Promise<void> {
    const { stage, home, env } = this.#frontEnd;
    const db = { db_type: "mysql", db_host: "127.0.0.1", db_port: String(stage.mariadb.port), db_passwd: "Demo-Pass_1", db_name: "demotest", db_user: "demotest" };
    const grants = ["localhost", "127.0.0.1"].map((host) => `CREATE USER 'demotest'@'${host}' IDENTIFIED BY '${db.db_passwd}'; GRANT ALL ON demotest.* TO 'demotest'@'${host}'`);
    await stage.mariadb.query(["CREATE DATABASE demotest CHARACTER SET utf8mb4", ...grants].join("; "));
    const site = `${root.slice(home.length + 1)}/sites/${URI}`;
    stage.home.makeDirectory(`${site}/files`, 0o2770);
    stage.home.write(`${site}/drushrc.php`, siteDrushrcText(PhpArray.of([...Object.entries(db), ["installed", true]]), join(home, site)), 0o440);
    const connection = Object.entries({ driver: "mysql", database: db.db_name, username: db.db_user, password: db.db_passwd, host: db.db_host, port: db.db_port }).map(([key, value]) => `'${key}' => '${value}'`);
    stage.home.write(`${site}/settings.php`, `<?php\n$databases['default']['default'] = array(${connection.join(", ")});\n$drupal_hash_salt = '';\n`, 0o640);
    const began = performance.now();
    await stage.home.user.run(["php", join(import.meta.dirname, "install-site.php"), URI, "standard"], { cwd: root, env, timeout: 300_000 });
    say(`  ${"(Drupal's own installer, run by this demo)".padEnd(62)} ${milliseconds(performance.now() - began)}`);
  }

  async #realDrush(): Promise<void> {
    chapter(`What is not native goes to ${this.#settings.drush ?? ""}`);
    const { stage, env, drush } = this.#frontEnd;
    const began = performance.now();
    const words = [`@${URI}`, "core-status", "drupal-version", "--pipe"];
    const run = await stage.home.user.run(["sh", "-c", 'exec "$0" "$@" 2>&1', drush, "--backend=2", ...words], { env: { ...env, PROVISION_SHIM_DRUSH: this.#settings.drush }, mayFail: true });
    const got = answer(run.stdoutBytes, run, performance.now() - began);
    this.#tell(words, got);
    this.#expect(got.kind === "frame" && got.errors.length === 0, "the real drush answers");
    say(`    it says: ${JSON.stringify(got.frame["output"])}`);
  }

  async #call(words: readonly string[], options: CallOptions = {}): Promise<BackendAnswer> {
    const got = await this.#frontEnd.call(words, options);
    this.#tell(words, got);
    this.#expect(got.kind === "frame" && got.status === 0 && got.errors.length === 0, `${words.join(" ")} succeeds: ${JSON.stringify(got.messages)}`);
    return got;
  }

  async #refused(words: readonly string[], code: string, spoil: () => unknown = () => undefined): Promise<void> {
    spoil();
    const got = await this.#frontEnd.call(words);
    this.#tell(words, got);
    this.#expect(got.errors.includes(code), `${words.join(" ")} is refused with ${code}`);
  }

  async #page(host: string, path: string, status: number): Promise<void> {
    const page = await this.#frontEnd.stage.apache.fetch(host, path);
    const title = /<title>([^<]*)/.exec(page.body)?.[1]?.trim();
    const what = page.headers.location === undefined ? JSON.stringify(title ?? "") : `→ ${page.headers.location}`;
    say(`  GET http://${host}${path}`.padEnd(64) + ` ${page.status} ${what}`);
    this.#expect(page.status === status, `http://${host}${path} answers ${status}`);
  }

  #tell(words: readonly string[], got: BackendAnswer): void {
    say(`  drush --backend=2 ${words.join(" ")}`.padEnd(64) + ` ${milliseconds(got.milliseconds)}`);
    const { context, self } = got.frame as { readonly context?: Record<string, unknown>; readonly self?: Record<string, unknown> };
    const counts = Object.entries((context?.["packages"] as Record<string, unknown> | undefined) ?? {}).map(([key, value]) => `${key} ${Object.keys(value as object).length}`);
    const facts = [
      `status ${got.status}`,
      `${got.packets.length} packets`,
      ...(got.errors.length > 0 ? got.errors.map((code) => `${code}: ${got.messages[code]?.split("\n")[0]?.slice(0, 150) ?? ""}`) : []),
      ...(self?.["db_name"] === undefined ? [] : [`db_name ${text(self["db_name"])}`]),
      ...(counts.length === 0 ? [] : [`packages {${counts.join(", ")}}`]),
    ];
    say(`    ${facts.join("; ")}`);
  }

  #expect(holds: boolean, what: string): void {
    if (holds) return;
    this.faults += 1;
    say(`    NOT SO: ${what}`);
  }
}

function filesBelow(folder: string, without: readonly string[]): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      if (without.includes(entry.name)) return [];
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return filesBelow(path, []).map((file) => `${entry.name}/${file}`);
      if (entry.isSymbolicLink()) return [entry.name];
      return [`${entry.name} ${(statSync(path).mode & 0o7777).toString(8)}, ${readFileSync(path).length} bytes`];
    });
}

function chapter(title: string): void {
  say(`\n${title}`);
}

function milliseconds(value: number): string {
  return `${Math.round(value)} ms`;
}

function text(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function indent(lines: string): string {
  return lines.trimEnd().split("\n").map((line) => `  ${line}`).join("\n");
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
