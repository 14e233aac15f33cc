import { ShimError } from "../errors/shim-error.ts";

/** `foo`, `@foo` and `@@foo` name one context; this is the name without any `@` (as provision's d()). */
export function contextName(name: string): string {
  return name.replace(/^@+/, "");
}

/**
 * The name, when it may become a file name and a key in an alias file. Provision writes it there without escaping.
 *
 * @throws ShimError PROVISION_BAD_CONTEXT_NAME
 */
export function checkedContextName(name: string): string {
  const bare = contextName(name);
  const printable = JSON.stringify(name.slice(0, 80));
  if (bare === "" || bare === "." || bare === "..") throw new ShimError("PROVISION_BAD_CONTEXT_NAME", `${printable} is no name for a context.`);
  if (/[/'"\\\x00-\x1f\x7f-\x9f]/.test(bare)) {
    throw new ShimError("PROVISION_BAD_CONTEXT_NAME", `The context name ${printable} has a character that a file name or an alias file cannot hold.`, {
      hint: "slashes, quotes, backslashes and control characters are refused",
    });
  }
  // The longest name that Hosting stores, and that fits into a file name with its ending.
  if (Buffer.byteLength(bare) > 235) throw new ShimError("PROVISION_BAD_CONTEXT_NAME", `The context name ${printable}… is longer than 235 bytes.`);
  return bare;
}
