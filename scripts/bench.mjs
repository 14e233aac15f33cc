// npm run bench [-- --rounds=N] [--only=TEXT] [--big [--big-mb=N] [--big-files=N]] [--many=N] [--remotes]: our calls against the same calls by real drush, in turns, medians; see scripts/bench/bench.ts.
//   --big fills a site of the real Aegir with a database of so many megabytes and so many files, and times its backup and clone: put that Aegir back afterwards
//   --many=N makes so many sites on a platform of it, and times a verify of all: put it back afterwards, too
//   --remotes pushes a platform to one and to two machines, which are namespaces of this one; as root
//   SHIM_TEST_DRUSH, SHIM_TEST_AEGIR_ROOT   a real drush and the home of a real Aegir; without them the ratio is that to `node -e 0`
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { loadTs } from "./load-ts.mjs";

const text = (value) => ({ type: "string", default: value });
const { values } = parseArgs({ options: { rounds: text("11"), only: text(""), big: { type: "boolean", default: false }, many: { type: "string" }, remotes: { type: "boolean", default: false }, "big-mb": text("1000"), "big-files": text("100000") } });
const built = spawnSync(process.execPath, [fileURLToPath(new URL("build.mjs", import.meta.url))], { stdio: "inherit" });
if (built.status !== 0) process.exit(1);
if (values.remotes) {
  const { pushedPlatforms } = await loadTs("scripts/bench/remotes.ts");
  const { one, two, files } = await pushedPlatforms(Number(values.rounds));
  console.log(`verify of an unchanged platform of ${files} files, pushed to one machine ${one.toFixed(0)} ms, to two ${two.toFixed(0)} ms: ${(two / one).toFixed(2)} ≤ 1.2${two / one <= 1.2 ? "" : "  NOT KEPT"}`);
  process.exit(two / one <= 1.2 ? 0 : 1);
}
const { bench } = await loadTs("scripts/bench/bench.ts");
const big = values.big ? { megabytes: Number(values["big-mb"]), files: Number(values["big-files"]) } : undefined;
process.exit((await bench({ rounds: Number(values.rounds), only: values.only, big, many: values.many === undefined ? undefined : Number(values.many), drush: process.env.SHIM_TEST_DRUSH, aegirHome: process.env.SHIM_TEST_AEGIR_ROOT })) ? 0 : 1);
