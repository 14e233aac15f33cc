/**
 * Waits for a condition, looking ever less often (10 ms to 100 ms). Throws with `what` when `timeout` milliseconds have passed.
 */
export async function until(what: string, condition: () => boolean | Promise<boolean>, timeout = 60_000): Promise<void> {
  const deadline = Date.now() + timeout;
  for (let pause = 10; !(await condition()); pause = Math.min(pause * 1.5, 100)) {
    if (Date.now() > deadline) throw new Error(`Waited ${timeout / 1000} s in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}
