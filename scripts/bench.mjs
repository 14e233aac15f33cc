// npm run bench [-- --rounds=N] [--only=TEXT] [--big [--big-mb=N] [--big-files=N]] [--many=N]: our calls against the same calls by real drush, in turns, medians; see scripts/bench/bench.ts.
//   --big fills a site of the real Aegir with a database of so many megabytes and so many files, and times its backup and clone: put that Aegir back afterwards
//   --many=N makes so many sites on a platform of it, and times a verify of all: put it back afterwards, too
//   SHIM_TEST_DRUSH, SHIM_TEST_AEGIR_ROOT   a real drush and the home of a real Aegir; without them the ratio is that to `node -e 0`
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { loadTs } from "./load-ts.mjs";

const text = (value) => ({ type: "string", default: value });
const { values } = parseArgs({ options: { rounds: text("11"), only: text(""), big: { type: "boolean", default: false }, many: { type: "string" }, "big-mb": text("1000"), "big-files": text("100000") } });
const built = spawnSync(process.execPath, [fileURLToPath(new URL("build.mjs", import.meta.url))], { stdio: "inherit" });
if (built.status !== 0) process.exit(1);
const { bench } = await loadTs("scripts/bench/bench.ts");
const big = values.big ? { megabytes: Number(values["big-mb"]), files: Number(values["big-files"]) } : undefined;
process.exit((await bench({ rounds: Number(values.rounds), only: values.only, big, many: values.many === undefined ? undefined : Number(values.many), drush: process.env.SHIM_TEST_DRUSH, aegirHome: process.env.SHIM_TEST_AEGIR_ROOT })) ? 0 : 1);
