import { chmodSync, unlinkSync } from "node:fs";
import { basename, join } from "node:path";
import { makeBackup, type MadeBackup } from "../backups/make-backup.ts";
import { packingFor } from "../backups/packing.ts";
import { byPercent } from "../backups/progress.ts";
import { estimateTree } from "../backups/space.ts";
import { property, type ServerContext, type SiteContext } from "../contexts/context.ts";
import { dbReason, type Db } from "../database/connection.ts";
import { lookAtDatabase, type DatabaseFacts } from "../database/database-facts.ts";
import { dumpEstimate, requireSpace } from "../database/space.ts";
import { whyNotNative } from "../drupal/core-facts.ts";
import { readCore, type DrupalCore } from "../drupal/core.ts";
import { NeedsRealDrush } from "../errors/needs-real-drush.ts";
import { ShimError } from "../errors/shim-error.ts";
import { isAbsent, isDirectory } from "../files/look.ts";
import { bytesFromText } from "../php-values/text.ts";
import { ensureDirectory } from "../task/ensure-directory.ts";
import { step, type Plan, type Step, type Work } from "../task/plan.ts";
import type { VhostCredentials } from "../web/web-file.ts";
import { refuseBackupHooks } from "./backup-hooks.ts";
import { backupMode, backupPlace, beside, placeBackup, type BackupPlace } from "./backup-place.ts";
import type { CommandCall } from "./command.ts";
import { connectToDatabase, dumpSiteDatabase } from "./database-files.ts";
import { invalidRoot, nativeServer, switchOption } from "./native-reach.ts";
import { siteFetch } from "./remote-work.ts";
import { siteSettingsText } from "./site-settings.ts";
import { isCloaked, siteCredentials } from "./web-work.ts";

export interface SiteBackupOptions {
  /** The file to make, an absolute path; unset: a name of our own in the backup directory. */
  readonly file?: string | undefined;
  /** Puts up with a site that is not installed, a dump that is too small, and files that cannot be read or never hold still. */
  readonly force: boolean;
  /** False: the site's database is gone, and its files alone are backed up. */
  readonly database: boolean;
}

/** A backup that other tasks make as a part of theirs. */
export interface SiteBackup {
  readonly steps: Plan["steps"];
  /** The archive; while the steps have not run, the name that it will probably get. */
  file(): string;
}

/**
 * Looks at what a backup of the site needs; its options `drupal` and `site` are loaded by then.
 *
 * @throws ShimError with the codes of the original's validation; NeedsRealDrush when only the real drush can write the settings.php that belongs into the archive
 */
export async function siteBackup(site: SiteContext, call: CommandCall, options: SiteBackupOptions): Promise<SiteBackup> {
  const core = readCore(site.root ?? "");
  if (core === undefined) throw invalidRoot(site.platform, "no Drupal was found there");
  const master = await call.contexts.master();
  if (!isDirectory(site.sitePath) || (!options.force && !switchOption(call, "installed", false))) {
    throw new ShimError("PROVISION_DRUPAL_SITE_NOT_FOUND", `The site @${site.name} was not found: ${isDirectory(site.sitePath) ? "it is not installed" : `there is no directory ${site.sitePath}`}.`, {
      hint: "--force backs up a site that is not installed",
    });
  }
  const credentials = siteCredentials(call.options.set("site"));
  if (options.database && (credentials.name === "" || credentials.user === "")) {
    throw new ShimError("PROVISION_BACKUP_FAILED", `The database of @${site.name} cannot be dumped: its drushrc.php has no credentials.`, { hint: "verify the site" });
  }
  const place = backupPlace(site, call, { given: options.file, master });
  const fetch = await siteFetch(site, call, options);
  const making = new BackupInTheMaking({ site, call, core, master, credentials, options, place });
  return { steps: [...fetch, ...making.steps()], file: () => making.file };
}

