import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { repositoryRoot } from "../support/repository.ts";

/** The specifications' checklists: heading in docs/conformance.md → the word for it in titles of tests, and how many items it has. */
const LISTS = {
  "backend-protocol": { word: "protocol", items: 98 },
  aliases: { word: "aliases", items: 40 },
  "contexts-and-config": { word: "contexts", items: 72 },
  commands: { word: "commands", items: 110 },
  http: { word: "http", items: 92 },
  db: { word: "db", items: 53 },
} as const;

/** Folders whose titles have numbers without a word: which lists they may mean. */
const BARE: readonly (readonly [start: string, words: readonly string[]])[] = [
  ["test/backend-protocol/", ["protocol"]],
  ["test/system/protocol", ["protocol"]],
  ["test/aliases/", ["aliases"]],
  ["test/contexts/", ["contexts"]],
  ["test/drupal/", ["commands", "contexts"]],
  ["test/web/", ["http"]],
];

const REASON = /^(?:later, issue \d: |wanted difference, see differences\.md: |not native: ).+/;

interface Row {
  readonly numbers: readonly number[];
  readonly files: readonly string[];
  readonly remark: string;
}

const page = readFileSync(join(repositoryRoot, "docs/conformance.md"), "utf8");

/** `1–4, 7` as numbers. */
function numbersOf(text: string): number[] {
  return text.split(", ").flatMap((part) => {
    const [first = NaN, last = first] = part.split("–").map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

function rowsOf(list: string): Row[] {
  const section = new RegExp(`^## ${list}\\n((?:(?!^## ).*\\n)*)`, "m").exec(page)?.[1] ?? "";
  return [...section.matchAll(/^\| ([\d–, ]+) \| (.+?) \| (.*?) ?\|$/gm)].map(([, numbers = "", files = "", remark = ""]) => ({
    numbers: numbersOf(numbers),
    files: files === "–" ? [] : files.split(", "),
    remark,
  }));
}

/** What titles in a test file name: `commands 25`, `http 1` … A title begins `commands 25; http 1, 2: …`, or in its list's own folder `25: …` or `(25) …`. */
function itemsOf(file: string): Set<string> {
  const own = BARE.find(([start]) => file.startsWith(start))?.[1] ?? [];
  const items = new Set<string>();
  const text = readFileSync(join(repositoryRoot, file), "utf8");
  for (const [, brackets, plain] of text.matchAll(/["'`](?:\((\d[\d, –]*)\)|((?:(?:[a-z]+ )?\d[\d, –]*(?:; )?)+):) /g)) {
    for (const part of (brackets ?? plain ?? "").split("; ")) {
      const [, word, numbers = ""] = /^(?:([a-z]+) )?(.*)$/.exec(part) ?? [];
      for (const number of numbersOf(numbers)) for (const list of word === undefined ? own : [word]) items.add(`${list} ${number}`);
    }
  }
  return items;
}

describe.each(Object.entries(LISTS))("docs/conformance.md: %s", (list, { word, items }) => {
  const rows = rowsOf(list);

  it("has every item once", () => {
    expect(rows.flatMap(({ numbers }) => numbers).sort((one, two) => one - two)).toEqual(Array.from({ length: items }, (_, index) => index + 1));
  });

  it("names test files that are there, with the item in a title", () => {
    const wrong = rows.flatMap(({ numbers, files }) =>
      files.flatMap((file) => (existsSync(join(repositoryRoot, file)) ? numbers.filter((number) => !itemsOf(file).has(`${word} ${number}`)).map((number) => `${file} has no title with ${word} ${number}`) : [`${file} is not there`])),
    );
    expect(wrong).toEqual([]);
  });

  it("gives a reason where there is no test", () => {
    expect(rows.filter(({ files, remark }) => files.length === 0 && !REASON.test(remark)).map(({ numbers }) => numbers)).toEqual([]);
  });
});
