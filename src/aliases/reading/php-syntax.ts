import type { Engine } from "php-parser";
import { NotStatic } from "./not-static.ts";

/** The nodes of php-parser that can be data (its own types say too little to switch on). All others are `OtherNode`. */
export type Statement =
  | { readonly kind: "expressionstatement"; readonly expression: Expression; readonly loc: Location }
  | { readonly kind: "inline"; readonly raw: string; readonly loc: Location }
  | { readonly kind: "noop"; readonly loc: Location }
  | { readonly kind: "block"; readonly children: readonly Statement[]; readonly loc: Location }
  | { readonly kind: "if"; readonly test: Expression; readonly body: Statement | null; readonly alternate: Statement | null; readonly loc: Location }
  | ForeachStatement
  | { readonly kind: "unset"; readonly variables: readonly Expression[]; readonly loc: Location }
  | { readonly kind: "return"; readonly expr: Expression | null; readonly loc: Location };

export interface ForeachStatement {
  readonly kind: "foreach";
  readonly source: Expression;
  readonly key: Expression | null;
  readonly value: Expression;
  readonly body: Statement | null;
  readonly loc: Location;
}

export type Expression = (
  | { readonly kind: "variable"; readonly name: string | Expression; readonly curly: boolean }
  | { readonly kind: "offsetlookup"; readonly what: Expression; readonly offset: Expression | false }
  | { readonly kind: "assign"; readonly left: Expression; readonly right: Expression; readonly operator: string }
  | { readonly kind: "array"; readonly items: readonly (ArrayEntry | { readonly kind: "noop" })[] }
  | { readonly kind: "string"; readonly raw: string; readonly isDoubleQuote: boolean }
  | Encapsed
  | { readonly kind: "nowdoc"; readonly raw: string; readonly label: string }
  | { readonly kind: "number"; readonly value: string }
  | { readonly kind: "boolean"; readonly value: boolean; readonly raw: string }
  | { readonly kind: "nullkeyword"; readonly raw: string }
  | { readonly kind: "name"; readonly name: string; readonly resolution: string }
  | { readonly kind: "magic"; readonly value: string }
  | { readonly kind: "identifier"; readonly name: string }
  | { readonly kind: "unary"; readonly type: string; readonly what: Expression }
  | { readonly kind: "bin"; readonly type: string; readonly left: Expression; readonly right: Expression }
  | { readonly kind: "cast"; readonly type: string; readonly expr: Expression }
  | { readonly kind: "silent"; readonly expr: Expression }
  | Conditional
  | { readonly kind: "isset"; readonly variables: readonly Expression[] }
  | { readonly kind: "empty"; readonly expression: Expression }
  | { readonly kind: "include"; readonly once: boolean; readonly require: boolean; readonly target: Expression }
  | { readonly kind: "call"; readonly what: Expression; readonly arguments: readonly Expression[] }
  | { readonly kind: "staticlookup"; readonly what: Expression; readonly offset: Expression }
) & { readonly loc?: Location; readonly parenthesizedExpression?: boolean; readonly byref?: boolean };

export interface Conditional {
  readonly kind: "retif";
  readonly test: Expression;
  readonly trueExpr: Expression | null;
  readonly falseExpr: Expression;
}

export interface Encapsed {
  readonly kind: "encapsed";
  readonly type: string;
  readonly label?: string;
  readonly raw: string;
  readonly value: readonly { readonly expression: Expression; readonly syntax: "simple" | "complex" | null; readonly curly: boolean }[];
}

export interface ArrayEntry {
  readonly kind: "entry";
  readonly key: Expression | null;
  readonly value: Expression;
  readonly byRef: boolean;
  readonly unpack: boolean;
}

export interface Location {
  readonly start: { readonly line: number; readonly offset: number };
  readonly end: { readonly offset: number };
}

let engine: Engine | undefined;

export function isParserLoaded(): boolean {
  return engine !== undefined;
}

/** Loads php-parser: about 19 ms, so only for files that people wrote. */
export async function loadParser(): Promise<void> {
  if (engine !== undefined) return;
  const { Engine: ParserEngine } = await import("php-parser");
  engine = new ParserEngine({ parser: { suppressErrors: false, extractDoc: false, version: 803 }, ast: { withPositions: true } });
}

/**
 * The statements of a PHP source that was read as Latin-1, one character per byte.
 *
 * @throws NotStatic where php-parser finds an error: PHP will say whether it is one
 */
export function parsePhp(source: string): readonly Statement[] {
  if (engine === undefined) throw new Error("loadParser() was not called");
  refuseLenience(source);
  try {
    return withoutEnd(engine.parseCode(source + END, "").children as unknown as readonly Statement[]);
  } catch (thrown) {
    if (thrown instanceof NotStatic) throw thrown;
    const problem = new NotStatic(thrown instanceof Error ? thrown.message : String(thrown));
    const line = (thrown as { lineNumber?: unknown }).lineNumber;
    problem.line = typeof line === "number" ? line : undefined;
    throw problem;
  }
}

/** What php-parser takes silently and PHP does not, or not in every version. */
function refuseLenience(source: string): void {
  if (source.includes("#[")) throw new NotStatic("it has an attribute");
  if (/__halt_compiler/i.test(source)) throw new NotStatic("it has __halt_compiler");
}

/**
 * php-parser misses neither a semicolon nor the end of a comment at the end of the file. So a statement of ours is put there, and must be
 * found as what it is, or as text behind a closing tag.
 */
const END = "\nif ('end of file');";

function withoutEnd(statements: readonly Statement[]): readonly Statement[] {
  const last = statements.at(-1);
  const others = statements.slice(0, -1);
  if (last?.kind === "if" && last.test.kind === "string" && last.test.raw === "'end of file'") return others;
  if (last?.kind === "inline" && last.raw.endsWith(END)) return [...others, { ...last, raw: last.raw.slice(0, -END.length) }];
  throw new NotStatic("its last statement or comment has no end");
}
