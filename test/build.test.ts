import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { Script } from "node:vm";
import { describe, expect, it } from "vitest";
import { NATIVE_COMMANDS } from "../src/native-commands.ts";
import { repositoryRoot } from "./support/repository.ts";

const dist = join(repositoryRoot, "dist");
const bundles = readdirSync(dist).filter((name) => name.endsWith(".cjs")).map((name) => basename(name, ".cjs"));

describe("the built program", () => {
  it("has a bundle for each native command", () => {
    expect(bundles).toEqual(expect.arrayContaining(Object.keys(NATIVE_COMMANDS).map((name) => `drush-${name}`)));
  });

  it.each(bundles)("V8 takes the compiled code of %s", (name) => {
    const script = new Script(readFileSync(join(dist, `${name}.cjs`), "latin1"), { filename: join(dist, `${name}.cjs`), cachedData: readFileSync(join(dist, `${name}.cache`)) });
    expect(script.cachedDataRejected).toBe(false);
  });
});
