import { isTruthy } from "../../php-values/convert.ts";
import { PhpArray } from "../../php-values/php-array.ts";
import { joinText } from "../../php-values/text.ts";
import { PhpFloat, type PhpValue } from "../../php-values/value.ts";
import { dirname } from "node:path";
import { NotStatic } from "./not-static.ts";
import type { ArrayEntry, Conditional, Encapsed, Expression } from "./php-syntax.ts";
import { APPEND, append, keyFrom, type Scope, type Step } from "./scope.ts";
import { callPure } from "./static-functions.ts";
import { refuseWrongOrder } from "./static-precedence.ts";
import { numberLiteral } from "./static-numbers.ts";
import { binary, cast, objectWith, plainText, unary } from "./static-operators.ts";
import { decodeEscapes, decodeQuoted, fromLatin1 } from "./static-strings.ts";

/** Where an expression stands, and what it may use. */
export interface Surroundings {
  readonly scope: Scope;
  /** Real path of the file. */
  readonly file: string;
  /** Its text, one character per byte. */
  readonly source: string;
  include(path: string, kind: { readonly once: boolean; readonly required: boolean }): PhpValue;
}

const CONSTANTS: ReadonlyMap<string, PhpValue> = new Map<string, PhpValue>([
  ["PHP_EOL", "\n"], ["DIRECTORY_SEPARATOR", "/"], ["PATH_SEPARATOR", ":"], ["PHP_INT_MAX", 9223372036854775807n], ["PHP_INT_MIN", -9223372036854775808n],
  ["INF", new PhpFloat(Infinity)], ["NAN", new PhpFloat(NaN)],
]);

/** The value of an expression that is data. Arrays in it belong to the caller. Throws NotStatic for all others. */
export function evaluate(node: Expression, at: Surroundings): PhpValue {
  refuseReference(node);
  const value = (inner: Expression): PhpValue => evaluate(inner, at);
  switch (node.kind) {
    case "string": return decodeQuoted(node.raw);
    case "number": return numberLiteral(node.value);
    case "boolean": return wordValue(node, node.value);
    case "nullkeyword": return wordValue(node, null);
    case "array": return arrayLiteral(node.items, at);
    case "variable":
    case "offsetlookup": return read(node, at);
    case "encapsed": return encapsed(node, at);
    case "nowdoc": return nowdoc(node.raw, node.label);
    case "name": return constant(simpleName(node));
    case "magic": return magic(node.value, node.loc?.start.line, at.file);
    case "unary": {
      refuseWrongOrder(node);
      return unary(node.type, value(node.what));
    }
    case "bin": return operation(node, at);
    case "cast": {
      refuseWrongOrder(node);
      return cast(node.type, value(node.expr));
    }
    case "silent": return value(node.expr);
    case "retif": return conditional(node, at);
    case "isset": return node.variables.map((variable) => (find(variable, at) ?? null) !== null).every(Boolean);
    case "empty": return !isTruthy(isReference(node.expression) ? find(node.expression, at) : value(node.expression));
    case "include": return at.include(plainText(value(node.target)), { once: node.once, required: node.require });
    case "call": return call(node.what, node.arguments, at);
    default: throw new NotStatic(`an expression of the kind "${node.kind}"`);
  }
}

/** php-parser overlooks a backslash behind a name, as in `NULL\`; then the word is longer than itself. */
function wordValue({ loc, raw }: Expression & { kind: "boolean" | "nullkeyword" }, value: boolean | null): boolean | null {
  if (loc !== undefined && loc.end.offset - loc.start.offset !== raw.length) throw new NotStatic("a name in a namespace");
  return value;
}

/** The name without the backslash that may stand before it. */
function simpleName({ name, resolution }: Expression & { kind: "name" }): string {
  // "qn" has a backslash inside or behind it, "rn" begins with `namespace`.
  if (resolution === "qn" || resolution === "rn") throw new NotStatic("a name in a namespace");
  return name.replace(/^\\/, "");
}

/** php-parser takes a `&` before any expression; PHP takes few of them, and none is data. */
function refuseReference(node: Expression): void {
  if (node.byref === true) throw new NotStatic("a reference");
}

/** Variable and keys of `$name[…]…`, as a place to read or write. */
export function place(node: Expression, at: Surroundings): { variable: string; steps: Step[] } {
  refuseReference(node);
  if (node.kind === "variable" && typeof node.name === "string") return { variable: node.name, steps: [] };
  if (node.kind !== "offsetlookup") throw new NotStatic("a place that is no variable and no array element");
  if (isInBraces(node, at.source)) throw new NotStatic("$name{key}");
  const { variable, steps } = place(node.what, at);
  return { variable, steps: [...steps, node.offset === false ? APPEND : keyFrom(evaluate(node.offset, at))] };
}

