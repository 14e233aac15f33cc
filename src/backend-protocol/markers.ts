/** The byte sequences of the wire (drush 8.4.12 includes/backend.inc, DRUSH_BACKEND_*). */

/** Begins the final frame. Always sent with a NUL before it, which is not needed to recognise it. */
export const FRAME_START = "DRUSH_BACKEND_OUTPUT_START>>>";

/** Ends the final frame; nothing follows, not even a line feed. */
export const FRAME_END = "<<<DRUSH_BACKEND_OUTPUT_END";

export const PACKET_HEAD = "\0DRUSH_BACKEND:";

/** A reader takes the next NUL for the end of a packet; the line feed is optional. */
export const PACKET_TAIL = "\n\0";
