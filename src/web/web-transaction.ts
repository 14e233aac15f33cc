import { dirname, join } from "node:path";
import type { ServerContext } from "../contexts/context.ts";
import { ShimError } from "../errors/shim-error.ts";
import { lookAt, modeOf, readIfThere } from "../files/look.ts";
import { newFileMode } from "../files/umask.ts";
import type { Remembered } from "../files/remembered.ts";
import type { UndoEntry } from "../task/journal.ts";
import type { Work } from "../task/plan.ts";
import { presentText, stillWanted, type WebFileChange } from "./web-file.ts";
import { KnownConfig, presentState } from "./known-config.ts";
import type { RemoteServer } from "./remote-server.ts";
import { refuseTakenNames } from "./server-names.ts";
import { commandWords } from "./restart-command.ts";
import { runControl, type ControlOutcome, type Environment, type WebChange, type WebControl } from "./web-control.ts";
import { webDriver, type WebDriver } from "./web-driver.ts";

export interface WebSettings {
  readonly environment: Environment;
  readonly remembered: Remembered;
  /** Leaves the reload out when nothing changed and the server runs exactly the configuration that is there. */
  readonly onlyWhenNeeded?: boolean;
  /** The umask for a file that is new. */
  readonly umask?: number;
  /** Every file gets the mode of a new one: the original had removed it before. */
  readonly anew?: boolean;
  /** The server is on another machine. */
  readonly remote?: RemoteServer | undefined;
}

/**
 * Changes a server's web configuration as one transaction: test the whole server with the new files, swap them in, reload. On a broken
 * configuration every byte stays as it was. (Provision writes in place, reloads, and reports success when that fails.)
 *
 * @param given written when their content is new; the reload happens in any case, because a platform's .htaccess is only read then
 * @throws ShimError PROVISION_WEB_CONFIG_BROKEN, PROVISION_WEB_NAME_TAKEN
 */
export async function changeWebConfig(work: Work, server: ServerContext, given: readonly WebFileChange[], settings: WebSettings): Promise<void> {
  const command = server.http?.restartCommand;
  const driver = await webDriver(server);
  await work.exclusively(`web @${server.name}`, async () => {
    const files = stillWanted(given);
    const remote = settings.remote === undefined ? undefined : (await import("./remote-config.ts")).remoteConfig(work, settings.remote, { server, files });
    const control = driver.control(command ?? "", { ...settings.environment, ...remote?.environment, signal: work.signal }, settings.remembered);
    const changes = files.filter(({ path, content }) => presentText(path) !== content);
    if (server.http?.paths !== undefined) refuseTakenNames(server.http.paths.vhost, changes);
    // Nothing is known of files on another machine.
    const known = remote === undefined ? await knownConfig(server, driver, control, settings.remembered) : new KnownConfig(server.name, settings.remembered, undefined);
    const wasLoaded = known.isLoaded();
    if (changes.length === 0 && settings.onlyWhenNeeded === true && wasLoaded) {
      work.log("success", `The web server on ${server.remoteHost} has loaded this already`);
      return;
    }
    const howTested = async (): Promise<Swap["tested"]> => {
      if (known.wasLoaded(changes)) return "once";
      // What goes breaks nothing; when something else is broken, the reload says so in time.
      if (control.reloadTests && changes.every(({ content }) => content === undefined)) return "by-reload";
      return (await testBefore(work, server, changes, { driver, control })) ? "now" : undefined;
    };
    const needsTest = changes.length > 0 && !work.dryRun && command !== undefined && remote === undefined;
    const tested = needsTest ? await howTested() : undefined;
    if (remote !== undefined && changes.length > 0) await remote.noteUndo(command);
    else if (command !== undefined && changes.length > 0 && !work.dryRun) {
      // Undone last: first all files are as before, then Apache reads them.
      await work.act(`reload ${server.http?.driver ?? "the web server"} again if this task is undone`, () => undefined, { kind: "web-reload", command, cwd: settings.environment.cwd });
    }
    const before = changes.map(({ path }) => ({ path, content: readIfThere(path), mode: modeOfFile(path) }));
    const swapIn = async (): Promise<void> => {
      for (const file of files) {
        const { path, content, label, mode, umask = settings.umask } = file;
        if (content === undefined) {
          if (work.files.remove(path)) work.log("success", `Removed ${label} (${path})`);
          if (file.withDirectory === true) work.files.removeEmptyDirectory(dirname(path));
          continue;
        }
        // There is none yet when the server was not verified; the mode is the one that its verify gives.
        if (work.files.directory(dirname(path))) work.files.chmod(dirname(path), 0o700);
        const written = work.files.write({ path, content, mode: mode ?? (settings.anew === true ? newFileMode(umask) : "keep"), stagingDirectory: server.configPath, secret: true, ...(umask === undefined ? {} : { umask }) });
        work.log("success", written ? `Generated ${label} (${path})` : `The ${label} is up to date (${path})`);
      }
      await remote?.push();
    };
    const swapOut = async (): Promise<void> => {
      for (const { path, content, mode } of before) {
        if (content === undefined) {
          work.files.remove(path);
          continue;
        }
        if (work.files.directory(dirname(path))) work.files.chmod(dirname(path), 0o700);
        work.files.write({ path, content, mode: mode ?? "keep", stagingDirectory: server.configPath, secret: true });
      }
      await remote?.push();
    };
    const former = wasLoaded ? changes.map(({ path }) => presentState(path)) : undefined;
    if (changes.length > 0 && !work.dryRun) known.forget();
    await swapIn();
    if (command === undefined) return;
    const looked = known.look(changes, former);
    const isLoaded = await work.act(`run "${command}"`, () => reload(work, server, control, { changes, changed: changes.length > 0 || remote !== undefined, tested, swapIn, swapOut }));
    if (isLoaded === true) looked.noteLoaded();
  });
}

