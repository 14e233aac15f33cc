// Loads a bundle without running its main part, and writes V8's compiled code for it.
"use strict";
const fs = require("node:fs");
const path = require("node:path");
process.env.PROVISION_SHIM_WARM_UP = "1";
const load = require("../lib/load.cjs");
const name = process.argv[2];

Promise.resolve(load(name).warmUp?.()).then(() => {
  const [, script] = load.scripts.find(([loaded]) => loaded === name);
  fs.writeFileSync(path.join(__dirname, "../dist", `${name}.cache`), script.createCachedData());
  process.exit(0);
});
