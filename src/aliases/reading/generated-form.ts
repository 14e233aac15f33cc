import { PhpArray } from "../../php-values/php-array.ts";
import type { PhpValue } from "../../php-values/value.ts";
import { LiteralScanner, OTHER_FORM } from "./generated-literals.ts";
import { APPEND, type Step } from "./scope.ts";

/** `$variable['step']…` */
export interface Reference {
  readonly variable: string;
  readonly steps: readonly Step[];
}

export type GeneratedStatement =
  | { readonly kind: "assign"; readonly target: Reference; readonly value: PhpValue }
  | { readonly kind: "copy"; readonly target: Reference; readonly source: Reference }
  | { readonly kind: "include"; readonly path: string; readonly once: boolean; readonly required: boolean };

/** Where the values of assignments are large arrays: where each begins → where it ends. */
export interface LargeArrays {
  readonly ends: ReadonlyMap<number, number>;
  /** Told of one that was not known. */
  readonly learn: (start: number, end: number) => void;
}

const NOTHING_KNOWN: LargeArrays = { ends: new Map(), learn: () => undefined };
/** Characters. */
const LARGE = 4096;

const INCLUDE = /^(include|require)(_once)?$/i;

/**
 * The statements of a file in the form that Provision generates: assignments of literals, copies of elements, includes; comments
 * between them. Undefined when the file has anything else, which says nothing about whether it is right.
 *
 * @param folder folder of the file, for `dirname(__FILE__)` and `__DIR__`
 * @param arrays where large arrays are known to be in this very text: they are read when somebody looks into them
 */
export function parseGenerated(text: string, folder: string, arrays: LargeArrays = NOTHING_KNOWN): readonly GeneratedStatement[] | undefined {
  const start = /^\s*<\?php(?=\s)/i.exec(text);
  if (start === null) return undefined;
  const scanner = new LiteralScanner(text, start[0].length);
  const statements: GeneratedStatement[] = [];
  try {
    for (;;) {
      scanner.blank();
      if (scanner.ended) return statements;
      if (scanner.take("?>")) return /^\s*$/.test(text.slice(scanner.at)) ? statements : undefined;
      if (!scanner.take(";")) statements.push(statement(scanner, folder, arrays));
    }
  } catch (thrown) {
    if (thrown === OTHER_FORM) return undefined;
    throw thrown;
  }
}

function statement(scanner: LiteralScanner, folder: string, arrays: LargeArrays): GeneratedStatement {
  const result = scanner.take("$") ? assignment(scanner, arrays) : include(scanner, folder);
  scanner.blank();
  // A closing tag ends a statement too; the loop above takes it.
  if (!scanner.take(";") && !scanner.text.startsWith("?>", scanner.at)) throw OTHER_FORM;
  return result;
}

function assignment(scanner: LiteralScanner, arrays: LargeArrays): GeneratedStatement {
  const target = reference(scanner);
  scanner.expect("=");
  scanner.blank();
  if (scanner.take("$")) return { kind: "copy", target, source: reference(scanner) };
  return { kind: "assign", target, value: assigned(scanner, arrays) };
}

function assigned(scanner: LiteralScanner, { ends, learn }: LargeArrays): PhpValue {
  const { text, at: start } = scanner;
  const end = ends.get(start);
  if (end !== undefined && text.startsWith("array", start) && text[end - 1] === ")") {
    scanner.goOnAt(end);
    return PhpArray.later(() => new LiteralScanner(text, start).value() as PhpArray);
  }
  const value = scanner.value();
  if (value instanceof PhpArray && scanner.at - start > LARGE) learn(start, scanner.at);
  return value;
}

function reference(scanner: LiteralScanner): Reference {
  const variable = scanner.name();
  const steps: Step[] = [];
  for (;;) {
    scanner.blank();
    if (!scanner.take("[")) return { variable, steps };
    scanner.blank();
    if (scanner.take("]")) {
      steps.push(APPEND);
    } else {
      steps.push(scanner.key());
      scanner.expect("]");
    }
  }
}

function include(scanner: LiteralScanner, folder: string): GeneratedStatement {
  if (scanner.take("@")) scanner.blank();
  const word = INCLUDE.exec(scanner.name());
  if (word === null) throw OTHER_FORM;
  scanner.blank();
  const path = parenthesized(scanner, () => includedPath(scanner, folder));
  // What a relative path means depends on PHP's include_path.
  if (!path.startsWith("/")) throw OTHER_FORM;
  return { kind: "include", path, once: word[2] !== undefined, required: word[1]?.toLowerCase() === "require" };
}

function parenthesized(scanner: LiteralScanner, inner: () => string): string {
  const open = scanner.take("(");
  if (open) scanner.blank();
  const path = inner();
  if (open) scanner.expect(")");
  return path;
}

function includedPath(scanner: LiteralScanner, folder: string): string {
  if (!scanner.take("dirname(__FILE__)") && !scanner.take("__DIR__")) return scanner.string();
  scanner.expect(".");
  scanner.blank();
  return folder + scanner.string();
}
