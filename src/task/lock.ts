import { linkSync, mkdirSync, renameSync, statSync, unlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ShimError } from "../errors/shim-error.ts";
import { errnoOf, isAbsent, namesIn, readIfThere } from "../files/look.ts";
import { uniqueName } from "../files/unique-name.ts";
import { writeError } from "../files/write-whole.ts";
import { isAlive, thisProcess, type ProcessIdentity } from "./process-identity.ts";

/** Who holds a lock: the content of the lock file. */
export interface LockHolder extends ProcessIdentity {
  readonly token: string;
  readonly what: string;
  /** Seconds since 1970. */
  readonly since: number;
}

export interface LockRequest {
  readonly directory: string;
  readonly name: string;
  /** What the holder does, for people. */
  readonly what: string;
  /** A lock that carries the same token lets us through: calls that come back to us in the middle of a task. */
  readonly token: string;
  /** How long to wait for it, in milliseconds. */
  readonly waitMs: number;
  /** Called once when it is held by another and we begin to wait. */
  readonly onWait?: (holder: LockHolder) => void;
  readonly signal?: AbortSignal;
}

export interface Lock {
  /** True when an outer task holds it and this is only let through. */
  readonly inherited: boolean;
  /** True when another task held it at first, or left it behind: the world may have changed. */
  readonly waited: boolean;
  release(): void;
}

/** Leases of this process that were released. */
const givenBack = new Set<string>();
const HEARTBEAT_MS = 10_000;
/** A holder on another host (a home on a network file system) counts as dead after this long without a heartbeat. */
const LEASE_MS = 300_000;
const POLL_MS = 50;

/** Tasks of this process that wait for another one of it, by the path of the lock: they are woken when it is released. */
const waiting = new Map<string, Set<() => void>>();

/**
 * Takes a lock: a lease in a file with its owner and a heartbeat. The lease of a process that is gone is taken over.
 *
 * @throws ShimError PROVISION_CONTEXT_LOCKED after waitMs, PROVISION_INTERRUPTED when aborted, DRUSH_PERM_ERROR and FILE_NO_SPACE when it cannot be written
 */
export async function takeLock(request: LockRequest): Promise<Lock> {
  makeFolder(request.directory);
  const path = lockPath(request.directory, request.name);
  const deadline = Date.now() + request.waitMs;
  let waited = false;
  for (let told = false; ; ) {
    const mine = tryTake(path, request);
    if (mine !== undefined) return { ...mine, waited };
    waited = true;
    const holder = readHolder(path);
    if (holder === undefined) continue;
    if (holder.token === request.token) return { inherited: true, waited: false, release: () => undefined };
    if (isDead(holder, path) || (holder.pid === process.pid && givenBack.has(path))) {
      breakLease(path, holder);
      breakLeasesOf(request.directory, holder);
      continue;
    }
    if (Date.now() >= deadline) throw lockedError(request.name, holder);
    if (!told) request.onWait?.(holder);
    told = true;
    await waitABit(path, request.signal);
  }
}

/** All lock files of the directory that name a living holder, and those left by dead ones. */
export function readHolder(path: string): LockHolder | undefined {
  const text = readIfThere(path)?.toString("utf8");
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as LockHolder;
  } catch {
    // Lock files appear whole; one that cannot be read was damaged by something else and protects nobody.
    return { host: thisProcess().host, pid: 0, started: 1, token: "", what: "unknown", since: 0 };
  }
}

export function lockPath(directory: string, name: string): string {
  return join(directory, `${encodeURIComponent(name)}.lock`);
}

/** True when the holder is gone for good, so that its lease may be taken over. */
export function isDead(holder: LockHolder, path: string): boolean {
  const alive = isAlive(holder);
  if (alive !== undefined) return !alive;
  const beat = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return Date.now() - beat > LEASE_MS;
}

/** Removes the leases of a process that is gone, which would be in the way of nobody and stay for ever. */
export function breakLeasesOf(directory: string, { host, pid, started }: ProcessIdentity): void {
  sweepLeases(directory);
  for (const name of namesIn(directory).filter((one) => one.endsWith(".lock"))) {
    const path = join(directory, name);
    const holder = readHolder(path);
    if (holder?.host === host && holder.pid === pid && holder.started === started && isAlive(holder) === false) breakLease(path, holder);
  }
}

