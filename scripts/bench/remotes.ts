import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { good } from "../../test/support/front-end.ts";
import { saveHost, savePlatform, serverName, setRemoteStage } from "../../test/support/remote-stage.ts";

export interface Pushed {
  /** Milliseconds of a verify of an unchanged platform, which pushes it to one web server on another machine, and to two; medians. */
  readonly one: number;
  readonly two: number;
  readonly files: number;
}

const FOLDERS = 200;
const IN_FOLDER = 16;

/** Two machines in network namespaces of this one: the processors are shared, as they are on no real host. */
export async function pushedPlatforms(rounds: number): Promise<Pushed> {
  const stage = await setRemoteStage(2);
  try {
    const { frontEnd, hosts } = stage;
    for (const host of hosts) {
      await saveHost(stage, host);
      await good(frontEnd.task(serverName(host), "verify"));
    }
    await good(frontEnd.save("server_cluster", { context_type: "server", remote_host: "cluster", http_service_type: "cluster", cluster_web_servers: hosts.map((host) => `@${serverName(host)}`).join(",") }));
    const times: Record<string, number[]> = { one: [], two: [] };
    const [first] = hosts.map(serverName);
    for (const [name, server] of [["one", first ?? ""], ["two", "server_cluster"]] as const) {
      const root = await savePlatform(stage, name, server);
      fill(join(root, "sites/all/modules/many"));
      frontEnd.stage.home.user.own(root);
      await good(frontEnd.task(`platform_${name}`, "verify"));
    }
    for (let round = 0; round < rounds; round++) {
      for (const name of round % 2 === 0 ? ["one", "two"] : ["two", "one"]) times[name]?.push((await good(frontEnd.task(`platform_${name}`, "verify"))).milliseconds);
    }
    const median = (values: readonly number[] = []): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
    return { one: median(times["one"]), two: median(times["two"]), files: FOLDERS * IN_FOLDER };
  } finally {
    await stage.strike();
  }
}

function fill(folder: string): void {
  for (let one = 0; one < FOLDERS; one++) {
    mkdirSync(join(folder, String(one)), { recursive: true });
    for (let file = 0; file < IN_FOLDER; file++) writeFileSync(join(folder, String(one), `${file}.inc`), `<?php // ${one} ${file}\n`.repeat(20));
  }
}
