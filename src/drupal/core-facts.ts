import type { DrupalCore } from "./core.ts";

/**
 * What a command needs of a Drupal:
 * `files`: nothing, its directory is enough (backups);
 * `web`: its directory and a virtual host;
 * `settings`: its settings.php, sites.php, packages and caches;
 * `code`: its own code at work: installer, updates, one-time links.
 */
export type CoreWork = "files" | "web" | "settings" | "code";

interface CoreFacts {
  /** What this version does itself. */
  readonly native: readonly CoreWork[];
  /** Why the rest is the real drush's. */
  readonly reason: string;
}

const CORES: Readonly<Record<number, CoreFacts>> = {
  6: { native: ["files"], reason: "its aliases are links, its settings.php has another form, and its modules must be run to tell of themselves" },
  7: { native: ["files", "web", "settings", "code"], reason: "" },
  8: { native: ["files"], reason: "which modules are enabled, and its caches, are known to its container alone, and its settings.php keeps a salt" },
  9: { native: ["files"], reason: "Provision 7.x-3.x has no code for it; a fork's drush may have" },
  10: { native: ["files"], reason: "Provision 7.x-3.x has no code for it; a fork's drush may have" },
  11: { native: ["files"], reason: "Provision 7.x-3.x has no code for it; a fork's drush may have" },
};

const UNKNOWN: CoreFacts = { native: [], reason: "this version does not know it" };

/** Why that work on the Drupal is one for the real drush, for the log; undefined when it is done here. */
export function whyNotNative(core: DrupalCore, work: CoreWork): string | undefined {
  const facts = CORES[core.major] ?? UNKNOWN;
  return facts.native.includes(work) ? undefined : `Drupal ${core.version}: ${facts.reason}`;
}
