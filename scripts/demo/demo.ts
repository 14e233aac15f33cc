import { readdirSync, statSync } from "node:fs";
import { cpSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { answer, openFrontEnd, SERVER, serverOptions, type BackendAnswer, type CallOptions, type FrontEnd } from "../../test/support/front-end.ts";
import { copyStandIn } from "../../test/support/stand-in.ts";

export interface DemoSettings {
  /** Root of a real Drupal 7; unset: the stand-in of this repository. */
  readonly drupal: string | undefined;
  /** A real drush for what is not native. */
  readonly drush: string | undefined;
}

const URI = "demo.test";
const COPY = "copy.test";
const RENAMED = "renamed.test";
const SPOILT = "Spoilt";

/** Plays the front end of Aegir on a home of its own; returns how many things were not as they should be. */
export async function demo(settings: DemoSettings): Promise<number> {
  say(`provision-shim: the whole life of a site, as the front end asks for it, on a private ${settings.drupal === undefined ? "home with the stand-in for Drupal 7" : `home with ${settings.drupal}`}`);
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
    const root = this.#platform("demo");
    const platform = { context_type: "platform", server: `@${SERVER}`, web_server: `@${SERVER}` };
    await this.#call([`--root=${root}`, "--uri=", "provision-save", "@platform_demo"], { stdin: platform });
    await this.#call(["@platform_demo", "provision-verify"]);

    chapter("A site: install");
    const site = { context_type: "site", platform: "@platform_demo", db_server: `@${SERVER}`, client_name: "admin", profile: "standard", aliases: `www.${URI}`, redirection: "null" };
    await this.#call(["--root=", `--uri=${URI}`, "provision-save", `@${URI}`], { stdin: site });
    const installed = await this.#call([`@${URI}`, "provision-install"], { stdin: { client_email: "admin@example.com", profile: "standard" } });
    await this.#logIn(contextOf(installed)["login_link"]);
    await this.#page(URI, "/", 200);
    await this.#page(`www.${URI}`, "/", 200);
    await this.#call([`@${URI}`, "provision-verify"]);

    chapter("Every day");
    await this.#call([`@${URI}`, "provision-disable"]);
    await this.#page(URI, "/", 302);
    await this.#call([`@${URI}`, "provision-enable"]);
    await this.#page(URI, "/", 200);
    await this.#call(["@platform_demo", "provision-lock"]);
    await this.#call(["@platform_demo", "provision-unlock"]);
    await this.#logIn(contextOf(await this.#call([`@${URI}`, "provision-login-reset"]))["login_link"]);

    chapter("A backup, and a copy of the site on another platform");
    const backup = text(contextOf(await this.#call([`@${URI}`, "provision-backup"]))["backup_file"]);
    this.#people(["backup", "verify", backup], await this.#provision(["backup", "verify", backup]));
    const other = this.#platform("other");
    await this.#call([`--root=${other}`, "--uri=", "provision-save", "@platform_other"], { stdin: platform });
    await this.#call(["@platform_other", "provision-verify"]);
    await this.#call([`@${URI}`, "provision-clone", `@${COPY}`, "@platform_other"]);
    await this.#page(COPY, "/", 200);
    await this.#page(URI, "/", 200);

    chapter("The copy gets another name, then the site goes to the other platform");
    await this.#call([`@${COPY}`, "provision-migrate", "@platform_other", `@${RENAMED}`]);
    await this.#page(RENAMED, "/", 200);
    await this.#page(COPY, "/", 404);
    await this.#call([`@${URI}`, "provision-migrate", "@platform_other"]);
    await this.#page(URI, "/", 200);
    await this.#page(`www.${URI}`, "/", 200);

    chapter("Somebody spoils the site, and it is put back to the backup");
    await this.#spoil(other);
    await this.#page(URI, "/", 200, SPOILT);
    await this.#call([`@${URI}`, "provision-restore", backup]);
    await this.#page(URI, "/", 200, URI);

    chapter("What goes wrong is said, and changes nothing");
    await this.#refused([`@${URI}`, "provision-verify"], "PROVISION_WEB_CONFIG_BROKEN", () => stage.home.write("config/server_master/apache/vhost.d/neighbour", "Nonsense\n"));
    await stage.home.user.run(["rm", join(home, "config/server_master/apache/vhost.d/neighbour")]);
    await this.#refused(["@nobody", "provision-verify"], "DRUSH_BOOTSTRAP_NO_ALIAS");
    await this.#refused([`@${URI}`, "provision-clone", `@${RENAMED}`, "@platform_other"], "PROVISION_TARGET_EXISTS");
    await this.#refused([`@${URI}`, "provision-restore", join(home, "backups/none.tar.gz")], "PROVISION_BACKUP_NOT_FOUND");
    await this.#page(URI, "/", 200);

    chapter("The copy goes");
    await this.#call([`@${RENAMED}`, "provision-disable"]);
    await this.#page(RENAMED, "/", 302);
    await this.#call([`@${RENAMED}`, "provision-delete"]);
    await this.#page(RENAMED, "/", 404);
    await this.#call([`@${URI}`, "provision-backup-delete", backup]);

    if (this.#settings.drush !== undefined) await this.#realDrush();

    chapter("For people: provision verify --dry-run, after the site got one more alias");
    await this.#call(["--root=", `--uri=${URI}`, "provision-save", `@${URI}`], { stdin: { aliases: `www.${URI},shop.${URI}` } });
    const dry = await this.#provision(["verify", `@${URI}`, "--dry-run"]);
    say(indent(dry.stdout));
    this.#expect(dry.status === 2, "a dry run with changes ends with status 2");

    chapter("Files written");
    for (const file of filesBelow(home, ["platforms", ".provision-shim"])) say(`  ${file}`);
    for (const file of filesBelow(join(other, "sites", URI), []).filter((path) => !path.includes("/files/"))) say(`  ${other.slice(home.length + 1)}/sites/${URI}/${file.trim()}`);
  }

  #platform(name: string): string {
    const { stage, home } = this.#frontEnd;
    const { drupal } = this.#settings;
    if (drupal === undefined) return copyStandIn(stage.home, name);
    const root = join(home, "platforms", name);
    cpSync(drupal, root, { recursive: true });
    stage.home.user.own(root);
    return root;
  }

  /** Follows a one-time link to the page of an account that is logged in. */
  async #logIn(link: unknown): Promise<void> {
    const { apache } = this.#frontEnd.stage;
    const path = new URL(text(link)).pathname + new URL(text(link)).search;
    const landing = await apache.fetch(URI, path);
    const cookie = landing.headers["set-cookie"]?.map((set) => set.split(";")[0]).join("; ");
    say(`  GET ${text(link).slice(0, 50)}…`.padEnd(64) + ` ${landing.status}`);
    const account = await apache.fetch(URI, "/user/1/edit", { headers: { cookie: cookie ?? "" } });
    const without = await apache.fetch(URI, "/user/1/edit");
    this.#expect(account.status === 200 && without.status === 403, `the link logs in (${account.status}, without it ${without.status})`);
  }

  async #spoil(root: string): Promise<void> {
    const name = /'db_name'\] = '([^']+)'/.exec(readFileSync(join(root, "sites", URI, "drushrc.php"), "utf8"))?.[1] ?? "";
    await this.#frontEnd.stage.mariadb.query(`USE \`${name}\`; REPLACE INTO variable (name, value) VALUES ('site_name', 's:${SPOILT.length}:"${SPOILT}";'); DELETE FROM cache_bootstrap`);
  }

  #provision(words: readonly string[]) {
    const { stage, provision, env } = this.#frontEnd;
    return stage.home.user.run([provision, ...words], { env, mayFail: true });
  }

  #people(words: readonly string[], { status, stdout, stderr }: { readonly status: number; readonly stdout: string; readonly stderr: string }): void {
    say(`  provision ${words.join(" ")}`);
    say(indent(indent(stdout + stderr)));
    this.#expect(status === 0, `provision ${words.join(" ")} succeeds`);
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

  async #page(host: string, path: string, status: number, shows = ""): Promise<void> {
    const page = await this.#frontEnd.stage.apache.fetch(host, path);
    const title = /<title>([^<]*)/.exec(page.body)?.[1]?.trim();
    const what = page.headers.location === undefined ? JSON.stringify(title ?? "") : `→ ${page.headers.location}`;
    say(`  GET http://${host}${path}`.padEnd(64) + ` ${page.status} ${what}`);
    this.#expect(page.status === status && page.body.includes(shows), `http://${host}${path} answers ${status}${shows === "" ? "" : ` and shows ${shows}`}`);
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

function contextOf({ frame }: BackendAnswer): Readonly<Record<string, unknown>> {
  return (frame["context"] ?? {}) as Record<string, unknown>;
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
