/** Lines of context around a difference. */
const CONTEXT = 2;
/** Files larger than this are only said to differ: the comparison below is quadratic. */
const MOST_LINES = 4000;

/** What changes between two texts, as lines that begin with `+`, `-` or a blank; unchanged stretches are left out. */
export function fileDifference(before: string, after: string): string[] {
  const [old, now] = [splitLines(before), splitLines(after)];
  let head = 0;
  while (head < old.length && head < now.length && old[head] === now[head]) head += 1;
  let tail = 0;
  while (tail < old.length - head && tail < now.length - head && old.at(-1 - tail) === now.at(-1 - tail)) tail += 1;
  const [oldMiddle, newMiddle] = [old.slice(head, old.length - tail), now.slice(head, now.length - tail)];
  if (oldMiddle.length + newMiddle.length > MOST_LINES) return [`(${oldMiddle.length} lines become ${newMiddle.length})`];
  const all = [
    ...old.slice(0, head).map((line) => ` ${line}`),
    ...changedLines(oldMiddle, newMiddle),
    ...old.slice(old.length - tail).map((line) => ` ${line}`),
  ];
  return withContext(all);
}

function splitLines(text: string): string[] {
  return text === "" ? [] : text.replace(/\n$/, "").split("\n");
}

/** The longest common subsequence, by the textbook's table. */
function changedLines(old: readonly string[], now: readonly string[]): string[] {
  const width = now.length + 1;
  const lengths = new Uint32Array((old.length + 1) * width);
  const at = (row: number, column: number): number => lengths[row * width + column] ?? 0;
  for (let row = old.length - 1; row >= 0; row--) {
    for (let column = now.length - 1; column >= 0; column--) {
      lengths[row * width + column] = old[row] === now[column] ? at(row + 1, column + 1) + 1 : Math.max(at(row + 1, column), at(row, column + 1));
    }
  }
  const lines: string[] = [];
  for (let row = 0, column = 0; row < old.length || column < now.length; ) {
    if (row < old.length && column < now.length && old[row] === now[column]) {
      lines.push(` ${old[row] ?? ""}`);
      row += 1;
      column += 1;
    } else if (column >= now.length || (row < old.length && at(row + 1, column) >= at(row, column + 1))) {
      lines.push(`-${old[row] ?? ""}`);
      row += 1;
    } else {
      lines.push(`+${now[column] ?? ""}`);
      column += 1;
    }
  }
  return lines;
}

function withContext(lines: readonly string[]): string[] {
  const isNear = (index: number): boolean => lines.slice(Math.max(0, index - CONTEXT), index + CONTEXT + 1).some((line) => !line.startsWith(" "));
  const shown: string[] = [];
  let skipped = false;
  lines.forEach((line, index) => {
    if (isNear(index)) {
      if (skipped && shown.length > 0) shown.push("⋯");
      shown.push(line);
      skipped = false;
    } else {
      skipped = true;
    }
  });
  return shown;
}
