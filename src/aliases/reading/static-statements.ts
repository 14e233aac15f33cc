import { isTruthy } from "../../php-values/convert.ts";
import { PhpArray } from "../../php-values/php-array.ts";
import type { PhpValue } from "../../php-values/value.ts";
import { NotStatic } from "./not-static.ts";
import type { Expression, ForeachStatement, Statement } from "./php-syntax.ts";
import type { Scope } from "./scope.ts";
import { evaluate, place, placeToWrite, refuseInclude, type Surroundings } from "./static-expressions.ts";
import { binary } from "./static-operators.ts";

/** What the interpreter needs of the evaluation it is a part of. */
interface Host {
  readonly scope: Scope;
  include(path: string, kind: { readonly once: boolean; readonly required: boolean }): PhpValue;
}

/** A `return` was met. */
interface Returned {
  readonly value: PhpValue;
}

/** Steps after which a file is left to PHP, which is faster at loops. */
const MAX_STEPS = 100_000;

/** Executes the statements of one file as far as they are data; see aliases.md, "what is read as data". */
export class Interpreter implements Surroundings {
  readonly scope: Scope;
  readonly #host: Host;
  #steps = 0;

  readonly file: string;
  readonly source: string;

  constructor(host: Host, { file, source }: { readonly file: string; readonly source: string }) {
    this.#host = host;
    this.scope = host.scope;
    this.file = file;
    this.source = source;
  }

  /** What the file returns: 1 when it does not say. */
  run(statements: readonly Statement[]): PhpValue {
    return this.#all(statements)?.value ?? 1;
  }

  include(path: string, kind: { readonly once: boolean; readonly required: boolean }): PhpValue {
    return this.#host.include(path, kind);
  }

  #all(statements: readonly Statement[]): Returned | undefined {
    for (const [index, statement] of statements.entries()) {
      const returned = this.#one(statement);
      if (returned === undefined) continue;
      this.#skip(statements.slice(index + 1));
      return returned;
    }
    return undefined;
  }

  /** Statements that are not reached must be right all the same, because PHP compiles them: they are tried in a copy of the scope. */
  #skip(statements: readonly Statement[]): void {
    if (statements.length === 0) return;
    this.#trial((trial) => {
      for (const statement of statements) trial.#one(statement);
    });
  }

  #trial(run: (trial: Interpreter) => void): void {
    const trial = new Interpreter({ scope: this.scope.clone(), include: refuseInclude }, this);
    trial.#steps = this.#steps;
    run(trial);
    this.#steps = trial.#steps;
  }

  #one(statement: Statement): Returned | undefined {
    this.#steps += 1;
    try {
      if (this.#steps > MAX_STEPS) throw new NotStatic("it takes many steps");
      return this.#execute(statement);
    } catch (thrown) {
      if (!(thrown instanceof NotStatic)) throw thrown;
      thrown.file ??= this.file;
      thrown.line ??= statement.loc.start.line;
      throw thrown;
    }
  }

  #execute(statement: Statement): Returned | undefined {
    switch (statement.kind) {
      case "noop": return undefined;
      case "inline": {
        // It is printed; only white space cannot matter.
        if (!/^\s*$/.test(statement.raw)) throw new NotStatic("text outside of <?php");
        return undefined;
      }
      case "block": return this.#all(statement.children);
      case "return": return { value: statement.expr === null ? null : this.#valueOf(statement.expr) };
      case "foreach": return this.#foreach(statement);
      case "if": {
        const branches = [statement.body, statement.alternate];
        if (!isTruthy(evaluate(statement.test, this))) branches.reverse();
        const [taken, skipped] = branches;
        if (skipped) this.#skip([skipped]);
        return taken ? this.#one(taken) : undefined;
      }
      case "unset": {
        for (const variable of statement.variables) {
          const { variable: name, steps } = place(variable, this);
          this.scope.unset(name, steps);
        }
        return undefined;
      }
      case "expressionstatement": {
        this.#valueOf(statement.expression);
        return undefined;
      }
      default: throw new NotStatic(`a statement of the kind "${(statement as { kind: string }).kind}"`);
    }
  }

  #foreach(statement: ForeachStatement): Returned | undefined {
    // `foreach (…) ?>` has no body.
    if (statement.body === null) throw new NotStatic("a foreach without a body");
    const source = evaluate(statement.source, this);
    if (!(source instanceof PhpArray)) throw new NotStatic("a foreach over a value that is no array");
    if (source.size === 0) this.#skip([statement.body]);
    // PHP compiles the places of key and value even if nothing comes into them.
    for (const target of [statement.value, statement.key]) if (target !== null) placeToWrite(target, this);
    for (const [key, value] of source) {
      this.#assign(statement.value, value);
      if (statement.key !== null) this.#assign(statement.key, key);
      const returned = this.#one(statement.body);
      if (returned !== undefined) return returned;
    }
    return undefined;
  }

  /** An expression that stands alone, or on the right of an assignment: here assignments are allowed. */
  #valueOf(node: Expression): PhpValue {
    if (node.kind !== "assign") return evaluate(node, this);
    const value = this.#newValue(node);
    this.#assign(node.left, value);
    return value instanceof PhpArray ? value.deepClone() : value;
  }

  #newValue(node: Expression & { kind: "assign" }): PhpValue {
    if (node.operator === "=") return this.#valueOf(node.right);
    if (node.operator === ".=") return binary(".", evaluate(node.left, this), this.#valueOf(node.right));
    if (node.operator === "+=") return binary("+", evaluate(node.left, this), this.#valueOf(node.right));
    if (node.operator === "??=") {
      const present = evaluate(node.left, this);
      if (present === null) return this.#valueOf(node.right);
      this.#trial((trial) => trial.#valueOf(node.right));
      return present;
    }
    throw new NotStatic(`the operator ${node.operator}`);
  }

  #assign(target: Expression, value: PhpValue): void {
    const { variable, steps } = placeToWrite(target, this);
    this.scope.assign(variable, steps, value);
  }
}
