import { defineWorkspace } from "vitest/config"
import { project } from "./vitest.shared.js"

export default defineWorkspace([
  project("holdfast", "packages/holdfast"),
  project("providers", "packages/providers"),
  project("testing", "packages/testing"),
  project("cli", "packages/cli"),
  project("examples", "examples", ["*.test.ts"]),
  project("end-to-end", "test", ["**/*.test.ts"])
])
