// Loads one of the bundles in dist/ with V8's compiled code beside it, which spares most of the compile time. A cache that was made by another
// version of node is refused by V8 and does no harm.
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const vm = require("node:vm");

const dist = path.join(__dirname, "../dist");

function load(name) {
  const file = path.join(dist, `${name}.cjs`);
  const source = `(function (exports, require, module, __filename, __dirname, loadBundle) {${fs.readFileSync(file, "utf8")}\n})`;
  let cachedData;
  try {
    cachedData = fs.readFileSync(path.join(dist, `${name}.cache`));
  } catch {
    // Built without, or on another machine.
  }
  const script = new vm.Script(source, { filename: file, cachedData });
  const module = { exports: {} };
  script.runInThisContext().call(module.exports, module.exports, require, module, file, dist, load);
  load.scripts.push([name, script]);
  return module.exports;
}
load.scripts = [];

module.exports = load;
if (require.main === module) load(process.argv.splice(2, 1)[0]);