/** Makes a backup in the middle of another task; undone, the archive is removed. Returns its file. */
export async function backupForTask(work: Work, site: SiteContext, call: CommandCall, options: Partial<SiteBackupOptions> = {}): Promise<string> {
  const backup = await siteBackup(site, call, { force: false, database: true, ...options });
  await work.include({ steps: backup.steps });
  return backup.file();
}

/**
 * Loads the options of platform and site, and looks whether something keeps the backup from being native.
 *
 * @throws NeedsRealDrush
 */
export async function nativeBackup(site: SiteContext, call: CommandCall): Promise<void> {
  await nativeServer(site.platform.webServer, call);
  const [unknown] = site.dbServer.unknownDrivers;
  if (unknown !== undefined || site.dbServer.db === undefined) throw new NeedsRealDrush(`the service ${unknown ?? "db"} of @${site.dbServer.name}`);
  const core = readCore(site.root ?? "");
  if (core === undefined) throw invalidRoot(site.platform, "no Drupal was found there");
  await call.options.loadRoot(core.root);
  await call.options.loadSite(site.sitePath);
  const reason = whyNotNative(core, (await isCloaked(site.platform.webServer, call)) ? "settings" : "files");
  if (reason !== undefined) throw new NeedsRealDrush(reason);
  refuseBackupHooks(site, core, call);
}

interface Making {
  readonly site: SiteContext;
  readonly call: CommandCall;
  readonly core: DrupalCore;
  readonly master: ServerContext;
  readonly credentials: VhostCredentials;
  readonly options: SiteBackupOptions;
  readonly place: BackupPlace;
}

type Part = "dump" | "pack";

/** Dump and archive are made side by side, and each needs the other: the archive ends with the dump, and one that fails stops the other. */
class BackupInTheMaking {
  readonly #making: Making;
  readonly #dumped = later<string | undefined>();
  readonly #dumpBytes = later<number>();
  /** The dump takes longest: what else there is to do begins when its client runs. */
  readonly #dumpRuns = later<undefined>();
  readonly #stop = new AbortController();
  #first: Part | undefined;
  #file: string;

  constructor(making: Making) {
    this.#making = making;
    this.#file = making.place.file;
  }

  get file(): string {
    return this.#file;
  }