/** Is it `$name{key}`, which PHP 8 does not know any more? */
function isInBraces({ what, offset }: Expression & { kind: "offsetlookup" }, source: string): boolean {
  if (offset === false || what.loc === undefined || offset.loc === undefined) return false;
  return source.slice(what.loc.end.offset, offset.loc.start.offset).includes("{");
}

/** The place of an assignment. Its keys may not depend on the variable itself: PHP may have changed that by then. */
export function placeToWrite(node: Expression, at: Surroundings): { variable: string; steps: Step[] } {
  const found = place(node, at);
  for (let part = node; part.kind === "offsetlookup"; part = part.what) {
    if (part.offset !== false && mentions(part.offset, found.variable)) throw new NotStatic("a key that depends on the variable it is for");
  }
  return found;
}

function mentions(node: unknown, variable: string): boolean {
  if (typeof node !== "object" || node === null) return false;
  if ("kind" in node && "name" in node && node.kind === "variable" && node.name === variable) return true;
  return Object.values(node).some((inner) => mentions(inner, variable));
}

function isReference(node: Expression): boolean {
  return node.kind === "variable" || node.kind === "offsetlookup";
}

function read(node: Expression, at: Surroundings): PhpValue {
  const { variable, steps } = place(node, at);
  return at.scope.read(variable, steps);
}

function find(node: Expression, at: Surroundings): PhpValue | undefined {
  const { variable, steps } = place(node, at);
  return at.scope.find(variable, steps);
}

function arrayLiteral(items: readonly (ArrayEntry | { readonly kind: "noop" })[], at: Surroundings): PhpArray {
  const array = new PhpArray();
  let usual = true;
  const push = (value: PhpValue): void => {
    if (usual) array.push(value);
    else append(array, value);
  };
  for (const item of items) {
    if (item.kind === "noop" || item.byRef) throw new NotStatic("an array with a gap or a reference");
    if (item.unpack) {
      spread(evaluate(item.value, at)).forEach(push);
    } else if (item.key === null) {
      push(evaluate(item.value, at));
    } else {
      const key = keyFrom(evaluate(item.key, at));
      if (typeof key !== "string" && (key < 0 || typeof key === "bigint")) usual = false;
      array.set(key, evaluate(item.value, at));
    }
  }
  return array;
}

function spread(value: PhpValue): PhpValue[] {
  // Text keys may be spread only from PHP 8.1 on.
  if (!(value instanceof PhpArray) || [...value.keys()].some((key) => typeof key === "string")) throw new NotStatic("a spread that is no list");
  return [...value.values()];
}

function operation(node: Expression & { kind: "bin" }, at: Surroundings): PhpValue {
  const { left, right, type } = node;
  refuseWrongOrder(node);
  if (type === "&&" || type === "and") return isTruthy(evaluate(left, at)) ? isTruthy(evaluate(right, at)) : skip(right, at, false);
  if (type === "||" || type === "or") return isTruthy(evaluate(left, at)) ? skip(right, at, true) : isTruthy(evaluate(right, at));
  if (type === "??") return coalesce(left, right, at);
  if (mixesDotAndSum(node)) throw new NotStatic("a mixture of . and + whose order depends on the PHP version");
  return binary(type, evaluate(left, at), evaluate(right, at));
}

function coalesce(left: Expression, right: Expression, at: Surroundings): PhpValue {
  const value = isReference(left) ? (find(left, at) ?? null) : evaluate(left, at);
  if (value === null) return evaluate(right, at);
  return skip(right, at, value instanceof PhpArray ? value.deepClone() : value);
}

/** What is not evaluated must be right all the same: PHP compiles it. Gives `result`. */
function skip(node: Expression, at: Surroundings, result: PhpValue): PhpValue {
  evaluate(node, { scope: at.scope, file: at.file, source: at.source, include: refuseInclude });
  return result;
}

/** Includes in code that is not reached are left alone by PHP, so they cannot be tried. */
export function refuseInclude(): never {
  throw new NotStatic("an include that is not reached");
}

/** PHP 8 binds `+` and `-` closer than `.`, older ones from left to right. */
function mixesDotAndSum(node: Expression & { kind: "bin" }): boolean {
  const others = node.type === "." ? ["+", "-"] : node.type === "+" || node.type === "-" ? ["."] : [];
  return [node.left, node.right].some((side) => side.kind === "bin" && side.parenthesizedExpression !== true && others.includes(side.type));
}

