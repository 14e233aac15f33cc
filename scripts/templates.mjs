// Handlebars templates are compiled when the program is built, so that a call loads only Handlebars' small runtime.
import { readFileSync } from "node:fs";
import Handlebars from "handlebars";

/** The module that stands for a template file. */
export function templateModule(file) {
  const specification = Handlebars.precompile(readFileSync(file, "utf8"), { noEscape: true, knownHelpers: { php: true, include: true } });
  return `import Handlebars from "handlebars/runtime";\nexport default Handlebars.template(${specification});\n`;
}

export const esbuildTemplates = {
  name: "templates",
  setup(build) {
    build.onLoad({ filter: /\.hbs$/ }, ({ path }) => ({ contents: templateModule(path), loader: "js", resolveDir: import.meta.dirname }));
  },
};

export const viteTemplates = {
  name: "templates",
  enforce: "pre",
  load(id) {
    return id.endsWith(".hbs") ? templateModule(id) : undefined;
  },
};
