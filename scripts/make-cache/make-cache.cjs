// node make-cache.cjs FOLDER BUNDLE [MORE…]: loads a bundle, lets it do what it does every day, and writes V8's compiled code for it, and for those named behind it that it has
// loaded meanwhile, into the folder.
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const v8 = require("node:v8");
const { startDatabase } = require("./database.cjs");

process.env.PROVISION_SHIM_WARM_UP = "1";
const lib = path.join(__dirname, "../../lib");
const platform = path.join(__dirname, "../../fixtures/drupal7-stand-in");
const load = require("../../lib/load.cjs");
const [folder, ...bundles] = process.argv.slice(2);

async function main() {
  // What ran only once, at the beginning, is as precious as the rest.
  v8.setFlagsFromString("--no-flush-bytecode");
  const { warmUp } = load(bundles[0]);
  try {
    const failures = (await warmUp?.(lib, platform, await startDatabase(platform))) ?? [];
    for (const failure of failures) console.error(`The warm-up of ${failure}`);
  } catch (thrown) {
    // A cold cache is still right.
    console.error(thrown);
  }
  // V8 takes no cache that was made with other flags.
  v8.setFlagsFromString("--flush-bytecode");
  for (const [name, script] of load.scripts) if (bundles.includes(name)) fs.writeFileSync(path.join(folder, `${name}.cache`), script.createCachedData());
  process.exit(0);
}
void main();
