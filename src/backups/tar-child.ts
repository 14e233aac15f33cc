import { ShimError } from "../errors/shim-error.ts";
import { errnoOf } from "../files/look.ts";
import { bytesFromText, textFromBytes } from "../php-values/text.ts";
import { streamedProcess } from "../processes/streamed-process.ts";
import { SILENCE_MS, type Children } from "./packing.ts";

/** What tar had to say of a member: a file changed while it was read, may not be read, is a socket. */
export interface Complaint {
  /** As the member is called, `./files/a.jpg`. */
  readonly path: string;
  readonly kind: "changed" | "gone" | "unreadable" | "skipped";
  readonly message: string;
}

export interface TarRun {
  /** The directory that members' names are relative to. */
  readonly directory: string;
  /** Members to read, without what is below them; unset: everything, from `.` down. */
  readonly only?: readonly string[];
  readonly children: Children;
}

/**
 * Reads a tree by GNU tar: the archive's bytes, and at the end what it complained of. The tar of the PATH must be GNU's, as on every Debian.
 *
 * @throws ShimError PROVISION_BACKUP_FAILED when it fails in another way than its complaints say
 */
export async function* tarOf(run: TarRun, complaints: Complaint[]): AsyncGenerator<Buffer> {
  const { directory, only, children } = run;
  const what = only === undefined ? ["."] : ["--no-recursion", "--null", "--verbatim-files-from", "--files-from=-"];
  const lines = new ComplaintLines();
  const child = await streamedProcess({
    file: "tar",
    // Large blocks are fewer reads; sparse files keep their holes; the style makes a file's name one word, whatever is in it.
    args: ["--create", "--file=-", "--format=gnu", "--sparse", "--blocking-factor=128", "--quoting-style=escape", "--warning=no-cachedir", ...what],
    cwd: directory,
    env: { ...children.env, LC_ALL: "C", LANGUAGE: undefined, TAR_OPTIONS: undefined, POSIXLY_CORRECT: undefined, TAPE: undefined },
    stdin: only === undefined ? "nothing" : "pipe",
    stdout: "pipe",
    signal: children.signal,
    silenceMs: SILENCE_MS,
    onStart: children.onStart,
    onComplaint: (bytes) => lines.push(bytes),
  });
  try {
    child.stdin?.end(Buffer.concat((only ?? []).map((path) => Buffer.concat([bytesFromText(path), Buffer.alloc(1)]))));
    if (child.stdout !== null) {
      for await (const bytes of child.stdout) {
        child.alive();
        yield bytes as Buffer;
      }
    }
    const { status, signal, stderr } = await child.ended.catch((thrown: unknown) => {
      throw new ShimError("PROVISION_BACKUP_FAILED", `Could not back up sites directory for drupal: tar could not be started (${errnoOf(thrown)}).`, { hint: "install GNU tar", cause: thrown });
    });
    children.signal.throwIfAborted();
    lines.end();
    complaints.push(...lines.complaints);
    if (status === undefined || status > 2 || (status === 2 && lines.others.length > 0) || (status !== 0 && lines.complaints.length === 0)) {
      const reason = lines.others[0] ?? (stderr === "" ? `ended by ${signal ?? `status ${status ?? "?"}`}` : stderr.slice(0, 400));
      throw new ShimError("PROVISION_BACKUP_FAILED", `Could not back up sites directory for drupal: tar: ${reason}`);
    }
  } finally {
    child.kill();
  }
}

const KINDS: readonly (readonly [RegExp, Complaint["kind"]])[] = [
  [/^file changed as we read it$/, "changed"],
  [/^File shrank by \d+ bytes; padding with zeros$/, "changed"],
  [/^File removed before we read it$/, "gone"],
  [/^Cannot (?:stat|open|readlink|savedir|read directory): No such file or directory$/, "gone"],
  [/^(?:Warning: )?Cannot (?:stat|open|read|readlink|savedir|opendir|read directory|close|seek)\b.*$/, "unreadable"],
  [/^(?:Warning: )?Read error at byte \d+, .*$/, "unreadable"],
  [/ ignored$/, "skipped"],
];

/** Understands tar's complaints in the C locale: `tar: ./NAME: message`, a byte outside of ASCII and a colon in the name escaped. */
class ComplaintLines {
  readonly complaints: Complaint[] = [];
  readonly others: string[] = [];
  #rest = "";

  push(bytes: Buffer): void {
    const lines = (this.#rest + bytes.toString("latin1")).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.#line(line);
  }

  end(): void {
    if (this.#rest !== "") this.#line(this.#rest);
    this.#rest = "";
  }

  #line(line: string): void {
    const text = line.replace(/^[^ ]*tar: /, "");
    if (text.startsWith("Exiting with failure status") || text.trim() === "") return;
    const [, name, message = ""] = /^(\.(?:\/(?:[^\\:]|\\.)*)?): (.*)$/.exec(text) ?? [];
    const kind = KINDS.find(([pattern]) => pattern.test(message))?.[1];
    if (name === undefined || kind === undefined) this.others.push(text.slice(0, 400));
    else this.complaints.push({ path: unescaped(name), kind, message });
  }
}

const ESCAPES: Readonly<Record<string, number>> = { a: 7, b: 8, t: 9, n: 10, v: 11, f: 12, r: 13 };

function unescaped(name: string): string {
  const bytes: number[] = [];
  for (const [, octal, letter, plain] of name.matchAll(/\\([0-7]{3})|\\(.)|([^\\])/gs)) {
    if (octal !== undefined) bytes.push(Number.parseInt(octal, 8));
    else if (letter !== undefined) bytes.push(ESCAPES[letter] ?? letter.charCodeAt(0));
    else bytes.push(plain?.charCodeAt(0) ?? 0);
  }
  return textFromBytes(Buffer.from(bytes));
}
