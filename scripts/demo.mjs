// npm run demo [-- --drupal DIR] [--drush FILE]: shows the main job with real servers; see scripts/demo/demo.ts.
import { parseArgs } from "node:util";
import { loadTs } from "./load-ts.mjs";

const { values } = parseArgs({ options: { drupal: { type: "string" }, drush: { type: "string" } } });
const { demo } = await loadTs("scripts/demo/demo.ts");
process.exit((await demo({ drupal: values.drupal, drush: values.drush })) === 0 ? 0 : 1);
