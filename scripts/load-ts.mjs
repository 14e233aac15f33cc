// Scripts share code with the tests, which is TypeScript: it is bundled into a temporary folder and loaded from there.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import { esbuildTemplates } from "./templates.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));

/** The exports of a TypeScript file of the repository, named from its root. */
export async function loadTs(path) {
  const folder = mkdtempSync(join(tmpdir(), "shim-script-"));
  try {
    const outfile = join(folder, "bundle.mjs");
    await build({
      entryPoints: [join(root, path)],
      outfile,
      bundle: true,
      platform: "node",
      format: "esm",
      logLevel: "warning",
      plugins: [esbuildTemplates, realFolders],
      banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    });
    return await import(pathToFileURL(outfile).href);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Each source file still finds its own folder. */
const realFolders = {
  name: "real-folders",
  setup(build) {
    build.onLoad({ filter: /\/(?:test|scripts|src)\/.*\.ts$/ }, async ({ path }) => {
      const { readFile } = await import("node:fs/promises");
      const text = await readFile(path, "utf8");
      return { contents: text.replaceAll("import.meta.dirname", JSON.stringify(dirname(path))).replaceAll("import.meta.url", JSON.stringify(pathToFileURL(path).href)), loader: "ts" };
    });
  },
};
