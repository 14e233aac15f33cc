import { join } from "node:path";
import { isLocalHost } from "./commands/local-host.ts";
import { codeStamp, extensionsStamp, noteVerified, recallVerified, rowsStamp, sharedStamp, siteStamp, type Verified } from "./commands/verified.ts";
import { connectAsAdministrator } from "./commands/database-work.ts";
import { WebBatch } from "./commands/web-batch.ts";
import { CHALLENGE_FOLDERS, webHosts } from "./commands/web-work.ts";
import { listProperty, property, type Context, type ServerContext, type SiteContext } from "./contexts/context.ts";
import type { Contexts } from "./contexts/contexts.ts";
import { contextName } from "./contexts/names.ts";
import type { Db } from "./database/connection.ts";
import { NeedsRealDrush } from "./errors/needs-real-drush.ts";
import { asShimError, ShimError } from "./errors/shim-error.ts";
import { namesIn } from "./files/look.ts";
import { readInvocation, type Invocation } from "./invocation.ts";
import { examineCall, openContexts } from "./native-call.ts";
import { scalarText } from "./php-values/convert.ts";
import { PhpArray } from "./php-values/php-array.ts";
import { plainPhpEnvironment } from "./real-drush/environment.ts";
import { databaseTimeoutMs } from "./real-drush/config.ts";
import { runDrush } from "./real-drush/run-drush.ts";
import { lockWaitMs, recoverFirst, runCall } from "./run-call.ts";
import { allOrFirst } from "./task/all-or-first.ts";
import type { EventSink } from "./task/events.ts";
import type { Plan } from "./task/plan.ts";
import { newToken, runPlan } from "./task/run-plan.ts";
import { undoHandlers } from "./undo-handlers.ts";
import { VERSION } from "./version.ts";
import { subdirPath } from "./web/subdirs.ts";

/** How the verify of one of many contexts ended. */
export interface ContextReport {
  readonly context: string;
  /** `unchanged`: nothing that a verify looks at is other than it was after the last one. */
  readonly outcome: "verified" | "unchanged" | "failed" | "would change";
  readonly milliseconds: number;
  readonly errors: readonly ShimError[];
  readonly warnings: readonly string[];
  /** Set when the real drush did it: why. */
  readonly byDrush?: string;
  /** What was reported of it before, and does not hold any more. */
  readonly former?: ContextReport["outcome"];
}

export interface ManySettings {
  /** Name of a platform: it and its sites; without it everything. */
  readonly platform: string | undefined;
  /** Verifies also what did not change. */
  readonly force: boolean;
  /** How many at a time. */
  readonly jobs: number;
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
  readonly onReport: (report: ContextReport, done: number, total: number) => void;
}

/** Certificates run out while nothing changes: sites that have one are verified that often in any case, as hosting_https has it. */
const WEEK_MS = 7 * 86_400_000;

/**
 * Verifies many contexts in one process: servers, then platforms, then sites, several at a time. What a site's verify would not change is left out, and each web server is tested and
 * reloaded once, at the end. What is not native is done by the real drush.
 *
 * @param invocation any call of ours: its home and configuration count
 * @returns how many failed, and how many would change in a dry run
 * @throws ShimError when the contexts cannot be listed
 */
export async function verifyMany(invocation: Invocation, settings: ManySettings): Promise<{ readonly failed: number; readonly changes: number }> {
  const many = new Many(invocation, await openContexts(invocation), settings);
  return many.run();
}

class Many {
  readonly #invocation: Invocation;
  readonly #settings: ManySettings;
  readonly #batch: WebBatch;
  /** Stamps of platforms' code by their root, while this runs. */
  readonly #code = new Map<string, string>();
  /** Administrators' connections by server; undefined where there is none. */
  readonly #databases = new Map<string, Promise<Db | undefined>>();
  /** What is to be remembered once the web servers run what was written: as it was when each site's verify ended. What changes after that is for the next one. */
  readonly #verified = new Map<string, { readonly site: SiteContext; readonly seen: Omit<Verified, "shared"> }>();
  #extensions: string | undefined;
  readonly #contexts: Contexts;
  /** What was reported last of each context. */
  readonly #outcomes = new Map<string, ContextReport["outcome"]>();
  #done = 0;
  #failed = 0;
  #changes = 0;

  constructor(invocation: Invocation, contexts: Contexts, settings: ManySettings) {
    this.#invocation = invocation;
    this.#contexts = contexts;
    this.#settings = settings;
    const { cwd, variables, remembered } = invocation;
    this.#batch = new WebBatch({ environment: { cwd, variables: plainPhpEnvironment(variables) }, remembered, onlyWhenNeeded: !settings.force });
  }

