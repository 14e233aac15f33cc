import { jsonEncode, type EncodedArrays } from "../php-values/json-encode.ts";
import type { PhpArray } from "../php-values/php-array.ts";
import { FRAME_END, FRAME_START } from "./markers.ts";

/**
 * The bytes of the final frame (drush_backend_output() in drush 8.4.12 includes/backend.inc). The JSON is byte for byte PHP's, except
 * where a marker stands in a text: there it is escaped, because a reader takes everything from the first start to the last end.
 *
 * @param known see jsonEncode()
 */
export function finalFrame(data: PhpArray, known?: EncodedArrays): Buffer {
  const json = jsonEncode(data, known).replaceAll(FRAME_START, START_ESCAPED).replaceAll(FRAME_END, END_ESCAPED);
  return Buffer.from(`\0${FRAME_START}${json}${FRAME_END}`, "latin1");
}

const START_ESCAPED = FRAME_START.replaceAll(">", "\\u003e");
const END_ESCAPED = FRAME_END.replaceAll("<", "\\u003c");
