import type { PhpArray } from "./php-array.ts";

/** A PHP float; JavaScript numbers and bigints stand for PHP integers. */
export class PhpFloat {
  constructor(readonly value: number) {}
}

/** A PHP stdClass object as data: `var_export` writes it as `(object) array(…)`. */
export class PhpObject {
  constructor(readonly properties: PhpArray) {}
}

/** Any value that an alias file, a drushrc file or JSON can hold. Text: see text.ts. */
export type PhpValue = null | boolean | number | bigint | PhpFloat | string | PhpArray | PhpObject;
