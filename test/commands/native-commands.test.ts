import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { loadCommand } from "../../src/load-command.ts";
import { NATIVE_COMMANDS } from "../../src/native-commands.ts";
import { repositoryRoot } from "../support/repository.ts";

it("every native command has its code, and is one for the launcher; no other is", async () => {
  const names = Object.keys(NATIVE_COMMANDS);
  for (const name of names) expect([name, typeof (await loadCommand(name))?.prepare]).toEqual([name, "function"]);
  expect(await loadCommand("core-status")).toBeUndefined();
  const launched = /case \$command in\n((?:.*\\\n)*.*)\)\n/.exec(readFileSync(join(repositoryRoot, "lib/launch"), "utf8"))?.[1] ?? "";
  expect(launched.split(/[\s|\\]+/).filter((word) => word !== "").sort()).toEqual(names.sort());
});
