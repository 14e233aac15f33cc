/** Milliseconds of a clock that only goes forward, for durations. (`performance` takes a millisecond to load.) */
export function milliseconds(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
