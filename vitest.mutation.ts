import { fileURLToPath } from "node:url"
import { defineConfig, defineProject } from "vitest/config"

const conditions = ["@holdfast/source", "import", "module", "node", "default"]
const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))

/** Each process bundles the libraries for itself, in the copy that goes away with the run. */
const worker = process.env["STRYKER_MUTATOR_WORKER"]
const cacheDir = worker === undefined ? "node_modules/.cache/holdfast/mutation/vite" : `.vite-${worker}`

/**
 * The tests of the pure cores as mutation testing runs them, thousands of times: properties are drawn from one seed, and
 * Effect is bundled beforehand, since loading its files one by one takes longer than most tests.
 */
const cores = defineProject({
  root: path("packages/holdfast"),
  cacheDir: path(cacheDir),
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    name: "mutation",
    root: path("packages/holdfast"),
    include: ["test/**/*.test.ts"],
    setupFiles: [path("test/support/seeded.ts")],
    testTimeout: 20_000,
    deps: { optimizer: { ssr: { enabled: true, include: ["effect", "effect/*", "@effect/vitest"] } } },
    // What is mutated lies in a copy below node_modules, where files pass for libraries.
    server: { deps: { inline: [/\/packages\/holdfast\/(src|test)\//, /\/test\/support\//] } },
    typecheck: { enabled: false }
  }
})

export default defineConfig({ test: { projects: [cores] } })
