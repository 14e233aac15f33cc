// Bundles each program of bin/ into one file, and the heavy libraries into one each, which the programs load when they need them.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { esbuildTemplates } from "./templates.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const dist = join(root, "dist");

/** Libraries that cost start-up time, by the name in the code → name of the bundle. */
const HEAVY = { "mysql2/promise": "mysql2", "php-parser": "php-parser", zod: "zod", execa: "execa" };

/** An import of a heavy library becomes a call of lib/load.cjs. */
const loadHeavyLater = {
  name: "load-heavy-later",
  setup(build) {
    build.onResolve({ filter: /^(?:mysql2\/promise|php-parser|zod|execa)$/ }, ({ path }) => ({ path, namespace: "heavy" }));
    build.onLoad({ filter: /.*/, namespace: "heavy" }, ({ path }) => ({ contents: `module.exports = loadBundle(${JSON.stringify(HEAVY[path])});`, loader: "js" }));
  },
};

const common = {
  bundle: true,
  platform: "node",
  target: "node20",
  format: "cjs",
  minify: true,
  legalComments: "none",
  logLevel: "warning",
  // yargs-parser asks where its module is.
  define: { "import.meta.url": "bundleUrl" },
  banner: { js: 'const bundleUrl = require("node:url").pathToFileURL(__filename).href;' },
};

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist);
await Promise.all([
  ...["drush", "provision"].map((name) =>
    build({ ...common, entryPoints: [join(root, `src/${name}.ts`)], outfile: join(dist, `${name}.cjs`), plugins: [esbuildTemplates, loadHeavyLater], mainFields: ["main", "module"] }),
  ),
  ...Object.entries(HEAVY).map(([library, name]) =>
    build({ ...common, stdin: { contents: `module.exports = require(${JSON.stringify(library)});`, resolveDir: root }, outfile: join(dist, `${name}.cjs`) }),
  ),
]);

// V8's compiled code for each bundle, made by this node after a run, so that it holds what a run needs.
for (const name of ["drush", "provision", ...Object.values(HEAVY)]) {
  const made = spawnSync(process.execPath, [join(root, "scripts/make-cache.cjs"), name], { encoding: "utf8" });
  // An error in a bundle quotes its one long line first; what matters stands at the end.
  if (made.status !== 0 || !existsSync(join(dist, `${name}.cache`))) throw new Error(`No code cache for ${name}: ${made.stderr.slice(-1500)}`);
}
