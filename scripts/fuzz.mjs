// npm run fuzz: generated backend streams against a slow reference reader, and generated alias files against PHP's own include.
//   --streams=N --files=N   how many (1,000,000 and 100,000)
//   --seconds=S             stop after that time, shared by both
//   --seed=N                the first seed; each case has a seed of its own, which a failure names
import { parseArgs } from "node:util";
import { loadTs } from "./load-ts.mjs";

const number = { type: "string" };
const { values } = parseArgs({ options: { streams: number, files: number, seconds: number, seed: number } });
const seconds = values.seconds === undefined ? undefined : Number(values.seconds) / 2;
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));

let failed = false;
const report = (what, began, { failures, ...rest }) => {
  console.log(`${what}: ${JSON.stringify(rest)} in ${((performance.now() - began) / 1000).toFixed(1)} s, ${failures.length} failures (seed ${seed})`);
  for (const failure of failures.slice(0, 5)) console.log(JSON.stringify(failure, (_, value) => (typeof value === "bigint" ? String(value) : value)).slice(0, 2000));
  failed ||= failures.length > 0;
};
const limit = seconds === undefined ? {} : { seconds };
const { fuzzStreams } = await loadTs("test/backend-protocol/fuzz-streams.ts");
let began = performance.now();
report("streams", began, await fuzzStreams({ streams: Number(values.streams ?? 1_000_000), seed, ...limit }));
const { fuzzAliases } = await loadTs("test/aliases/fuzz-aliases.ts");
began = performance.now();
report("alias files", began, await fuzzAliases({ files: Number(values.files ?? 100_000), seed, ...limit }));
process.exit(failed ? 1 : 0);
