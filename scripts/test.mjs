// npm test: lint, types, all tests, and twenty seconds of fuzzing. Ends with one line of numbers; the exit status is 1 when something failed.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const program = (name) => join(root, "node_modules/.bin", name);
const counts = { passed: 0, failed: 0, skipped: 0 };

function check(title, file, args) {
  console.log(`\n${title}`);
  const { status } = spawnSync(file, args, { cwd: root, stdio: "inherit" });
  counts[status === 0 ? "passed" : "failed"] += 1;
}

function tests() {
  const folder = mkdtempSync(join(tmpdir(), "shim-tests-"));
  const report = join(folder, "report.json");
  console.log("\ntests");
  const { status } = spawnSync(program("vitest"), ["run", "--reporter=default", "--reporter=json", `--outputFile.json=${report}`], { cwd: root, stdio: "inherit" });
  try {
    const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, numFailedTestSuites } = JSON.parse(readFileSync(report, "utf8"));
    counts.passed += numPassedTests;
    // A file that cannot even be loaded has no test that could fail.
    counts.failed += Math.max(numFailedTests, numFailedTestSuites > 0 ? 1 : 0);
    counts.skipped += numPendingTests + numTodoTests;
  } catch {
    counts.failed += 1;
  }
  if (status !== 0 && counts.failed === 0) counts.failed += 1;
  rmSync(folder, { recursive: true, force: true });
}

check("lint", program("eslint"), ["."]);
check("types", program("tsc"), ["--noEmit"]);
tests();
check("fuzz", process.execPath, [join(root, "scripts/fuzz.mjs"), "--seconds=20"]);

console.log(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exit(counts.failed > 0 ? 1 : 0);
