import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The real drush to compare with, when there is one. */
export const REAL_DRUSH = process.env["SHIM_TEST_DRUSH"];

/** A workplace with a stub child, where a real drush does a list of jobs (caller.php says which there are). */
export class RealDrush {
  readonly folder = mkdtempSync(join(tmpdir(), "shim-real-drush-"));
  readonly stub = join(this.folder, "stub");

  constructor() {
    copyFileSync(join(import.meta.dirname, "stub.php"), this.stub);
    chmodSync(this.stub, 0o755);
  }

  /** Lets the stub answer the command `case-N` with these bytes. */
  addCase(number: number, bytes: Buffer, exitStatus: number): string {
    const name = `case-${number}`;
    writeFileSync(join(this.folder, name), bytes);
    writeFileSync(join(this.folder, `${name}.exit`), String(exitStatus));
    return name;
  }

  /** Runs all jobs in one drush process with these words in front of its command. */
  run<Answer>(jobs: readonly object[], words: readonly string[] = []): Answer[] {
    const [jobsFile, answers] = [join(this.folder, "jobs"), join(this.folder, "answers")];
    writeFileSync(jobsFile, jobs.map((job) => JSON.stringify(job) + "\n").join(""));
    execFileSync(REAL_DRUSH ?? "", [...words, "php-script", join(import.meta.dirname, "caller.php")], {
      cwd: this.folder,
      env: { PATH: process.env["PATH"], HOME: this.folder, STUB: this.folder, JOBS: jobsFile, ANSWERS: answers, COLUMNS: "80" },
      stdio: ["ignore", "pipe", "pipe"], maxBuffer: 1 << 28,
    });
    return readFileSync(answers, "utf8").trimEnd().split("\n").map((line) => JSON.parse(line) as Answer);
  }

  /** The words and the input of each call of the stub that was no case, in order. */
  calls(): { argv: string[]; stdin: string }[] {
    return readFileSync(join(this.folder, "call"), "utf8").trimEnd().split("\n").map((line) => {
      const [argv, stdin] = JSON.parse(line) as [string[], string];
      return { argv, stdin: Buffer.from(stdin, "base64").toString("latin1") };
    });
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}
