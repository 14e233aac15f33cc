import { defineConfig } from "vitest/config";
import { viteTemplates } from "./scripts/templates.mjs";

export default defineConfig({
  plugins: [viteTemplates],
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 180_000,
    hookTimeout: 300_000,
    // Two cores in CI; the system tests start real servers.
    maxWorkers: 2,
  },
});
