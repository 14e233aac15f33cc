// Handlebars templates become plain JavaScript functions when the program is built: even Handlebars' small runtime takes 4 ms to load. Understood are
// values, the helpers that are passed in, `if`, `unless` and `each`; anything else in a template is an error of the build.
import { readFileSync } from "node:fs";
import Handlebars from "handlebars";

/** The module that stands for a template file: `(data, { helpers }) => text`. */
export function templateModule(file) {
  const program = Handlebars.parse(readFileSync(file, "utf8"));
  const body = statements(program, "data");
  return `const text = (value) => (value === undefined || value === null || value === false ? "" : String(value));
const holds = (value) => (Array.isArray(value) ? value.length > 0 : Boolean(value));
export default (data, { helpers = {} } = {}) => ${body};\n`;
}

/** A JavaScript expression for the text of a program; `scope` is the expression for its data. */
function statements(program, scope, depth = 0) {
  const parts = (program?.body ?? []).map((statement) => part(statement, scope, depth)).filter((code) => code !== "");
  return parts.length === 0 ? '""' : parts.join(" + ");
}

function part(statement, scope, depth) {
  switch (statement.type) {
    case "ContentStatement":
      return JSON.stringify(statement.value);
    case "CommentStatement":
      return "";
    case "MustacheStatement":
      return `text(${value(statement, scope)})`;
    case "BlockStatement":
      return block(statement, scope, depth);
    default:
      throw new Error(`A template may not have a ${statement.type}.`);
  }
}

function block({ path, params, program, inverse }, scope, depth) {
  const [subject] = params.map((param) => lookup(param, scope));
  const [then, otherwise] = [statements(program, scope, depth), statements(inverse, scope, depth)];
  if (path.original === "if") return `(holds(${subject}) ? ${then} : ${otherwise})`;
  if (path.original === "unless") return `(holds(${subject}) ? ${otherwise} : ${then})`;
  if (path.original === "each") return `(${subject} ?? []).map((item${depth}) => ${statements(program, `item${depth}`, depth + 1)}).join("")`;
  throw new Error(`A template may not have a block ${path.original}.`);
}

function value({ path, params }, scope) {
  if (params.length === 0) return lookup(path, scope);
  return `helpers[${JSON.stringify(path.original)}](${params.map((param) => lookup(param, scope)).join(", ")})`;
}

function lookup(expression, scope) {
  if (expression.type === "StringLiteral") return JSON.stringify(expression.value);
  if (expression.type !== "PathExpression" || expression.depth > 0) throw new Error(`A template may not have the expression ${expression.original}.`);
  return expression.parts.reduce((code, name) => `${code}?.[${JSON.stringify(name)}]`, scope);
}

export const esbuildTemplates = {
  name: "templates",
  setup(build) {
    build.onLoad({ filter: /\.hbs$/ }, ({ path }) => ({ contents: templateModule(path), loader: "js" }));
  },
};

export const viteTemplates = {
  name: "templates",
  enforce: "pre",
  load(id) {
    return id.endsWith(".hbs") ? templateModule(id) : undefined;
  },
};
