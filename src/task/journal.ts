import { closeSync, copyFileSync, constants, fstatSync, fsyncSync, linkSync, mkdirSync, openSync, readdirSync, rmdirSync, rmSync, statSync, unlinkSync, writeSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { errnoOf, isAbsent, lookAt, namesIn, readIfThere } from "../files/look.ts";
import { uniqueName } from "../files/unique-name.ts";
import { writeError } from "../files/write-whole.ts";
import { breakLeasesOf } from "./lock.ts";
import { isAlive, thisProcess, type ProcessIdentity } from "./process-identity.ts";

/** First line of a journal: whose it is. */
export interface JournalHead extends ProcessIdentity {
  readonly context: string;
  /** Other contexts that the task has locked, such as the name that a site is to get. */
  readonly others?: readonly string[];
  readonly title: string;
  /** Seconds since 1970. */
  readonly since: number;
}

/** One thing to undo, as data, so that another process can do it after a crash. `kind` names the undo handler. */
export type UndoEntry = { readonly kind: string } & Readonly<Record<string, string | number | boolean | null>>;

/**
 * What a task has changed so far, written before each change: a folder with the lines and the kept old files. It is made at the first change and
 * gone when the task has ended, so one that is left belongs to a task that was killed.
 */
export class Journal {
  readonly entries: UndoEntry[] = [];
  /** What is to be done when all steps have succeeded. */
  readonly later: UndoEntry[] = [];
  #descriptor: number | undefined;
  /** Where each entry's line begins, bytes. */
  readonly #places = new Map<UndoEntry, number>();
  /** A line was written by half: the next one begins anew. */
  #torn = false;
  #kept = 0;
  readonly #aside: string[] = [];

  private constructor(
    readonly directory: string,
    readonly head: JournalHead,
  ) {}

  /** @param others more contexts that the task has locked */
  static begin(root: string, context: string, title: string, others: readonly string[] = []): Journal {
    const head = { ...thisProcess(), context, title, since: Math.floor(Date.now() / 1000), ...(others.length === 0 ? {} : { others }) };
    return new Journal(join(root, folderName(head)), head);
  }

  /** Writes the entry down. Only then may the change be made. */
  record(entry: UndoEntry): void {
    this.#places.set(entry, this.#line(entry));
    this.entries.push(entry);
  }

  /** The entry is undone, or done: whoever reads the journal later leaves it out. */
  strike(entry: UndoEntry): void {
    strikeLine(this.directory, this.#places.get(entry));
  }

  /** Writes down something that is to be done after the point of no return. */
  recordLater(entry: UndoEntry): void {
    this.#places.set(entry, this.#line({ ...entry, later: true }));
    this.later.push(entry);
  }

  /** The point of no return, on disk before anything is lost for good: from here on a killed task is finished, not undone. */
  commit(): void {
    this.#line({ kind: COMMIT });
    const descriptor = this.#open();
    try {
      fsyncSync(descriptor);
    } catch (thrown) {
      throw writeError(join(this.directory, LINES), thrown);
    }
  }

  /** Writes down something that this task makes for itself and removes again, so that nothing of it is left when the task is killed. */
  scratch(path: string): void {
    this.record({ kind: SCRATCH, path });
  }

  /** Keeps the file as it is now and returns the name of the copy: a hard link where the file system allows, so the same file can be put back. */
  keep(path: string): string {
    this.#open();
    const name = String(++this.#kept).padStart(4, "0");
    const kept = join(this.directory, name);
    try {
      linkSync(path, kept);
    } catch (thrown) {
      if (errnoOf(thrown) !== "EXDEV" && errnoOf(thrown) !== "EPERM") throw writeError(kept, thrown);
      copy(path, kept);
    }
    return name;
  }

  /**
   * Where the file can be kept by a rename, for one that is to be removed and may be large: in the journal, or beside itself when the journal is on another file
   * system. Undefined for a small one there, which is better copied: a web server may read whatever is in its directory.
   */
  placeFor(path: string, { size }: { readonly size: number }): string | undefined {
    this.#open();
    if (statSync(dirname(path)).dev === statSync(this.directory).dev) return join(this.directory, String(++this.#kept).padStart(4, "0"));
    if (size <= SMALL_BYTES) return undefined;
    const aside = join(dirname(path), `.${basename(path)}.${process.pid}.removed`);
    this.#aside.push(aside);
    return aside;
  }

  /** The task has ended well, or everything is undone. */
  discard(): void {
    if (this.#descriptor === undefined) return;
    for (const path of this.#aside) rmSync(path, { force: true });
    closeSync(this.#descriptor);
    this.#descriptor = undefined;
    // The lines first: with them and without a kept file, half of the task would be undone.
    unlinkSync(join(this.directory, LINES));
    // What fails once is tried again. Without its lines the rest is nothing any more, and what stays is swept later.
    if (!emptied(this.directory)) emptied(this.directory);
  }

  #open(): number {
    if (this.#descriptor !== undefined) return this.#descriptor;
    try {
      mkdirSync(this.directory, { recursive: true, mode: 0o700 });
      this.#descriptor = openSync(join(this.directory, LINES), "ax", 0o600);
    } catch (thrown) {
      throw writeError(this.directory, thrown);
    }
    this.#line(this.head);
    return this.#descriptor;
  }

  /** Returns where the line begins. */
  #line(data: object): number {
    // In the system's hands it outlives this process, however that dies; a sync would cost milliseconds a line for the case of a power failure, after
    // which a verify mends what a half-done task left.
    const descriptor = this.#open();
    const line = Buffer.from(`${this.#torn ? "\n" : ""}${JSON.stringify(data)}\n`);
    try {
      const place = fstatSync(descriptor).size + (this.#torn ? 1 : 0);
      for (let written = 0; written < line.length; ) written += writeSync(descriptor, line, written);
      this.#torn = false;
      return place;
    } catch (thrown) {
      this.#torn = true;
      throw writeError(join(this.directory, LINES), thrown);
    }
  }
}

/** Removes the folder with what is in it, as far as it can be; it is flat, and rmSync() would first load what it needs for trees. Returns whether it is gone. */
function emptied(folder: string): boolean {
  let whole = true;
  const attempt = (remove: () => void): void => {
    try {
      remove();
    } catch (thrown) {
      whole &&= isAbsent(thrown);
    }
  };
  attempt(() => {
    for (const name of readdirSync(folder)) attempt(() => unlinkSync(join(folder, name)));
  });
  attempt(() => rmdirSync(folder));
  return whole;
}

/** Makes a line one that no reader understands. It is done in place, which also a disk that is full allows. */
function strikeLine(directory: string, place: number | undefined): void {
  if (place === undefined) return;
  try {
    const descriptor = openSync(join(directory, LINES), "r+");
    try {
      writeSync(descriptor, "#", place);
    } finally {
      closeSync(descriptor);
    }
  } catch {
    // Done again, most entries find that there is nothing to do.
  }
}

function copy(path: string, kept: string): void {
  try {
    copyFileSync(path, kept, constants.COPYFILE_EXCL);
  } catch (thrown) {
    throw writeError(kept, thrown);
  }
}

const SMALL_BYTES = 1_000_000;
const LINES = "journal.ndjson";
const SCRATCH = "scratch";
const COMMIT = "commit";

/** A journal that a task left behind. */
export interface LeftJournal {
  readonly directory: string;
  readonly head: JournalHead;
  /** What is to undo, oldest first. */
  readonly entries: readonly UndoEntry[];
  /** Set when the task was beyond its point of no return: what remains to be done instead. */
  readonly remaining: readonly UndoEntry[] | undefined;
  /** As {@link Journal.strike}. */
  strike(entry: UndoEntry): void;
}

/** How many changes there are to undo, or steps to finish. */
export function changesIn({ entries, remaining }: LeftJournal): number {
  if (remaining !== undefined) return remaining.length;
  return entries.filter(({ kind }) => kind !== SCRATCH).length;
}

/** The journals of tasks that are gone, newest first, as they are to be undone; of those that have to do with a context, or of all. */
export function leftJournals(root: string, context?: string): LeftJournal[] {
  const left: LeftJournal[] = [];
  for (const name of namesIn(root)) {
    const journal = readJournal(join(root, name));
    if (journal === undefined || isAlive(journal.head) !== false) continue;
    if (context === undefined || concerns(journal, context)) left.push(journal);
  }
  return left.sort((a, b) => b.head.since - a.head.since || basename(b.directory).localeCompare(basename(a.directory)));
}

/**
 * One after the other, newest first: ending the children of a killed task may leave more such journals, of the tasks in its middle.
 *
 * @param isWanted which of those that are left
 */
export function* eachLeftJournal(root: string, isWanted: (journal: LeftJournal) => boolean = () => true): Generator<LeftJournal> {
  const seen = new Set<string>();
  const next = (): LeftJournal | undefined => leftJournals(root).find((journal) => !seen.has(journal.directory) && isWanted(journal));
  for (let journal = next(); journal !== undefined; journal = next()) {
    seen.add(journal.directory);
    yield journal;
  }
}

export function concerns({ head }: LeftJournal, context: string): boolean {
  return head.context === context || head.others?.includes(context) === true;
}

/** Removes what is left of journals without a first line: such a task had not begun to change anything, or had ended. */
export function sweepJournals(root: string): void {
  for (const name of namesIn(root)) {
    const folder = join(root, name);
    const owner = ownerOf(name);
    const isGone = owner === undefined || isAlive(owner) === undefined ? (lookAt(folder)?.mtimeMs ?? Infinity) < Date.now() - SWEEP_AFTER_MS : isAlive(owner) === false;
    if (!isGone || readJournal(folder) !== undefined) continue;
    if (owner !== undefined) breakLeasesOf(join(root, "../locks"), owner);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Where it cannot be seen whether the task still runs: it writes its first line right after it has made the folder. */
const SWEEP_AFTER_MS = 3_600_000;

/** It names its task, so that one without lines can be told to be nobody's. */
function folderName({ since, host, pid, started }: JournalHead): string {
  return [since, encodeURIComponent(host), pid, started, uniqueName()].join("~");
}

function ownerOf(folder: string): ProcessIdentity | undefined {
  const [, host, pid, started, unique] = folder.split("~");
  return host === undefined || unique === undefined ? undefined : { host: decodeURIComponent(host), pid: Number(pid), started: Number(started) };
}

/** The journal in that folder as it is now; undefined when it has no first line, or is gone. */
export function readJournal(directory: string): LeftJournal | undefined {
  const lines = readIfThere(join(directory, LINES))?.toString("utf8").split("\n") ?? [];
  const parsed: object[] = [];
  const places = new Map<object, number>();
  let place = 0;
  for (const line of lines) {
    try {
      const data = line === "" ? undefined : (JSON.parse(line) as unknown);
      if (typeof data === "object" && data !== null) {
        parsed.push(data);
        places.set(data, place);
      }
    } catch {
      // One that was struck; or that was cut off, by a crash or a full disk: its change was not made.
    }
    place += Buffer.byteLength(line) + 1;
  }
  const [head, ...rest] = parsed;
  if (head === undefined || !("context" in head)) return undefined;
  const entries = rest as UndoEntry[];
  const committed = entries.some(({ kind }) => kind === COMMIT);
  const later = entries.filter((entry) => entry["later"] === true);
  return {
    directory,
    head: head as JournalHead,
    entries: entries.filter((entry) => entry["later"] !== true && entry.kind !== COMMIT),
    remaining: committed ? later : undefined,
    strike: (entry) => strikeLine(directory, places.get(entry)),
  };
}
