// node make-cache.cjs BUNDLE…: loads the bundles, lets those of the commands do what they do every day, and writes V8's compiled code for each to standard output, behind a line with
// its name and length.
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const v8 = require("node:v8");
const { startDatabase } = require("./database.cjs");

process.env.PROVISION_SHIM_WARM_UP = "1";
const platform = path.join(__dirname, "../../fixtures/drupal7-stand-in");
const load = require("../../lib/load.cjs");
const bundles = process.argv.slice(2);

async function main() {
  // What ran only once, at the beginning, is as precious as the rest.
  v8.setFlagsFromString("--no-flush-bytecode");
  for (const name of bundles) load(name);
  try {
    await load("drush").warmUp(path.join(__dirname, "../../lib"), platform, {
      port: await startDatabase(platform),
      programOf: (command) => load(`drush-${command}`),
      onFailure: (line) => console.error(`The warm-up of ${line}`),
    });
  } catch (thrown) {
    // A cold cache is still right.
    console.error(thrown);
  }
  // V8 takes no cache that was made with other flags.
  v8.setFlagsFromString("--flush-bytecode");
  for (const name of bundles) {
    const code = load.bundles.get(name).script.createCachedData();
    fs.writeFileSync(1, `${name} ${code.length}\n`);
    fs.writeFileSync(1, code);
  }
  process.exit(0);
}
void main();
