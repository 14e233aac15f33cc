import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { repositoryRoot } from "../support/repository.ts";

/** Variables and PHP constants have the same look. */
const NO_CODES = /^(?:PROVISION_SHIM_(?!CONFIG_BROKEN|NO_NODE)|PHP_(?:INT|EOL|INI)|DRUPAL_MINIMUM|DRUSH_(?:PHP|SHELL|COMMAND|BACKEND|FINDER|VERSION)|PHP_OS)/;

function sources(folder: string): string[] {
  return readdirSync(join(repositoryRoot, folder), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8"));
}

it("docs/error-codes.md lists the codes that the source has, and no others", () => {
  const text = [...sources("src"), ...sources("lib").map((shell) => shell.replace(/\[(PROVISION_\w+)\]/g, '"$1"'))].join("\n");
  const used = new Set([...text.matchAll(/"((?:PROVISION|SWAP|CLI|FILE|ALIAS|PHP|DRUPAL|DRUSH|SSL|HTTPS)_[A-Z_]+)"/g)].map(([, code]) => code ?? "").filter((code) => !NO_CODES.test(code)));
  const listed = readFileSync(join(repositoryRoot, "docs/error-codes.md"), "utf8").matchAll(/^\| `([A-Z_]+)` \|/gm);
  expect([...listed].map(([, code]) => code).sort()).toEqual([...used].sort());
});
