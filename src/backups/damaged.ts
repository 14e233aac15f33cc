import { ShimError } from "../errors/shim-error.ts";

/** The error for an archive that is not as it was made. The file's name is put in front by who opened it. */
export function damaged(reason: string, cause?: unknown): ShimError {
  return new ShimError("PROVISION_BACKUP_DAMAGED", reason, { hint: "take another backup; this one cannot be trusted", cause });
}

/** The error for an archive that is whole, but whose members must not be unpacked. */
export function unsafe(reason: string): ShimError {
  return new ShimError("PROVISION_BACKUP_UNSAFE", reason, { hint: "look at the archive with `tar -t`, and find out where it comes from" });
}

/** The same error with the archive's name in front of its message. */
export function inArchive(file: string, thrown: unknown): unknown {
  if (!(thrown instanceof ShimError) || !NAMELESS.has(thrown.code)) return thrown;
  return new ShimError(thrown.code, `The backup ${file} cannot be used: ${thrown.message}.`, { ...(thrown.hint === undefined ? {} : { hint: thrown.hint }), cause: thrown.cause });
}

const NAMELESS: ReadonlySet<string> = new Set(["PROVISION_BACKUP_DAMAGED", "PROVISION_BACKUP_UNSAFE"]);
