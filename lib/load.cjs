// Loads one of the bundles in dist/ with V8's compiled code beside it, which spares most of the compile time. A cache that was made by another
// version of node is refused by V8 and does no harm.
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const vm = require("node:vm");

const dist = path.join(__dirname, "../dist");

function load(name) {
  const loaded = load.bundles.get(name);
  if (loaded !== undefined) return loaded.exports;
  const file = path.join(dist, `${name}.cjs`);
  // The build has put the function around it and left nothing but ASCII in it.
  const source = fs.readFileSync(file, "latin1");
  let cachedData;
  try {
    cachedData = fs.readFileSync(path.join(dist, `${name}.cache`));
  } catch {
    // Built without, or on another machine.
  }
  const script = new vm.Script(source, { filename: file, cachedData });
  const module = { exports: {} };
  script.runInThisContext().call(module.exports, module.exports, require, module, file, dist, load);
  load.bundles.set(name, { script, exports: module.exports });
  return module.exports;
}
load.bundles = new Map();

module.exports = load;
if (require.main === module) load(process.argv.splice(2, 1)[0]);
