import { textFromBytes } from "../../src/php-values/text.ts";

/** A small seeded generator (mulberry32), so that every case can be made again from its number. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  /** Between both, inclusive. */
  integer(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.integer(0, from.length - 1)]!;
  }

  weighted<T>(choices: readonly (readonly [T, number])[]): T {
    let at = this.next() * choices.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [choice, weight] of choices) {
      at -= weight;
      if (at < 0) return choice;
    }
    return choices[0]![0];
  }

  times<T>(least: number, most: number, make: () => T): T[] {
    return Array.from({ length: this.integer(least, most) }, make);
  }
}

/** Texts that have gone wrong somewhere before: quotes, escapes, comments, tags, bytes that are not UTF-8, numbers as keys. */
export const TEXTS: readonly string[] = [
  "", "a", "x", "root", "uri", "site", "shop.example.com", "www.example.com", "/var/aegir/platforms/d7", "@server_master", "0", "5", "-5", "05", "-0", "1.5", "1e3", "9223372036854775807",
  "9223372036854775808", "-9223372036854775808", " 5", "true", "NULL", "it's", "k3y'with\\odd$chars", "\\", "\\\\", "'", "''", '"', "a\\'b", "trailing\\", "?>", "<?php", "# no", "// no", "/* no */",
  "a\nb", "a\r\nb", "a\tb", "a\0b", "\0", "\0\0", "${x}", "$x", "{$x}", "é", "日本", "𝄞", "\u00a0", textFromBytes(Buffer.from([0xc3])), textFromBytes(Buffer.from([0xff, 0x41, 0xfe])), textFromBytes(Buffer.from([0xe2, 0x82])),
  ");", "array (", "=> ", ",", "profile", "packages", "modules", "\v\f", "\u001b[0m", "%s", "${env-name}", "*",
];

/** A string literal as var_export() writes it. */
export function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'").replaceAll("\0", "' . \"\\0\" . '")}'`;
}

export function numberText(random: Random): string {
  return random.pick(["0", "1", "-1", "42", "3306", "-9223372036854775807-1", "9223372036854775807", "9007199254740993", "1.0", "-0.0", "0.1", "1.0E+25", "1.0E-5", "-1.5", "0.30000000000000004", "123456789.12345678", "1.7976931348623157E+308", "5.0E-324"]);
}

export function scalarText(random: Random): string {
  return random.weighted<() => string>([[() => quoted(random.pick(TEXTS)), 60], [() => numberText(random), 20], [() => random.pick(["true", "false", "NULL"]), 20]])();
}

function exportedKey(random: Random, index: number): string {
  return random.weighted<() => string>([[() => quoted(random.pick(TEXTS)), 50], [() => String(index), 35], [() => String(random.integer(-3, 12)), 15]])();
}

/** An array as var_export() lays it out. */
export function exportedArray(random: Random, depth: number): string {
  const indent = " ".repeat(depth * 2);
  const elements = random.times(0, depth === 0 ? 8 : 4, () => "").map((_, index) => `${indent}  ${exportedKey(random, index)} => ${exportedValue(random, depth)},\n`);
  return `array (\n${elements.join("")}${indent})`;
}

function exportedValue(random: Random, depth: number): string {
  if (depth >= 4 || random.chance(0.7)) return scalarText(random);
  const indent = " ".repeat(depth * 2 + 2);
  if (random.chance(0.1)) return random.pick([`\n${indent}(object) array(\n${indent}   'a' => 1,\n${indent})`, `\n${indent}(object) array(\n${indent}   '5' => 'x',\n${indent}   'l' => \n${indent}  array (\n${indent}    0 => 'y',\n${indent}  ),\n${indent})`]);
  return `\n${indent}${exportedArray(random, depth + 1)}`;
}
