import { JsonMembers } from "../php-values/json-members.ts";
import { JsonSyntaxError } from "../php-values/json-decode.ts";
import { FRAME_END, FRAME_START } from "./markers.ts";

/** What was seen of a child besides its result. */
export interface StreamFacts {
  /** As the parent saw it; null when a signal ended the child. */
  readonly exitStatus: number | null;
  /** Was there any text outside packets and frame? */
  readonly text: boolean;
  /** How many packets, the malformed ones included. */
  readonly packets: number;
}

/**
 * What a child's output amounts to. Only `frame` is a result. `silent` (nothing, or packets only) is taken for success by drush 8.4.12; a
 * caller that cares treats it as a failure.
 */
export type StreamOutcome = StreamFacts & (FrameOutcome | { readonly kind: "text-only" } | { readonly kind: "silent" });

export type FrameOutcome =
  | {
      readonly kind: "frame";
      /**
       * Checked as a whole, built member by member on demand: a frame is mostly `log` and `context`, and its reader wants one or two values.
       * They are PHP values, because plain objects would reorder integer-like keys.
       */
      readonly frame: JsonMembers;
    }
  | {
      readonly kind: "unparsable";
      readonly reason: "no end mark" | "empty" | "two frames" | "not an object" | "not JSON" | "too large";
      /** Everything from the start mark on; nothing when it was too large. Holds passwords as a frame does: do not log it. */
      readonly bytes: Buffer;
    };

/**
 * The frame in the bytes after the first start mark: it goes to the last end mark, as in drush_backend_parse_output(); what follows, such
 * as the packet that real hosting-task sends after its frame, is ignored.
 *
 * @param bytes undefined: there were too many to keep
 */
export function frameOutcome(bytes: Buffer | undefined): FrameOutcome {
  if (bytes === undefined) return { kind: "unparsable", reason: "too large", bytes: Buffer.alloc(0) };
  const unparsable = (reason: (FrameOutcome & { kind: "unparsable" })["reason"]): FrameOutcome => ({ kind: "unparsable", reason, bytes });
  const end = bytes.lastIndexOf(FRAME_END);
  if (end < 0) return unparsable("no end mark");
  const payload = bytes.subarray(0, end);
  if (payload.length === 0) return unparsable("empty");
  try {
    const frame = JsonMembers.read(payload);
    return frame === undefined ? unparsable("not an object") : { kind: "frame", frame };
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    return unparsable(payload.includes(FRAME_END) && payload.includes(FRAME_START) ? "two frames" : "not JSON");
  }
}
