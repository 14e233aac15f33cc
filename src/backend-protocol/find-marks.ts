import { FRAME_START, PACKET_HEAD } from "./markers.ts";

export const PACKET_MARK = Buffer.from(PACKET_HEAD, "latin1");
export const FRAME_MARK = Buffer.from(FRAME_START, "latin1");
const NUL_FRAME_MARK = Buffer.from(`\0${FRAME_START}`, "latin1");

/** Where a mark comes next. Looks ahead once per place found: asking before each packet of a long chunk must not scan the rest of it. */
export class NextIndex {
  readonly #data: Buffer;
  readonly #mark: Buffer;
  #found = -1;

  constructor(data: Buffer, mark: Buffer) {
    this.#data = data;
    this.#mark = mark;
  }

  /** @returns Infinity when it does not come any more; `at` must not decrease from call to call */
  from(at: number): number {
    if (this.#found < at) {
      const found = this.#data.indexOf(this.#mark, at);
      this.#found = found < 0 ? Infinity : found;
    }
    return this.#found;
  }
}

/** Where, from `at` on, the first end piece begins that could go on as a mark; the length of the data when there is none. */
export function beginningOfMark(data: Buffer, at: number): number {
  for (let from = Math.max(at, data.length - NUL_FRAME_MARK.length + 1); from < data.length; from++) {
    if (MARKS.some((mark) => endsAsBeginningOf(mark, data, from))) return from;
  }
  return data.length;
}

/** What begins like a packet mark begins like the second of these, too. */
const MARKS = [FRAME_MARK, NUL_FRAME_MARK];

function endsAsBeginningOf(mark: Buffer, data: Buffer, from: number): boolean {
  const length = data.length - from;
  return data[from] === mark[0] && length < mark.length && data.compare(mark, 0, length, from) === 0;
}