  steps(): Plan["steps"] {
    const { options, credentials } = this.#making;
    const dump = step("dump the database", (work) => this.#part(work, "dump", (own) => this.#dump(own)));
    const pack = step("pack the site's files and read the archive back", (work) => this.#part(work, "pack", (own) => this.#pack(own)));
    if (!options.database) {
      this.#dumpRuns.resolve(undefined);
      this.#dumped.resolve(undefined);
      this.#dumpBytes.resolve(0);
    }
    const sideBySide: Step[] = options.database ? [dump, pack] : [pack];
    return [
      step("note where the backup goes", (work) => {
        work.log("notice", `Backing site up to ${this.#file}.`);
        if (!options.database) work.log("warning", `The database ${credentials.name} is not in the backup.`);
      }),
      sideBySide,
      step("tell of the backup", (work) => this.#tell(work)),
    ];
  }

  /** One of the two; when the other has failed first, what becomes of this one is of no interest. */
  async #part(work: Work, part: Part, run: (work: Work) => Promise<void>): Promise<void> {
    const stop = (): void => this.#stop.abort();
    work.signal.addEventListener("abort", stop);
    if (work.signal.aborted) stop();
    const child = (pid: number): void => {
      work.child(pid);
      this.#dumpRuns.resolve(undefined);
    };
    try {
      await run({ ...work, child, signal: this.#stop.signal });
    } catch (thrown) {
      if (this.#fails(part) === part) throw thrown;
    } finally {
      this.#dumpRuns.resolve(undefined);
      work.signal.removeEventListener("abort", stop);
    }
  }

  /** Stops both; answers which of them failed first. */
  #fails(part: Part): Part {
    this.#first ??= part;
    this.#stop.abort();
    return this.#first;
  }

  async #dump(work: Work): Promise<void> {
    const { call, credentials, site } = this.#making;
    const file = beside(this.#file, "sql");
    try {
      const done = await work.act(`dump the database ${credentials.name}`, async () => {
        work.files.journal.scratch(file);
        const size = (await this.#dumpKnown(work, file)) ?? (await this.#dumpUnknown(work, file));
        call.surroundings.remembered.set(dumpMemory(credentials.name, site), String(size));
        return true;
      });
      if (done === true) work.log("success", `Dumped the database ${credentials.name}`);
      this.#dumped.resolve(done === true ? file : undefined);
    } catch (thrown) {
      this.#fails("dump");
      this.#dumped.reject(thrown);
      this.#dumpBytes.reject(thrown);
      throw thrown;
    }
  }

  /**
   * A database that was small the last time is dumped at once: to connect and look at it first takes as long as the dump. Undefined when it is not known, or when that did
   * not work, as with routines that only the administrator may read.
   */
  async #dumpKnown(work: Work, file: string): Promise<number | undefined> {
    const { call, credentials, site } = this.#making;
    const last = Number(call.surroundings.remembered.get(dumpMemory(credentials.name, site)));
    if (!(last > 0 && last < SMALL_DUMP)) return undefined;
    try {
      this.#dumpBytes.resolve(last);
      return await this.#dumpWith(work, file, { tables: [], hiddenRoutines: [], hasPrograms: true, hasTriggers: undefined });
    } catch (thrown) {
      if (work.signal.aborted) throw thrown;
      work.log("debug", `The dump is tried again, with a look at the database first: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
      return undefined;
    }
  }

  async #dumpUnknown(work: Work, file: string): Promise<number> {
    this.#dumpRuns.resolve(undefined);
    const db = await this.#connect();
    try {
      return await this.#dumpWith(work, file, await lookAtDatabase(db, this.#making.credentials.name), db);
    } finally {
      await db.close();
    }
  }

  #dumpWith(work: Work, file: string, facts: DatabaseFacts, db?: Db): Promise<number> {
    const { site, call, credentials, options } = this.#making;
    this.#dumpBytes.resolve(dumpEstimate(facts));
    return dumpSiteDatabase(work, call, { credentials, server: site.dbServer, file, force: options.force, db, facts });
  }

  async #connect(): Promise<Db> {
    const { site, call, credentials } = this.#making;
    try {
      return await connectToDatabase({ credentials, server: site.dbServer }, call, this.#stop.signal);
    } catch (cause) {
      throw new ShimError("PROVISION_BACKUP_FAILED", `Could not write database backup file mysqldump (error: ${dbReason(cause)})`, { hint: "is the database server running, and is the site's database there?", cause });
    }
  }

  async #pack(work: Work): Promise<void> {
    const { place } = this.#making;
    await this.#dumpRuns.promise;
    work.log("backup", `Adding sites directory to ${this.#file}`);
    const staged = beside(this.#file, "archive");
    try {
      const made = await work.act(`pack ${this.#making.site.sitePath} into ${this.#file}`, async () => {
        work.files.journal.scratch(staged);
        return this.#make(work, staged);
      });
      if (made === undefined) {
        work.files.tell({ kind: "create", path: this.#file });
        return;
      }
      chmodSync(staged, backupMode(this.#file));
      this.#file = placeBackup(work, staged, place);
      this.#making.call.options.put("process", "backup_file", this.#file);
      this.#making.call.options.put("process", "backup_file_size", made.size);
    } catch (thrown) {
      this.#fails("pack");
      throw thrown;
    } finally {
      if (!work.dryRun) await this.#removeDump(work);
    }
  }

  async #make(work: Work, staged: string): Promise<MadeBackup> {
    const { site, call, options } = this.#making;
    const packing = packingFor(this.#file);
    const [tree, dumpBytes] = await Promise.all([estimateTree(site.sitePath, packing, work.signal), this.#dumpBytes.promise]);
    // The dump lies beside the archive and gets into it.
    if (!options.force) requireSpace(join(staged, ".."), tree.packed + dumpBytes + (packing === "none" ? dumpBytes : dumpBytes / DUMP_SHRINKAGE), `The backup ${basename(this.#file)}`);
    const made = await makeBackup({
      directory: site.sitePath,
      target: staged,
      packing,
      facts: {
        site: site.name,
        uri: site.uri ?? "",
        made: new Date().toISOString(),
        by: "provision-shim",
        profile: property(site, "profile") ?? null,
        database: options.database ? this.#making.credentials.name : null,
      },
      replaced: await this.#literalSettings(),
      dump: () => this.#dumped.promise,
      steadiness: { force: options.force },
      env: call.surroundings.variables,
      signal: work.signal,
      onChild: (pid) => work.child(pid),
      onProgress: byPercent(tree.members, (done, all) => work.progress(done, all, "files")),
      log: (level, message) => work.log(level, message),
    });
    work.log("debug", `The archive has ${made.members} members with ${made.bytes} bytes; all were read back and are right`);
    return made;
  }

  /**
   * A site that is unpacked elsewhere has no web server yet that gives it its credentials, so the settings.php in the archive has them. The site's own is not touched. (The
   * original writes it twice, and between that anybody who may read it sees them.)
   */
  async #literalSettings(): Promise<ReadonlyMap<string, Buffer>> {
    const { site, core, master, call } = this.#making;
    return (await isCloaked(site.platform.webServer, call)) ? new Map([["./settings.php", bytesFromText(await siteSettingsText({ site, core, master, call }, false))]]) : new Map();
  }

  /** It is in the archive, and must be nowhere else. */
  async #removeDump(work: Work): Promise<void> {
    const file = await this.#dumped.promise.catch(() => undefined);
    if (file === undefined) return;
    try {
      unlinkSync(file);
      work.log("debug", `Removed the dump ${file}`);
    } catch (thrown) {
      if (!isAbsent(thrown)) work.log("warning", `Could not delete the dump ${file}`);
    }
  }

  #tell(work: Work): void {
    const { site, master } = this.#making;
    if (!work.dryRun) work.log("success", `Backed up site up to ${this.#file}.`);
    const client = property(site, "client_name");
    if (client === undefined) return;
    const folder = join(master.clientsPath, client, "backups");
    ensureDirectory(work, folder, `Client backup directory for ${client}`, 0o750);
    const link = join(folder, basename(this.#file));
    try {
      work.files.link(link, this.#file);
      work.log("success", `Created symlink ${link} to ${this.#file}`);
    } catch (thrown) {
      work.log("warning", `Could not create symlink ${link} to ${this.#file}: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
    }
  }
}

/** The name under which the size of the database's last dump is remembered. */
export function dumpMemory(database: string, { dbServer }: SiteContext): string {
  return `dump ${database} @${dbServer.name}`;
}

/** Bytes of a dump that takes one client no time. */
const SMALL_DUMP = 16_000_000;
/** A dump is text, and a lot of it is alike. */
const DUMP_SHRINKAGE = 4;

interface Later<T> {
  readonly promise: Promise<T>;
  resolve: (value: T) => void;
  reject: (reason: unknown) => void;
}

function later<T>(): Later<T> {
  let settle: Pick<Later<T>, "resolve" | "reject"> | undefined;
  const promise = new Promise<T>((resolve, reject) => {
    settle = { resolve, reject: (reason) => reject(reason instanceof Error ? reason : new Error(String(reason))) };
  });
  // Who waits for it may not have begun to.
  promise.catch(() => undefined);
  if (settle === undefined) throw new TypeError("A promise calls its function at once.");
  return { promise, ...settle };
}
