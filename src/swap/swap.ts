import { linkSync, lstatSync, mkdirSync, readlinkSync, realpathSync, renameSync, symlinkSync, unlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { ShimError } from "../errors/shim-error.ts";
import { lookAt, modeOf, readIfThere } from "../files/look.ts";
import { writeWhole } from "../files/write-whole.ts";
import { bytesFromText, textFromBytes } from "../php-values/text.ts";
import type { Variables } from "../real-drush/environment.ts";
import { readCrontab, writeCrontab } from "./crontab.ts";
import { aliasPlaces, drushInPath, mayReplace, realPath, replaceDrushPaths, systemPlaces, type DrushFiles, type TextPlace } from "./find-places.ts";
import { aliasesNaming, ownDrushPlaces, withoutInsertions } from "./own-drush.ts";
import { askDrush } from "./real-drush-facts.ts";
import { forgetState, readState, writeState, type SwapChange, type SwapState } from "./swap-state.ts";

/** What the swap works with. */
export interface SwapSettings {
  /** Home of the backend's user. */
  readonly home: string;
  /** The backend's user when this is run by root for him; undefined when it is run by himself. */
  readonly forUser: string | undefined;
  readonly lib: string;
  readonly variables: Variables;
  /** The real drush, when named; else the one in PATH. */
  readonly drush: string | undefined;
  /** Where swap.json and the configuration file are. */
  readonly stateFolder: string;
  readonly configFile: string;
  /** "" for the real system; a folder in tests. */
  readonly systemRoot: string;
}

/** One place and what becomes of it. */
export interface SwapItem {
  readonly path: string;
  readonly what: string;
  /** `change`: is (or would be) changed; `fine`: needs nothing; `refused`: this user may not; `problem`: an administrator must look at it. */
  readonly state: "change" | "fine" | "refused" | "problem";
  readonly detail: string;
}

export interface SwapReport {
  readonly on: boolean;
  readonly drush: string | undefined;
  readonly version: string | undefined;
  readonly items: readonly SwapItem[];
}

interface Found {
  readonly files: DrushFiles;
  readonly version: string;
  readonly changes: readonly { readonly item: SwapItem; readonly change: SwapChange | undefined }[];
}

/** Finds all places and what `on` would do with each. */
async function find(settings: SwapSettings, present: SwapState | undefined): Promise<Found> {
  const launcher = realpathSync(join(settings.lib, "../bin/drush"));
  const program = drushInPath((settings.variables["PATH"] ?? "").split(":"));
  const drush = settings.drush ?? present?.drush ?? (program === undefined ? undefined : realPath(program));
  if (drush === undefined) throw new ShimError("PROVISION_NO_REAL_DRUSH", "No drush was found in PATH.", { hint: "name it with --drush=FILE" });
  if (realPath(drush) === launcher) throw new ShimError("PROVISION_DRUSH_LOOP", `${drush} is provision-shim itself.`, { hint: "name the real drush with --drush=FILE" });
  const { version, script } = await askDrush(drush, settings.lib, settings.variables);
  const swap = program === undefined ? undefined : programChange(program, { drush, script, launcher });
  const changes: Found["changes"][number][] = swap === undefined ? [] : [swap];
  const isSwapped = swap?.change !== undefined || swap?.item.state === "fine";
  const movedTo = swap?.change?.kind === "moved" ? swap.change.movedTo : undefined;
  const files: DrushFiles = { drush, script, launcher, swapped: new Set(program !== undefined && isSwapped ? [program] : []) };
  changes.push(...(await crontabChange(settings, files)));
  for (const place of [...systemPlaces(files, settings.systemRoot), ...aliasPlaces(settings.home, files)]) changes.push(textChange(place));
  for (const place of ownDrushPlaces(settings.home, launcher)) changes.push(textChange(place));
  for (const path of ["/drush.launcher", "/drush.wrapper", "/drush", "/vendor/bin/drush"].map((file) => settings.systemRoot + file)) {
    if (lookAt(path)?.isFile() === true) changes.push(problem(path, "program in the root of the file system", "drush starts it for every provision-save; remove it"));
  }
  for (const [name, detail] of [["self.alias.drushrc.php", "it stands in for @self of all calls without an alias; remove it"], ["self.alias.drush8rc.php", "the same"]] as const) {
    const path = join(settings.home, ".drush", name);
    if (lookAt(path) !== undefined) changes.push(problem(path, "alias file", detail));
  }
  const siteAliases = join(settings.home, ".drush/site-aliases");
  if (lookAt(siteAliases)?.isDirectory() === true) changes.push(problem(siteAliases, "folder of aliases", "drush looks only there, and not at the contexts in ~/.drush; move it"));
  // A program that is moved aside is the real drush under its new name.
  const moved = (path: string): string => (movedTo !== undefined && realPath(path) === program ? movedTo : path);
  return { files: { ...files, drush: moved(drush), script: moved(script) }, version, changes };
}

/** The `drush` that a shell finds: a link is turned, a program file is moved aside within its folder. */
function programChange(program: string, files: { readonly drush: string; readonly script: string; readonly launcher: string }): Found["changes"][number] {
  const what = "drush in PATH";
  if (realPath(program) === files.launcher) return { item: { path: program, what, state: "fine", detail: "leads to provision-shim" }, change: undefined };
  const isDrush = [realPath(files.drush), realPath(files.script)].includes(realPath(program));
  if (!isDrush) return problem(program, what, "is another drush than the one that would be used; left alone");
  if (!mayReplace(program)) return { item: { path: program, what, state: "refused", detail: "only root may change it; calls of people stay with drush, the front end's tasks do not need it" }, change: undefined };
  if (lstatSync(program).isSymbolicLink()) {
    const target = readlinkSync(program);
    return { item: { path: program, what, state: "change", detail: `link to ${target} → link to ${files.launcher}` }, change: { kind: "link", path: program, target } };
  }
  const movedTo = `${program}.provision-shim-real`;
  return { item: { path: program, what, state: "change", detail: `moved to ${movedTo}, link to ${files.launcher} in its place` }, change: { kind: "moved", path: program, movedTo } };
}

async function crontabChange(settings: SwapSettings, files: DrushFiles): Promise<Found["changes"][number][]> {
  const before = await readCrontab(settings.forUser, settings.variables);
  if (before === undefined || before === "") return [];
  const path = `crontab of ${settings.forUser ?? "this user"}`;
  const replacement = replaceDrushPaths(before, files);
  if (replacement === undefined) return before.includes("hosting-dispatch") ? [{ item: { path, what: "crontab", state: "fine", detail: "names no path of drush that is not swapped itself" }, change: undefined }] : [];
  const detail = replacement.replaced.map(([from, to]) => `${from} → ${to}`).join(", ");
  return [{ item: { path, what: "crontab", state: "change", detail }, change: { kind: "crontab", user: settings.forUser ?? "", before, ...replacement } }];
}

function textChange({ path, what, before, after, replaced }: TextPlace): Found["changes"][number] {
  const detail = replaced.map(([from, to]) => `${from} → ${to}`).join(", ");
  if (!mayReplace(path)) return { item: { path, what, state: "refused", detail: `only root may change it (${detail})` }, change: undefined };
  return { item: { path, what, state: "change", detail }, change: { kind: "text", path, before, after, replaced } };
}

function problem(path: string, what: string, detail: string): { item: SwapItem; change: undefined } {
  return { item: { path, what, state: "problem", detail }, change: undefined };
}

/** Puts us in drush's place, or with `dryRun` says what that would change. Running it again completes what has come since. */
export async function swapOn(settings: SwapSettings, dryRun: boolean): Promise<SwapReport> {
  const present = readState(settings.stateFolder);
  const { files, version, changes } = await find(settings, present);
  const config = configChange(settings, files);
  const items = [...changes.map(({ item }) => item), ...(config === undefined ? [] : [config.item])];
  const report = { on: true, drush: files.drush, version, items };
  if (dryRun) return { ...report, on: present !== undefined };
  const wanted = changes.flatMap(({ change }) => change ?? []);
  const done: SwapChange[] = [];
  const state = (): SwapState => ({ launcher: files.launcher, drush: files.drush, script: files.script, since: present?.since ?? Math.floor(Date.now() / 1000), changes: [...(present?.changes ?? []), ...done] });
  for (const change of [...(config === undefined ? [] : [config.change]), ...wanted]) {
    // Written down first: a swap that is stopped half-way can be undone as a whole.
    done.push(change);
    writeState(settings.stateFolder, state());
    await apply(change, files.launcher, settings);
  }
  if (done.length === 0 && present === undefined) writeState(settings.stateFolder, state());
  return report;
}

async function apply(change: SwapChange, launcher: string, settings: SwapSettings): Promise<void> {
  if (change.kind === "link") turnLink(change.path, launcher);
  else if (change.kind === "moved") {
    // Both names for a moment, so that no call in between finds nothing.
    linkSync(change.path, change.movedTo);
    turnLink(change.path, launcher);
  }
  else if (change.kind === "text") rewrite(change.path, change.after);
  else if (change.kind === "crontab") await writeCrontab(change.user === "" ? undefined : change.user, change.after, settings.variables);
  else writeConfig(change.path, settings);
}

/** Undoes what `on` did, newest first. Where something has changed since, only our paths are taken out again. */
export async function swapOff(settings: SwapSettings, dryRun: boolean): Promise<SwapReport> {
  const state = readState(settings.stateFolder);
  if (state === undefined) return { on: false, drush: undefined, version: undefined, items: [] };
  const items: SwapItem[] = [];
  for (const change of [...state.changes].reverse()) items.push(await undo(change, state, { settings, dryRun }));
  const undone = new Set(state.changes.map((change) => (change.kind === "text" ? change.path : undefined)));
  for (const { path, what, after } of aliasesNaming(settings.home, state.launcher).filter(({ path }) => !undone.has(path))) {
    if (!dryRun) rewrite(path, after);
    items.push({ path, what, state: "change", detail: "names provision-shim no more" });
  }
  if (!dryRun) forgetState(settings.stateFolder);
  return { on: dryRun, drush: state.drush, version: undefined, items };
}

async function undo(change: SwapChange, state: SwapState, how: { readonly settings: SwapSettings; readonly dryRun: boolean }): Promise<SwapItem> {
  const { settings, dryRun } = how;
  const item = (path: string, what: string, detail: string): SwapItem => ({ path, what, state: "change", detail });
  switch (change.kind) {
    case "link": {
      const present = lookAt(change.path)?.isSymbolicLink() === true ? readlinkSync(change.path) : undefined;
      if (present !== state.launcher) return { path: change.path, what: "drush in PATH", state: "fine", detail: "was changed by something else since; left alone" };
      if (!dryRun) turnLink(change.path, change.target);
      return item(change.path, "drush in PATH", `link to ${change.target} again`);
    }
    case "moved":
      if (!dryRun) renameSync(change.movedTo, change.path);
      return item(change.path, "drush in PATH", `moved back from ${change.movedTo}`);
    case "text": {
      const present = readIfThere(change.path);
      if (present === undefined) return { path: change.path, what: "file", state: "fine", detail: "is gone" };
      if (!dryRun) rewrite(change.path, restored(textFromBytes(present), change));
      return item(change.path, "file", "as before");
    }
    case "crontab": {
      const user = change.user === "" ? undefined : change.user;
      const present = (await readCrontab(user, settings.variables)) ?? "";
      if (!dryRun) await writeCrontab(user, restored(present, change), settings.variables);
      return item("crontab", "crontab", "as before");
    }
    case "config":
      if (!dryRun) {
        if (change.before === null) unlinkIfThere(change.path);
        else rewrite(change.path, change.before);
      }
      return item(change.path, "configuration", change.before === null ? "removed" : "as before");
  }
}

/** The former text when nothing else has changed it; else the present one with our paths replaced by the former ones. */
function restored(present: string, change: Extract<SwapChange, { kind: "text" | "crontab" }>): string {
  if (present === change.after) return change.before;
  const withoutScript = withoutInsertions(present, change.replaced);
  return change.replaced.reduce((text, [from, to]) => (from === "" ? text : text.replaceAll(to, from)), withoutScript);
}

/** What is where now, without changing anything. */
export async function swapStatus(settings: SwapSettings): Promise<SwapReport> {
  const state = readState(settings.stateFolder);
  const { files, version, changes } = await find(settings, state);
  return { on: state !== undefined, drush: files.drush, version, items: changes.map(({ item }) => (item.state === "change" ? { ...item, state: "problem", detail: state === undefined ? `not swapped (${item.detail})` : `still drush (${item.detail}); run \`provision swap on\` again` } : item)) };
}

function configChange(settings: SwapSettings, files: DrushFiles): { item: SwapItem; change: SwapChange } | undefined {
  const before = readIfThere(settings.configFile)?.toString("utf8") ?? null;
  const wanted = configText(before, files);
  if (wanted === before) return undefined;
  return { item: { path: settings.configFile, what: "configuration", state: "change", detail: `names ${files.drush} as the real drush` }, change: { kind: "config", path: settings.configFile, before } };
}

/** One member a line, as lib/config.sh reads it; other members are kept. */
function configText(before: string | null, files: Pick<DrushFiles, "drush" | "script">): string {
  const present = before === null ? {} : (JSON.parse(before) as object);
  return JSON.stringify({ ...present, drush: files.drush, script: files.script }, null, 2) + "\n";
}

function writeConfig(path: string, settings: SwapSettings): void {
  const state = readState(settings.stateFolder);
  if (state === undefined) return;
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
  writeWhole(path, Buffer.from(configText(readIfThere(path)?.toString("utf8") ?? null, state)), { mode: 0o644 });
}

function turnLink(path: string, target: string): void {
  const staged = `${path}.${process.pid}.new`;
  symlinkSync(target, staged);
  renameSync(staged, path);
}

/** New content for a file that is there; owner and mode stay. */
function rewrite(path: string, text: string): void {
  const stats = lookAt(path);
  if (stats === undefined) return;
  writeWhole(path, bytesFromText(text), { mode: modeOf(stats), gid: stats.gid, uid: stats.uid });
}

function unlinkIfThere(path: string): void {
  if (lookAt(path) !== undefined) unlinkSync(path);
}
