// npm run bench [-- --rounds=N] [--only=TEXT]: our calls against the same calls by real drush, in turns, medians; see scripts/bench/bench.ts.
//   SHIM_TEST_DRUSH, SHIM_TEST_AEGIR_ROOT   a real drush and the home of a real Aegir; without them the ratio is that to `node -e 0`
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { loadTs } from "./load-ts.mjs";

const { values } = parseArgs({ options: { rounds: { type: "string", default: "11" }, only: { type: "string", default: "" } } });
const built = spawnSync(process.execPath, [fileURLToPath(new URL("build.mjs", import.meta.url))], { stdio: "inherit" });
if (built.status !== 0) process.exit(1);
const { bench } = await loadTs("scripts/bench/bench.ts");
process.exit((await bench({ rounds: Number(values.rounds), only: values.only, drush: process.env.SHIM_TEST_DRUSH, aegirHome: process.env.SHIM_TEST_AEGIR_ROOT })) ? 0 : 1);
