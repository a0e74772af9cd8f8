import { defineConfig } from "vitest/config"
import { project } from "./vitest.shared.js"

/** Long tests (`npm run soak`): one file at a time, so that what they measure is theirs, with the collector at hand. */
export default defineConfig({
  test: {
    projects: [project("soak", ".", ["packages/*/test/**/*.soak.ts", "test/**/*.soak.ts"], 30 * 60_000)],
    fileParallelism: false,
    pool: "forks",
    // Room for a thousand young fibers at once: without it a quarter of the time goes into moving them.
    poolOptions: { forks: { execArgv: ["--expose-gc", "--max-semi-space-size=64"] } }
  }
})
