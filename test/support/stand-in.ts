import { cpSync } from "node:fs";
import { join } from "node:path";
import { type AegirHome } from "./aegir-home.ts";
import { repositoryRoot } from "./repository.ts";

/** The Drupal-7-shaped code base that takes the place of the real one in tests. */
export const standInRoot = join(repositoryRoot, "fixtures/drupal7-stand-in");

/**
 * Makes a platform of it: a copy in `platforms/NAME` of the home that belongs to the test's user. Answers its root.
 */
export function copyStandIn(home: AegirHome, name = "stand-in-7.99"): string {
  const root = join(home.path, "platforms", name);
  cpSync(standInRoot, root, { recursive: true });
  home.user.own(root);
  return root;
}
