import { beginningOfMark, FRAME_MARK, NextIndex, PACKET_MARK } from "./find-marks.ts";
import { frameOutcome, type StreamOutcome } from "./outcome.ts";
import { malformed, readPacket, type Packet } from "./read-packet.ts";

/** What a child said. Texts are for the reader's own standard output; the bytes are a view of the chunk, not a copy. */
export type StreamEvent = { readonly kind: "text"; readonly bytes: Buffer } | { readonly kind: "packet"; readonly packet: Packet };

/** More than this in one packet or in the final frame is not kept: no result of a drush command is that large. */
export const RETAINED_LIMIT = 256 * 1024 * 1024;

/**
 * Reads the merged output of a child in backend mode (section 6 of the protocol): text, packets, and one final frame, after whose start
 * nothing is text or packet any more. The result does not depend on where the stream is cut into chunks. Marks are recognised
 * byte by byte; texts may hold any bytes, also NUL.
 *
 * Unlike for drush 8.4.12, a start mark inside a packet does not begin the frame: a message that quotes one must not spoil the result. It
 * does begin the frame where the packet is no JSON, that is, was never ended.
 */
export class BackendReader {
  readonly #limit: number;
  #state: "text" | "packet" | "frame" = "text";
  /** In a text: its last bytes, which may be the beginning of a mark. */
  #held: Buffer = NOTHING;
  /** The packet or frame that has begun. */
  #parts: Buffer[] = [];
  #size = 0;
  #text = false;
  #packets = 0;

  constructor({ limit = RETAINED_LIMIT }: { readonly limit?: number } = {}) {
    this.#limit = limit;
  }

  /** Takes the next bytes. The chunk must not be changed afterwards. */
  push(chunk: Buffer): StreamEvent[] {
    const data = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    this.#held = NOTHING;
    const events: StreamEvent[] = [];
    const scan = { data, events, nextPacket: new NextIndex(data, PACKET_MARK), nextFrame: new NextIndex(data, FRAME_MARK) };
    let at: number | undefined = 0;
    while (at !== undefined) at = this.#tryNext(scan, at);
    return events;
  }

  /**
   * The child has closed its output.
   *
   * @param exitStatus as the parent sees it; null when a signal ended the child
   */
  end(exitStatus: number | null): { readonly events: readonly StreamEvent[]; readonly outcome: StreamOutcome } {
    const events: StreamEvent[] = [];
    if (this.#state === "text") this.#emitText(events, this.#held);
    if (this.#state === "packet" && this.#endPacket(events, false)) this.#state = "frame";
    const facts = { exitStatus, text: this.#text, packets: this.#packets };
    if (this.#state !== "frame") return { events, outcome: { ...facts, kind: this.#text ? "text-only" : "silent" } };
    return { events, outcome: { ...facts, ...frameOutcome(this.#take()) } };
  }

  /** @returns the place up to which the data is read, or undefined: all of it */
  #tryNext(scan: TextScan, at: number): number | undefined {
    switch (this.#state) {
      case "text":
        return this.#tryText(scan, at);
      case "packet":
        return this.#tryPacket(scan, at);
      case "frame":
        this.#keep(scan.data.subarray(at));
        return undefined;
    }
  }

  /** @returns the place after the next mark, or undefined: the rest is text, save what may be the beginning of a mark */
  #tryText({ data, events, nextPacket, nextFrame }: TextScan, at: number): number | undefined {
    const packet = nextPacket.from(at);
    const frame = nextFrame.from(at);
    if (packet < frame) {
      this.#emitText(events, data.subarray(at, packet));
      this.#state = "packet";
      return packet + PACKET_MARK.length;
    }
    if (frame < Infinity) {
      // The NUL before the start mark belongs to it, or was the end of a packet; then `at` is behind it and there is no text.
      this.#emitText(events, data.subarray(at, data[frame - 1] === 0 ? frame - 1 : frame));
      this.#state = "frame";
      return frame + FRAME_MARK.length;
    }
    this.#held = data.subarray(beginningOfMark(data, at));
    this.#emitText(events, data.subarray(at, data.length - this.#held.length));
    return undefined;
  }

  /** @returns the place after the packet, or undefined: the rest belongs to it */
  #tryPacket({ data, events }: Scan, at: number): number | undefined {
    const end = data.indexOf(0, at);
    this.#keep(data.subarray(at, end < 0 ? data.length : end));
    if (end < 0) return undefined;
    const frame = this.#endPacket(events, true);
    this.#state = frame ? "frame" : "text";
    return frame ? end : end + 1;
  }

  #keep(part: Buffer): void {
    this.#size += part.length;
    if (this.#size <= this.#limit) this.#parts.push(part);
    else this.#parts = [];
  }

  /** What was kept, or undefined when it was too large. */
  #take(): Buffer | undefined {
    const bytes = this.#size > this.#limit ? undefined : this.#parts.length === 1 ? this.#parts[0] : Buffer.concat(this.#parts);
    this.#parts = [];
    this.#size = 0;
    return bytes;
  }

  #emitText(events: StreamEvent[], bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#text = true;
    events.push({ kind: "text", bytes });
  }

  /** Emits the packet that was kept. @returns whether a frame began in it; its bytes are then kept instead */
  #endPacket(events: StreamEvent[], complete: boolean): boolean {
    const bytes = this.#take();
    this.#packets += 1;
    const packet = bytes === undefined ? malformed("too large", NOTHING) : complete ? readPacket(bytes) : malformed("cut off", bytes);
    const frame = packet.kind === "malformed" && packet.reason !== "no name" ? packet.bytes.indexOf(FRAME_MARK) : -1;
    if (bytes === undefined || frame < 0) {
      events.push({ kind: "packet", packet });
      return false;
    }
    events.push({ kind: "packet", packet: malformed("cut off", bytes.subarray(0, frame)) });
    this.#keep(bytes.subarray(frame + FRAME_MARK.length));
    return true;
  }
}

interface Scan {
  readonly data: Buffer;
  readonly events: StreamEvent[];
}

interface TextScan extends Scan {
  readonly nextPacket: NextIndex;
  readonly nextFrame: NextIndex;
}

const NOTHING = Buffer.alloc(0);
