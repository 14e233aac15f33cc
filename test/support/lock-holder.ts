import type { FrontEnd } from "./front-end.ts";

/** The process that holds the lock of that context, as `provision ps` tells it. Throws when there is none. */
export async function lockHolder(frontEnd: FrontEnd, context: string): Promise<number> {
  const { stdout } = await frontEnd.stage.home.user.run([frontEnd.provision, "ps", "--json"], { env: frontEnd.env });
  const { locks } = JSON.parse(stdout) as { locks: { lock: string; pid: number }[] };
  const holder = locks.find(({ lock }) => lock === context);
  if (holder === undefined) throw new Error(`Nobody holds the lock of @${context}: ${stdout}`);
  return holder.pid;
}
