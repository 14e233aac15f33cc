// node scripts/make-cache.cjs BUNDLE: loads a bundle, lets it do what it does every day, and writes V8's compiled code for it to standard output.
"use strict";
const fs = require("node:fs");
const path = require("node:path");
process.env.PROVISION_SHIM_WARM_UP = "1";
const lib = path.join(__dirname, "../lib");
const load = require("../lib/load.cjs");

const bundle = load(process.argv[2]);
Promise.resolve(bundle.warmUp?.(lib, path.join(__dirname, "../fixtures/drupal7-stand-in")))
  // A cold cache is still right.
  .catch((thrown) => console.error(thrown))
  .then(() => {
    for (const [name, script] of load.scripts) if (name === process.argv[2]) fs.writeSync(1, script.createCachedData());
    process.exit(0);
  });
