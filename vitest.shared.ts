import { fileURLToPath } from "node:url"
import { defineProject } from "vitest/config"

const conditions = ["@holdfast/source", "import", "module", "node", "default"]

/** Tests talk to this machine only, whatever keys are set. */
const setupFiles = [fileURLToPath(new URL("./test/support/loopback.ts", import.meta.url))]

/** One vitest project: tests run against the sources, so no build is needed. */
export const project = (name: string, root: string, include = ["test/**/*.test.ts"], testTimeout = 20_000) =>
  defineProject({
    root,
    resolve: { conditions },
    ssr: { resolve: { conditions } },
    test: { name, root, include, setupFiles, testTimeout, typecheck: { enabled: false } }
  })
