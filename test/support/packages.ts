import { adviceFor, missingFromDebian } from "../../scripts/with-packages/debian.mjs";

/**
 * Throws, naming what is missing and the command that brings it, when this machine has not what the servers of tests need. Tests that are
 * started without scripts/with-packages.mjs fail by this and not by a riddle.
 */
export function requirePackages(): void {
  const missing = missingFromDebian();
  if (missing.length > 0) throw new Error(adviceFor(missing));
}