  async run(): Promise<{ readonly failed: number; readonly changes: number }> {
    const groups = await this.#groups();
    const total = groups.flat().length;
    try {
      for (const group of groups) await this.#pool(group, async (context) => {
        const report = await this.#verify(context);
        if (report.outcome === "failed") this.#batch.drop(context.name);
        this.#report(report, total);
      });
      if (!this.#settings.dryRun) await this.#finish(total);
    } finally {
      for (const db of this.#databases.values()) await (await db)?.close();
    }
    return { failed: this.#failed, changes: this.#changes };
  }

  /** The contexts in the order in which they depend on each other. */
  async #groups(): Promise<Context[][]> {
    const names = namesIn(join(this.#invocation.home, ".drush")).flatMap((name) => /^(.+)\.alias\.drushrc\.php$/.exec(name)?.[1] ?? []);
    const found: Context[] = [];
    for (const name of names) {
      try {
        const context = await this.#contexts.find(name);
        if (context !== undefined) found.push(context);
      } catch (thrown) {
        // An alias that is no context of Aegir's, or a broken one: that is told, the others are verified.
        if (!(thrown instanceof NeedsRealDrush)) this.#report({ context: name, outcome: "failed", milliseconds: 0, errors: [asShimError(thrown)], warnings: [] }, names.length);
      }
    }
    const sites = found.filter((one) => one.type === "site");
    const secondary = new Set(sites.flatMap((site) => listProperty(site, "drush_aliases").map(contextName)));
    const { platform } = this.#settings;
    const wanted = platform === undefined ? undefined : contextName(platform);
    const platforms = found.filter((one) => one.type === "platform" && (wanted === undefined || one.name === wanted));
    if (wanted !== undefined && platforms.length === 0) throw new ShimError("PROVISION_MISSING_CONTEXT", `There is no platform @${wanted}.`, { hint: "name it like @platform_name" });
    const ownSites = sites.filter((site) => !secondary.has(site.name) && (wanted === undefined || site.platform.name === wanted));
    return [wanted === undefined ? found.filter((one) => one.type === "server") : [], platforms, ownSites];
  }

  async #pool(contexts: readonly Context[], work: (context: Context) => Promise<void>): Promise<void> {
    const waiting = [...contexts];
    const next = async (): Promise<void> => {
      for (let context = waiting.shift(); context !== undefined; context = waiting.shift()) {
        if (this.#settings.signal.aborted) throw new ShimError("PROVISION_INTERRUPTED", "Stopped before all contexts were verified.");
        await work(context);
      }
    };
    await allOrFirst(Array.from({ length: this.#settings.jobs }, next));
  }

  async #verify(context: Context): Promise<ContextReport> {
    const began = performance.now();
    const errors: ShimError[] = [];
    const warnings: string[] = [];
    const report = (outcome: ContextReport["outcome"], more: Pick<ContextReport, "byDrush"> = {}): ContextReport => ({ context: context.name, outcome, milliseconds: performance.now() - began, errors, warnings, ...more });
    try {
      // What is there for all sites is looked at before the first one's verify reads it.
      if (context.type === "site") this.#common(context);
      if (context.type === "site" && !this.#settings.force && !this.#settings.dryRun && (await this.#isUnchanged(context))) return report("unchanged");
      const sink: EventSink = (event) => {
        if (event.type === "error") errors.push(event.error);
        else if (event.type === "log" && (event.level === "warning" || event.level === "error")) warnings.push(event.message);
      };
      const { changes, database } = await this.#runNative(context.name, sink);
      if (errors.length > 0) return report("failed");
      if (this.#settings.dryRun) return report(changes > 0 ? "would change" : "unchanged");
      if (context.type === "site" && database !== undefined) await this.#note(context, database);
      return report("verified");
    } catch (thrown) {
      if (thrown instanceof NeedsRealDrush) return this.#byDrush(thrown, { context, errors, warnings, report });
      if (errors.length === 0) errors.push(asShimError(thrown));
      return report("failed");
    }
  }

  /** Returns the number of changes, and a site's database. */
  async #runNative(name: string, sink: EventSink): Promise<{ readonly changes: number; readonly database: string | undefined }> {
    const { lib, cwd, variables } = this.#invocation;
    const { dryRun, signal } = this.#settings;
    const invocation = { ...(await readInvocation({ words: [`@${name}`, "provision-verify"], lib, cwd, variables })), webBatch: this.#batch };
    if (!dryRun) await recoverFirst(invocation, sink, signal);
    let native = await examineCall(invocation);
    const { changes } = await runCall(native, invocation, { stdin: new PhpArray(), sink, dryRun, signal, token: newToken(), onCall: (again) => (native = again) });
    return { changes, database: scalarText(native.options.get("db_name")) };
  }

  async #byDrush(need: NeedsRealDrush, { context, errors, warnings, report }: { readonly context: Context; readonly errors: ShimError[]; readonly warnings: string[]; readonly report: (outcome: ContextReport["outcome"], more?: Pick<ContextReport, "byDrush">) => ContextReport }): Promise<ContextReport> {
    const byDrush = need.reason;
    if (this.#settings.dryRun) return report("would change", { byDrush });
    const { config, lib, launcher, variables, cwd } = this.#invocation;
    try {
      await runDrush({
        drush: config.drush, script: config.script, lib, launcher, variables, cwd,
        signal: this.#settings.signal,
        call: { target: `@${context.name}`, command: "provision-verify", args: [], options: new PhpArray() },
        onStart: () => undefined,
        onLog: (type, message) => {
          if (type === "warning" || type === "error") warnings.push(message);
        },
        onError: (error) => errors.push(error),
      });
    } catch (thrown) {
      errors.push(asShimError(thrown));
    }
    return report(errors.length > 0 ? "failed" : "verified", { byDrush });
  }

  /** The web servers test, take and load what was collected; then it is known what the sites are like. */
  async #finish(total: number): Promise<void> {
    const { remembered } = this.#invocation;
    let allWell = true;
    for (const plan of this.#batch.plans()) {
      let report = await this.#write(plan());
      // One context whose file is refused must not keep the others from theirs.
      for (let blamed = this.#blamed(report); blamed.length > 0; blamed = this.#blamed(report)) {
        for (const context of blamed) {
          this.#batch.drop(context);
          this.#verified.delete(context);
          this.#report({ ...report, context }, total);
        }
        report = await this.#write(plan());
      }
      if (report.errors.length === 0 && report.warnings.length === 0) continue;
      this.#report(report, total);
      allWell = false;
    }
    // What a server runs is not what was written: the next time nobody is left out.
    if (!allWell) return;
    for (const [name, { site, seen }] of this.#verified) noteVerified(remembered, name, { ...seen, shared: await this.#shared(site) });
  }

  async #write(plan: Plan): Promise<ContextReport> {
    const errors: ShimError[] = [];
    const warnings: string[] = [];
    const began = performance.now();
    const sink: EventSink = (event) => {
      if (event.type === "error") errors.push(event.error);
      else if (event.type === "log" && event.level === "warning") warnings.push(event.message);
    };
    await runPlan(plan, { stateDirectory: this.#invocation.stateDirectory, sink, dryRun: false, undoHandlers, signal: this.#settings.signal, token: newToken(), lockWaitMs: lockWaitMs(this.#invocation) });
    return { context: plan.context, outcome: errors.length > 0 ? "failed" : "verified", milliseconds: performance.now() - began, errors, warnings };
  }

  #blamed({ errors }: ContextReport): string[] {
    return [...new Set(errors.flatMap((error) => this.#batch.blamed(error)))];
  }

  /** Takes down what the site is like, as its verify has left it. */
  async #note(site: SiteContext, database: string): Promise<void> {
    const files = await this.#stamp(site);
    const rows = await this.#rows(site, database);
    if (rows !== undefined) this.#verified.set(site.name, { site, seen: { files, database, rows } });
  }

  async #isUnchanged(site: SiteContext): Promise<boolean> {
    const hosts = await this.#hosts(site);
    // What is on another machine is not looked at here: a verify brings it in line.
    for (const { remoteHost } of hosts) if (!(await isLocalHost(remoteHost))) return false;
    const known = recallVerified(this.#invocation.remembered, site.name);
    if (known?.files !== (await this.#stamp(site)) || known.shared !== (await this.#shared(site))) return false;
    const same = known.rows === (await this.#rows(site, known.database));
    if (same) for (const host of hosts) this.#batch.expect(host);
    return same;
  }

  async #rows(site: SiteContext, database: string): Promise<string | undefined> {
    const db = await this.#administrator(site.dbServer);
    return db === undefined ? undefined : rowsStamp(db, database);
  }

  #administrator(server: ServerContext): Promise<Db | undefined> {
    let connecting = this.#databases.get(server.name);
    if (connecting === undefined) {
      const { config } = this.#invocation;
      const connect = async (): Promise<Db | undefined> => {
        try {
          return await connectAsAdministrator(server, { surroundings: { mysqlSocket: config.mysqlSocket, databaseTimeoutMs: databaseTimeoutMs(config), signal: this.#settings.signal } });
        } catch {
          // Each site's own verify says what is wrong.
          return undefined;
        }
      };
      this.#databases.set(server.name, (connecting = connect()));
    }
    return connecting;
  }

  #hosts({ platform }: SiteContext): Promise<ServerContext[]> {
    return webHosts(platform.webServer, { contexts: this.#contexts });
  }

  async #stamp(site: SiteContext): Promise<string> {
    const { home, config, variables } = this.#invocation;
    const root = site.root ?? "";
    const hosts = await this.#hosts(site);
    const master = await this.#contexts.master();
    const above = [site.name, ...listProperty(site, "drush_aliases").map(contextName), site.platform.name, site.dbServer.name, site.platform.webServer.name, ...hosts.map(({ name }) => name), master.name];
    const contexts = [...new Set(above)].map((name) => join(home, ".drush", `${name}.alias.drushrc.php`));
    const ofDrush = config.drush === undefined ? [] : [join(config.script ?? config.drush, "..")];
    const folders = [`${variables["ETC_PREFIX"] ?? ""}/etc/drush`, join(home, ".drush"), ...ofDrush, ...["../drush", "sites/all/drush", "drush", "sites/default"].map((path) => join(root, path))];
    const drushrc = folders.flatMap((folder) => ["drushrc.php", "drush8rc.php", "local.drushrc.php"].map((name) => join(folder, name)));
    const keys = certificateKeys(site);
    const certificates = hosts.flatMap((host) => keys.flatMap((key) => filesIn(join(property(host, "ssld_path") ?? host.configPath, key))));
    const client = property(site, "client_name");
    const aliases = listProperty(site, "aliases");
    // A folder of one of its hosts is included when it is there; where the site has one itself, in any case.
    const others = aliases.filter((alias) => !alias.includes("/") && !aliases.some((one) => one.startsWith(`${alias}/`)));
    return siteStamp(site, {
      // Who is in which group decides who may give a file to it.
      files: [...contexts, ...drushrc, join(home, ".drushrc.php"), join(home, ".drush8rc.php"), "/etc/group", ...certificates, ...hosts.map(({ includePath }) => join(includePath, "global.inc"))],
      places: [
        ...CHALLENGE_FOLDERS.map((path) => join(master.aegirRoot, path)),
        ...hosts.flatMap(({ http }) => (http?.paths === undefined ? [] : others.map((name) => join(http.paths?.subdir ?? "", name)))),
        ...(client === undefined ? [] : [join(master.clientsPath, client, site.uri ?? "")]),
      ],
      common: [...this.#common(site), keys.length === 0 ? "" : String(Math.floor(Date.now() / WEEK_MS))],
    });
  }

  /** Stamps of what is the same for all sites of a platform, taken once. */
  #common({ root = "" }: SiteContext): string[] {
    const { home, variables, config } = this.#invocation;
    let code = this.#code.get(root);
    if (code === undefined) this.#code.set(root, (code = codeStamp(root)));
    this.#extensions ??= extensionsStamp([join(home, ".drush"), `${variables["SHARE_PREFIX"] ?? "/usr"}/share/drush/commands`]);
    return [VERSION, code, this.#extensions, JSON.stringify(config)];
  }

  /** A stamp of what is written with other sites' files, or by their verifies, too. */
  async #shared(site: SiteContext): Promise<string> {
    const files = (await this.#hosts(site)).flatMap((host) => {
      const { configPath, http } = host;
      if (http?.paths === undefined) return [];
      const { vhost } = http.paths;
      const subdirs = listProperty(site, "aliases").flatMap((alias) => (alias.includes("/") ? [subdirPath(host, alias.slice(0, alias.indexOf("/")), alias.slice(alias.indexOf("/") + 1))] : []));
      return [join(vhost, site.uri ?? ""), join(vhost, `${site.uri ?? ""}.conf`), ...subdirs, ...certificateKeys(site).flatMap((key) => filesIn(join(configPath, "ssl.d", key)))];
    });
    return sharedStamp([...files, join(site.root ?? "", "sites/sites.php")]);
  }

  #report(report: ContextReport, total: number): void {
    const former = this.#outcomes.get(report.context);
    this.#outcomes.set(report.context, report.outcome);
    if (former === undefined) this.#done += 1;
    if (report.outcome === "failed" && former !== "failed") this.#failed += 1;
    if (report.outcome === "would change") this.#changes += 1;
    this.#settings.onReport(former === undefined ? report : { ...report, former }, Math.min(this.#done, total), total);
  }
}

function certificateKeys(site: SiteContext): string[] {
  return ["ssl_key", "https_key"].flatMap((name) => property(site, name) ?? []);
}

function filesIn(folder: string): string[] {
  return namesIn(folder).map((name) => join(folder, name));
}
