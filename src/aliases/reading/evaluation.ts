import { readFileSync, realpathSync, statSync } from "node:fs";
import { dirname, isAbsolute } from "node:path";
import { textFromBytes } from "../../php-values/text.ts";
import type { PhpValue } from "../../php-values/value.ts";
import { parseGenerated, type GeneratedStatement } from "./generated-form.ts";
import type { KnownArrays } from "./known-arrays.ts";
import { NotStatic } from "./not-static.ts";
import { Scope } from "./scope.ts";
import { Interpreter } from "./static-statements.ts";
import { isParserLoaded, parsePhp } from "./php-syntax.ts";

/** Thrown when the general reader is needed: its parser is loaded on demand, then the evaluation starts again. */
export class ParserNeeded extends Error {
  override readonly name = "ParserNeeded";
}

/** A hand-edited file beyond this size is read by PHP: php-parser takes a second and 140 MB for 4 MB. */
const MAX_PARSED_BYTES = 512 * 1024;

const MAX_DEPTH = 50;

export interface IncludeKind {
  readonly once: boolean;
  readonly required: boolean;
}

/** One file with all that it includes, evaluated in one scope. */
export class Evaluation {
  readonly scope = new Scope();
  /** Real paths of the files that took part. */
  readonly files = new Set<string>();
  /** Whether all files had the generated form. */
  generated = true;
  #depth = 0;
  readonly #arrays: KnownArrays | undefined;

  constructor(arrays?: KnownArrays) {
    this.#arrays = arrays;
  }

  /**
   * Evaluates the file and gives what it returns: 1 unless it says something else.
   *
   * @throws NotStatic, ParserNeeded, or the system's error when the file cannot be read
   */
  run(file: string): PhpValue {
    const real = realpathSync(file);
    const stats = statSync(real);
    if (!stats.isFile()) throw new NotStatic(`${file} is not a plain file`);
    const arrays = this.#arrays?.of(real, stats);
    const bytes = readFileSync(real);
    this.files.add(real);
    const statements = parseGenerated(textFromBytes(bytes), dirname(real), arrays);
    if (statements !== undefined) {
      arrays?.keep();
      for (const statement of statements) this.#execute(statement);
      return 1;
    }
    this.generated = false;
    if (bytes.length > MAX_PARSED_BYTES) throw new NotStatic("it is long and not in generated form");
    if (!isParserLoaded()) throw new ParserNeeded();
    const source = bytes.toString("latin1");
    return new Interpreter(this, { file: real, source }).run(parsePhp(source));
  }

  /** As PHP's include and require: what the file returns, or FALSE when it cannot be read. */
  include(path: string, kind: IncludeKind): PhpValue {
    if (!isAbsolute(path) || !path.isWellFormed() || path.includes("\0")) throw new NotStatic("it includes a path that is not absolute");
    if (kind.once && this.files.has(realOrSame(path))) return true;
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw new NotStatic("its includes have no end");
    try {
      return this.run(path);
    } catch (thrown) {
      if (!isSystemError(thrown)) throw thrown;
      if (kind.required) throw new NotStatic(`it requires ${path}, which cannot be read`);
      return false;
    } finally {
      this.#depth -= 1;
    }
  }

  #execute(statement: GeneratedStatement): void {
    if (statement.kind === "include") {
      this.include(statement.path, statement);
      return;
    }
    const { variable, steps } = statement.target;
    // The right side of an assignment to $_SERVER has no effect either.
    const value = statement.kind === "assign" ? statement.value : this.scope.read(statement.source.variable, statement.source.steps);
    this.scope.assign(variable, steps, value);
  }
}

function realOrSame(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

function isSystemError(thrown: unknown): boolean {
  return thrown instanceof Error && "syscall" in thrown;
}
