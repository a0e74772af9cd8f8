import { availableParallelism } from "node:os"
import { defineConfig } from "vitest/config"
import projects from "./vitest.workspace.js"

/** The workspace file lists the projects; naming them here as well keeps vitest 3 from warning that the file is deprecated. */
export default defineConfig({
  // One core is left to others by default, which on two of them is half of the machine.
  test: { projects, maxWorkers: Math.max(2, availableParallelism() - 1) }
})