function conditional(node: Conditional, at: Surroundings): PhpValue {
  refuseWrongOrder(node);
  for (const part of [node.test, node.trueExpr, node.falseExpr]) {
    if (part?.kind === "retif" && part.parenthesizedExpression !== true) throw new NotStatic("nested ?: without parentheses");
  }
  const test = evaluate(node.test, at);
  if (!isTruthy(test)) {
    const result = evaluate(node.falseExpr, at);
    return node.trueExpr === null ? result : skip(node.trueExpr, at, result);
  }
  return skip(node.falseExpr, at, node.trueExpr === null ? test : evaluate(node.trueExpr, at));
}

function call(what: Expression, args: readonly Expression[], at: Surroundings): PhpValue {
  if (what.kind === "name") return callPure(simpleName(what), args.map((arg) => evaluate(arg, at)));
  if (what.kind === "staticlookup" && what.what.kind === "name" && what.offset.kind === "identifier") {
    const isStdClass = /^stdClass$/i.test(simpleName(what.what)) && what.offset.name.toLowerCase() === "__set_state";
    const [value, ...more] = args.map((arg) => evaluate(arg, at));
    if (isStdClass && value instanceof PhpArray && more.length === 0) return objectWith(value);
  }
  throw new NotStatic("a call of a method or of a computed function");
}

function constant(name: string): PhpValue {
  const value = CONSTANTS.get(name);
  if (value === undefined) throw new NotStatic(`the constant ${name}`);
  return value;
}

function magic(name: string, line: number | undefined, file: string): PhpValue {
  if (name.toUpperCase() === "__FILE__") return file;
  if (name.toUpperCase() === "__DIR__") return dirname(file);
  if (name.toUpperCase() === "__LINE__" && line !== undefined) return line;
  throw new NotStatic(`the constant ${name}`);
}

function encapsed(node: Encapsed, at: Surroundings): string {
  if (node.type !== "string" && node.type !== "heredoc") throw new NotStatic("a shell command");
  const quote = node.type === "string" ? '"' : "";
  if (quote === "" && hasIndentedEnd(node.raw, node.label)) throw new NotStatic("a heredoc with an indented end");
  let text = "";
  for (const [index, part] of node.value.entries()) {
    const { expression } = part;
    if (expression.kind === "string") {
      // php-parser takes some escaped dollars for variables, and some `{$` for text and a variable.
      const end = /(?<!\\)(?:\\\\)*([\\{])$/.exec(expression.raw)?.[1];
      const next = node.value[index + 1];
      if (next !== undefined && (end === "\\" || (end === "{" && next.syntax === "simple"))) throw new NotStatic("a text that it does not split as PHP does");
      // The line end before the closing label does not belong to the text.
      const isEnd = quote === "" && index === node.value.length - 1;
      text = joinText(text, decodeEscapes(isEnd ? expression.raw.replace(/\r?\n$|\r$/, "") : expression.raw, quote));
    } else {
      if (part.curly) throw new NotStatic('"${name}"');
      text = joinText(text, plainText(part.syntax === "simple" ? simplePart(expression, at) : evaluate(expression, at)));
    }
  }
  return text;
}

/** `$name` or `$name[key]` inside a text, where the key has no quotes. */
function simplePart(node: Expression, at: Surroundings): PhpValue {
  if (node.kind === "variable") return read(node, at);
  if (node.kind !== "offsetlookup" || node.what.kind !== "variable" || typeof node.what.name !== "string" || node.offset === false) {
    throw new NotStatic("a part of a text that it does not know");
  }
  const { offset } = node;
  if (offset.kind === "identifier") return at.scope.read(node.what.name, [fromLatin1(offset.name)]);
  if (offset.kind === "number" && /^(?:0|[1-9][0-9]{0,14})$/.test(offset.value)) return at.scope.read(node.what.name, [Number(offset.value)]);
  if (offset.kind === "variable") return at.scope.read(node.what.name, [keyFrom(read(offset, at))]);
  throw new NotStatic("a part of a text that it does not know");
}

function nowdoc(raw: string, label: string): string {
  if (hasIndentedEnd(raw, label)) throw new NotStatic("a nowdoc with an indented end");
  const lines = raw.trimEnd().split(/(?<=\n)/);
  return fromLatin1(lines.slice(1, -1).join("").replace(/\r?\n$/, ""));
}

function hasIndentedEnd(raw: string, label = ""): boolean {
  return new RegExp(`[ \\t]${label}\\s*$`).test(raw);
}
