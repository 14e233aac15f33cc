/** Waits for all of them, and throws what the first of them that failed has thrown: none is left to itself. */
export async function allOrFirst(running: readonly Promise<unknown>[]): Promise<void> {
  const ended = await Promise.allSettled(running);
  const failed = ended.find((one) => one.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}
