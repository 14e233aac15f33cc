import { scrubText } from "../php-values/text.ts";

/** How text is prepared for a front end. */
export interface WireOptions {
  /**
   * What becomes of characters of four UTF-8 bytes (emoji and the like): a front-end database with three-byte `utf8` refuses the whole
   * log row because of one. `replace` (the default) makes each U+FFFD.
   */
  readonly fourByteCharacters?: "replace" | "keep";
}

/** Text that may be sent: every byte that is not UTF-8 becomes U+FFFD, because one such byte makes drush lose the whole packet. */
export function wireText(text: string, options: WireOptions = {}): string {
  const clean = scrubText(text);
  return options.fourByteCharacters === "keep" ? clean : clean.replace(FOUR_BYTES, "\ufffd");
}

/** The type of a log entry: Hosting stores it in 16 characters, and a longer one breaks the task. Without a name it is drush's default. */
export function wireType(type: string): string {
  return type === "" ? "notice" : wireText(type).slice(0, TYPE_LENGTH);
}

/** The code of an error. An empty or numeric one becomes drush's general code, as drush_set_error() does on the other side. */
export function wireErrorCode(code: string): string {
  return code === "" || isNumeric(code) ? "DRUSH_FRAMEWORK_ERROR" : wireText(code);
}

/** As PHP's is_numeric() for text. */
export function isNumeric(text: string): boolean {
  return NUMERIC.test(text);
}

const FOUR_BYTES = /[\ud800-\udbff][\udc00-\udfff]/g;
const TYPE_LENGTH = 16;
const NUMERIC = /^[ \t\n\r\v\f]*[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?[ \t\n\r\v\f]*$/;