/** Removes what processes that are gone had written to become a lease. */
export function sweepLeases(directory: string): void {
  for (const name of namesIn(directory).filter((one) => !one.endsWith(".lock"))) {
    const path = join(directory, name);
    const holder = readHolder(path);
    const isOld = (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Infinity) < Date.now() - LEASE_MS;
    // One that names nobody was cut off, or is being written this moment.
    if (holder !== undefined && (holder.token === "" ? isOld || isGone(name) : isDead(holder, path))) removeLease(path);
  }
}

/** By the process id that {@link uniqueName} puts into a name of this machine. */
function isGone(name: string): boolean {
  const pid = Number(/\.lock\.(\d+)\./.exec(name)?.[1] ?? 0);
  return pid > 0 && isAlive({ ...thisProcess(), pid, started: 0 }) === false;
}

function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (thrown) {
    throw writeError(path, thrown);
  }
}

function tryTake(path: string, request: LockRequest): Omit<Lock, "waited"> | undefined {
  const holder: LockHolder = { ...thisProcess(), token: request.token, what: request.what, since: Math.floor(Date.now() / 1000) };
  const staged = `${path}.${uniqueName()}`;
  try {
    writeFileSync(staged, JSON.stringify(holder), { flag: "wx", mode: 0o600 });
    // A hard link is made only when the name is free, and appears with its content.
    linkSync(staged, path);
  } catch (thrown) {
    removeLease(staged);
    if (errnoOf(thrown) !== "EEXIST") throw writeError(path, thrown);
    return undefined;
  }
  removeLease(staged);
  givenBack.delete(path);
  const heart = setInterval(() => {
    beat(path);
  }, HEARTBEAT_MS);
  heart.unref();
  return {
    inherited: false,
    release() {
      clearInterval(heart);
      if (readHolder(path)?.pid !== process.pid) return;
      // Should it stay, it is not ours any more.
      givenBack.add(path);
      removeLease(path);
      for (const wake of [...(waiting.get(path) ?? [])]) wake();
    },
  };
}

function beat(path: string): void {
  try {
    utimesSync(path, new Date(), new Date());
  } catch {
    // The lease was taken over or the home is gone; the task itself will notice.
  }
}

/** Removes the lease of a dead holder; of several waiters that try, one succeeds and none removes a new lease. */
function breakLease(path: string, dead: LockHolder): void {
  const aside = `${path}.${uniqueName()}`;
  try {
    renameSync(path, aside);
  } catch (thrown) {
    if (isAbsent(thrown)) return;
    throw thrown;
  }
  const moved = readHolder(aside);
  if (moved !== undefined && (moved.pid !== dead.pid || moved.token !== dead.token)) {
    // Somebody else broke the lease and took the lock between our look and our rename: give it back.
    try {
      linkSync(aside, path);
    } catch (thrown) {
      if (errnoOf(thrown) !== "EEXIST") throw thrown;
    }
  }
  unlinkIfThere(aside);
}

/** One that stays is in nobody's way: in ours it is no more, and another process finds its holder gone soon. */
function removeLease(path: string): void {
  try {
    unlinkIfThere(path);
  } catch {
    try {
      unlinkIfThere(path);
    } catch {
      // The next one who wants it finds its holder gone.
    }
  }
}

function unlinkIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (thrown) {
    if (!isAbsent(thrown)) throw thrown;
  }
}

async function waitABit(path: string, signal: AbortSignal | undefined): Promise<void> {
  const wakers = waiting.get(path) ?? new Set();
  waiting.set(path, wakers);
  await new Promise<void>((resolve) => {
    const wake = (): void => {
      clearTimeout(timer);
      wakers.delete(wake);
      resolve();
    };
    const timer = setTimeout(wake, POLL_MS);
    wakers.add(wake);
  });
  if (signal?.aborted === true) throw new ShimError("PROVISION_INTERRUPTED", "Stopped while waiting for another task.");
}

function lockedError(name: string, holder: LockHolder): ShimError {
  return new ShimError("PROVISION_CONTEXT_LOCKED", `${name} is in use by another task (${holder.what}, process ${holder.pid} on ${holder.host}).`, {
    hint: "wait until it has ended; `provision ps` shows who holds which lock",
  });
}
