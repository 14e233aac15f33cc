import { join } from "node:path";
import { ShimError } from "../errors/shim-error.ts";
import { runProcess, type ProcessResult } from "../processes/run-process.ts";
import { scrubText, textFromBytes } from "../php-values/text.ts";
import { realDrushEnvironment } from "./environment.ts";
import { usableDrush } from "./hand-over.ts";
import type { LineHookName } from "./hooks.ts";
import type { DrushChild } from "./run-drush.ts";

/** A function of a drush extension that adds lines to a file that Provision writes. */
export interface LineHook {
  readonly hook: LineHookName;
  readonly name: string;
  readonly file: string;
}

/** What Provision would tell the hooks of a context. */
export interface LineSubject {
  /** Name of the context that is current for them: a site, a platform or a server. */
  readonly context: string;
  /** Host name of a site. */
  readonly uri?: string;
  /** Name of the web server that is written for. */
  readonly server: string;
  /** A site's own options, which its drushrc.php holds. */
  readonly options: Readonly<Record<string, string>>;
  readonly data: Readonly<Record<string, string>>;
}

const TIME_LIMIT_MS = 120_000;
const MARKER = /^PROVISION_SHIM_LINES ([A-Za-z0-9+/=]*)$/m;

/**
 * The lines that extensions add to the files of a context, from their own PHP, run by the real drush (as drush_command_invoke_all() in Provision 7.x-3.x). One
 * call for all hooks that can concern it.
 *
 * @throws ShimError PROVISION_HOOK_FAILED; PROVISION_NO_REAL_DRUSH, PROVISION_DRUSH_LOOP when there is no drush to ask
 */
export async function hookLines(hooks: readonly LineHook[], subject: LineSubject, place: DrushChild): Promise<ReadonlyMap<string, readonly string[]>> {
  const drush = usableDrush(place);
  const asked: Record<string, { readonly name: string; readonly file: string }[]> = {};
  for (const { hook, name, file } of hooks) (asked[hook] ??= []).push({ name, file });
  const input = JSON.stringify({ hooks: asked, context: subject.context, uri: subject.uri ?? null, server: subject.server, options: subject.options, data: subject.data });
  const who = hooks.map(({ name, file }) => `${name}() in ${file}`).join(", ");
  let result: ProcessResult;
  try {
    result = await runProcess({
      file: drush,
      args: ["@none", "php-script", join(place.lib, "../php/hook-lines.php")],
      env: realDrushEnvironment(place.variables, { ...place, drush }),
      cwd: place.cwd,
      input,
      timeoutMs: TIME_LIMIT_MS,
      maxOutputBytes: 16 << 20,
      signal: place.signal,
    });
  } catch (cause) {
    throw failed(who, cause instanceof Error ? cause.message : String(cause));
  }
  if (place.signal.aborted) throw new ShimError("PROVISION_INTERRUPTED", `The hook ${who} was told to stop.`);
  const answer = MARKER.exec(result.stdout.toString("latin1"))?.[1];
  if (result.timedOut) throw failed(who, `no answer within ${TIME_LIMIT_MS / 1000} s`);
  if (answer === undefined) throw failed(who, lastWords(result));
  const { lines, errors } = JSON.parse(Buffer.from(answer, "base64").toString("utf8")) as { lines: Record<string, string[]>; errors: Record<string, string[]> };
  const [error] = Object.values(errors).flat();
  if (error !== undefined) throw failed(who, scrubText(plainText(error)));
  return new Map(Object.entries(lines).map(([hook, texts]) => [hook, texts.map(plainText)]));
}

function plainText(encoded: string): string {
  return textFromBytes(Buffer.from(encoded, "base64"));
}

function lastWords({ stdout, stderr, status }: ProcessResult): string {
  const said = scrubText(textFromBytes(Buffer.concat([stdout, stderr]))).trim();
  return said === "" ? `it ended with status ${status ?? "of a signal"}` : said.slice(-500);
}

function failed(who: string, reason: string): ShimError {
  return new ShimError("PROVISION_HOOK_FAILED", `The hook ${who} gave no lines: ${reason}`, { hint: "mend the extension, or name it in ignoredExtensions of the configuration" });
}
