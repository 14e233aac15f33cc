import { NotStatic } from "./not-static.ts";
import type { Conditional, Expression } from "./php-syntax.ts";

/** How closely PHP's operators bind, those that are evaluated here; `?` stands for `?:`. */
const BINDING: Readonly<Partial<Record<string, number>>> = { or: 1, xor: 2, and: 3, "?": 4, "??": 5, "||": 6, "&&": 7, "===": 8, "!==": 8, ".": 9, "+": 10, "-": 10, "*": 11, "/": 11, "%": 11 };
const CLOSEST = 12;

/** php-parser does not always know which operator binds closer. Refuses a tree that PHP cannot have made of the same text. */
export function refuseWrongOrder(node: (Expression & { kind: "bin" | "unary" | "cast" }) | Conditional): void {
  if (node.kind === "unary") demand(node.what, CLOSEST);
  else if (node.kind === "cast") demand(node.expr, CLOSEST);
  else if (node.kind === "retif") refuseAround(node);
  else refuseInside(node);
}

function refuseAround(node: Conditional): void {
  const own = BINDING["?"] ?? 0;
  demand(node.test, own + 1);
  demand(node.falseExpr, own + 1);
}

function refuseInside({ type, left, right }: Expression & { kind: "bin" }): void {
  const own = BINDING[type];
  if (own === undefined) throw new NotStatic(`the operator ${type}`);
  // `a ?? b ?? c` is read from the right, comparisons stand alone, all others are read from the left.
  demand(left, type === "??" || type.endsWith("==") ? own + 1 : own);
  demand(right, type === "??" ? own : own + 1);
}

/** @param least how closely the operand must bind when it has no parentheses */
function demand(operand: Expression, least: number): void {
  if (operand.parenthesizedExpression === true) return;
  const type = operand.kind === "bin" ? operand.type : operand.kind === "retif" ? "?" : undefined;
  if (type !== undefined && (BINDING[type] ?? 0) < least) throw new NotStatic("operators that it does not order as PHP does");
}