async function knownConfig(server: ServerContext, driver: WebDriver, control: WebControl, remembered: Remembered): Promise<KnownConfig> {
  const mainFile = await control.mainFile(false);
  return new KnownConfig(server.name, remembered, mainFile === undefined ? undefined : () => driver.watched(server, mainFile));
}

/** True when the new configuration was tested as a whole and is good; false when it cannot be tested before it is in place. */
async function testBefore(work: Work, server: ServerContext, changes: readonly WebChange[], { driver, control }: { readonly driver: WebDriver; readonly control: WebControl }): Promise<boolean> {
  const shadow = await driver.shadow(server, changes, { control, journal: work.files.journal });
  if (shadow === undefined) {
    work.log("debug", `The configuration of @${server.name} cannot be tested before it is in place: it was not found out how its web server includes ${join(server.configPath, `${driver.application}.conf`)}.`);
    return false;
  }
  try {
    const outcome = await control.test(shadow.mainFile);
    if (outcome?.ok !== false) return outcome?.ok === true;
    if (outcome.refused) return false;
    const present = await control.test();
    throw brokenConfig(server, { output: shadow.realPaths(outcome.output), neighbour: present?.ok === false, changes });
  } finally {
    shadow.remove();
  }
}

interface Swap {
  readonly changes: readonly WebChange[];
  readonly changed: boolean;
  /** `once`: the server has loaded the same files before; `by-reload`: the reload itself will test it. */
  readonly tested: "now" | "once" | "by-reload" | undefined;
  readonly swapIn: () => Promise<void>;
  readonly swapOut: () => Promise<void>;
}

/** Returns whether the server has loaded what is in place. */
async function reload(work: Work, server: ServerContext, control: WebControl, swap: Swap): Promise<boolean> {
  // Not every control program tests before it reloads, and a server that reloads a broken configuration may be gone.
  if (swap.changed && swap.tested === undefined) await testInPlace(server, control, swap);
  const outcome = await control.reload();
  if (outcome.ok) {
    work.log("success", `The web server on ${server.remoteHost} has been restarted`);
    return true;
  }
  if (swap.tested !== "now") await testInPlace(server, control, swap);
  if (swap.changed) {
    // The files read well and still it does not reload: is it because of them?
    await swap.swapOut();
    if ((await control.reload()).ok) throw reloadFailed(server, outcome);
    await swap.swapIn();
  }
  // It did not reload before this task either. As in Provision that is a warning: the files are good and the next reload takes them.
  work.log("warning", `The web server on ${server.remoteHost} could not be restarted. Changes might not be available until this has been done. (error: ${outcome.output})`);
  return false;
}

async function testInPlace(server: ServerContext, control: WebControl, swap: Swap): Promise<void> {
  const test = await control.test();
  if (test === undefined || test.ok || test.refused) return;
  await swap.swapOut();
  const former = swap.changed ? await control.test() : test;
  throw brokenConfig(server, { output: test.output, neighbour: former?.ok === false, changes: swap.changes });
}

function brokenConfig(server: ServerContext, { output, neighbour, changes }: { readonly output: string; readonly neighbour: boolean; readonly changes: readonly WebChange[] }): ShimError {
  const whose = neighbour ? "was broken before this task, by something else" : "would be broken by this change";
  return new ShimError("PROVISION_WEB_CONFIG_BROKEN", `The web server configuration of @${server.name} ${whose}: ${output}`, {
    hint: neighbour ? "mend or remove the file that the message names; nothing was changed" : "the configuration in place was kept",
    files: changes.flatMap(({ path, content }) => (content !== undefined && names(output, path) ? [path] : [])),
  });
}

/** Whether a server's words name that file, and not another one whose name only begins alike. */
function names(output: string, path: string): boolean {
  return output.split(path).slice(1).some((rest) => !/^[\w./-]*\w/.test(rest));
}

function reloadFailed(server: ServerContext, outcome: ControlOutcome): ShimError {
  return new ShimError("PROVISION_WEB_RELOAD_FAILED", `The web server on ${server.remoteHost} does not reload with this change: ${outcome.output}`, {
    hint: "the former configuration is back in place and loaded",
  });
}

function modeOfFile(path: string): number | undefined {
  const stats = lookAt(path);
  return stats === undefined ? undefined : modeOf(stats);
}

/** Undo handler `web-reload`: makes the web server read its configuration again after the files are back. */
export async function undoWebReload(entry: UndoEntry): Promise<string> {
  const { command, cwd } = entry;
  const outcome = await runControl(commandWords(typeof command === "string" ? command : ""), { cwd: typeof cwd === "string" ? cwd : "/", variables: process.env });
  // A server that does not reload is no reason to keep the journal: all bytes are as before.
  return outcome.ok ? "restarted the web server" : `the web server could not be restarted (${outcome.output})`;
}
