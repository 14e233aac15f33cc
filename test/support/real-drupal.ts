import { cpSync } from "node:fs";
import { join } from "node:path";
import { good, SERVER, type FrontEnd } from "./front-end.ts";

/** Root of a real Drupal 7, when one is given. */
export const REAL_DRUPAL7 = process.env["SHIM_TEST_DRUPAL7"];

/** Saves and verifies a platform `platform_drupal7` of the real Drupal 7; answers its root. */
export async function openRealPlatform(frontEnd: FrontEnd): Promise<string> {
  if (REAL_DRUPAL7 === undefined) throw new Error("SHIM_TEST_DRUPAL7 names no Drupal 7.");
  const root = join(frontEnd.home, "platforms/drupal7");
  cpSync(REAL_DRUPAL7, root, { recursive: true });
  frontEnd.stage.home.user.own(root);
  await good(frontEnd.save("platform_drupal7", { context_type: "platform", server: `@${SERVER}`, web_server: `@${SERVER}`, root }));
  await good(frontEnd.task("platform_drupal7", "verify"));
  return root;
}
