import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { groupHasEnded, killGroup } from "../../src/processes/process-group.ts";

describe("a process group", () => {
  it("runs as long as anything in it does, also when its leader has ended", async () => {
    const leader = spawn("sh", ["-c", "sleep 300 >/dev/null 2>&1 & exit 0"], { detached: true, stdio: "ignore" });
    await once(leader, "exit");
    expect(await groupHasEnded(leader.pid!, 100)).toBe(false);
    killGroup(leader.pid);
    expect(await groupHasEnded(leader.pid!, 30_000)).toBe(true);
    // Again, and of one that never was, it is no error.
    killGroup(leader.pid);
    killGroup(undefined);
  });
});
