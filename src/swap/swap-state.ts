import { mkdirSync, unlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { ShimError } from "../errors/shim-error.ts";
import { readIfThere } from "../files/look.ts";
import { writeWhole } from "../files/write-whole.ts";

/** One thing that `swap on` changed, with all that `swap off` needs to undo it exactly. */
export type SwapChange =
  /** A link that led to drush and leads to us. */
  | { readonly kind: "link"; readonly path: string; readonly target: string }
  /** A program file that was moved aside to make place for a link to us. */
  | { readonly kind: "moved"; readonly path: string; readonly movedTo: string }
  /** A text file in which paths of drush were replaced. */
  | { readonly kind: "text"; readonly path: string; readonly before: string; readonly after: string; readonly replaced: readonly (readonly [from: string, to: string])[] }
  /** The crontab of a user, likewise. */
  | { readonly kind: "crontab"; readonly user: string; readonly before: string; readonly after: string; readonly replaced: readonly (readonly [from: string, to: string])[] }
  /** A configuration file of ours that was made, or written anew. */
  | { readonly kind: "config"; readonly path: string; readonly before: string | null };

/** What `swap on` did on this machine. */
export interface SwapState {
  readonly launcher: string;
  readonly drush: string;
  readonly script: string;
  /** Seconds since 1970. */
  readonly since: number;
  readonly changes: readonly SwapChange[];
}

export function statePath(folder: string): string {
  return join(folder, "swap.json");
}

/** The state, or undefined when the swap is off. */
export function readState(folder: string): SwapState | undefined {
  const path = statePath(folder);
  const text = readIfThere(path)?.toString("utf8");
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as SwapState;
  } catch (cause) {
    throw new ShimError("SWAP_STATE_BROKEN", `${path} cannot be read: it should say what \`provision swap on\` changed.`, { hint: "restore it from a backup, or undo the swap by hand as docs/swap.md says", cause });
  }
}

export function writeState(folder: string, state: SwapState): void {
  const path = statePath(folder);
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
  // Texts of crontabs and alias files are in it.
  writeWhole(path, Buffer.from(JSON.stringify(state, null, 2) + "\n"), { mode: 0o600 });
}

export function forgetState(folder: string): void {
  unlinkSync(statePath(folder));
}
