import { defineProject } from "vitest/config"

const conditions = ["@holdfast/source", "import", "module", "node", "default"]

/** One vitest project: tests run against the sources, so no build is needed. */
export const project = (name: string, root: string, include = ["test/**/*.test.ts"]) =>
  defineProject({
    root,
    resolve: { conditions },
    ssr: { resolve: { conditions } },
    test: { name, root, include, testTimeout: 20_000, typecheck: { enabled: false } }
  })
