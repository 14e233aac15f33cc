import { described, readAll } from "./read-all.ts";
import { referenceRead } from "./reference-reader.ts";
import { BROKEN_PIECES, FRAME_PIECES, PACKET_PIECES, TEXT_PIECES } from "./stream-pieces.ts";

export interface FuzzOptions {
  /** How many streams to read. */
  readonly streams: number;
  /** The same seed gives the same streams. */
  readonly seed: number;
  /** Stop after this time, even when there are streams left. */
  readonly seconds?: number;
}

export interface FuzzReport {
  readonly streams: number;
  readonly bytes: number;
  readonly events: number;
  /** How often each outcome was met. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** At most ten; each names the stream by its seed. */
  readonly failures: readonly string[];
}

/** Reads generated streams, cut at random places, and compares events and outcome with the reference reader. */
export function fuzzStreams({ streams, seed, seconds = Infinity }: FuzzOptions): FuzzReport {
  const outcomes: Record<string, number> = {};
  const failures: string[] = [];
  const end = performance.now() + seconds * 1000;
  let done = 0;
  let bytes = 0;
  let events = 0;
  for (; done < streams && failures.length < 10 && (done % 64 !== 0 || performance.now() < end); done++) {
    const random = randomNumbers(seed + done);
    const stream = randomStream(random);
    const cuts = randomCuts(random, stream.length);
    const expected = referenceRead(stream);
    const problem = difference(() => described(readAll(stream, cuts)), expected);
    if (problem !== undefined) failures.push(`seed ${seed + done}, cut at ${JSON.stringify(cuts)}, ${JSON.stringify(stream.toString("latin1"))}: ${problem}`);
    const outcome = expected.outcome.replace(/^frame:[^]*/, "frame");
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    bytes += stream.length;
    events += expected.events.length;
  }
  return { streams: done, bytes, events, outcomes, failures };
}

function difference(read: () => unknown, expected: unknown): string | undefined {
  let found: string;
  try {
    found = JSON.stringify(read());
  } catch (error) {
    found = String(error);
  }
  const wanted = JSON.stringify(expected);
  return found === wanted ? undefined : `${found} instead of ${wanted}`;
}

type Random = (below: number) => number;

/** Small and fast (mulberry32); only its repeatability matters. */
function randomNumbers(seed: number): Random {
  let state = seed | 0;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

function randomStream(random: Random): Buffer {
  const pieces: Buffer[] = [];
  for (let left = random(9); left > 0; left--) pieces.push(randomPiece(random));
  if (random(4) > 0) pieces.push(pick(random, FRAME_PIECES));
  // After the frame: nothing, noise, packets, another frame.
  for (let left = random(3) === 0 ? random(3) : 0; left > 0; left--) pieces.push(randomPiece(random));
  const stream = Buffer.concat(pieces);
  return random(8) === 0 ? stream.subarray(0, random(stream.length + 1)) : stream;
}

function randomPiece(random: Random): Buffer {
  const kind = random(20);
  if (kind < 8) return pick(random, PACKET_PIECES);
  if (kind < 16) return pick(random, TEXT_PIECES);
  if (kind < 18) return Buffer.from(Array.from({ length: random(6) }, () => random(256)));
  return kind === 18 ? pick(random, BROKEN_PIECES) : pick(random, FRAME_PIECES);
}

function randomCuts(random: Random, length: number): number[] {
  const count = random(3) === 0 ? random(40) : random(5);
  return Array.from({ length: count }, () => random(length + 1)).sort((a, b) => a - b);
}

function pick(random: Random, pieces: readonly Buffer[]): Buffer {
  return pieces[random(pieces.length)] ?? Buffer.alloc(0);
}
