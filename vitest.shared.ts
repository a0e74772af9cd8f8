import { fileURLToPath } from "node:url"
import { defineProject } from "vitest/config"

export const conditions = ["@holdfast/source", "import", "module", "node", "default"]

/** Tests talk to this machine only, whatever keys are set. */
export const setupFiles = [fileURLToPath(new URL("./test/support/loopback.ts", import.meta.url))]

/** One vitest project: tests run against the sources, so no build is needed. */
export const project = (name: string, root: string, include = ["test/**/*.test.ts"]) =>
  defineProject({
    root,
    resolve: { conditions },
    ssr: { resolve: { conditions } },
    test: { name, root, include, setupFiles, testTimeout: 20_000, typecheck: { enabled: false } }
  })
