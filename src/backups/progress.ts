/**
 * Tells of progress a hundred times at most: a program that reads the events of a task wants to know how far it is, not of each piece.
 *
 * @param total what there is to do, about; it may turn out to be more
 */
export function byPercent(total: number, tell: (done: number, total: number) => void): (done: number) => void {
  let next = 0;
  return (done) => {
    if (done < next) return;
    next = done + Math.max(1, total / 100);
    tell(done, Math.max(done, total));
  };
}
