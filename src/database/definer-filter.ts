/** So much of a line decides what becomes of it: more than any account's name. */
const HEAD_BYTES = 4096;
const NEWLINE = 0x0a;
/** The beginnings of lines that are not data: data never begins a line that way, as line breaks in it are escaped. */
const DEFINITION = Buffer.from("/*!5");
const DELIMITER = Buffer.from("DELIMITER ");
const AFTER_BREAK = [DEFINITION, DELIMITER].map((start) => Buffer.concat([Buffer.of(NEWLINE), start]));
const LONGEST_START = DELIMITER.length;
/** MariaDB's clients begin with it since May 2024; other clients take it for a wrong command. */
const SANDBOX = /^\/\*M?!999999\\- [^\n]*\n/;

const NAME = "`(?:[^`]|``)*`";
const ACCOUNT = `${NAME}@${NAME}`;
const OF_TRIGGER = new RegExp(`^(/\\*!50003 CREATE\\*/ |/\\*!50106 CREATE\\*/ )/\\*!\\d{5} DEFINER=${ACCOUNT} ?\\*/ ?`);
const OF_ROUTINE = new RegExp(`^CREATE DEFINER=${ACCOUNT} `);
const OF_VIEW = new RegExp(`^/\\*!50013 DEFINER=${ACCOUNT} SQL SECURITY (DEFINER|INVOKER) \\*/\\r?\\n$`);

/**
 * Takes the DEFINERs of views, triggers, routines and events out of a dump as it streams through, and the line that only MariaDB's own client understands: the account that
 * loads the dump may not make things for another one. Only lines are looked at that can be nothing but a definition, in whole, however long the lines of data
 * between them are; memory does not grow. (Provision's filter loses each row in whose data such text stands.)
 */
export class DefinerFilter {
  #waiting: Buffer = Buffer.alloc(0);
  #isFirst = true;
  #atLineStart = true;
  /** Inside of `DELIMITER ;;` … `DELIMITER ;`, where bodies of triggers, routines and events are. */
  #inBody = false;
  #atStatementStart = false;
  /** The end of the line that is passing. */
  #lineEnd = "";

  /** What may go on of all that came so far. */
  push(chunk: Buffer): Buffer[] {
    const data = this.#waiting.length === 0 ? chunk : Buffer.concat([this.#waiting, chunk]);
    this.#waiting = Buffer.alloc(0);
    return this.#filter(data, false);
  }

  end(): Buffer[] {
    const data = this.#waiting;
    this.#waiting = Buffer.alloc(0);
    return this.#filter(data, true);
  }

  #filter(data: Buffer, isLast: boolean): Buffer[] {
    const out: Buffer[] = [];
    let at = 0;
    while (at < data.length) {
      const before = at;
      at = this.#atLineStart ? this.#lineStart(data, { at, isLast }, out) : this.#restOfLine(data, at, out);
      if (at === before) {
        this.#waiting = Buffer.from(data.subarray(at));
        break;
      }
    }
    return out;
  }

  /** Returns how far the data is dealt with; where it began when more of it is needed. */
  #lineStart(data: Buffer, { at, isLast }: { readonly at: number; readonly isLast: boolean }, out: Buffer[]): number {
    const isWhole = (length: number): boolean => isLast || data.length - at >= length || data.indexOf(NEWLINE, at) >= 0;
    if (!isWhole(LONGEST_START)) return at;
    if (!this.#isFirst && !this.#inBody && !startsWith(data, at, DEFINITION) && !startsWith(data, at, DELIMITER)) return this.#data(data, at, out);
    if (!isWhole(HEAD_BYTES)) return at;
    const end = data.indexOf(NEWLINE, at);
    const line = data.subarray(at, Math.min(end < 0 ? data.length : end + 1, at + HEAD_BYTES));
    const text = line.toString("latin1");
    const filtered = this.#isFirst && SANDBOX.test(text) ? "" : this.#definition(text);
    this.#isFirst = false;
    out.push(filtered === text ? line : Buffer.from(filtered, "latin1"));
    this.#passed(line);
    return at + line.length;
  }

  /** Data up to the next line that may be a definition. */
  #data(data: Buffer, at: number, out: Buffer[]): number {
    const next = Math.min(...AFTER_BREAK.map((start) => data.indexOf(start, at)).filter((found) => found >= 0));
    if (next !== Infinity) {
      out.push(data.subarray(at, next + 1));
      return next + 1;
    }
    const lastBreak = data.lastIndexOf(NEWLINE);
    const isOpen = data.length - lastBreak - 1 < LONGEST_START;
    const end = isOpen && lastBreak >= at ? lastBreak + 1 : data.length;
    out.push(data.subarray(at, end));
    this.#atLineStart = isOpen && lastBreak >= at;
    return end;
  }

  #restOfLine(data: Buffer, at: number, out: Buffer[]): number {
    const end = data.indexOf(NEWLINE, at);
    const rest = data.subarray(at, end < 0 ? data.length : end + 1);
    out.push(rest);
    this.#passed(rest);
    return at + rest.length;
  }

  #passed(part: Buffer): void {
    this.#lineEnd = (this.#lineEnd + part.subarray(-4).toString("latin1")).slice(-4);
    this.#atLineStart = part.at(-1) === NEWLINE;
    if (!this.#atLineStart) return;
    this.#atStatementStart = this.#inBody && /;;\r?\n$/.test(this.#lineEnd);
    this.#lineEnd = "";
  }

  #definition(text: string): string {
    const delimiter = /^DELIMITER (\S+)\s*$/.exec(text)?.[1];
    if (delimiter !== undefined) {
      this.#inBody = delimiter !== ";";
      return text;
    }
    if (this.#inBody) return this.#atStatementStart ? text.replace(OF_TRIGGER, "$1").replace(OF_ROUTINE, "CREATE ") : text;
    // A view without the line has its maker's rights; one with its caller's must keep them.
    if (OF_VIEW.test(text)) return text.includes(" SQL SECURITY INVOKER ") ? text.replace(OF_VIEW, "/*!50013 SQL SECURITY INVOKER */\n") : "";
    return text.replace(/^\/\*!50001 CREATE ALGORITHM=UNDEFINED \*\//, "/*!50001 CREATE */");
  }
}

function startsWith(data: Buffer, at: number, start: Buffer): boolean {
  return data.length - at >= start.length && data.compare(start, 0, start.length, at, at + start.length) === 0;
}
